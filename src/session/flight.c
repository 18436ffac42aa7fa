/* SPDX-License-Identifier: PostgreSQL */
#include "session/flight.h"

#include <assert.h>
#include <stdlib.h>

enum { FLIGHT_FIRST_CAPACITY = 8 };

void flight_init(struct flight *flight)
{
    *flight = (struct flight){ .requests = NULL };
}

void flight_release(struct flight *flight)
{
    assert(flight->count == 0);
    free(flight->requests);
    flight_init(flight);
}

static bool flight_grow(struct flight *flight)
{
    uint32_t capacity = flight->capacity > 0 ? flight->capacity * 2 : FLIGHT_FIRST_CAPACITY;
    struct request *requests = malloc(capacity * sizeof(*requests));
    if (requests == NULL)
        return false;
    for (uint32_t index = 0; index < flight->count; index++)
        requests[index] = *flight_at(flight, index);
    free(flight->requests);
    flight->requests = requests;
    flight->capacity = capacity;
    flight->first = 0;
    return true;
}

struct request *flight_add(struct flight *flight)
{
    if (flight->count == flight->capacity && !flight_grow(flight))
        return NULL;
    struct request *request = flight_at(flight, flight->count++);
    *request = (struct request){ .statement = NULL };
    return request;
}

struct request flight_take(struct flight *flight)
{
    struct request taken = *flight_at(flight, 0);
    flight->first = (flight->first + 1) & (flight->capacity - 1);
    flight->count--;
    return taken;
}

struct request flight_take_second(struct flight *flight)
{
    struct request head = flight_take(flight);
    struct request taken = *flight_at(flight, 0);
    *flight_at(flight, 0) = head;
    return taken;
}

bool flight_holds(const struct flight *flight, enum request_kind kind)
{
    for (uint32_t index = 0; index < flight->count; index++) {
        if (flight_at(flight, index)->kind == kind)
            return true;
    }
    return false;
}

void flight_shrink(struct flight *flight)
{
    if (flight->count == 0 && flight->capacity > FLIGHT_FIRST_CAPACITY)
        flight_release(flight);
}
