/* SPDX-License-Identifier: PostgreSQL */
/* How a connection opens: encryption, who may come without it, and what SCRAM makes of two certificates. */
#include "stage/stage.h"
#include "wire/writer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char tls_request[] = "\0\0\0\x08\x04\xd2\x16\x2f";
static const char gss_request[] = "\0\0\0\x08\x04\xd2\x16\x30";
static const char startup[] = "\0\0\0\x12\0\3\0\0user\0app\0";

#define LITERAL(text) bytes_of(text, sizeof(text) - 1)
/* A StartupMessage's last NUL is the literal's own. */
#define STARTUP bytes_of(startup, sizeof(startup))

static struct stage *open_stage(enum session_security security)
{
    return stage_open((struct stage_plan){ .mode = GUARD_ENFORCE, .security = security });
}

static void expect_out(struct stage *stage, enum side to, struct bytes expected)
{
    assert_true(bytes_equal(buffer_bytes(&stage->out[to]), expected));
    buffer_clear(&stage->out[to]);
}

static bool is_in(struct bytes bytes, const char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at + size <= bytes.size; at++)
        if (memcmp(bytes.data + at, text, size) == 0)
            return true;
    return false;
}

/* The client was told FATAL with this state, and nothing went to the server. */
static void expect_fatal(struct stage *stage, const char *sqlstate)
{
    struct bytes told = buffer_bytes(&stage->out[SIDE_CLIENT]);
    assert_true(stage->is_closed);
    assert_true(told.size > 0 && told.data[0] == 'E');
    assert_true(is_in(told, sqlstate) && is_in(told, "FATAL"));
}

static void feed_bytewise(struct stage *stage, enum side from, struct bytes bytes)
{
    while (bytes.size > 0)
        stage_feed(stage, from, bytes_take(&bytes, 1));
}

/* ── Encryption ────────────────────────────────────────────────────────────────────────────────────────────
 */

static void a_request_for_tls_is_granted_where_it_is_allowed(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    feed_bytewise(stage, SIDE_CLIENT, LITERAL(tls_request));
    expect_out(stage, SIDE_CLIENT, LITERAL("S"));
    assert_true(stage->is_securing);
    session_secured(stage->session, false);
    stage_feed(stage, SIDE_CLIENT, STARTUP);
    assert_true(stage->has_dialed);
    expect_out(stage, SIDE_SERVER, STARTUP);
    stage_end(stage);
}

static void tls_may_be_asked_for_after_gss_was_declined(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    stage_feed(stage, SIDE_CLIENT, LITERAL(gss_request));
    expect_out(stage, SIDE_CLIENT, LITERAL("N"));
    stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
    expect_out(stage, SIDE_CLIENT, LITERAL("S"));
    stage_end(stage);
}

static void data_behind_a_request_for_tls_ends_the_connection_unread(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    uint8_t both[sizeof(tls_request) - 1 + sizeof(startup)];
    memcpy(both, tls_request, sizeof(tls_request) - 1);
    memcpy(both + sizeof(tls_request) - 1, startup, sizeof(startup));
    stage_feed(stage, SIDE_CLIENT, bytes_of(both, sizeof(both)));
    assert_true(stage->is_closed);
    assert_false(stage->has_dialed);
    assert_int_equal(stage->out[SIDE_CLIENT].size, 0);
    assert_int_equal(stage->out[SIDE_SERVER].size, 0);
    stage_end(stage);
}

static void a_second_request_for_tls_ends_the_connection(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
    session_secured(stage->session, false);
    stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
    assert_true(stage->is_closed);
    stage_end(stage);
}

static void a_plain_connection_is_refused_where_tls_is_required(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_REQUIRED);
    stage_feed(stage, SIDE_CLIENT, STARTUP);
    expect_fatal(stage, "28000");
    assert_true(is_in(buffer_bytes(&stage->out[SIDE_CLIENT]), "sslmode=require"));
    assert_false(stage->has_dialed);
    stage_end(stage);
}

static void a_secured_connection_is_taken_where_tls_is_required(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_REQUIRED);
    stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
    session_secured(stage->session, false);
    stage_feed(stage, SIDE_CLIENT, STARTUP);
    assert_true(stage->has_dialed);
    stage_end(stage);
}

