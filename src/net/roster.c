/* SPDX-License-Identifier: PostgreSQL */
#include "net/roster.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { CACHE_LINE = 64, LISTENER_SHIFT = 32 };

/* What a place on the way holds: nothing, an arrival, or that there is no place any more. */
static const uint64_t place_free = 0;
static const uint64_t place_closed = UINT64_MAX;

/* What a worker has is `placed - gone`: the one is counted up by those who place, the other told by the
 * worker, so neither writes the other's line. */
struct seat {
    alignas(CACHE_LINE) atomic_uint_fast64_t placed; /* with it, by anybody */
    atomic_uint_fast64_t handed;
    atomic_uint_fast32_t underway;
    atomic_bool is_away;
    atomic_bool has_left;
    roster_wake wake;
    void *owner;
    alignas(CACHE_LINE) atomic_uint_fast64_t gone; /* of those that came to it */
    atomic_uint_fast64_t beats;
    atomic_bool has_ended;
    uint64_t came; /* to it; the worker's own */
    alignas(CACHE_LINE) atomic_uint_fast64_t ways[ROSTER_UNDERWAY_MOST];
};

struct roster {
    uint32_t workers;
    struct seat *seats;
};

static void seat_init(struct seat *seat)
{
    atomic_init(&seat->placed, 0);
    atomic_init(&seat->handed, 0);
    atomic_init(&seat->underway, 0);
    atomic_init(&seat->is_away, false);
    atomic_init(&seat->has_left, false);
    atomic_init(&seat->gone, 0);
    atomic_init(&seat->beats, 0);
    atomic_init(&seat->has_ended, false);
    seat->came = 0;
    seat->wake = NULL;
    for (size_t way = 0; way < ROSTER_UNDERWAY_MOST; way++)
        atomic_init(&seat->ways[way], place_free);
}

struct roster *roster_create(uint32_t workers)
{
    struct roster *roster = malloc(sizeof *roster);
    struct seat *seats = aligned_alloc(CACHE_LINE, workers * sizeof *seats);
    if (roster == NULL || seats == NULL) {
        free(roster);
        free(seats);
        return NULL;
    }
    for (uint32_t worker = 0; worker < workers; worker++)
        seat_init(&seats[worker]);
    *roster = (struct roster){ .workers = workers, .seats = seats };
    return roster;
}

void roster_join(struct roster *roster, uint32_t worker, roster_wake wake, void *owner)
{
    roster->seats[worker].wake = wake;
    roster->seats[worker].owner = owner;
}

/* A socket is told from a free place by the one that is added. */
static uint64_t way_of(struct arrival arrival)
{
    return (uint64_t)arrival.listener << LISTENER_SHIFT | ((uint64_t)arrival.socket + 1);
}

static struct arrival arrival_of(uint64_t way)
{
    return (struct arrival){ .socket = (int)(way & UINT32_MAX) - 1,
                             .listener = (uint32_t)(way >> LISTENER_SHIFT) };
}

static bool is_arrival(uint64_t way)
{
    return way != place_free && way != place_closed;
}

/* Empties a place. Whether an arrival was in it. */
static bool way_empty(atomic_uint_fast64_t *way, uint64_t afterwards, struct arrival *out)
{
    uint64_t found = atomic_load_explicit(way, memory_order_relaxed);
    while (found != place_closed && found != afterwards)
        if (atomic_compare_exchange_weak_explicit(way, &found, afterwards, memory_order_acquire,
                                                  memory_order_relaxed))
            break;
    if (!is_arrival(found))
        return false;
    *out = arrival_of(found);
    return true;
}

static bool seat_empty(struct seat *seat, uint64_t afterwards, struct arrival *out)
{
    size_t way;
    for (way = 0; way < ROSTER_UNDERWAY_MOST; way++)
        if (way_empty(&seat->ways[way], afterwards, out))
            break;
    if (way == ROSTER_UNDERWAY_MOST)
        return false;
    atomic_fetch_sub_explicit(&seat->underway, 1, memory_order_relaxed);
    return true;
}

void roster_destroy(struct roster *roster)
{
    struct arrival arrival;
    if (roster == NULL)
        return;
    for (uint32_t worker = 0; worker < roster->workers; worker++)
        while (seat_empty(&roster->seats[worker], place_closed, &arrival))
            (void)close(arrival.socket);
    free(roster->seats);
    free(roster);
}

/* ── Any thread ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* The worker's telling may overtake what is read of the placing. */
static uint64_t load_of(const struct seat *seat, uint64_t placed)
{
    uint64_t gone = atomic_load_explicit(&seat->gone, memory_order_relaxed);
    return placed > gone ? placed - gone : 0;
}

static bool may_be_handed(const struct seat *seat)
{
    return !atomic_load_explicit(&seat->is_away, memory_order_relaxed) &&
           !atomic_load_explicit(&seat->has_left, memory_order_relaxed) &&
           atomic_load_explicit(&seat->underway, memory_order_relaxed) < ROSTER_UNDERWAY_MOST;
}

struct choice {
    uint32_t worker;
    uint64_t load;
    uint64_t placed; /* when it was looked at */
};

