/* SPDX-License-Identifier: PostgreSQL */
#include "unit/net/house.h"

enum { MEGABYTE = 1024 * 1024, LARGE = 40 * MEGABYTE };

static void what_one_side_says_the_other_hears(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    SAY(house, talk.server, "C\0\0\0\xdSELECT 1\0" READY);
    HEAR(house, talk.client, "C\0\0\0\xdSELECT 1\0" READY);
    assert_int_equal(counter_read(&house->counters.bytes_from_clients), SIZE_OF(STARTUP) + SIZE_OF(QUERY));
    assert_int_equal(counter_read(&house->counters.bytes_from_servers),
                     SIZE_OF(GREETING) + SIZE_OF("C\0\0\0\xdSELECT 1\0") + SIZE_OF(READY));
    talk_close(&talk);
    house_close(house);
}

#define CREATE "Q\0\0\0\x15\x63reate table t()\0"

static void take_news(struct relay_shared *shared)
{
    const struct policy_plan lax = { .mode = GUARD_OFF, .sqlstate = "42501" };
    atomic_store(&shared->has_news, false);
    policy_release(shared->world->policy);
    shared->world->policy = policy_create(&lax, 0);
    shared->world->policies++;
    assert_non_null(shared->world->policy);
}

static void what_is_new_is_heard_before_what_comes_is_judged(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    house->shared.on_news = take_news;
    atomic_store(&house->shared.has_news, true);
    SAY(house, talk.client, CREATE);
    HEAR(house, talk.server, CREATE);
    assert_false(atomic_load(&house->shared.has_news));
    talk_close(&talk);
    house_close(house);
}

/* Else what was made in force in this turn would not be so yet. */
static void the_clock_is_read_again_behind_what_is_new(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    house->shared.on_news = take_news;
    relay_shared_turn(&house->shared);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    int64_t turn_us = house->world.now_us;
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    assert_int_equal(house->world.now_us, turn_us); /* the same turn, as far as the relays know */
    atomic_store(&house->shared.has_news, true);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    assert_true(house->world.now_us > turn_us);
    talk_close(&talk);
    house_close(house);
}

static void what_comes_while_dialing_waits_and_follows(void **state)
{
    (void)state;
    struct house *house = house_open();
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP "p\0\0\0\x7pw\0" SYNC);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, STARTUP "p\0\0\0\x7pw\0" SYNC);
    (void)close(client);
    (void)close(server);
    house_close(house);
}

static void an_upstream_that_is_down_is_told_with_08006(void **state)
{
    (void)state;
    struct house *house = house_open();
    char expected[128];
    uint16_t port = 0;
    int refusing = peer_refusing(&port);
    house->host = local_address(port);
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP);
    const char *heard = house_hear_out(house, client);
    assert_int_equal(heard[0], 'E');
    assert_non_null(strstr(heard, "SFATAL|VFATAL|C08006|Mcould not connect to upstream \"main\"|"));
    (void)snprintf(expected, sizeof expected, "|D127.0.0.1:%u: connection refused|", port);
    assert_non_null(strstr(heard, expected));
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_non_null(strstr(house_last_reason(house), "connection refused"));
    (void)close(refusing);
    house_close(house);
}

static void a_cancel_request_is_carried_and_ends(void **state)
{
    (void)state;
    struct house *house = house_open();
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, CANCEL);
    (void)close(server);
    TURN_UNTIL(&house->loop, peer_is_at_end(client));
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

static void the_clients_end_reaches_the_server_whose_answer_still_flows(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client, QUERY);
    assert_int_equal(shutdown(talk.client, SHUT_WR), 0);
    HEAR(house, talk.server, QUERY);
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.server));
    SAY(house, talk.server, READY);
    HEAR(house, talk.client, READY);
    assert_false(peer_is_at_end(talk.client));
    (void)close(talk.server);
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.client));
    (void)close(talk.client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "client closed the connection");
    house_close(house);
}

