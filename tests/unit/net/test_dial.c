/* SPDX-License-Identifier: PostgreSQL */
#include "net/dial.h"
#include "unit/net/peer.h"

#include <dirent.h>
#include <stdio.h>

enum { TIMEOUT_MS = 300 };

/* What a dial told us. */
struct outcome {
    uv_loop_t loop;
    int calls;
    int socket;
    uint64_t begun_ms;
    bool was_waited_for;
    char why[512];
};

static void outcome_init(struct outcome *outcome)
{
    *outcome = (struct outcome){ .socket = -1 };
    assert_int_equal(uv_loop_init(&outcome->loop), 0);
}

static void outcome_release(struct outcome *outcome)
{
    if (outcome->socket >= 0)
        (void)close(outcome->socket);
    loop_finish(&outcome->loop);
}

/* What libuv watches, or has watched in this turn. */
static void note_watch(uv_handle_t *handle, void *outcome)
{
    if (handle->type == UV_POLL)
        ((struct outcome *)outcome)->was_waited_for = true;
}

static void on_dialed(void *owner, const struct dial_result *result)
{
    struct outcome *outcome = owner;
    outcome->calls++;
    outcome->socket = result->socket;
    outcome->begun_ms = result->begun_ms;
    uv_walk(&outcome->loop, note_watch, outcome);
    (void)bytes_copy_text(bytes_text(result->why), outcome->why, sizeof outcome->why);
}

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address, NULL));
    return address;
}

static void dial_host(struct outcome *outcome, const struct address *host)
{
    assert_non_null(dial_start(&outcome->loop, host, TIMEOUT_MS, on_dialed, outcome));
    assert_int_equal(outcome->calls, 0);
    TURN_UNTIL(&outcome->loop, outcome->calls > 0);
    turn_for(&outcome->loop, 10);
    assert_int_equal(outcome->calls, 1);
}

/* Whether what is sent through the outcome's socket comes out at the listening one. */
static void assert_leads_to(struct outcome *outcome, int listening)
{
    char got[4];
    int accepted = peer_accept(&outcome->loop, listening);
    assert_true(fcntl(outcome->socket, F_GETFL) & O_NONBLOCK);
    assert_int_equal(send(outcome->socket, "ping", 4, 0), 4);
    peer_read(&outcome->loop, accepted, got, sizeof got);
    assert_memory_equal(got, "ping", 4);
    (void)close(accepted);
}

static void a_host_that_listens_is_reached(void **state)
{
    (void)state;
    struct outcome outcome;
    uint16_t port = 0;
    int listening = peer_listen(&port, 1);
    outcome_init(&outcome);
    const struct address host = local_address(port);
    uint64_t before = uv_now(&outcome.loop);
    dial_host(&outcome, &host);
    assert_in_range(outcome.begun_ms, before, uv_now(&outcome.loop));
    assert_leads_to(&outcome, listening);
    int is_kept_alive = 0; /* as endpoint_socket has it */
    socklen_t size = sizeof is_kept_alive;
    assert_int_equal(getsockopt(outcome.socket, SOL_SOCKET, SO_KEEPALIVE, &is_kept_alive, &size), 0);
    assert_int_equal(is_kept_alive, 1);
    (void)close(listening);
    outcome_release(&outcome);
}

static void a_refusal_is_told_in_words(void **state)
{
    (void)state;
    struct outcome outcome;
    char expected[64];
    uint16_t port = 0;
    int refusing = peer_refusing(&port);
    outcome_init(&outcome);
    const struct address host = local_address(port);
    dial_host(&outcome, &host);
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u: connection refused", port);
    assert_int_equal(outcome.socket, -1);
    assert_string_equal(outcome.why, expected);
    (void)close(refusing);
    outcome_release(&outcome);
}

/* For as long as the tests wait; nothing comes of it at once. */
static void dial_patiently(struct outcome *outcome, const struct address *host)
{
    assert_non_null(dial_start(&outcome->loop, host, PATIENCE_MS, on_dialed, outcome));
    turn_for(&outcome->loop, 100);
    assert_int_equal(outcome->calls, 0);
}

static void a_host_that_does_not_answer_times_out(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open(&queue);
    outcome_init(&outcome);
    uint64_t begun = uv_hrtime();
    dial_host(&outcome, &queue.host);
    assert_true(uv_hrtime() - begun >= (uint64_t)(TIMEOUT_MS - 20) * 1000000);
    assert_int_equal(outcome.socket, -1);
    assert_non_null(strstr(outcome.why, ": connection timed out"));
    full_queue_close(&queue);
    outcome_release(&outcome);
}

