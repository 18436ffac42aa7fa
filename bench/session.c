/* SPDX-License-Identifier: PostgreSQL */
/* Plays pgbench's conversation through the session core, without a socket: what a transaction costs, in
 * instructions when run under valgrind (bench/instructions.sh).
 *
 * usage: bench_session simple|extended|prepared|violation TRANSACTIONS */
#include "session/session.h"

#include "wire/writer.h"

#include <stdio.h>
#include <stdlib.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT (void)0
#endif

enum { BYTES_MOST = 64 * 1024, EVENTS_KEPT = 64, POOL_BYTES = 64 * 1024, POOL_IN_USE = 1024 * 1024 };

static const int64_t now_us = INT64_C(1764000000) * 1000000;
static const struct hash_key key = { { 1, 2 } };

struct play {
    struct session_world world;
    struct statement_pool statements;
    struct docket docket;
    struct counters counters;
    struct ring events;
    struct session *session;
    struct buffer client; /* what each side says next */
    struct buffer server;
    uint64_t carried; /* bytes */
};

/* Callgrind's collecting is on in the core only, not in the script. */
static enum session_event step(struct play *play, enum side from, struct bytes *input)
{
    struct segment segment;
    enum session_event event;
    CALLGRIND_TOGGLE_COLLECT;
    while ((event = session_step(play->session, from, input, &segment)) == SESSION_SEND)
        play->carried += segment.bytes.size;
    CALLGRIND_TOGGLE_COLLECT;
    return event;
}

static void feed(struct play *play, enum side from, struct buffer *said)
{
    struct bytes input = buffer_bytes(said);
    enum session_event event = step(play, from, &input);
    if (event == SESSION_DIAL) {
        session_dialed(play->session, &(struct server_leg){ .is_secured = false });
        buffer_clear(said);
        feed(play, SIDE_CLIENT, said);
        return;
    }
    if (event != SESSION_STARVED) {
        (void)fprintf(stderr, "bench_session: the conversation was cut short\n");
        exit(1);
    }
    buffer_clear(said);
}

static void play_open(struct play *play)
{
    const struct policy_plan plan = { .mode = GUARD_ENFORCE, .sqlstate = "42501" };
    struct address client = { .family = ADDRESS_NONE };
    statement_pool_init(&play->statements, &key, POOL_BYTES, POOL_IN_USE);
    docket_init(&play->docket, &key, EVENTS_KEPT);
    play->world = (struct session_world){
        .limits = { .in_flight = 16384, .names = 10000, .gathered_bytes = 16384 },
        .policy = policy_create(&plan, now_us),
        .statements = &play->statements,
        .harvest = harvest_create(&key, &(struct harvest_bounds){ EVENTS_KEPT, EVENTS_KEPT, EVENTS_KEPT }),
        .docket = &play->docket,
        .counters = &play->counters,
        .events = &play->events,
        .hash_key = key,
        .now_us = now_us,
    };
    session_world_open(&play->world);
    buffer_init(&play->client, BYTES_MOST);
    buffer_init(&play->server, BYTES_MOST);
    if (!ring_init(&play->events, sizeof(struct event), EVENTS_KEPT) || play->world.policy == NULL)
        abort();
    play->session = session_create(&play->world, &client, "main", SECURITY_NONE);
}

static void play_close(struct play *play)
{
    session_destroy(play->session, "the play is over");
    policy_release(play->world.policy);
    session_world_close(&play->world);
    statement_pool_release(&play->statements);
    harvest_destroy(play->world.harvest);
    docket_release(&play->docket);
    ring_release(&play->events);
    buffer_release(&play->client);
    buffer_release(&play->server);
}

/* ── What is said ──────────────────────────────────────────────────────────────────────────────────────────
 */

static void say_login(struct play *play)
{
    static const char startup[] = "\0\0\0\x20\0\3\0\0user\0app\0database\0shop\0\0";
    buffer_append(&play->client, bytes_of(startup, sizeof(startup) - 1));
    feed(play, SIDE_CLIENT, &play->client);
    struct writer server = writer_of(&play->server);
    writer_begin(&server, 'R');
    writer_int32(&server, 0);
    writer_end(&server);
    writer_begin(&server, 'S');
    writer_string(&server, bytes_text("server_version"));
    writer_string(&server, bytes_text("15.9"));
    writer_end(&server);
    writer_ready(&server, 'I');
    feed(play, SIDE_SERVER, &play->server);
}

static void say_text(struct writer *client, uint8_t type, const char *name, struct bytes sql)
{
    writer_begin(client, type);
    if (type == 'P')
        writer_string(client, bytes_text(name));
    writer_string(client, sql);
    if (type == 'P')
        writer_int16(client, 0);
    writer_end(client);
}

