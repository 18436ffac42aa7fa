/* SPDX-License-Identifier: PostgreSQL */
#include "net/reach.h"
#include "unit/net/tls_peer.h"
#include "unit/tls/stranger.h"

enum { TIMEOUT_MS = 300, HOSTS_MOST = 3 };

/* A reach, the hosts it may try (sockets of the test) and what it told us. */
struct attempt {
    uv_loop_t loop;
    struct chunk chunk;
    struct link link;
    struct upstream upstream;
    struct fitness fitness;
    struct address hosts[HOSTS_MOST];
    int listening[HOSTS_MOST];
    struct reach *reach;
    const struct trust *trust;
    struct buffer got;
    int calls;
    bool is_open;
    char why[600];
    int ends;
    int closings;
};

static struct attempt *attempt_of(struct link *link)
{
    return CONTAINER_OF(link, struct attempt, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    assert_int_equal(attempt_of(link)->calls, 1);
    buffer_append(&attempt_of(link)->got, bytes);
}

static void on_end(struct link *link, int error)
{
    assert_int_equal(error, 0);
    attempt_of(link)->ends++;
}

static void on_drained(struct link *link)
{
    (void)link;
}

static void on_closed(struct link *link)
{
    attempt_of(link)->closings++;
}

static const struct link_events attempt_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void on_done(void *owner, bool is_open, const char *why)
{
    struct attempt *attempt = owner;
    attempt->calls++;
    attempt->is_open = is_open;
    (void)bytes_copy_text(bytes_text(why), attempt->why, sizeof attempt->why);
}

static struct attempt *attempt_create(const struct trust *trust, enum upstream_security security,
                                      size_t hosts)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    assert_non_null(attempt);
    chunk_init(&attempt->chunk);
    loop_open(&attempt->loop, &attempt->chunk);
    buffer_init(&attempt->got, 1 << 20);
    for (size_t i = 0; i < HOSTS_MOST; i++) {
        uint16_t port = 0;
        attempt->listening[i] = peer_listen(&port, 4);
        attempt->hosts[i] = local_address(port);
    }
    attempt->trust = trust;
    attempt->upstream = (struct upstream){
        .name = "main",
        .hosts = attempt->hosts,
        .host_count = hosts,
        .connect_timeout_ms = TIMEOUT_MS,
        .security = security,
        .tls = security == UPSTREAM_PLAIN ? NULL : trust->contexts[TLS_CLIENT],
    };
    return attempt;
}

static void attempt_begin(struct attempt *attempt)
{
    const struct reach_plan plan = {
        .loop = &attempt->loop,
        .link = &attempt->link,
        .events = &attempt_events,
        .chunk = &attempt->chunk,
        .upstream = &attempt->upstream,
        .done = on_done,
        .owner = attempt,
    };
    attempt->reach = reach_start(&plan);
    assert_non_null(attempt->reach);
    assert_int_equal(attempt->calls, 0);
}

static void attempt_destroy(struct attempt *attempt)
{
    int closings = attempt->closings;
    if (attempt->is_open) {
        link_close(&attempt->link);
        closings++;
    }
    loop_finish(&attempt->loop);
    assert_int_equal(attempt->closings, closings);
    for (size_t i = 0; i < HOSTS_MOST; i++)
        (void)close(attempt->listening[i]);
    buffer_release(&attempt->got);
    chunk_release(&attempt->chunk);
    free(attempt);
}

/* Makes the host one that refuses. */
static void attempt_refuse(struct attempt *attempt, size_t host)
{
    (void)close(attempt->listening[host]);
    attempt->listening[host] = peer_refusing(&attempt->hosts[host].port);
}

static int attempt_accept(struct attempt *attempt, size_t host)
{
    return peer_accept(&attempt->loop, attempt->listening[host]);
}

static int attempt_accept_request(struct attempt *attempt, size_t host)
{
    static const char request[] = "\0\0\0\x8\x04\xd2\x16\x2f";
    char got[sizeof request - 1];
    int accepted = attempt_accept(attempt, host);
    peer_read(&attempt->loop, accepted, got, sizeof got);
    assert_memory_equal(got, request, sizeof got);
    return accepted;
}

