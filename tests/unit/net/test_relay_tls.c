/* SPDX-License-Identifier: PostgreSQL */
#include "unit/net/house.h"
#include "unit/net/tls_peer.h"

enum { MEGABYTE = 1024 * 1024, LARGE = 40 * MEGABYTE };

#define TLS_REQUEST "\0\0\0\x8\x04\xd2\x16\x2f"

/* A house that offers TLS to its clients and asks its server for it. */
static struct house *house_open_secure(const struct trust *trust)
{
    struct house *house = house_open();
    house->plan.security = SECURITY_ALLOWED;
    house->plan.tls = trust->contexts[TLS_SERVER];
    house->upstream.security = UPSTREAM_REQUIRE;
    house->upstream.tls = trust->contexts[TLS_CLIENT];
    return house;
}

/* A client that asked for TLS and got it. */
static void client_connect(struct house *house, const struct trust *trust, struct tls_peer *client)
{
    int socket = peer_connect(&house->address);
    peer_limit(socket, SO_RCVBUF);
    SAY(house, socket, TLS_REQUEST);
    HEAR(house, socket, "S");
    tls_peer_init(client, socket, trust->contexts[TLS_CLIENT], "db.example");
    tls_peer_shake(&house->loop, client);
}

static void server_accept(struct house *house, const struct trust *trust, struct tls_peer *server)
{
    int socket = peer_accept(&house->loop, house->server_listening);
    HEAR(house, socket, TLS_REQUEST);
    SAY(house, socket, "S");
    tls_peer_init(server, socket, trust->contexts[TLS_SERVER], NULL);
}

#define TLS_SAY(peer, constant)         tls_peer_send((peer), (constant), SIZE_OF(constant))
#define TLS_HEAR(house, peer, constant) tls_peer_expect(&(house)->loop, (peer), (constant), SIZE_OF(constant))

struct secure_talk {
    struct tls_peer client;
    struct tls_peer server;
};

static struct secure_talk secure_log_in(struct house *house, const struct trust *trust)
{
    struct secure_talk talk;
    client_connect(house, trust, &talk.client);
    TLS_SAY(&talk.client, STARTUP);
    server_accept(house, trust, &talk.server);
    TLS_HEAR(house, &talk.server, STARTUP);
    TLS_SAY(&talk.server, GREETING);
    TLS_HEAR(house, &talk.client, GREETING);
    return talk;
}

static void secure_talk_close(struct secure_talk *talk)
{
    tls_peer_release(&talk->client);
    tls_peer_release(&talk->server);
}

static void both_sides_speak_tls(void **state)
{
    static const struct hash_key key = { { 1, 2 } };
    struct house *house = house_open_secure(*state);
    struct snapshot snapshot;
    struct secure_talk talk = secure_log_in(house, *state);
    TLS_SAY(&talk.client, QUERY);
    TLS_HEAR(house, &talk.server, QUERY);
    TLS_SAY(&talk.server, "C\0\0\0\xdSELECT 1\0" READY);
    TLS_HEAR(house, &talk.client, "C\0\0\0\xdSELECT 1\0" READY);
    assert_int_equal(counter_read(&house->counters.bytes_from_servers),
                     SIZE_OF(GREETING) + SIZE_OF("C\0\0\0\xdSELECT 1\0") + SIZE_OF(READY));
    snapshot_init(&snapshot, &key, 100);
    relay_describe_all(&house->shared, &snapshot);
    assert_string_equal(snapshot.sessions[0].client_tls, "TLSv1.3");
    assert_string_equal(snapshot.sessions[0].server_tls, "TLSv1.3");
    snapshot_release(&snapshot);
    secure_talk_close(&talk);
    house_close(house);
}

static void each_side_may_be_plain(void **state)
{
    static const struct hash_key key = { { 1, 2 } };
    const struct trust *trust = *state;
    struct snapshot snapshot;
    struct tls_peer peer;
    struct house *house = house_open_secure(trust);
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP);
    server_accept(house, trust, &peer);
    TLS_HEAR(house, &peer, STARTUP);
    snapshot_init(&snapshot, &key, 100);
    relay_describe_all(&house->shared, &snapshot);
    assert_string_equal(snapshot.sessions[0].client_tls, "");
    assert_string_equal(snapshot.sessions[0].server_tls, "TLSv1.3");
    snapshot_release(&snapshot);
    tls_peer_release(&peer);
    (void)close(client);
    house->upstream.security = UPSTREAM_PLAIN;
    client_connect(house, trust, &peer);
    TLS_SAY(&peer, STARTUP);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, STARTUP);
    SAY(house, server, GREETING);
    TLS_HEAR(house, &peer, GREETING);
    (void)close(server);
    tls_peer_release(&peer);
    house_close(house);
}