static void a_client_that_leaves_before_it_said_anything_is_let_go(void **state)
{
    (void)state;
    struct house *house = house_open();
    int client = peer_connect(&house->address);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 1);
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house),
                        ""); /* somebody looked whether the port answers: counted only */
    assert_int_equal(counter_read(&house->counters.sessions_refused), 1);
    house_close(house);
}

static void a_client_that_terminates_is_told_apart(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client, TERMINATE);
    HEAR(house, talk.server, TERMINATE);
    talk_close(&talk);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "client terminated");
    house_close(house);
}

static void a_client_that_is_reset_ends_the_server_side(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    peer_reset(talk.client);
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.server));
    (void)close(talk.server);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "client connection failed: connection reset by peer");
    house_close(house);
}

static void a_server_that_is_reset_ends_the_client_side(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    peer_reset(talk.server);
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.client));
    (void)close(talk.client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "server connection failed: connection reset by peer");
    house_close(house);
}

static void garbage_is_answered_and_ends(void **state)
{
    (void)state;
    struct house *house = house_open();
    int client = peer_connect(&house->address);
    SAY(house, client, "GET / HTTP/1.1\r\n\r\n");
    (void)house_hear_out(house, client);
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

/* ── Backpressure ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* A stream of messages of one type, each of 64 KiB. */
struct stream {
    uint8_t type;
    size_t at;
};

enum { STREAM_MESSAGE = 64 * 1024 };

static size_t stream_fill(const struct stream *stream, uint8_t *out, size_t size)
{
    const uint8_t header[] = { stream->type, 0, 0, (STREAM_MESSAGE - 1) >> 8, (STREAM_MESSAGE - 1) & 0xff };
    for (size_t i = 0; i < size; i++) {
        size_t place = (stream->at + i) % STREAM_MESSAGE;
        out[i] = place < sizeof header ? header[place] : (uint8_t)((stream->at + i) * 7 / 5);
    }
    return size;
}

/* Sends what the socket takes; whether it took anything. */
static bool stream_send(struct stream *stream, int socket, size_t most)
{
    static uint8_t piece[100000];
    size_t size = most - stream->at < sizeof piece ? most - stream->at : sizeof piece;
    ssize_t taken = send(socket, piece, stream_fill(stream, piece, size), MSG_NOSIGNAL);
    stream->at += taken > 0 ? (size_t)taken : 0;
    return taken > 0;
}

/* Reads what is there and holds it against what should come. */
static void stream_read(struct stream *stream, int socket)
{
    static uint8_t got[100000];
    static uint8_t expected[sizeof got];
    ssize_t size = peer_take(socket, got, sizeof got);
    if (size <= 0)
        return;
    (void)stream_fill(stream, expected, (size_t)size);
    assert_memory_equal(got, expected, (size_t)size);
    stream->at += (size_t)size;
}

static struct relay *only_relay(struct house *house)
{
    assert_int_equal(house->shared.relay_count, 1);
    assert_false(list_is_empty(&house->shared.relays));
    return CONTAINER_OF(house->shared.relays.next, struct relay, node);
}

/* Sends until nothing is taken any more for a while, then lets the reader read all. */
static void assert_bounded(struct house *house, uint8_t type, int sender, int reader,
                           enum side side_of_reader)
{
    struct stream sent = { .type = type };
    struct stream read = { .type = type };
    const struct link *link = &only_relay(house)->ends[side_of_reader].link;
    for (int idle = 0; idle < 500 && sent.at < LARGE;
         idle = stream_send(&sent, sender, LARGE) ? 0 : idle + 1) {
        turn(&house->loop, uv_hrtime());
        assert_true(link_waiting(link) <= LINK_HIGH_WATER + CHUNK_SIZE);
    }
    assert_true(sent.at < LARGE);
    assert_true(link->is_full);
    size_t target = sent.at + 4 * MEGABYTE;
    TURN_UNTIL(&house->loop,
               (stream_send(&sent, sender, target), stream_read(&read, reader), read.at == target));
}

static void a_client_that_never_reads_stops_the_server(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    assert_bounded(house, 'D', talk.server, talk.client, SIDE_CLIENT);
    talk_close(&talk);
    house_close(house);
}

static void a_server_that_never_reads_stops_the_client(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client,
        "Q\0\0\0\x16"
        "copy t from stdin\0");
    HEAR(house, talk.server,
         "Q\0\0\0\x16"
         "copy t from stdin\0");
    SAY(house, talk.server, "G\0\0\0\7\0\0\0");
    HEAR(house, talk.client, "G\0\0\0\7\0\0\0");
    assert_bounded(house, 'd', talk.client, talk.server, SIDE_SERVER);
    talk_close(&talk);
    house_close(house);
}

