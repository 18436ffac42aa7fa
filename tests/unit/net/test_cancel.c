/* SPDX-License-Identifier: PostgreSQL */
#include "net/cancel.h"
#include "unit/net/tls_peer.h"

enum { TIMEOUT_MS = 300, HOSTS = 3 };

#define REQUEST "\0\0\0\x10\x4\xd2\x16\x2e\0\0\0\1\0\0\0\2"
enum { REQUEST_SIZE = sizeof REQUEST - 1 };

/* A cancel request on its way to two upstreams: the first has two hosts, the second one. */
struct errands {
    uv_loop_t loop;
    struct chunk chunk;
    struct address hosts[HOSTS];
    int listening[HOSTS];
    struct upstream upstreams[2];
    struct cancel *cancel;
    int calls;
};

static void on_done(void *owner)
{
    ((struct errands *)owner)->calls++;
}

static struct errands *errands_create(void)
{
    struct errands *errands = calloc(1, sizeof *errands);
    assert_non_null(errands);
    chunk_init(&errands->chunk);
    loop_open(&errands->loop, &errands->chunk);
    for (size_t i = 0; i < HOSTS; i++) {
        uint16_t port = 0;
        errands->listening[i] = peer_listen(&port, 4);
        errands->hosts[i] = local_address(port);
    }
    errands->upstreams[0] = (struct upstream){
        .name = "main",
        .hosts = errands->hosts,
        .host_count = 2,
        .connect_timeout_ms = TIMEOUT_MS,
    };
    errands->upstreams[1] = errands->upstreams[0];
    errands->upstreams[1].hosts = &errands->hosts[2];
    errands->upstreams[1].host_count = 1;
    return errands;
}

static void errands_begin(struct errands *errands)
{
    const struct upstream *const upstreams[] = { &errands->upstreams[0], &errands->upstreams[1] };
    char request[] = REQUEST;
    const struct cancel_plan plan = {
        .loop = &errands->loop,
        .chunk = &errands->chunk,
        .upstreams = upstreams,
        .upstream_count = 2,
        .request = bytes_of(request, REQUEST_SIZE),
        .done = on_done,
        .owner = errands,
    };
    errands->cancel = cancel_start(&plan);
    assert_non_null(errands->cancel);
    assert_int_equal(errands->calls, 0);
    memset(request, 0xff, sizeof request);
}

static void errands_destroy(struct errands *errands)
{
    loop_finish(&errands->loop);
    assert_int_equal(errands->calls, 1);
    for (size_t i = 0; i < HOSTS; i++)
        (void)close(errands->listening[i]);
    chunk_release(&errands->chunk);
    free(errands);
}

static int errands_accept(struct errands *errands, size_t host)
{
    char got[REQUEST_SIZE];
    int accepted = peer_accept(&errands->loop, errands->listening[host]);
    peer_read(&errands->loop, accepted, got, sizeof got);
    assert_memory_equal(got, REQUEST, sizeof got);
    return accepted;
}

static void every_host_of_every_upstream_gets_it(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    errands_begin(errands);
    for (size_t i = 0; i < HOSTS; i++) {
        int server = errands_accept(errands, i);
        assert_int_equal(errands->calls, 0);
        assert_false(peer_is_at_end(server));
        peer_send(&errands->loop, server, "ignored", i == 1 ? 7 : 0);
        (void)close(server);
    }
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
}

static void read_only_hosts_get_it_too(void **state)
{
    (void)state;
    struct fitness fitness = { 0 };
    struct errands *errands = errands_create();
    for (size_t i = 0; i < FITNESS_HOSTS_MOST; i++)
        fitness_set(&fitness, i, HOST_UNFIT);
    errands->upstreams[0].fitness = errands->upstreams[1].fitness = &fitness;
    errands_begin(errands);
    for (size_t i = 0; i < HOSTS; i++)
        (void)close(errands_accept(errands, i));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
}

static void a_host_that_is_down_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    (void)close(errands->listening[0]);
    errands->listening[0] = peer_refusing(&errands->hosts[0].port);
    errands_begin(errands);
    uint64_t begun = uv_hrtime();
    (void)close(errands_accept(errands, 1));
    peer_reset(errands_accept(errands, 2));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    assert_true(uv_hrtime() - begun < (uint64_t)TIMEOUT_MS * 1000000 / 2);
    errands_destroy(errands);
}

static void all_hosts_down_is_an_end_too(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    for (size_t i = 0; i < HOSTS; i++) {
        (void)close(errands->listening[i]);
        errands->listening[i] = peer_refusing(&errands->hosts[i].port);
    }
    errands_begin(errands);
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
}

