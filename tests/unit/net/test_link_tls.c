/* SPDX-License-Identifier: PostgreSQL */
#include "net/link_state.h"
#include "unit/net/tls_peer.h"
#include "unit/tls/stranger.h"

enum { LARGE = 3 * 1024 * 1024, PATTERN_PERIOD = 251 };

/* A link that speaks TLS with a peer, and what it told us. */
struct probe {
    struct link link;
    uv_loop_t loop;
    struct chunk chunk;
    struct tls_peer peer;
    struct buffer got;
    size_t deliveries;
    size_t largest;
    int secured;
    int ends;
    int failures;
    int drains;
    int closings;
    char why[128];
    bool must_stop;  /* reading, at each delivery */
    bool must_close; /* in on_secured */
    bool must_flush; /* so */
};

static struct probe *probe_of(struct link *link)
{
    return CONTAINER_OF(link, struct probe, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct probe *probe = probe_of(link);
    assert_int_equal(probe->secured, 1);
    assert_int_equal(probe->ends + probe->failures, 0);
    assert_int_equal(probe->chunk.sealed.size, 0);
    buffer_append(&probe->got, bytes);
    probe->deliveries++;
    probe->largest = bytes.size > probe->largest ? bytes.size : probe->largest;
    if (probe->must_stop)
        link_read_stop(link);
}

static void on_end(struct link *link, int error)
{
    struct probe *probe = probe_of(link);
    probe->ends += error == 0;
    probe->failures += error < 0;
    if (error < 0)
        (void)bytes_copy_text(bytes_text(link_failure(link)), probe->why, sizeof probe->why);
}

static void on_drained(struct link *link)
{
    assert_true(link_waiting(link) < LINK_LOW_WATER);
    probe_of(link)->drains++;
}

static void on_secured(struct link *link)
{
    struct probe *probe = probe_of(link);
    probe->secured++;
    if (probe->must_close)
        link_close(link);
    if (probe->must_flush)
        link_close_flushed(link);
}

static void on_closed(struct link *link)
{
    probe_of(link)->closings++;
}

static const struct link_events probe_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
    .on_secured = on_secured,
};

/* The link is in that role; its handshake has begun. */
static struct probe *probe_begin(const struct trust *trust, enum tls_role role)
{
    int ends[2];
    struct probe *probe = calloc(1, sizeof *probe);
    const char *host = role == TLS_CLIENT ? "db.example" : NULL;
    assert_non_null(probe);
    peer_pair(ends);
    chunk_init(&probe->chunk);
    loop_open(&probe->loop, &probe->chunk);
    buffer_init(&probe->got, TLS_PEER_MOST);
    link_init(&probe->link, &probe->chunk, &probe_events);
    assert_int_equal(link_open(&probe->link, ends[0]), 0);
    tls_peer_init(&probe->peer, ends[1], trust->contexts[!role], role == TLS_CLIENT ? NULL : "db.example");
    assert_int_equal(link_secure(&probe->link, trust->contexts[role], host, BYTES_NONE), 0);
    link_read_start(&probe->link);
    return probe;
}

static struct probe *probe_create(const struct trust *trust, enum tls_role role)
{
    struct probe *probe = probe_begin(trust, role);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->secured == 1 && tls_stream_is_ready(probe->peer.stream));
    return probe;
}

static void probe_destroy(struct probe *probe)
{
    link_close(&probe->link);
    TURN_UNTIL(&probe->loop, probe->closings > 0);
    assert_int_equal(probe->closings, 1);
    loop_finish(&probe->loop);
    tls_peer_release(&probe->peer);
    buffer_release(&probe->got);
    chunk_release(&probe->chunk);
    free(probe);
}

static uint8_t *pattern_make(size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % PATTERN_PERIOD);
    return bytes;
}

static void link_send_pattern(struct probe *probe, size_t size)
{
    uint8_t *bytes = pattern_make(size);
    link_send(&probe->link, bytes_of(bytes, size));
    free(bytes);
}

static void peer_send_pattern(struct probe *probe, size_t size)
{
    uint8_t *bytes = pattern_make(size);
    tls_peer_send(&probe->peer, bytes, size);
    free(bytes);
}

