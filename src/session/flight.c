/* SPDX-License-Identifier: PostgreSQL */
#include "session/flight.h"

#include <assert.h>
#include <stdlib.h>

void flight_init(struct flight *flight)
{
    *flight = (struct flight){ .requests = NULL };
}

static void circle_give(struct flight *flight, struct slab *circles)
{
    if (flight->capacity > FLIGHT_FIRST_CAPACITY)
        free(flight->requests);
    else
        slab_give(circles, flight->requests);
}

static bool flight_begin(struct flight *flight, struct slab *circles)
{
    flight->requests = slab_take(circles);
    flight->capacity = flight->requests != NULL ? FLIGHT_FIRST_CAPACITY : 0;
    return flight->requests != NULL;
}

static bool flight_grow(struct flight *flight, struct slab *circles)
{
    if (flight->capacity == 0)
        return flight_begin(flight, circles);
    uint32_t capacity = flight->capacity * 2;
    struct request *requests = malloc(capacity * sizeof(*requests));
    if (requests == NULL)
        return false;
    for (uint32_t index = 0; index < flight->count; index++)
        requests[index] = *flight_at(flight, index);
    circle_give(flight, circles);
    flight->requests = requests;
    flight->capacity = capacity;
    flight->first = 0;
    return true;
}

struct request *flight_add(struct flight *flight, struct slab *circles)
{
    if (flight->count == flight->capacity && !flight_grow(flight, circles))
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
    if (taken.may_copy)
        flight->copies--;
    return taken;
}

struct request flight_take_second(struct flight *flight)
{
    struct request second = *flight_at(flight, 1);
    *flight_at(flight, 1) = *flight_at(flight, 0);
    *flight_at(flight, 0) = second;
    return flight_take(flight);
}

void flight_rest(struct flight *flight, struct slab *circles)
{
    if (flight->count > 0 || flight->capacity == 0)
        return;
    circle_give(flight, circles);
    flight_init(flight);
}