static void attempt_wait(struct attempt *attempt)
{
    TURN_UNTIL(&attempt->loop, attempt->calls > 0);
    turn_for(&attempt->loop, 5);
    assert_int_equal(attempt->calls, 1);
}

static void assert_reached_plainly(struct attempt *attempt, int socket)
{
    char got[4];
    struct tls_facts facts;
    attempt_wait(attempt);
    assert_true(attempt->is_open);
    assert_true(attempt->link.is_of_server);
    assert_false(link_facts(&attempt->link, &facts));
    link_send(&attempt->link, bytes_text("ping"));
    peer_read(&attempt->loop, socket, got, sizeof got);
    assert_memory_equal(got, "ping", 4);
    assert_int_equal(attempt->got.size, 0);
    link_read_start(&attempt->link);
    peer_send(&attempt->loop, socket, "pong", 4);
    TURN_UNTIL(&attempt->loop, attempt->got.size == 4);
    (void)close(socket);
    TURN_UNTIL(&attempt->loop, attempt->ends == 1);
}

static void assert_reached_by_tls(struct attempt *attempt, struct tls_peer *peer)
{
    struct tls_facts facts;
    PUMP_UNTIL(&attempt->loop, peer, attempt->calls == 1);
    assert_true(attempt->is_open);
    assert_true(attempt->link.is_of_server);
    assert_string_equal(attempt->why, "");
    assert_true(link_facts(&attempt->link, &facts));
    link_send(&attempt->link, bytes_text("ping"));
    tls_peer_expect(&attempt->loop, peer, "ping", 4);
    tls_peer_send(peer, "pong", 4);
    turn_for(&attempt->loop, 5);
    assert_int_equal(attempt->got.size, 0);
    link_read_start(&attempt->link);
    PUMP_UNTIL(&attempt->loop, peer, attempt->got.size == 4);
    tls_peer_release(peer);
    TURN_UNTIL(&attempt->loop, attempt->ends == 1);
}