static void the_servers_last_words_reach_a_slow_client(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk talk = house_log_in(house);
    struct stream sent = { .type = 'D' };
    struct stream read = { .type = 'D' };
    size_t most = 8 * MEGABYTE;
    while (sent.at < most) {
        if (!stream_send(&sent, talk.server, most))
            stream_read(&read, talk.client);
        turn(&house->loop, uv_hrtime());
    }
    (void)close(talk.server);
    turn_for(&house->loop, 50);
    assert_true(read.at < most);
    TURN_UNTIL(&house->loop, (stream_read(&read, talk.client), read.at == most));
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.client));
    (void)close(talk.client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "server closed the connection");
    house_close(house);
}

/* ── Waiting ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void a_client_too_far_ahead_waits_for_the_server(void **state)
{
    (void)state;
    enum { AHEAD = 10, BOUND = 3 };
    char got[AHEAD * SIZE_OF(SYNC)];
    struct house *house = house_open();
    house->world.limits.in_flight = BOUND;
    struct talk talk = house_log_in(house);
    for (int i = 0; i < AHEAD; i++)
        SAY(house, talk.client, SYNC);
    assert_int_equal(shutdown(talk.client, SHUT_WR), 0);
    for (int i = 0; i < AHEAD; i++) {
        if (i <= AHEAD - BOUND) {
            peer_read(&house->loop, talk.server, got, SIZE_OF(SYNC) * (i == 0 ? BOUND : 1));
            turn_for(&house->loop, 5);
            assert_int_equal(peer_take(talk.server, got, 1), -1);
        }
        SAY(house, talk.server, READY);
        HEAR(house, talk.client, READY);
    }
    TURN_UNTIL(&house->loop, peer_is_at_end(talk.server));
    talk_close(&talk);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

static void a_client_that_is_reset_while_it_waits_ends_the_server_side(void **state)
{
    (void)state;
    struct house *house = house_open();
    house->world.limits.in_flight = 1;
    struct talk talk = house_log_in(house);
    struct stream sent = { .type = 'D' };
    SAY(house, talk.client, QUERY SYNC);
    HEAR(house, talk.server, QUERY);
    SAY(house, talk.client, SYNC); /* which is not read: the one before it is still held */
    while (!only_relay(house)->ends[SIDE_CLIENT].link.is_full) {
        (void)stream_send(&sent, talk.server, LARGE);
        turn(&house->loop, uv_hrtime());
    }
    peer_reset(talk.client);
    TURN_UNTIL(&house->loop, list_is_empty(&house->shared.relays));
    assert_non_null(strstr(house_last_reason(house), "client connection failed: "));
    (void)close(talk.server);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

static void login_must_not_take_for_ever(void **state)
{
    (void)state;
    struct house *house = house_open();
    house->shared.login_timeout_ms = 10 * (uint64_t)PATIENCE_MS;
    struct talk talk = house_log_in(house);
    TURN_UNTIL(&house->loop, !uv_is_active((uv_handle_t *)&house->shared.deadline));
    house->shared.login_timeout_ms = 150;
    int silent = peer_connect(&house->address);
    turn_for(&house->loop, 50);
    int halfway = peer_connect(&house->address);
    SAY(house, halfway, STARTUP);
    int server = peer_accept(&house->loop, house->server_listening);
    TURN_UNTIL(&house->loop, peer_is_at_end(silent));
    assert_int_equal(counter_read(&house->counters.login_timeouts), 1);
    (void)close(silent);
    assert_non_null(strstr(house_hear_out(house, halfway), "|C57014|Mlogin took too long|"));
    assert_int_equal(counter_read(&house->counters.login_timeouts), 2);
    (void)close(halfway);
    (void)close(server);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 1);
    turn_for(&house->loop, 200);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    talk_close(&talk);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_false(uv_is_active((uv_handle_t *)&house->shared.deadline));
    house_close(house);
}