static void assert_pattern(const struct buffer *got, size_t size)
{
    uint8_t *bytes = pattern_make(size);
    assert_int_equal(got->size, size);
    assert_memory_equal(got->data, bytes, size);
    free(bytes);
}

/* ── Both roles ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void what_is_said_is_heard(const struct trust *trust, enum tls_role role)
{
    struct probe *probe = probe_create(trust, role);
    struct tls_facts facts;
    link_send(&probe->link, bytes_text("hello"));
    tls_peer_expect(&probe->loop, &probe->peer, "hello", 5);
    tls_peer_send(&probe->peer, "answer", 6);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->got.size == 6);
    assert_memory_equal(probe->got.data, "answer", 6);
    assert_true(link_facts(&probe->link, &facts));
    assert_string_equal(facts.version, "TLSv1.3");
    assert_int_equal(facts.has_peer_certificate, role == TLS_CLIENT);
    assert_int_equal(probe->secured, 1);
    probe_destroy(probe);
}

static void as_a_server_what_is_said_is_heard(void **state)
{
    what_is_said_is_heard(*state, TLS_SERVER);
}

static void as_a_client_what_is_said_is_heard(void **state)
{
    what_is_said_is_heard(*state, TLS_CLIENT);
}

static void much_comes_whole_and_in_order_both_ways(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    link_send_pattern(probe, LARGE);
    assert_true(link_waiting(&probe->link) > 0);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.plain.size == LARGE);
    assert_pattern(&probe->peer.plain, LARGE);
    peer_send_pattern(probe, LARGE);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->got.size == LARGE);
    assert_pattern(&probe->got, LARGE);
    assert_in_range(probe->largest, 1, PLAIN_SIZE);
    assert_int_equal(probe->drains, 1);
    probe_destroy(probe);
}

static void an_idle_link_owns_nothing_but_its_stream(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    link_send(&probe->link, bytes_text("hello"));
    if (probe->link.is_by_ring)
        loop_turn(&probe->loop);
    assert_null(probe->link.first);
    assert_int_equal(probe->chunk.sealed.size, 0);
    probe_destroy(probe);
}

/* ── Backpressure ──────────────────────────────────────────────────────────────────────────────────────────
 */

static void what_waits_is_counted_as_ciphertext(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    while (link_waiting(&probe->link) == 0)
        link_send_pattern(probe, CHUNK_SIZE);
    size_t before = link_waiting(&probe->link);
    link_send_pattern(probe, 1000);
    assert_in_range(link_waiting(&probe->link) - before, 1001, 1100);
    while (link_waiting(&probe->link) <= LINK_HIGH_WATER) {
        assert_false(probe->link.is_full);
        link_send_pattern(probe, 1000);
    }
    assert_true(probe->link.is_full);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->drains == 1);
    assert_false(probe->link.is_full);
    probe_destroy(probe);
}

static void an_owner_that_stops_reading_gets_no_more(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    peer_send_pattern(probe, LARGE);
    probe->must_stop = true;
    for (size_t at = 0; probe->got.size < LARGE;) {
        link_read_start(&probe->link);
        PUMP_UNTIL(&probe->loop, &probe->peer, probe->deliveries > at);
        assert_int_equal(probe->deliveries, at + 1);
        turn_for(&probe->loop, at % 20 == 0 ? 2 : 0);
        assert_int_equal(probe->deliveries, at + 1);
        at++;
    }
    assert_pattern(&probe->got, LARGE);
    probe_destroy(probe);
}

/* Carries between the probe's peer and the stranger. */
static void stranger_pump(struct probe *probe, struct stranger *stranger, bool may_read)
{
    uint8_t bytes[16384];
    size_t got = 0;
    ssize_t size = may_read ? peer_take(probe->peer.socket, bytes, sizeof bytes) : 0;
    if (size > 0)
        (void)BIO_write(stranger->in, bytes, (int)size);
    (void)SSL_read_ex(stranger->ssl, bytes, sizeof bytes, &got);
    int out = BIO_read(stranger->out, bytes, sizeof bytes);
    if (out > 0)
        buffer_append(&probe->peer.out, bytes_of(bytes, (size_t)out));
    tls_peer_write(&probe->peer);
}