static void assert_failed(struct attempt *attempt, size_t host, const char *words)
{
    char expected[160];
    attempt_wait(attempt);
    assert_false(attempt->is_open);
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u: %s", attempt->hosts[host].port, words);
    if (strstr(attempt->why, expected) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", attempt->why, expected);
    assert_int_equal(attempt->closings, 0);
}

/* ── Hosts ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void a_host_that_listens_is_reached(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PLAIN, 1);
    attempt_begin(attempt);
    assert_reached_plainly(attempt, attempt_accept(attempt, 0));
    attempt_destroy(attempt);
}

static void the_second_host_is_tried_when_the_first_refuses(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PLAIN, 2);
    attempt_refuse(attempt, 0);
    attempt_begin(attempt);
    assert_reached_plainly(attempt, attempt_accept(attempt, 1));
    attempt_destroy(attempt);
}

static void each_host_that_fails_is_named(void **state)
{
    char expected[160];
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PLAIN, 2);
    attempt_refuse(attempt, 0);
    attempt_refuse(attempt, 1);
    attempt_begin(attempt);
    attempt_wait(attempt);
    assert_false(attempt->is_open);
    (void)snprintf(expected, sizeof expected,
                   "127.0.0.1:%u: connection refused; 127.0.0.1:%u: connection refused",
                   attempt->hosts[0].port, attempt->hosts[1].port);
    assert_string_equal(attempt->why, expected);
    attempt_destroy(attempt);
}

/* ── TLS ───────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void a_server_that_says_yes_is_spoken_tls_to(void **state)
{
    for (enum upstream_security security = UPSTREAM_PREFER; security <= UPSTREAM_REQUIRE; security++) {
        struct tls_peer peer;
        struct attempt *attempt = attempt_create(*state, security, 1);
        attempt_begin(attempt);
        int server = attempt_accept_request(attempt, 0);
        peer_send(&attempt->loop, server, "S", 1);
        tls_peer_init(&peer, server, attempt->trust->contexts[TLS_SERVER], NULL);
        assert_reached_by_tls(attempt, &peer);
        attempt_destroy(attempt);
    }
}

static void a_server_that_says_no_is_spoken_to_plainly_where_tls_is_a_wish(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PREFER, 1);
    attempt_begin(attempt);
    int server = attempt_accept_request(attempt, 0);
    peer_send(&attempt->loop, server, "N", 1);
    assert_reached_plainly(attempt, server);
    attempt_destroy(attempt);
}

/* Every connection gets this answer to SSLRequest; an empty one: it is closed. */
static void answer_is_refused(const struct trust *trust, enum upstream_security security, const char *answer,
                              const char *words)
{
    struct attempt *attempt = attempt_create(trust, security, 1);
    attempt_begin(attempt);
    int server = attempt_accept_request(attempt, 0);
    if (answer[0] != '\0')
        peer_send(&attempt->loop, server, answer, strlen(answer));
    else
        assert_int_equal(shutdown(server, SHUT_WR), 0);
    assert_failed(attempt, 0, words);
    assert_null(strstr(attempt->why, "secret"));
    assert_true(peer_is_at_end(server));
    (void)close(server);
    assert_int_equal(accept(attempt->listening[0], NULL, NULL), -1);
    attempt_destroy(attempt);
}

static void a_server_that_says_no_is_not_reached_where_tls_is_required(void **state)
{
    answer_is_refused(*state, UPSTREAM_REQUIRE, "N", "offers no TLS");
}

static void other_answers_fail_and_are_not_shown(void **state)
{
    for (enum upstream_security security = UPSTREAM_PREFER; security <= UPSTREAM_REQUIRE; security++) {
        answer_is_refused(*state, security, "Esecret", "neither yes nor no to SSLRequest");
        answer_is_refused(*state, security, "x", "neither yes nor no to SSLRequest");
        answer_is_refused(*state, security, "", "closed the connection when asked for TLS");
    }
}

static void data_behind_the_answer_fails(void **state)
{
    for (enum upstream_security security = UPSTREAM_PREFER; security <= UPSTREAM_REQUIRE; security++) {
        answer_is_refused(*state, security, "Ssecret", "data after the answer to SSLRequest");
        answer_is_refused(*state, security, "Nsecret", "data after the answer to SSLRequest");
    }
}

static void silence_times_out(const struct trust *trust, enum upstream_security security, const char *answer)
{
    struct attempt *attempt = attempt_create(trust, security, 1);
    attempt_begin(attempt);
    uint64_t begun = uv_hrtime();
    int server = attempt_accept_request(attempt, 0);
    peer_send(&attempt->loop, server, answer, strlen(answer));
    assert_failed(attempt, 0, "connection timed out");
    assert_in_range((uv_hrtime() - begun) / 1000000, TIMEOUT_MS - 20, TIMEOUT_MS * 2);
    (void)close(server);
    attempt_destroy(attempt);
}

static void a_server_that_says_nothing_times_out(void **state)
{
    silence_times_out(*state, UPSTREAM_PREFER, "");
    silence_times_out(*state, UPSTREAM_REQUIRE, "S");
}

static void a_host_with_which_tls_fails_is_passed_over(void **state)
{
    struct tls_peer peer;
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 2);
    attempt_begin(attempt);
    int first = attempt_accept_request(attempt, 0);
    peer_send(&attempt->loop, first, "N", 1);
    int second = attempt_accept_request(attempt, 1);
    peer_send(&attempt->loop, second, "S", 1);
    tls_peer_init(&peer, second, attempt->trust->contexts[TLS_SERVER], NULL);
    assert_reached_by_tls(attempt, &peer);
    (void)close(first);
    attempt_destroy(attempt);
}