/* ── The end of the worker ─────────────────────────────────────────────────────────────────────────────────
 */

static void draining_ends_idle_sessions_now_and_busy_ones_when_they_are_done(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk idle = house_log_in(house);
    struct talk busy = house_log_in(house);
    SAY(house, busy.client, QUERY);
    HEAR(house, busy.server, QUERY);
    relay_drain_all(&house->shared, PATIENCE_MS);
    assert_non_null(strstr(house_hear_out(house, idle.client), "SFATAL|VFATAL|C57P01|"));
    int late = peer_connect(&house->address);
    TURN_UNTIL(&house->loop, peer_is_at_end(late));
    (void)close(late);
    talk_close(&idle);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 1);
    assert_int_equal(house->emptied, 0);
    SAY(house, busy.server, READY);
    HEAR(house, busy.client, READY);
    assert_non_null(strstr(house_hear_out(house, busy.client), "SFATAL|VFATAL|C57P01|"));
    talk_close(&busy);
    TURN_UNTIL(&house->loop, house->emptied == 1);
    assert_int_equal(house->shared.relay_count, 0);
    house_close(house);
}

static void draining_ends_everything_when_the_time_is_over(void **state)
{
    (void)state;
    struct house *house = house_open();
    struct talk busy = house_log_in(house);
    SAY(house, busy.client, QUERY);
    HEAR(house, busy.server, QUERY);
    int starting = peer_connect(&house->address);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 2);
    relay_drain_all(&house->shared, 100);
    turn_for(&house->loop, 50);
    assert_int_equal(house->emptied, 0);
    assert_non_null(strstr(house_hear_out(house, busy.client), "SFATAL|VFATAL|C57P01|"));
    TURN_UNTIL(&house->loop, peer_is_at_end(starting));
    (void)close(starting);
    talk_close(&busy);
    TURN_UNTIL(&house->loop, house->emptied == 1);
    house_close(house);
}

static void a_worker_without_relays_is_drained_at_once(void **state)
{
    (void)state;
    struct house *house = house_open();
    relay_drain_all(&house->shared, PATIENCE_MS);
    assert_int_equal(house->emptied, 1);
    house_close(house);
}

/* A server that takes no more connections. */
static void fill_up(struct house *house, int *fillers, size_t count)
{
    struct endpoint endpoint;
    assert_true(endpoint_of(&house->host, &endpoint));
    assert_int_equal(listen(house->server_listening, 0), 0);
    for (size_t i = 0; i < count; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], endpoint_name(&endpoint), endpoint.size);
    }
}

static void little_is_kept_of_a_client_whose_server_is_not_there_yet(void **state)
{
    (void)state;
    enum { FLOOD = 60000 };
    static uint8_t flood[FLOOD] = STARTUP "Q\0\1\0\0";
    int fillers[4];
    struct house *house = house_open();
    fill_up(house, fillers, COUNT_OF(fillers));
    int client = peer_connect(&house->address);
    peer_send(&house->loop, client, flood, sizeof flood);
    TURN_UNTIL(&house->loop, !list_is_empty(&house->shared.logins));
    const struct relay *relay = CONTAINER_OF(house->shared.logins.next, struct relay, node);
    TURN_UNTIL(&house->loop, relay->reach != NULL);
    turn_for(&house->loop, 20);
    assert_in_range(relay->held_size, 1, READ_BEFORE_LOGIN);
    (void)close(client);
    house_close(house);
    for (size_t i = 0; i < COUNT_OF(fillers); i++)
        (void)close(fillers[i]);
}