static void a_client_may_begin_with_tls(void **state)
{
    const struct trust *trust = *state;
    struct tls_peer client;
    struct house *house = house_open_secure(trust);
    house->upstream.security = UPSTREAM_PLAIN;
    tls_peer_init(&client, peer_connect(&house->address), trust->contexts[TLS_CLIENT], "db.example");
    tls_peer_shake(&house->loop, &client);
    TLS_SAY(&client, STARTUP SYNC);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, STARTUP SYNC);
    (void)close(server);
    tls_peer_release(&client);
    house_close(house);
}

static void a_client_whose_handshake_fails_gets_the_alert_and_is_let_go(void **state)
{
    static const char garbage[] = "\x16\3\1\0\5\1\0\0\1\xff";
    for (int is_direct = 0; is_direct < 2; is_direct++) {
        char got[16];
        struct house *house = house_open_secure(*state);
        int client = peer_connect(&house->address);
        if (!is_direct) {
            SAY(house, client, TLS_REQUEST);
            HEAR(house, client, "S");
        }
        SAY(house, client, garbage);
        peer_read(&house->loop, client, got, 7);
        assert_int_equal(got[0], 21);
        TURN_UNTIL(&house->loop, peer_is_at_end(client));
        (void)close(client);
        TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
        assert_int_equal(strncmp(house_last_reason(house), "client connection failed: ", 26), 0);
        assert_true(strlen(house_last_reason(house)) > 26);
        house_close(house);
    }
}

static void a_handshake_must_not_take_for_ever(void **state)
{
    struct house *house = house_open_secure(*state);
    house->shared.login_timeout_ms = 150;
    int client = peer_connect(&house->address);
    SAY(house, client, TLS_REQUEST);
    HEAR(house, client, "S");
    TURN_UNTIL(&house->loop, peer_is_at_end(client)); /* and gets no plaintext before */
    assert_int_equal(counter_read(&house->counters.login_timeouts), 1);
    (void)close(client);
    house_close(house);
}

static void a_client_that_leaves_in_the_handshake_is_let_go(void **state)
{
    struct house *house = house_open_secure(*state);
    int client = peer_connect(&house->address);
    SAY(house, client, TLS_REQUEST);
    HEAR(house, client, "S");
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

static void a_server_without_tls_is_told_where_it_is_required(void **state)
{
    struct house *house = house_open_secure(*state);
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, TLS_REQUEST);
    SAY(house, server, "N");
    const char *heard = house_hear_out(house, client);
    assert_non_null(strstr(heard, "C08006|Mcould not connect to upstream \"main\"|"));
    assert_non_null(strstr(heard, ": offers no TLS|"));
    (void)close(client);
    (void)close(server);
    house_close(house);
}

static void ends_are_passed_on_with_a_close_notify(void **state)
{
    struct house *house = house_open_secure(*state);
    struct secure_talk talk = secure_log_in(house, *state);
    TLS_SAY(&talk.client, QUERY);
    tls_peer_end(&talk.client);
    TLS_HEAR(house, &talk.server, QUERY);
    PUMP_UNTIL(&house->loop, &talk.server, talk.server.has_ended);
    assert_int_equal(talk.server.result, TLS_ENDED);
    TLS_SAY(&talk.server, READY);
    tls_peer_end(&talk.server);
    PUMP_UNTIL(&house->loop, &talk.client, talk.client.has_ended);
    assert_int_equal(talk.client.result, TLS_ENDED);
    assert_int_equal(talk.client.plain.size, SIZE_OF(READY));
    secure_talk_close(&talk);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_string_equal(house_last_reason(house), "client closed the connection");
    house_close(house);
}

/* ── Certificates ──────────────────────────────────────────────────────────────────────────────────────────
 */

#define OFFER  "R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
#define CHOICE "p\0\0\0\x1cSCRAM-SHA-256-PLUS\0\0\0\0\1n"

/* Up to the client's choice of channel binding. */
static struct secure_talk bind_channel(struct house *house, const struct trust *trust,
                                       struct tls_context *servers)
{
    struct secure_talk talk;
    client_connect(house, trust, &talk.client);
    TLS_SAY(&talk.client, STARTUP);
    int socket = peer_accept(&house->loop, house->server_listening);
    HEAR(house, socket, TLS_REQUEST);
    SAY(house, socket, "S");
    tls_peer_init(&talk.server, socket, servers, NULL);
    TLS_HEAR(house, &talk.server, STARTUP);
    TLS_SAY(&talk.server, OFFER);
    TLS_HEAR(house, &talk.client, OFFER);
    TLS_SAY(&talk.client, CHOICE);
    return talk;
}