/* The time for the first host must not run on. */
static void each_host_has_its_own_time(void **state)
{
    enum { FILLERS = 16, LONG_MS = 1600 }; /* halves of which a busy machine does not fill with other work */
    int fillers[FILLERS];
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 2);
    struct endpoint endpoint;
    attempt->upstream.connect_timeout_ms = LONG_MS;
    assert_true(endpoint_of(&attempt->hosts[1], &endpoint));
    for (size_t i = 0; i < FILLERS; i++) { /* takes no more connections */
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], endpoint_name(&endpoint), endpoint.size);
    }
    attempt_begin(attempt);
    int first = attempt_accept_request(attempt, 0);
    turn_for(&attempt->loop, LONG_MS / 2);
    uint64_t begun = uv_hrtime();
    peer_send(&attempt->loop, first, "N", 1);
    assert_failed(attempt, 0, "offers no TLS; 127.0.0.1:");
    assert_failed(attempt, 1, "connection timed out");
    assert_null(strstr(strstr(attempt->why, "timed out") + 1, "timed out"));
    assert_in_range((uv_hrtime() - begun) / 1000000, LONG_MS - 20, LONG_MS * 2);
    for (size_t i = 0; i < FILLERS; i++)
        (void)close(fillers[i]);
    (void)close(first);
    attempt_destroy(attempt);
}

/* A context that trusts nobody here. */
static struct tls_context *strict_context(const struct trust *trust)
{
    struct draft draft;
    draft_client(&draft);
    draft.plan.verification = TLS_VERIFY_CA;
    draft_trust(&draft, &trust->folder, "other.crt");
    return context_make(&draft);
}

static void attempt_fail_handshake(struct attempt *attempt)
{
    struct tls_peer peer;
    int server = attempt_accept_request(attempt, 0);
    peer_send(&attempt->loop, server, "S", 1);
    tls_peer_init(&peer, server, attempt->trust->contexts[TLS_SERVER], NULL);
    PUMP_UNTIL(&attempt->loop, &peer, peer.has_ended);
    assert_int_equal(peer.result, TLS_FAILED); /* the alert arrived */
    tls_peer_release(&peer);
}

static void a_handshake_that_fails_is_told(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 1);
    attempt->upstream.tls = strict_context(*state);
    attempt_begin(attempt);
    attempt_fail_handshake(attempt);
    assert_failed(attempt, 0, "TLS failed: ");
    assert_non_null(strstr(attempt->why, "certificate"));
    tls_context_release(attempt->upstream.tls);
    attempt_destroy(attempt);
}

static void a_handshake_that_fails_is_followed_by_a_plain_try_where_tls_is_a_wish(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PREFER, 1);
    attempt->upstream.tls = strict_context(*state);
    attempt_begin(attempt);
    attempt_fail_handshake(attempt);
    assert_reached_plainly(attempt, attempt_accept(attempt, 0));
    tls_context_release(attempt->upstream.tls);
    attempt_destroy(attempt);
}

static void a_server_that_closes_in_the_handshake_is_tried_plainly_then_passed_over(void **state)
{
    struct attempt *attempt = attempt_create(*state, UPSTREAM_PREFER, 2);
    attempt_begin(attempt);
    int server = attempt_accept_request(attempt, 0);
    attempt_refuse(attempt, 0);
    peer_send(&attempt->loop, server, "S", 1);
    (void)shutdown(server, SHUT_WR);
    int second = attempt_accept_request(attempt, 1);
    peer_send(&attempt->loop, second, "E", 1);
    assert_failed(attempt, 0, "TLS failed: closed the connection; 127.0.0.1:");
    assert_failed(attempt, 0, "connection refused; 127.0.0.1:");
    assert_failed(attempt, 1, "neither yes nor no");
    (void)close(server);
    (void)close(second);
    attempt_destroy(attempt);
}

static void a_server_may_be_spoken_tls_to_at_once(void **state)
{
    struct tls_peer peer;
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 1);
    attempt->upstream.is_direct = true;
    attempt_begin(attempt);
    tls_peer_init(&peer, attempt_accept(attempt, 0), attempt->trust->contexts[TLS_SERVER], NULL);
    assert_reached_by_tls(attempt, &peer);
    attempt_destroy(attempt);
}