static void a_relay_that_dials_can_be_ended(void **state)
{
    (void)state;
    int fillers[4];
    struct house *house = house_open();
    fill_up(house, fillers, COUNT_OF(fillers));
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP SYNC);
    TURN_UNTIL(&house->loop, !list_is_empty(&house->shared.logins));
    const struct relay *relay = CONTAINER_OF(house->shared.logins.next, struct relay, node);
    TURN_UNTIL(&house->loop, relay->reach != NULL);
    turn_for(&house->loop, 20);
    relay_drain_all(&house->shared, 0);
    TURN_UNTIL(&house->loop, house->emptied == 1);
    assert_true(peer_is_at_end(client));
    (void)close(client);
    house_close(house);
    for (size_t i = 0; i < COUNT_OF(fillers); i++)
        (void)close(fillers[i]);
}

static void every_session_is_described(void **state)
{
    (void)state;
    static const struct hash_key key = { { 1, 2 } };
    struct house *house = house_open();
    struct snapshot snapshot;
    struct talk talk = house_log_in(house);
    int starting = peer_connect(&house->address);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 2);
    snapshot_init(&snapshot, &key, 100);
    relay_describe_all(&house->shared, &snapshot);
    assert_int_equal(snapshot.session_count, 2);
    assert_string_equal(snapshot.sessions[0].phase, "connecting");
    assert_string_equal(snapshot.sessions[1].phase, "idle");
    assert_string_equal(snapshot.sessions[1].user, "u");
    assert_string_equal(snapshot.sessions[1].upstream, "main");
    assert_int_equal(strncmp(snapshot.sessions[1].address, "127.0.0.1:", 10), 0);
    assert_true(snapshot.sessions[1].opened_us > INT64_C(1700000000000000));
    assert_int_equal(snapshot.sessions[1].bytes_received, SIZE_OF(STARTUP));
    assert_int_equal(snapshot.sessions[1].bytes_sent, SIZE_OF(GREETING));
    int64_t active_us = snapshot.sessions[1].active_us;
    snapshot.session_count = 0;
    turn_for(&house->loop, 5);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    relay_describe_all(&house->shared, &snapshot);
    assert_true(snapshot.sessions[1].active_us >= active_us + 5000);
    snapshot_release(&snapshot);
    (void)close(starting);
    talk_close(&talk);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_side_says_the_other_hears),
        cmocka_unit_test(what_is_new_is_heard_before_what_comes_is_judged),
        cmocka_unit_test(the_clock_is_read_again_behind_what_is_new),
        cmocka_unit_test(what_comes_while_dialing_waits_and_follows),
        cmocka_unit_test(an_upstream_that_is_down_is_told_with_08006),
        cmocka_unit_test(a_cancel_request_is_carried_and_ends),
        cmocka_unit_test(the_clients_end_reaches_the_server_whose_answer_still_flows),
        cmocka_unit_test(a_client_that_leaves_before_it_said_anything_is_let_go),
        cmocka_unit_test(a_client_that_terminates_is_told_apart),
        cmocka_unit_test(a_client_that_is_reset_ends_the_server_side),
        cmocka_unit_test(a_server_that_is_reset_ends_the_client_side),
        cmocka_unit_test(garbage_is_answered_and_ends),
        cmocka_unit_test(a_client_that_never_reads_stops_the_server),
        cmocka_unit_test(a_server_that_never_reads_stops_the_client),
        cmocka_unit_test(the_servers_last_words_reach_a_slow_client),
        cmocka_unit_test(a_client_too_far_ahead_waits_for_the_server),
        cmocka_unit_test(a_client_that_is_reset_while_it_waits_ends_the_server_side),
        cmocka_unit_test(login_must_not_take_for_ever),
        cmocka_unit_test(draining_ends_idle_sessions_now_and_busy_ones_when_they_are_done),
        cmocka_unit_test(draining_ends_everything_when_the_time_is_over),
        cmocka_unit_test(a_worker_without_relays_is_drained_at_once),
        cmocka_unit_test(little_is_kept_of_a_client_whose_server_is_not_there_yet),
        cmocka_unit_test(a_relay_that_dials_can_be_ended),
        cmocka_unit_test(every_session_is_described),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