static void say_bind(struct writer *client, const char *name)
{
    writer_begin(client, 'B');
    writer_string(client, BYTES_NONE);
    writer_string(client, bytes_text(name));
    writer_int16(client, 0);
    writer_int16(client, 1);
    writer_int32(client, 6);
    writer_bytes(client, bytes_text("123456"));
    writer_int16(client, 0);
    writer_end(client);
    writer_begin(client, 'D');
    writer_byte(client, 'P');
    writer_string(client, BYTES_NONE);
    writer_end(client);
    writer_begin(client, 'E');
    writer_string(client, BYTES_NONE);
    writer_int32(client, 0);
    writer_end(client);
    writer_begin(client, 'S');
    writer_end(client);
}

static void say_empty(struct writer *server, uint8_t type)
{
    writer_begin(server, type);
    writer_end(server);
}

static void say_row(struct writer *server)
{
    static const char column[] = "\0\1abalance\0\0\0\x40\1\0\4\0\0\0\x17\0\4\xff\xff\xff\xff\0\0";
    writer_begin(server, 'T');
    writer_bytes(server, bytes_of(column, sizeof(column) - 1));
    writer_end(server);
    writer_begin(server, 'D');
    writer_int16(server, 1);
    writer_int32(server, 1);
    writer_bytes(server, bytes_text("0"));
    writer_end(server);
    writer_command_complete(server, "SELECT 1");
    writer_ready(server, 'I');
}

static void say_violation(struct writer *server, unsigned number)
{
    char detail[80];
    int size = snprintf(detail, sizeof(detail), "DKey (id)=(%u) already exists.", number);
    const struct bytes fields[] = {
        bytes_text("SERROR"),
        bytes_text("VERROR"),
        bytes_text("C23505"),
        bytes_text("Mduplicate key value violates unique constraint \"orders_pkey\""),
        bytes_of(detail, (size_t)size),
        bytes_text("spublic"),
        bytes_text("torders"),
        bytes_text("norders_pkey"),
        bytes_text("Fnbtinsert.c"),
        bytes_text("L666"),
        bytes_text("R_bt_check_unique"),
        BYTES_NONE,
    };
    writer_begin(server, 'E');
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        writer_string(server, fields[i]);
    writer_end(server);
    writer_ready(server, 'I');
}

/* ── The modes ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static void transact_simple(struct play *play, unsigned number)
{
    char sql[80];
    struct writer client = writer_of(&play->client);
    struct writer server = writer_of(&play->server);
    int size = snprintf(sql, sizeof(sql), "SELECT abalance FROM pgbench_accounts WHERE aid = %u;", number);
    say_text(&client, 'Q', NULL, bytes_of(sql, (size_t)size));
    feed(play, SIDE_CLIENT, &play->client);
    say_row(&server);
    feed(play, SIDE_SERVER, &play->server);
}

static void transact_bound(struct play *play, bool is_parsed, const char *name)
{
    struct writer client = writer_of(&play->client);
    struct writer server = writer_of(&play->server);
    if (is_parsed) {
        say_text(&client, 'P', name, bytes_text("SELECT abalance FROM pgbench_accounts WHERE aid = $1;"));
        say_empty(&server, '1');
    }
    say_bind(&client, name);
    feed(play, SIDE_CLIENT, &play->client);
    say_empty(&server, '2');
    say_row(&server);
    feed(play, SIDE_SERVER, &play->server);
}

static void transact_violation(struct play *play, unsigned number)
{
    char sql[80];
    struct writer client = writer_of(&play->client);
    struct writer server = writer_of(&play->server);
    int size =
        snprintf(sql, sizeof(sql), "INSERT INTO orders (id, item) VALUES (%u, 'left-handed cup');", number);
    say_text(&client, 'Q', NULL, bytes_of(sql, (size_t)size));
    feed(play, SIDE_CLIENT, &play->client);
    say_violation(&server, number);
    feed(play, SIDE_SERVER, &play->server);
    while (ring_peek(&play->events) != NULL)
        ring_discard(&play->events);
}

static void transact(struct play *play, const char *mode, unsigned number)
{
    if (strcmp(mode, "simple") == 0)
        transact_simple(play, 100000 + number);
    else if (strcmp(mode, "violation") == 0)
        transact_violation(play, 100000 + number);
    else if (strcmp(mode, "extended") == 0)
        transact_bound(play, true, "");
    else
        transact_bound(play, number == 0, "P_0");
}

int main(int argc, char **argv)
{
    static struct play play;
    const char *mode = argc == 3 ? argv[1] : "";
    if (strcmp(mode, "simple") != 0 && strcmp(mode, "extended") != 0 && strcmp(mode, "prepared") != 0 &&
        strcmp(mode, "violation") != 0) {
        (void)fprintf(stderr, "usage: bench_session simple|extended|prepared|violation TRANSACTIONS\n");
        return 2;
    }
    unsigned long count = strtoul(argv[2], NULL, 10);
    play_open(&play);
    say_login(&play);
    for (unsigned long i = 0; i < count; i++)
        transact(&play, mode, (unsigned)i);
    (void)printf("%lu transactions, %llu bytes\nBuilt by: %s\n", count, (unsigned long long)play.carried,
                 __VERSION__);
    play_close(&play);
    return 0;
}