/* Each request for new keys has an answer, which goes nowhere. */
static void a_peer_that_asks_and_never_reads_is_cut_off(void **state)
{
    const struct trust *trust = *state;
    struct stranger stranger;
    struct probe *probe = probe_begin(trust, TLS_SERVER);
    buffer_clear(&probe->peer.out);
    stranger_init(&stranger, TLS_CLIENT, &trust->folder);
    TURN_UNTIL(&probe->loop, (stranger_pump(probe, &stranger, true), probe->secured == 1));
    while (!probe->link.is_full)
        link_send_pattern(probe, CHUNK_SIZE);
    size_t most = 0;
    while (probe->failures == 0 && most < 2 * LARGE) {
        assert_int_equal(SSL_key_update(stranger.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        (void)SSL_do_handshake(stranger.ssl);
        stranger_pump(probe, &stranger, false);
        if (probe->peer.out.size > 0 || most == 0)
            loop_turn(&probe->loop);
        size_t waiting = link_waiting(&probe->link);
        most = waiting > most ? waiting : most;
    }
    assert_int_equal(probe->failures, 1);
    assert_in_range(most, LINK_HIGH_WATER, 3 * LINK_HIGH_WATER);
    stranger_release(&stranger);
    probe_destroy(probe);
}

/* ── Ends ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void our_end_is_a_close_notify_and_reading_goes_on(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    link_send_pattern(probe, LARGE);
    link_shutdown(&probe->link);
    link_send(&probe->link, bytes_text("too late"));
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.has_ended);
    assert_int_equal(probe->peer.result, TLS_ENDED);
    assert_pattern(&probe->peer.plain, LARGE);
    tls_peer_send(&probe->peer, "still here", 10);
    TURN_UNTIL(&probe->loop, probe->got.size == 10);
    assert_int_equal(probe->failures, 0);
    probe_destroy(probe);
}

static void the_peers_close_notify_is_its_end_and_writing_goes_on(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    tls_peer_send(&probe->peer, "bye", 3);
    tls_peer_end(&probe->peer);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    assert_int_equal(probe->got.size, 3);
    assert_true(probe->link.has_ended);
    link_send(&probe->link, bytes_text("answer"));
    tls_peer_expect(&probe->loop, &probe->peer, "answer", 6);
    (void)shutdown(probe->peer.socket, SHUT_WR);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->ends, 1);
    assert_int_equal(probe->failures, 0);
    probe_destroy(probe);
}

static void an_end_without_close_notify_is_an_end(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    tls_peer_send(&probe->peer, "bye", 3);
    assert_int_equal(shutdown(probe->peer.socket, SHUT_WR), 0);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    assert_int_equal(probe->got.size, 3);
    assert_int_equal(probe->failures, 0);
    probe_destroy(probe);
}

static void a_flushed_close_writes_everything_and_says_so(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    link_send_pattern(probe, LARGE);
    link_close_flushed(&probe->link);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.has_ended);
    assert_int_equal(probe->peer.result, TLS_ENDED);
    assert_pattern(&probe->peer.plain, LARGE);
    assert_int_equal(probe->closings, 0);
    (void)close(probe->peer.socket);
    probe->peer.socket = -1;
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_int_equal(probe->ends + probe->failures + probe->drains, 0);
    probe_destroy(probe);
}

static void a_flushed_close_after_the_peers_end_still_says_so(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    tls_peer_end(&probe->peer);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    uint64_t begun = uv_hrtime();
    link_close_flushed(&probe->link);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->closings == 1 && probe->peer.has_ended);
    assert_true(uv_hrtime() - begun < (uint64_t)LINK_STALL_MS * 1000000 / 2);
    assert_int_equal(probe->peer.result, TLS_ENDED);
    probe_destroy(probe);
}

static void a_reset_is_told_once(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    peer_reset(probe->peer.socket);
    probe->peer.socket = -1;
    TURN_UNTIL(&probe->loop, probe->failures == 1);
    assert_string_equal(probe->why, "connection reset by peer");
    link_close_flushed(&probe->link);
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_int_equal(probe->failures + probe->ends, 1);
    probe_destroy(probe);
}

/* ── The handshake ─────────────────────────────────────────────────────────────────────────────────────────
 */

static void ciphertext_that_was_read_already_begins_the_handshake(void **state)
{
    const struct trust *trust = *state;
    int ends[2];
    struct probe *probe = calloc(1, sizeof *probe);
    assert_non_null(probe);
    peer_pair(ends);
    chunk_init(&probe->chunk);
    loop_open(&probe->loop, &probe->chunk);
    buffer_init(&probe->got, TLS_PEER_MOST);
    link_init(&probe->link, &probe->chunk, &probe_events);
    assert_int_equal(link_open(&probe->link, ends[0]), 0);
    tls_peer_init(&probe->peer, ends[1], trust->contexts[TLS_CLIENT], "db.example");
    memcpy(probe->chunk.data, probe->peer.out.data, probe->peer.out.size);
    struct bytes first = bytes_of(probe->chunk.data, probe->peer.out.size);
    buffer_clear(&probe->peer.out);
    assert_int_equal(link_secure(&probe->link, trust->contexts[TLS_SERVER], NULL, first), 0);
    link_read_start(&probe->link);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->secured == 1);
    probe_destroy(probe);
}

static void nothing_is_sent_before_the_handshake_is_done(void **state)
{
    struct probe *probe = probe_begin(*state, TLS_SERVER);
    struct tls_facts facts;
    assert_false(link_facts(&probe->link, &facts));
    assert_string_equal(facts.version, "");
    link_send(&probe->link, bytes_text("secret"));
    turn_for(&probe->loop, 5);
    uint8_t byte;
    assert_int_equal(peer_take(probe->peer.socket, &byte, 1), -1);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->secured == 1);
    link_send(&probe->link, bytes_text("hello"));
    tls_peer_expect(&probe->loop, &probe->peer, "hello", 5);
    probe_destroy(probe);
}