static void channel_binding_passes_between_two_that_show_the_same_certificate(void **state)
{
    const struct trust *trust = *state;
    struct house *house = house_open_secure(trust);
    struct secure_talk talk = bind_channel(house, trust, trust->contexts[TLS_SERVER]);
    TLS_HEAR(house, &talk.server, CHOICE);
    secure_talk_close(&talk);
    house_close(house);
}

static void channel_binding_is_refused_between_two_certificates(void **state)
{
    const struct trust *trust = *state;
    struct draft draft;
    draft_server(&draft, &trust->folder);
    draft_show(&draft, &trust->folder, "client");
    struct tls_context *other = context_make(&draft);
    struct house *house = house_open_secure(trust);
    struct secure_talk talk = bind_channel(house, trust, other);
    PUMP_UNTIL(&house->loop, &talk.client, talk.client.has_ended);
    assert_int_equal(talk.client.plain.data[0], 'E');
    secure_talk_close(&talk);
    house_close(house);
    tls_context_release(other);
}

/* ── Backpressure ──────────────────────────────────────────────────────────────────────────────────────────
 */

enum { ROW_SIZE = 64 * 1024 };

/* Sends one DataRow when nothing of the last one waits at the sender. */
static size_t send_row(struct tls_peer *sender)
{
    static uint8_t row[ROW_SIZE] = { 'D', 0, 0, (ROW_SIZE - 1) >> 8, (ROW_SIZE - 1) & 0xff };
    tls_peer_pump(sender);
    if (sender->out.size > 0)
        return 0;
    tls_peer_send(sender, row, sizeof row);
    return sizeof row;
}

static void a_client_that_never_reads_stops_the_server(void **state)
{
    struct house *house = house_open_secure(*state);
    struct secure_talk talk = secure_log_in(house, *state);
    size_t sent = 0;
    TLS_SAY(&talk.client, QUERY);
    TLS_HEAR(house, &talk.server, QUERY);
    const struct relay *relay = CONTAINER_OF(house->shared.relays.next, struct relay, node);
    const struct link *link = &relay->ends[SIDE_CLIENT].link;
    for (int idle = 0; idle < 500 && sent < LARGE; idle++) {
        size_t size = send_row(&talk.server);
        sent += size;
        idle = size > 0 ? 0 : idle;
        turn(&house->loop, uv_hrtime());
        assert_true(link_waiting(link) <= LINK_HIGH_WATER + 2 * PLAIN_SIZE);
    }
    assert_true(sent < LARGE);
    assert_true(link->is_full);
    TURN_UNTIL(&house->loop,
               (tls_peer_pump(&talk.server), tls_peer_pump(&talk.client), talk.client.plain.size == sent));
    secure_talk_close(&talk);
    house_close(house);
}

/* ── Cancel requests ───────────────────────────────────────────────────────────────────────────────────────
 */

static void a_cancel_request_comes_and_goes_by_tls(void **state)
{
    const struct trust *trust = *state;
    struct tls_peer client;
    struct tls_peer server;
    struct house *house = house_open_secure(trust);
    client_connect(house, trust, &client);
    TLS_SAY(&client, CANCEL);
    server_accept(house, trust, &server);
    TLS_HEAR(house, &server, CANCEL);
    tls_peer_release(&server);
    PUMP_UNTIL(&house->loop, &client, client.has_ended);
    tls_peer_release(&client);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_speak_tls),
        cmocka_unit_test(each_side_may_be_plain),
        cmocka_unit_test(a_client_may_begin_with_tls),
        cmocka_unit_test(a_client_whose_handshake_fails_gets_the_alert_and_is_let_go),
        cmocka_unit_test(a_handshake_must_not_take_for_ever),
        cmocka_unit_test(a_client_that_leaves_in_the_handshake_is_let_go),
        cmocka_unit_test(a_server_without_tls_is_told_where_it_is_required),
        cmocka_unit_test(ends_are_passed_on_with_a_close_notify),
        cmocka_unit_test(channel_binding_passes_between_two_that_show_the_same_certificate),
        cmocka_unit_test(channel_binding_is_refused_between_two_certificates),
        cmocka_unit_test(a_client_that_never_reads_stops_the_server),
        cmocka_unit_test(a_cancel_request_comes_and_goes_by_tls),
    };
    return cmocka_run_group_tests(tests, trust_open, trust_close);
}
