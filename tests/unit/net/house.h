/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_NET_HOUSE_H
#define UNIT_NET_HOUSE_H

#include "net/listener.h"
#include "net/relay_state.h"
#include "unit/net/peer.h"

#include <stdio.h>

/* A worker with one listener, and sockets of the test as its clients and its server. */
struct house {
    uv_loop_t loop;
    struct chunk chunk;
    struct session_world world;
    struct statement_pool statements;
    struct docket docket;
    struct counters counters;
    struct ring events;
    struct event last_event; /* the newest that told of an end */
    struct relay_shared shared;
    struct listener listener;
    struct address address; /* where clients connect */
    struct address host;    /* where the server listens */
    struct upstream upstream;
    const struct upstream *upstreams[1];
    struct listener_plan plan;
    int server_listening;
    int emptied;
};

static inline struct house *house_of(struct relay_shared *shared)
{
    return CONTAINER_OF(shared, struct house, shared);
}

static inline void on_house_empty(struct relay_shared *shared)
{
    house_of(shared)->emptied++;
}

static inline void house_open_world(struct house *house)
{
    static const struct hash_key key = { { 1, 2 } };
    const struct policy_plan plan = { .mode = GUARD_ENFORCE, .sqlstate = "42501" };
    statement_pool_init(&house->statements, &key, 1024 * 1024, 4 * 1024 * 1024);
    docket_init(&house->docket, &key, 100);
    assert_true(ring_init(&house->events, sizeof(struct event), 64));
    house->world = (struct session_world){
        .limits = { .in_flight = 1000, .names = 1000, .gathered_bytes = 16384 },
        .policy = policy_create(&plan, INT64_C(1764000000000000)),
        .statements = &house->statements,
        .harvest = harvest_create(&key, &(struct harvest_bounds){ 100, 100, 100 }),
        .docket = &house->docket,
        .counters = &house->counters,
        .events = &house->events,
        .hash_key = key,
    };
    assert_non_null(house->world.policy);
    session_world_open(&house->world);
}

static inline struct house *house_open(void)
{
    struct problem problem;
    uint16_t port = 0;
    struct house *house = calloc(1, sizeof *house);
    assert_non_null(house);
    chunk_init(&house->chunk);
    loop_open(&house->loop, &house->chunk);
    house_open_world(house);
    house->shared = (struct relay_shared){
        .loop = &house->loop,
        .chunk = &house->chunk,
        .world = &house->world,
        .on_empty = on_house_empty,
    };
    relay_shared_open(&house->shared);
    house->server_listening = peer_listen(&port, 16);
    peer_limit(house->server_listening, SO_RCVBUF);
    house->host = local_address(port);
    house->upstream = (struct upstream){
        .name = "main",
        .hosts = &house->host,
        .host_count = 1,
        .connect_timeout_ms = 5000,
    };
    house->upstreams[0] = &house->upstream;
    house->plan = (struct listener_plan){
        .address = &house->address,
        .upstream = &house->upstream,
        .upstreams = house->upstreams,
        .upstream_count = 1,
    };
    port = 0;
    (void)close(peer_refusing(&port));
    house->address = local_address(port);
    assert_true(listener_open(&house->listener, &house->shared, &house->plan, &problem));
    return house;
}

static inline bool tells_of_an_end(const struct event *event)
{
    return event->kind == EVENT_SESSION_CLOSED || event->kind == EVENT_SESSION_REFUSED;
}

/* The reason of the newest end of a session, in words. */
static inline const char *house_last_reason(struct house *house)
{
    const struct event *event;
    while ((event = ring_peek(&house->events)) != NULL) {
        if (tells_of_an_end(event))
            house->last_event = *event;
        ring_discard(&house->events);
    }
    return house->last_event.reason;
}

static inline void house_close(struct house *house)
{
    listener_close(&house->listener);
    relay_drain_all(&house->shared, 0);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    relay_shared_close(&house->shared);
    loop_finish(&house->loop);
    (void)close(house->server_listening);
    policy_release(house->world.policy);
    session_world_close(&house->world);
    statement_pool_release(&house->statements);
    harvest_destroy(house->world.harvest);
    docket_release(&house->docket);
    ring_release(&house->events);
    chunk_release(&house->chunk);
    assert_int_equal(counter_read(&house->counters.sessions_opened),
                     counter_read(&house->counters.sessions_closed));
    free(house);
}

/* ── What the protocol says ────────────────────────────────────────────────────────────────────────────────
 */

#define STARTUP   "\0\0\0\x10\0\3\0\0user\0u\0\0"
#define GREETING  "R\0\0\0\x8\0\0\0\0Z\0\0\0\5I"
#define QUERY     "Q\0\0\0\xdselect 1\0"
#define SYNC      "S\0\0\0\4"
#define READY     "Z\0\0\0\5I"
#define TERMINATE "X\0\0\0\4"
#define CANCEL    "\0\0\0\x10\x4\xd2\x16\x2e\0\0\0\1\0\0\0\2"
/* The size of a text constant with NULs in it. */
#define SIZE_OF(constant) (sizeof(constant) - 1)

#define SAY(house, socket, constant)  peer_send(&(house)->loop, (socket), (constant), SIZE_OF(constant))
#define HEAR(house, socket, constant) house_expect((house), (socket), (constant), SIZE_OF(constant))

static inline void house_expect(struct house *house, int socket, const char *expected, size_t size)
{
    char *got = malloc(size);
    assert_non_null(got);
    peer_read(&house->loop, socket, got, size);
    assert_memory_equal(got, expected, size);
    free(got);
}

/* A client that waits to be read little of, and its server. */
struct talk {
    int client;
    int server;
};

static inline struct talk house_log_in(struct house *house)
{
    struct talk talk = { .client = peer_connect(&house->address) };
    peer_limit(talk.client, SO_RCVBUF);
    SAY(house, talk.client, STARTUP);
    talk.server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, talk.server, STARTUP);
    SAY(house, talk.server, GREETING);
    HEAR(house, talk.client, GREETING);
    return talk;
}

static inline void talk_close(const struct talk *talk)
{
    (void)close(talk->client);
    (void)close(talk->server);
}

/* All that comes until the end, as a text with its NULs turned to bars. */
static inline const char *house_hear_out(struct house *house, int socket)
{
    static char heard[4096];
    size_t size = 0;
    ssize_t got = -1;
    TURN_UNTIL(&house->loop, (got = peer_take(socket, heard + size, sizeof heard - 1 - size),
                              size += got > 0 ? (size_t)got : 0, got == 0));
    for (size_t i = 0; i < size; i++)
        heard[i] = heard[i] == '\0' ? '|' : heard[i];
    heard[size] = '\0';
    return heard;
}

#endif