/* A record with a ClientHello that is none. */
static const char garbage[] = "\x16\3\1\0\5\1\0\0\1\xff";

/* What a peer gets before its end: the first byte of an alert's record. */
static void assert_alert_and_end(struct probe *probe)
{
    uint8_t got[64];
    size_t size = 0;
    ssize_t taken = -1;
    TURN_UNTIL(&probe->loop, (taken = peer_take(probe->peer.socket, got + size, sizeof got - size),
                              size += taken > 0 ? (size_t)taken : 0, taken == 0));
    assert_in_range(size, 7, sizeof got - 1);
    assert_int_equal(got[0], 21);
}

static void garbage_is_answered_by_an_alert_that_arrives(void **state)
{
    struct probe *probe = probe_begin(*state, TLS_SERVER);
    peer_send(&probe->loop, probe->peer.socket, garbage, sizeof garbage - 1);
    TURN_UNTIL(&probe->loop, probe->failures == 1);
    assert_true(probe->why[0] != '\0');
    link_close_flushed(&probe->link);
    peer_send(&probe->loop, probe->peer.socket, "more", 4); /* must not turn the end into a reset */
    assert_alert_and_end(probe);
    assert_int_equal(probe->closings, 0);
    uint64_t begun = uv_hrtime();
    (void)close(probe->peer.socket);
    probe->peer.socket = -1;
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_true(uv_hrtime() - begun < (uint64_t)LINK_STALL_MS * 1000000 / 2);
    assert_int_equal(probe->failures + probe->ends + probe->secured, 1);
    probe_destroy(probe);
}

static void garbage_that_was_read_already_is_told_at_once(void **state)
{
    const struct trust *trust = *state;
    int ends[2];
    struct probe *probe = calloc(1, sizeof *probe);
    assert_non_null(probe);
    peer_pair(ends);
    chunk_init(&probe->chunk);
    loop_open(&probe->loop, &probe->chunk);
    link_init(&probe->link, &probe->chunk, &probe_events);
    assert_int_equal(link_open(&probe->link, ends[0]), 0);
    tls_peer_init(&probe->peer, ends[1], trust->contexts[TLS_CLIENT], "db.example");
    struct bytes first = bytes_of(garbage, sizeof garbage - 1);
    assert_int_equal(link_secure(&probe->link, trust->contexts[TLS_SERVER], NULL, first), UV_EPROTO);
    assert_true(link_failure(&probe->link)[0] != '\0');
    link_close_flushed(&probe->link);
    assert_alert_and_end(probe);
    assert_int_equal(probe->failures + probe->ends, 0);
    probe_destroy(probe);
}