static void direct_tls_begins_with_the_first_byte_and_leaves_it_to_the_handshake(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_REQUIRED);
    stage_feed(stage, SIDE_CLIENT, LITERAL("\x16\3\1"));
    assert_true(stage->is_securing);
    assert_int_equal(stage->out[SIDE_CLIENT].size, 0);
    session_secured(stage->session, true);
    stage_feed(stage, SIDE_CLIENT, STARTUP);
    expect_out(stage, SIDE_SERVER, STARTUP);
    stage_end(stage);
}

static void direct_tls_without_alpn_is_refused(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    stage_feed(stage, SIDE_CLIENT, LITERAL("\x16"));
    session_secured(stage->session, false);
    stage_feed(stage, SIDE_CLIENT, BYTES_NONE);
    expect_fatal(stage, "08P01");
    stage_end(stage);
}

static void direct_tls_ends_the_connection_where_there_is_no_tls(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_NONE);
    stage_feed(stage, SIDE_CLIENT, LITERAL("\x16\3\1"));
    assert_true(stage->is_closed);
    assert_false(stage->is_securing);
    stage_end(stage);
}

static void tls_within_tls_is_not_begun(void **state)
{
    (void)state;
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
    stage->is_securing = false;
    session_secured(stage->session, true);
    stage_feed(stage, SIDE_CLIENT, LITERAL("\x16\3\1"));
    assert_true(stage->is_closed);
    assert_false(stage->is_securing);
    stage_end(stage);
}

/* ── Channel binding ───────────────────────────────────────────────────────────────────────────────────────
 */

static const char offer[] = "R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
static const char offer_without_binding[] = "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0";
/* The list's last NUL is the literal's own. */
#define OFFER                 bytes_of(offer, sizeof(offer))
#define OFFER_WITHOUT_BINDING bytes_of(offer_without_binding, sizeof(offer_without_binding))
static const char takes_binding[] = "p\0\0\0\x1dSCRAM-SHA-256-PLUS\0\0\0\0\2p=";
static const char takes_plain[] = "p\0\0\0\x18SCRAM-SHA-256\0\0\0\0\2n,";

static struct stage *begin_login(bool is_client_secured, struct server_leg leg)
{
    struct stage *stage = open_stage(SECURITY_ALLOWED);
    stage->leg = leg;
    if (is_client_secured) {
        stage_feed(stage, SIDE_CLIENT, LITERAL(tls_request));
        session_secured(stage->session, true);
        buffer_clear(&stage->out[SIDE_CLIENT]);
    }
    stage_feed(stage, SIDE_CLIENT, STARTUP);
    buffer_clear(&stage->out[SIDE_SERVER]);
    return stage;
}

static const struct server_leg plain = { .is_secured = false };
static const struct server_leg same = { .is_secured = true, .shares_certificate = true };
static const struct server_leg another = { .is_secured = true, .shares_certificate = false };

static void a_plain_client_is_not_offered_channel_binding(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= sizeof(offer); cut++) {
        struct stage *stage = begin_login(false, another);
        stage_feed(stage, SIDE_SERVER, bytes_of(offer, cut));
        stage_feed(stage, SIDE_SERVER, bytes_of(offer + cut, sizeof(offer) - cut));
        expect_out(stage, SIDE_CLIENT, OFFER_WITHOUT_BINDING);
        stage_feed(stage, SIDE_CLIENT, LITERAL(takes_plain));
        expect_out(stage, SIDE_SERVER, LITERAL(takes_plain));
        stage_end(stage);
    }
}

static void an_offer_passes_unchanged_where_binding_can_work(void **state)
{
    (void)state;
    const struct server_leg legs[] = { plain, same };
    for (size_t index = 0; index < COUNT_OF(legs); index++) {
        struct stage *stage = begin_login(true, legs[index]);
        feed_bytewise(stage, SIDE_SERVER, OFFER);
        expect_out(stage, SIDE_CLIENT, OFFER);
        feed_bytewise(stage, SIDE_CLIENT, LITERAL(takes_binding));
        expect_out(stage, SIDE_SERVER, LITERAL(takes_binding));
        stage_end(stage);
    }
}