/* Carries between the socket and the stranger until the socket ends. */
static void stranger_serve(struct attempt *attempt, struct stranger *stranger, int socket)
{
    uint8_t bytes[16384];
    size_t got = 0;
    ssize_t size = -1;
    for (uint64_t begun = uv_hrtime(); size != 0; turn(&attempt->loop, begun)) {
        size = peer_take(socket, bytes, sizeof bytes);
        if (size > 0)
            (void)BIO_write(stranger->in, bytes, (int)size);
        (void)SSL_read_ex(stranger->ssl, bytes, sizeof bytes, &got);
        int out = BIO_read(stranger->out, bytes, sizeof bytes);
        if (out > 0)
            peer_send(&attempt->loop, socket, bytes, (size_t)out);
    }
}

static void a_server_that_knows_no_alpn_is_not_spoken_to_at_once(void **state)
{
    struct stranger stranger;
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 1);
    attempt->upstream.is_direct = true;
    attempt_begin(attempt);
    int server = attempt_accept(attempt, 0);
    stranger_init(&stranger, TLS_SERVER, &attempt->trust->folder);
    stranger_serve(attempt, &stranger, server);
    stranger_release(&stranger);
    assert_failed(attempt, 0, "TLS failed: the server did not agree on the protocol by ALPN");
    (void)close(server);
    attempt_destroy(attempt);
}

static void a_unix_socket_is_never_spoken_tls_to(void **state)
{
    struct endpoint endpoint;
    struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 1);
    attempt->hosts[0] = (struct address){ .family = ADDRESS_UNIX };
    (void)snprintf(attempt->hosts[0].text, sizeof attempt->hosts[0].text, "%s/socket",
                   attempt->trust->folder.path);
    assert_true(endpoint_of(&attempt->hosts[0], &endpoint));
    (void)close(attempt->listening[0]);
    attempt->listening[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(attempt->listening[0], endpoint_name(&endpoint), endpoint.size), 0);
    assert_int_equal(listen(attempt->listening[0], 1), 0);
    attempt_begin(attempt);
    assert_reached_plainly(attempt, attempt_accept(attempt, 0));
    attempt_destroy(attempt);
}

/* ── Fitness ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static struct attempt *attempt_create_fit(const struct trust *trust, enum host_fitness first,
                                          enum host_fitness second, enum host_fitness third)
{
    struct attempt *attempt = attempt_create(trust, UPSTREAM_PLAIN, 3);
    attempt->upstream.fitness = &attempt->fitness;
    fitness_set(&attempt->fitness, 0, first);
    fitness_set(&attempt->fitness, 1, second);
    fitness_set(&attempt->fitness, 2, third);
    return attempt;
}

/* Nor one of which nothing is known, though the only one that was fit is gone. */
static void only_hosts_that_are_fit_are_tried(void **state)
{
    struct attempt *attempt = attempt_create_fit(*state, HOST_UNKNOWN, HOST_FIT, HOST_FIT);
    attempt_begin(attempt);
    assert_reached_plainly(attempt, attempt_accept(attempt, 1));
    attempt_destroy(attempt);
    attempt = attempt_create_fit(*state, HOST_UNKNOWN, HOST_UNFIT, HOST_FIT);
    attempt_refuse(attempt, 2);
    attempt_begin(attempt);
    assert_failed(attempt, 2, "connection refused");
    assert_failed(attempt, 0, "not known to accept writes");
    assert_int_equal(accept(attempt->listening[0], NULL, NULL), -1);
    attempt_destroy(attempt);
}

static void hosts_that_are_not_fit_are_passed_over_and_said_why(void **state)
{
    struct attempt *attempt = attempt_create_fit(*state, HOST_DOWN, HOST_FIT, HOST_UNFIT);
    attempt_refuse(attempt, 1);
    attempt_begin(attempt);
    assert_failed(attempt, 1, "connection refused");
    assert_failed(attempt, 0, "could not be asked whether it accepts writes");
    assert_failed(attempt, 2, "is read-only");
    assert_int_equal(accept(attempt->listening[0], NULL, NULL), -1);
    assert_int_equal(accept(attempt->listening[2], NULL, NULL), -1);
    attempt_destroy(attempt);
}