static void a_record_that_was_changed_ends_it(void **state)
{
    struct probe *probe = probe_create(*state, TLS_SERVER);
    assert_true(tls_stream_seal(probe->peer.stream, bytes_text("hello"), &probe->peer.out));
    probe->peer.out.data[probe->peer.out.size - 1] ^= 1;
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->failures == 1);
    assert_int_equal(probe->got.size, 0);
    link_send(&probe->link, bytes_text("into the void"));
    link_close_flushed(&probe->link);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.result == TLS_FAILED);
    probe_destroy(probe);
}

static void it_may_be_closed_when_the_handshake_is_done(void **state)
{
    for (int flush = 0; flush < 2; flush++) {
        struct probe *probe = probe_begin(*state, TLS_SERVER);
        probe->must_close = !flush;
        probe->must_flush = flush;
        tls_peer_write(&probe->peer);
        TURN_UNTIL(&probe->loop, (tls_peer_take(&probe->peer), tls_stream_is_ready(probe->peer.stream)));
        tls_peer_send(&probe->peer, "behind it", 9); /* comes with the last of the handshake */
        PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.has_ended);
        assert_int_equal(probe->secured, 1);
        assert_int_equal(probe->got.size, 0);
        probe_destroy(probe);
    }
}

static void a_certificate_that_is_refused_is_told(void **state)
{
    struct trust *trust = *state;
    struct draft draft;
    draft_client(&draft);
    draft.plan.verification = TLS_VERIFY_CA;
    draft_trust(&draft, &trust->folder, "other.crt");
    struct trust strict = { .contexts = { trust->contexts[TLS_SERVER], context_make(&draft) } };
    struct probe *probe = probe_begin(&strict, TLS_CLIENT);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->failures == 1);
    assert_non_null(strstr(probe->why, "certificate"));
    link_close_flushed(&probe->link);
    PUMP_UNTIL(&probe->loop, &probe->peer, probe->peer.result == TLS_FAILED);
    assert_int_equal(probe->secured, 0);
    probe_destroy(probe);
    tls_context_release(strict.contexts[TLS_CLIENT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_server_what_is_said_is_heard),
        cmocka_unit_test(as_a_client_what_is_said_is_heard),
        cmocka_unit_test(much_comes_whole_and_in_order_both_ways),
        cmocka_unit_test(an_idle_link_owns_nothing_but_its_stream),
        cmocka_unit_test(what_waits_is_counted_as_ciphertext),
        cmocka_unit_test(an_owner_that_stops_reading_gets_no_more),
        cmocka_unit_test(a_peer_that_asks_and_never_reads_is_cut_off),
        cmocka_unit_test(our_end_is_a_close_notify_and_reading_goes_on),
        cmocka_unit_test(the_peers_close_notify_is_its_end_and_writing_goes_on),
        cmocka_unit_test(an_end_without_close_notify_is_an_end),
        cmocka_unit_test(a_flushed_close_writes_everything_and_says_so),
        cmocka_unit_test(a_flushed_close_after_the_peers_end_still_says_so),
        cmocka_unit_test(a_reset_is_told_once),
        cmocka_unit_test(ciphertext_that_was_read_already_begins_the_handshake),
        cmocka_unit_test(nothing_is_sent_before_the_handshake_is_done),
        cmocka_unit_test(garbage_is_answered_by_an_alert_that_arrives),
        cmocka_unit_test(garbage_that_was_read_already_is_told_at_once),
        cmocka_unit_test(a_record_that_was_changed_ends_it),
        cmocka_unit_test(it_may_be_closed_when_the_handshake_is_done),
        cmocka_unit_test(a_certificate_that_is_refused_is_told),
    };
    return cmocka_run_group_tests(tests, trust_open, trust_close);
}