/* As with most servers that are elsewhere: here until the kernel asks again, after a second. */
static void a_connection_that_takes_its_time_is_waited_for(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open(&queue);
    outcome_init(&outcome);
    dial_patiently(&outcome, &queue.host);
    (void)close(queue.fillers[--queue.filled]); /* which waits, too */
    for (size_t i = 0; i < queue.filled; i++)
        (void)close(peer_accept(&outcome.loop, queue.listening));
    TURN_UNTIL(&outcome.loop, outcome.calls > 0);
    assert_true(outcome.was_waited_for);
    assert_leads_to(&outcome, queue.listening);
    full_queue_close(&queue);
    outcome_release(&outcome);
}

static void a_refusal_that_takes_its_time_is_told_in_words(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open(&queue);
    outcome_init(&outcome);
    dial_patiently(&outcome, &queue.host);
    (void)close(queue.listening);
    queue.listening = -1;
    TURN_UNTIL(&outcome.loop, outcome.calls > 0);
    assert_int_equal(outcome.socket, -1);
    assert_non_null(strstr(outcome.why, ": connection refused"));
    full_queue_close(&queue);
    outcome_release(&outcome);
}

/* Of twenty over the loopback most are, whatever else the machine does. */
static void a_connection_that_is_there_is_not_waited_for(void **state)
{
    enum { DIALS = 20 };
    (void)state;
    int waited_for = 0;
    for (int i = 0; i < DIALS; i++) {
        struct outcome outcome;
        uint16_t port = 0;
        int listening = peer_listen(&port, 1);
        const struct address host = local_address(port);
        outcome_init(&outcome);
        dial_host(&outcome, &host);
        assert_true(outcome.socket >= 0);
        waited_for += outcome.was_waited_for;
        (void)close(listening);
        outcome_release(&outcome);
    }
    assert_true(waited_for < DIALS / 2);
}

static int listen_at_path(const struct address *address, int backlog)
{
    struct endpoint endpoint;
    assert_true(endpoint_of(address, &endpoint));
    (void)unlink(address->text);
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(made, endpoint_name(&endpoint), endpoint.size), 0);
    assert_int_equal(listen(made, backlog), 0);
    return made;
}

static void full_queue_open_at_path(struct full_queue *queue)
{
    queue->host = path_address();
    queue->listening = listen_at_path(&queue->host, 0);
    full_queue_fill(queue);
}

static void a_unix_socket_is_reached_by_its_path(void **state)
{
    (void)state;
    struct outcome outcome;
    const struct address host = path_address();
    int listening = listen_at_path(&host, 1);
    outcome_init(&outcome);
    dial_host(&outcome, &host);
    assert_leads_to(&outcome, listening);
    (void)close(listening);
    outcome_release(&outcome);
}

static void a_unix_socket_whose_queue_is_full_is_tried_again(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open_at_path(&queue);
    outcome_init(&outcome);
    dial_patiently(&outcome, &queue.host);
    for (size_t i = 0; i + 1 < queue.filled; i++)
        (void)close(peer_accept(&outcome.loop, queue.listening));
    TURN_UNTIL(&outcome.loop, outcome.calls > 0);
    assert_leads_to(&outcome, queue.listening);
    full_queue_close(&queue);
    outcome_release(&outcome);
}

static void a_unix_socket_whose_queue_stays_full_times_out(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open_at_path(&queue);
    outcome_init(&outcome);
    dial_host(&outcome, &queue.host);
    assert_non_null(strstr(outcome.why, ": connection timed out"));
    full_queue_close(&queue);
    outcome_release(&outcome);
}

static void a_name_is_resolved_and_all_its_addresses_are_tried(void **state)
{
    (void)state;
    struct outcome outcome;
    uint16_t port = 0;
    int listening = peer_listen(&port, 1);
    outcome_init(&outcome);
    struct address host = address_of("localhost:1");
    host.port = port;
    dial_host(&outcome, &host); /* where localhost is ::1 first, that one refuses */
    assert_leads_to(&outcome, listening);
    (void)close(listening);
    outcome_release(&outcome);
}

static void the_address_behind_a_name_is_told(void **state)
{
    (void)state;
    struct outcome outcome;
    uint16_t port = 0;
    char expected[128];
    int refusing = peer_refusing(&port);
    outcome_init(&outcome);
    struct address host = address_of("localhost:1");
    host.port = port;
    dial_host(&outcome, &host);
    (void)snprintf(expected, sizeof expected, "localhost:%u (127.0.0.1:%u): connection refused", port, port);
    assert_non_null(strstr(outcome.why, expected));
    (void)close(refusing);
    outcome_release(&outcome);
}