static void who_binds_between_two_certificates_is_told_why_it_cannot_work(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof(takes_binding); cut++) {
        struct stage *stage = begin_login(true, another);
        stage_feed(stage, SIDE_SERVER, OFFER);
        expect_out(stage, SIDE_CLIENT, OFFER);
        stage_feed(stage, SIDE_CLIENT, bytes_of(takes_binding, cut));
        stage_feed(stage, SIDE_CLIENT, bytes_of(takes_binding + cut, sizeof(takes_binding) - 1 - cut));
        expect_fatal(stage, "28000");
        assert_true(is_in(buffer_bytes(&stage->out[SIDE_CLIENT]), "channel_binding=disable"));
        assert_int_equal(stage->out[SIDE_SERVER].size, 0);
        stage_end(stage);
    }
}

static void who_does_not_bind_passes_between_two_certificates(void **state)
{
    (void)state;
    struct stage *stage = begin_login(true, another);
    stage_feed(stage, SIDE_SERVER, OFFER);
    feed_bytewise(stage, SIDE_CLIENT, LITERAL(takes_plain));
    expect_out(stage, SIDE_SERVER, LITERAL(takes_plain));
    stage_end(stage);
}

static void an_answer_longer_than_is_gathered_passes_where_no_mechanism_is_awaited(void **state)
{
    (void)state;
    enum { BODY = 40000 };
    static uint8_t answer[5 + BODY] = { 'p', 0, 0, (BODY + 4) >> 8, (BODY + 4) & 0xff };
    static const char asks[] = "R\0\0\0\x08\0\0\0\7";
    memset(answer + 5, 'x', BODY); /* no NUL anywhere, as in a Kerberos ticket */
    struct stage *stage = begin_login(false, plain);
    stage_feed(stage, SIDE_SERVER, LITERAL(asks));
    stage_feed(stage, SIDE_CLIENT, bytes_of(answer, 100));
    stage_feed(stage, SIDE_CLIENT, bytes_of(answer + 100, BODY / 2));
    stage_feed(stage, SIDE_CLIENT, bytes_of(answer + 100 + BODY / 2, sizeof(answer) - 100 - BODY / 2));
    expect_out(stage, SIDE_SERVER, bytes_of(answer, sizeof(answer)));
    assert_false(stage->is_closed);
    stage_end(stage);
}

static void a_broken_offer_passes_as_it_is(void **state)
{
    (void)state;
    static const char broken[] = "R\0\0\0\x14\0\0\0\x0aSCRAM-PLUSxy";
    struct stage *stage = begin_login(false, another);
    stage_feed(stage, SIDE_SERVER, LITERAL(broken));
    expect_out(stage, SIDE_CLIENT, LITERAL(broken));
    stage_end(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_for_tls_is_granted_where_it_is_allowed),
        cmocka_unit_test(tls_may_be_asked_for_after_gss_was_declined),
        cmocka_unit_test(data_behind_a_request_for_tls_ends_the_connection_unread),
        cmocka_unit_test(a_second_request_for_tls_ends_the_connection),
        cmocka_unit_test(a_plain_connection_is_refused_where_tls_is_required),
        cmocka_unit_test(a_secured_connection_is_taken_where_tls_is_required),
        cmocka_unit_test(direct_tls_begins_with_the_first_byte_and_leaves_it_to_the_handshake),
        cmocka_unit_test(direct_tls_without_alpn_is_refused),
        cmocka_unit_test(direct_tls_ends_the_connection_where_there_is_no_tls),
        cmocka_unit_test(tls_within_tls_is_not_begun),
        cmocka_unit_test(a_plain_client_is_not_offered_channel_binding),
        cmocka_unit_test(an_offer_passes_unchanged_where_binding_can_work),
        cmocka_unit_test(who_binds_between_two_certificates_is_told_why_it_cannot_work),
        cmocka_unit_test(who_does_not_bind_passes_between_two_certificates),
        cmocka_unit_test(an_answer_longer_than_is_gathered_passes_where_no_mechanism_is_awaited),
        cmocka_unit_test(a_broken_offer_passes_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
