/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_NET_OFFICE_H
#define UNIT_NET_OFFICE_H

#include "net/link.h"
#include "unit/net/peer.h"

/* Links of one set of sockets, each with the other end of its socket, for one test at a time. */
enum { MEMBERS_MOST = 128, A_WHILE_MS = 50, TURNS_MOST = 10 };

struct member {
    struct link link;
    int peer;
    size_t got;
    int ends;
    int closings;
    /* what it does when it is told of something: */
    struct member *victim; /* closes this one */
    bool is_echoing;
    bool is_hesitant;  /* stops reading, and starts */
    bool is_asking;    /* its peer sends more meanwhile */
    size_t sent;       /* to it */
    size_t taken_back; /* from it */
};

static struct office {
    uv_loop_t loop;
    struct chunk chunk;
    struct member members[MEMBERS_MOST];
    size_t count;
    unsigned turns;
    bool stops_when_closed;
} office;

static inline struct member *member_of(struct link *link)
{
    return CONTAINER_OF(link, struct member, link);
}

static inline struct poll_set *office_set(void)
{
    return office.chunk.poll_set;
}

static inline void count_end(struct link *link, int error)
{
    (void)error;
    member_of(link)->ends++;
}

static inline void count_closing(struct link *link)
{
    member_of(link)->closings++;
    if (office.stops_when_closed)
        poll_set_stop(office_set());
}

static inline void office_open(void)
{
    memset(&office, 0, sizeof office);
    loop_open(&office.loop, &office.chunk);
}

static inline struct member *office_hire(const int ends[2], const struct link_events *events)
{
    struct member *member = &office.members[office.count++];
    member->peer = ends[1];
    link_init(&member->link, &office.chunk, events);
    assert_int_equal(link_open(&member->link, ends[0]), 0);
    return member;
}

static inline int close_office(void **state)
{
    (void)state;
    for (size_t index = 0; index < office.count; index++) {
        link_close(&office.members[index].link);
        (void)close(office.members[index].peer);
    }
    loop_finish(&office.loop);
    for (size_t index = 0; index < office.count; index++)
        assert_int_equal(office.members[index].closings, 1);
    return 0;
}

static inline void count_turn(void *unused)
{
    (void)unused;
    office.turns++;
}

static inline void stop_by_timer(uv_timer_t *timer)
{
    poll_set_stop(office_set());
    uv_close((uv_handle_t *)timer, NULL);
}

static inline void stop_by_call(uv_async_t *call)
{
    poll_set_stop(office_set());
    uv_close((uv_handle_t *)call, NULL);
}

/* How often the set woke in that time, this timer's end included. */
static inline unsigned turns_in(unsigned ms)
{
    uv_timer_t timer;
    office.turns = 0;
    assert_int_equal(uv_timer_init(&office.loop, &timer), 0);
    assert_int_equal(uv_timer_start(&timer, stop_by_timer, ms, 0), 0);
    poll_set_run(office_set(), count_turn, NULL);
    TURN_UNTIL(&office.loop, !uv_loop_alive(&office.loop)); /* the timer's handle is closed in the loop */
    return office.turns;
}

#endif