static void a_name_that_nobody_has_is_told(void **state)
{
    (void)state;
    struct outcome outcome;
    outcome_init(&outcome);
    const struct address host = address_of("no-such-host.invalid:5432");
    assert_non_null(dial_start(&outcome.loop, &host, PATIENCE_MS, on_dialed, &outcome));
    TURN_UNTIL(&outcome.loop, outcome.calls > 0);
    assert_int_equal(outcome.socket, -1);
    assert_non_null(strstr(outcome.why, "no-such-host.invalid:5432: "));
    outcome_release(&outcome);
}

/* ── While no thread is free to resolve names ──────────────────────────────────────────────────────────────
 */

static void a_name_that_takes_too_long_to_resolve_times_out(void **state)
{
    (void)state;
    struct outcome outcome;
    struct jam jam;
    const struct address host = address_of("localhost:5432");
    outcome_init(&outcome);
    jam_begin(&jam, &outcome.loop);
    dial_host(&outcome, &host);
    assert_int_equal(outcome.socket, -1);
    assert_string_equal(outcome.why, "localhost:5432: connection timed out");
    jam_end(&jam);
    outcome_release(&outcome);
    (void)sem_destroy(&jam.release);
}

static void a_dial_that_resolves_can_be_cancelled(void **state)
{
    (void)state;
    struct outcome outcome;
    struct jam jam;
    const struct address host = address_of("localhost:5432");
    outcome_init(&outcome);
    jam_begin(&jam, &outcome.loop);
    struct dial *dial = dial_start(&outcome.loop, &host, TIMEOUT_MS, on_dialed, &outcome);
    assert_non_null(dial);
    turn_for(&outcome.loop, 20);
    dial_cancel(dial);
    turn_for(&outcome.loop, TIMEOUT_MS + 50);
    jam_end(&jam);
    outcome_release(&outcome);
    assert_int_equal(outcome.calls, 0);
    (void)sem_destroy(&jam.release);
}

static void a_cancelled_dial_says_nothing(void **state)
{
    (void)state;
    struct outcome outcome;
    struct full_queue queue;
    full_queue_open(&queue);
    const struct address hosts[] = { queue.host, address_of("localhost:1"), queue.host };
    outcome_init(&outcome);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct dial *dial = dial_start(&outcome.loop, &hosts[i], TIMEOUT_MS, on_dialed, &outcome);
        assert_non_null(dial);
        if (i < 2)
            loop_turn(&outcome.loop);
        dial_cancel(dial);
    }
    turn_for(&outcome.loop, TIMEOUT_MS + 50);
    assert_int_equal(outcome.calls, 0);
    full_queue_close(&queue);
    outcome_release(&outcome);
}

/* ── No test may leave a descriptor open ───────────────────────────────────────────────────────────────────
 */

static long count_descriptors(void)
{
    long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

static int remember_descriptors(void **state)
{
    static long before;
    before = count_descriptors();
    *state = &before;
    return 0;
}

static int compare_descriptors(void **state)
{
    const long *before = *state;
    assert_int_equal(count_descriptors(), *before);
    return 0;
}

/* libuv keeps some descriptors and threads once they were needed. */
static void warm_up(void)
{
    struct outcome outcome;
    struct jam jam;
    outcome_init(&outcome);
    jam_begin(&jam, &outcome.loop);
    jam_end(&jam);
    outcome_release(&outcome);
    (void)sem_destroy(&jam.release);
}

#define DIAL_TEST(test) cmocka_unit_test_setup_teardown(test, remember_descriptors, compare_descriptors)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIAL_TEST(a_host_that_listens_is_reached),
        DIAL_TEST(a_refusal_is_told_in_words),
        DIAL_TEST(a_host_that_does_not_answer_times_out),
        DIAL_TEST(a_connection_that_takes_its_time_is_waited_for),
        DIAL_TEST(a_refusal_that_takes_its_time_is_told_in_words),
        DIAL_TEST(a_connection_that_is_there_is_not_waited_for),
        DIAL_TEST(a_unix_socket_is_reached_by_its_path),
        DIAL_TEST(a_unix_socket_whose_queue_is_full_is_tried_again),
        DIAL_TEST(a_unix_socket_whose_queue_stays_full_times_out),
        DIAL_TEST(a_name_is_resolved_and_all_its_addresses_are_tried),
        DIAL_TEST(the_address_behind_a_name_is_told),
        DIAL_TEST(a_name_that_nobody_has_is_told),
        DIAL_TEST(a_name_that_takes_too_long_to_resolve_times_out),
        DIAL_TEST(a_dial_that_resolves_can_be_cancelled),
        DIAL_TEST(a_cancelled_dial_says_nothing),
    };
    warm_up();
    return cmocka_run_group_tests(tests, NULL, drop_path);
}