static void hosts_that_were_not_asked_yet_are_waited_for(void **state)
{
    struct attempt *attempt = attempt_create_fit(*state, HOST_UNKNOWN, HOST_UNKNOWN, HOST_UNFIT);
    attempt_begin(attempt);
    turn_for(&attempt->loop, 60);
    assert_int_equal(attempt->calls, 0);
    fitness_set(&attempt->fitness, 1, HOST_FIT);
    assert_reached_plainly(attempt, attempt_accept(attempt, 1));
    attempt_destroy(attempt);
}

static void hosts_that_are_never_asked_are_not_waited_for_for_ever(void **state)
{
    struct attempt *attempt = attempt_create_fit(*state, HOST_UNKNOWN, HOST_UNKNOWN, HOST_UNKNOWN);
    attempt_begin(attempt);
    uint64_t begun = uv_hrtime();
    assert_failed(attempt, 0, "not known to accept writes");
    assert_in_range((uv_hrtime() - begun) / 1000000, TIMEOUT_MS - 20, TIMEOUT_MS * 2);
    assert_int_equal(accept(attempt->listening[0], NULL, NULL), -1);
    attempt_destroy(attempt);
}

/* ── Giving up ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static void it_can_be_cancelled_at_any_step(void **state)
{
    for (int step = 0; step < 4; step++) {
        struct attempt *attempt = attempt_create(*state, UPSTREAM_REQUIRE, 2);
        int server = -1;
        attempt_begin(attempt);
        if (step > 0)
            server = attempt_accept_request(attempt, 0);
        if (step > 1)
            peer_send(&attempt->loop, server, step == 2 ? "S" : "E", 1);
        bool has_link = reach_cancel(attempt->reach);
        bool has_failed = step == 3; /* the first host: its link is closed, or is about to be */
        assert_true(has_failed || has_link == (step > 0));
        turn_for(&attempt->loop, 5);
        assert_int_equal(attempt->closings, has_link);
        assert_int_equal(attempt->calls, 0);
        (void)close(server);
        attempt_destroy(attempt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_listens_is_reached),
        cmocka_unit_test(the_second_host_is_tried_when_the_first_refuses),
        cmocka_unit_test(each_host_that_fails_is_named),
        cmocka_unit_test(a_server_that_says_yes_is_spoken_tls_to),
        cmocka_unit_test(a_server_that_says_no_is_spoken_to_plainly_where_tls_is_a_wish),
        cmocka_unit_test(a_server_that_says_no_is_not_reached_where_tls_is_required),
        cmocka_unit_test(other_answers_fail_and_are_not_shown),
        cmocka_unit_test(data_behind_the_answer_fails),
        cmocka_unit_test(a_server_that_says_nothing_times_out),
        cmocka_unit_test(a_host_with_which_tls_fails_is_passed_over),
        cmocka_unit_test(each_host_has_its_own_time),
        cmocka_unit_test(a_handshake_that_fails_is_told),
        cmocka_unit_test(a_handshake_that_fails_is_followed_by_a_plain_try_where_tls_is_a_wish),
        cmocka_unit_test(a_server_that_closes_in_the_handshake_is_tried_plainly_then_passed_over),
        cmocka_unit_test(a_server_may_be_spoken_tls_to_at_once),
        cmocka_unit_test(a_server_that_knows_no_alpn_is_not_spoken_to_at_once),
        cmocka_unit_test(a_unix_socket_is_never_spoken_tls_to),
        cmocka_unit_test(only_hosts_that_are_fit_are_tried),
        cmocka_unit_test(hosts_that_are_not_fit_are_passed_over_and_said_why),
        cmocka_unit_test(hosts_that_were_not_asked_yet_are_waited_for),
        cmocka_unit_test(hosts_that_are_never_asked_are_not_waited_for_for_ever),
        cmocka_unit_test(it_can_be_cancelled_at_any_step),
    };
    return cmocka_run_group_tests(tests, trust_open, trust_close);
}