static void choice_consider(struct choice *choice, const struct roster *roster, uint32_t worker)
{
    const struct seat *seat = &roster->seats[worker];
    uint64_t placed = atomic_load_explicit(&seat->placed, memory_order_relaxed);
    uint64_t load = load_of(seat, placed);
    if (load < choice->load)
        *choice = (struct choice){ worker, load, placed };
}

uint32_t roster_place(struct roster *roster, uint32_t self)
{
    for (;;) {
        struct choice choice = { .worker = ROSTER_NOBODY, .load = UINT64_MAX };
        if (self != ROSTER_NOBODY)
            choice_consider(&choice, roster, self);
        for (uint32_t worker = 0; worker < roster->workers; worker++)
            if (worker != self && may_be_handed(&roster->seats[worker]))
                choice_consider(&choice, roster, worker);
        /* Of two that place at once with the same worker, one looks again. */
        if (choice.worker == ROSTER_NOBODY ||
            atomic_compare_exchange_strong_explicit(&roster->seats[choice.worker].placed, &choice.placed,
                                                    choice.placed + 1, memory_order_relaxed,
                                                    memory_order_relaxed))
            return choice.worker;
    }
}

void roster_place_with(struct roster *roster, uint32_t worker)
{
    atomic_fetch_add_explicit(&roster->seats[worker].placed, 1, memory_order_relaxed);
}

static bool seat_put(struct seat *seat, struct arrival arrival)
{
    for (size_t way = 0; way < ROSTER_UNDERWAY_MOST; way++) {
        uint64_t found = place_free;
        if (atomic_compare_exchange_strong_explicit(&seat->ways[way], &found, way_of(arrival),
                                                    memory_order_release, memory_order_relaxed))
            return true;
        if (found == place_closed)
            break;
    }
    return false;
}

bool roster_hand(struct roster *roster, uint32_t worker, struct arrival arrival)
{
    struct seat *seat = &roster->seats[worker];
    atomic_fetch_add_explicit(&seat->underway, 1, memory_order_relaxed); /* before it can be taken out */
    if (!seat_put(seat, arrival)) {
        atomic_fetch_sub_explicit(&seat->underway, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&seat->placed, 1, memory_order_relaxed);
        return false;
    }
    atomic_fetch_add_explicit(&seat->handed, 1, memory_order_relaxed);
    seat->wake(seat->owner);
    return true;
}

bool roster_has_room(const struct roster *roster)
{
    for (uint32_t worker = 0; worker < roster->workers; worker++)
        if (may_be_handed(&roster->seats[worker]))
            return true;
    return false;
}

struct seat_view roster_view(const struct roster *roster, uint32_t worker)
{
    const struct seat *seat = &roster->seats[worker];
    uint64_t placed = atomic_load_explicit(&seat->placed, memory_order_relaxed);
    return (struct seat_view){
        .connections = load_of(seat, placed),
        .handed = atomic_load_explicit(&seat->handed, memory_order_relaxed),
        .beats = atomic_load_explicit(&seat->beats, memory_order_relaxed),
        .has_ended = atomic_load_explicit(&seat->has_ended, memory_order_relaxed),
    };
}

/* ── The worker ────────────────────────────────────────────────────────────────────────────────────────────
 */

void roster_beat(struct roster *roster, uint32_t worker)
{
    atomic_fetch_add_explicit(&roster->seats[worker].beats, 1, memory_order_relaxed);
}

void roster_keep(struct roster *roster, uint32_t worker)
{
    roster->seats[worker].came++;
}

bool roster_take(struct roster *roster, uint32_t worker, struct arrival *out)
{
    struct seat *seat = &roster->seats[worker];
    bool has_left = atomic_load_explicit(&seat->has_left, memory_order_relaxed);
    /* Having left, it closes the places too. */
    if (!has_left && atomic_load_explicit(&seat->underway, memory_order_relaxed) == 0)
        return false;
    if (!seat_empty(seat, has_left ? place_closed : place_free, out))
        return false;
    seat->came++;
    return true;
}

void roster_tell(struct roster *roster, uint32_t worker, uint64_t connections)
{
    struct seat *seat = &roster->seats[worker];
    uint64_t gone = seat->came - connections;
    if (atomic_load_explicit(&seat->gone, memory_order_relaxed) != gone)
        atomic_store_explicit(&seat->gone, gone, memory_order_relaxed);
}

void roster_leave(struct roster *roster, uint32_t worker)
{
    atomic_store_explicit(&roster->seats[worker].has_left, true, memory_order_relaxed);
}

void roster_end(struct roster *roster, uint32_t worker)
{
    atomic_store_explicit(&roster->seats[worker].has_ended, true, memory_order_relaxed);
}

/* ── The control thread ────────────────────────────────────────────────────────────────────────────────────
 */

void roster_set_away(struct roster *roster, uint32_t worker, bool is_away)
{
    atomic_store_explicit(&roster->seats[worker].is_away, is_away, memory_order_relaxed);
}

bool roster_take_back(struct roster *roster, uint32_t worker, struct arrival *out)
{
    struct seat *seat = &roster->seats[worker];
    if (!seat_empty(seat, place_free, out))
        return false;
    atomic_fetch_sub_explicit(&seat->placed, 1, memory_order_relaxed);
    return true;
}