static void a_host_that_does_not_end_it_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    errands->upstreams[1].connect_timeout_ms = TIMEOUT_MS / 2;
    uint64_t begun = uv_hrtime();
    errands_begin(errands);
    int first = errands_accept(errands, 0);
    (void)close(errands_accept(errands, 1));
    (void)close(errands_accept(errands, 2));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    assert_in_range((uv_hrtime() - begun) / 1000000, TIMEOUT_MS - 20, TIMEOUT_MS * 2);
    assert_true(peer_is_at_end(first));
    (void)close(first);
    errands_destroy(errands);
}

static uint64_t errands_since_ms(uint64_t begun_ns)
{
    return (uv_hrtime() - begun_ns) / 1000000;
}

/* As one that has no power: here until there is room in its queue and the kernel asks again, after a second.
 */
static void errands_silence(struct errands *errands, struct full_queue *queue)
{
    full_queue_open(queue);
    uv_update_time(&errands->loop); /* that took a while */
    errands->hosts[0] = queue->host;
    errands->upstreams[0].connect_timeout_ms = errands->upstreams[1].connect_timeout_ms = PATIENCE_MS / 2;
}

static void a_host_that_does_not_answer_is_hardly_waited_for_once_another_took_it(void **state)
{
    (void)state;
    struct full_queue queue;
    struct errands *errands = errands_create();
    errands_silence(errands, &queue);
    errands_begin(errands);
    turn_for(&errands->loop, 200);
    uint64_t begun = uv_hrtime();
    (void)close(errands_accept(errands, 1));
    turn_for(&errands->loop, 200);
    (void)close(errands_accept(errands, 2));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    assert_in_range(errands_since_ms(begun), CANCEL_GRACE_MS - 20, CANCEL_GRACE_MS + 1000);
    errands_destroy(errands);
    full_queue_close(&queue);
}

static void one_that_was_asked_twice_gets_it_too(void **state)
{
    (void)state;
    struct full_queue queue;
    struct errands *errands = errands_create();
    errands_silence(errands, &queue);
    errands_begin(errands);
    (void)close(errands_accept(errands, 1));
    (void)close(errands_accept(errands, 2));
    (void)close(queue.fillers[--queue.filled]); /* which waits, too */
    for (size_t i = 0; i < queue.filled; i++)
        (void)close(peer_accept(&errands->loop, queue.listening));
    (void)close(errands->listening[0]);
    errands->listening[0] = dup(queue.listening);
    (void)close(errands_accept(errands, 0));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
    full_queue_close(&queue);
}

static void a_host_that_has_answered_may_take_its_time(void **state)
{
    const struct trust *trust = *state;
    char got[8];
    struct tls_peer peer;
    struct errands *errands = errands_create();
    errands->upstreams[0].connect_timeout_ms = errands->upstreams[1].connect_timeout_ms = PATIENCE_MS / 2;
    errands->upstreams[0].security = UPSTREAM_PREFER;
    errands->upstreams[0].tls = trust->contexts[TLS_CLIENT];
    errands_begin(errands);
    (void)close(errands_accept(errands, 2));
    int first = peer_accept(&errands->loop, errands->listening[0]);
    int second = peer_accept(&errands->loop, errands->listening[1]);
    turn_for(&errands->loop, CANCEL_GRACE_MS + 200);
    assert_int_equal(errands->calls, 0);
    peer_read(&errands->loop, first, got, sizeof got);
    peer_send(&errands->loop, first, "N", 1);
    char request[REQUEST_SIZE];
    peer_read(&errands->loop, first, request, sizeof request);
    assert_memory_equal(request, REQUEST, REQUEST_SIZE);
    (void)close(first);
    peer_read(&errands->loop, second, got, sizeof got);
    peer_send(&errands->loop, second, "S", 1);
    tls_peer_init(&peer, second, trust->contexts[TLS_SERVER], NULL);
    tls_peer_expect(&errands->loop, &peer, REQUEST, REQUEST_SIZE);
    tls_peer_end(&peer);
    tls_peer_release(&peer);
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
}

static void one_whose_name_takes_its_time_gets_it_too(void **state)
{
    (void)state;
    struct jam jam;
    struct errands *errands = errands_create();
    errands->hosts[0].family = ADDRESS_NAME;
    (void)snprintf(errands->hosts[0].text, sizeof errands->hosts[0].text, "localhost");
    errands->upstreams[0].connect_timeout_ms = errands->upstreams[1].connect_timeout_ms = PATIENCE_MS / 2;
    jam_begin(&jam, &errands->loop);
    errands_begin(errands);
    (void)close(errands_accept(errands, 1));
    (void)close(errands_accept(errands, 2));
    turn_for(&errands->loop, CANCEL_GRACE_MS + 200);
    assert_int_equal(errands->calls, 0);
    jam_end(&jam);
    (void)close(errands_accept(errands, 0));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
    (void)sem_destroy(&jam.release);
}

/* The kernel asks it again, too. */
static void its_grace_begins_when_it_is_asked(void **state)
{
    (void)state;
    struct jam jam;
    struct full_queue queue;
    struct errands *errands = errands_create();
    errands_silence(errands, &queue);
    errands->hosts[0].family = ADDRESS_NAME;
    (void)snprintf(errands->hosts[0].text, sizeof errands->hosts[0].text, "localhost");
    jam_begin(&jam, &errands->loop);
    errands_begin(errands);
    (void)close(errands_accept(errands, 1));
    (void)close(errands_accept(errands, 2));
    turn_for(&errands->loop, CANCEL_GRACE_MS - 200);
    uint64_t begun = uv_hrtime();
    jam_end(&jam);
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    assert_in_range(errands_since_ms(begun), CANCEL_GRACE_MS - 20, CANCEL_GRACE_MS + 1000);
    errands_destroy(errands);
    full_queue_close(&queue);
    (void)sem_destroy(&jam.release);
}

/* What was reset may not have been read. */
static void a_connection_that_fails_hurries_nobody(void **state)
{
    enum { LONG_MS = CANCEL_GRACE_MS + 500 };
    (void)state;
    struct full_queue queue;
    struct errands *errands = errands_create();
    errands_silence(errands, &queue);
    errands->upstreams[0].connect_timeout_ms = errands->upstreams[1].connect_timeout_ms = LONG_MS;
    uint64_t begun = uv_hrtime();
    errands_begin(errands);
    peer_reset(errands_accept(errands, 1));
    peer_reset(errands_accept(errands, 2));
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    assert_in_range(errands_since_ms(begun), LONG_MS - 20, 2 * LONG_MS);
    errands_destroy(errands);
    full_queue_close(&queue);
}

static void it_goes_by_tls_where_sessions_do(void **state)
{
    const struct trust *trust = *state;
    char got[8];
    struct tls_peer peer;
    struct errands *errands = errands_create();
    errands->upstreams[0].security = UPSTREAM_REQUIRE;
    errands->upstreams[0].tls = trust->contexts[TLS_CLIENT];
    errands_begin(errands);
    (void)close(errands_accept(errands, 2));
    int server = peer_accept(&errands->loop, errands->listening[0]);
    (void)close(peer_accept(&errands->loop, errands->listening[1]));
    peer_read(&errands->loop, server, got, sizeof got);
    peer_send(&errands->loop, server, "S", 1);
    tls_peer_init(&peer, server, trust->contexts[TLS_SERVER], NULL);
    tls_peer_expect(&errands->loop, &peer, REQUEST, REQUEST_SIZE);
    assert_int_equal(errands->calls, 0);
    tls_peer_end(&peer);
    PUMP_UNTIL(&errands->loop, &peer, peer.has_ended);
    assert_int_equal(peer.result, TLS_ENDED);
    tls_peer_release(&peer);
    TURN_UNTIL(&errands->loop, errands->calls == 1);
    errands_destroy(errands);
}

static void it_can_be_stopped_at_any_step(void **state)
{
    (void)state;
    for (int step = 0; step < 3; step++) {
        int server = -1;
        struct errands *errands = errands_create();
        errands_begin(errands);
        if (step > 0)
            server = errands_accept(errands, 0);
        if (step > 1)
            (void)close(errands_accept(errands, 1));
        cancel_stop(errands->cancel);
        cancel_stop(errands->cancel);
        assert_int_equal(errands->calls, 0);
        TURN_UNTIL(&errands->loop, errands->calls == 1);
        (void)close(server);
        errands_destroy(errands);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_host_of_every_upstream_gets_it),
        cmocka_unit_test(read_only_hosts_get_it_too),
        cmocka_unit_test(a_host_that_is_down_keeps_nobody_waiting),
        cmocka_unit_test(all_hosts_down_is_an_end_too),
        cmocka_unit_test(a_host_that_does_not_end_it_is_not_waited_for_for_ever),
        cmocka_unit_test(a_host_that_does_not_answer_is_hardly_waited_for_once_another_took_it),
        cmocka_unit_test(one_that_was_asked_twice_gets_it_too),
        cmocka_unit_test(a_host_that_has_answered_may_take_its_time),
        cmocka_unit_test(one_whose_name_takes_its_time_gets_it_too),
        cmocka_unit_test(its_grace_begins_when_it_is_asked),
        cmocka_unit_test(a_connection_that_fails_hurries_nobody),
        cmocka_unit_test(it_goes_by_tls_where_sessions_do),
        cmocka_unit_test(it_can_be_stopped_at_any_step),
    };
    return cmocka_run_group_tests(tests, trust_open, trust_close);
}
