/* SPDX-License-Identifier: PostgreSQL */
#include "unit/tls/stranger.h"

/* One meeting of a server and a client that the test drafts. */
struct meeting {
    struct draft drafts[2];
    struct tls_context *contexts[2];
    struct pair pair;
    bool is_agreed;
};

/* A server without, and a client that asks nothing. */
static void meeting_draft(struct meeting *meeting, const struct folder *folder)
{
    draft_server(&meeting->drafts[TLS_SERVER], folder);
    draft_client(&meeting->drafts[TLS_CLIENT]);
}

static void meeting_hold(struct meeting *meeting, const char *host)
{
    for (int i = 0; i < 2; i++)
        meeting->contexts[i] = context_make(&meeting->drafts[i]);
    meeting->is_agreed = pair_meet(&meeting->pair, meeting->contexts[0], meeting->contexts[1], host);
}

static void meeting_close(struct meeting *meeting)
{
    pair_release(&meeting->pair);
    for (int i = 0; i < 2; i++)
        tls_context_release(meeting->contexts[i]);
}

/* The client asks `verification` of the server's certificate, signed by `authority`; `words`: why it refuses,
 * or NULL. */
static void assert_judged(const struct folder *folder, enum tls_verification verification,
                          const char *authority, const char *host, const char *words)
{
    struct meeting meeting;
    meeting_draft(&meeting, folder);
    if (authority != NULL)
        draft_trust(&meeting.drafts[TLS_CLIENT], folder, authority);
    meeting.drafts[TLS_CLIENT].plan.verification = verification;
    meeting_hold(&meeting, host);
    if (meeting.is_agreed != (words == NULL))
        fail_msg("%s: agreed: %d, %s", host, meeting.is_agreed,
                 tls_stream_failure(meeting.pair.streams[TLS_CLIENT]));
    if (words != NULL) {
        assert_failure(&meeting.pair, TLS_CLIENT, words);
        assert_failure(&meeting.pair, TLS_SERVER, "the peer refused: ");
    }
    meeting_close(&meeting);
}

static void no_verification_takes_any_certificate(void **state)
{
    assert_judged(*state, TLS_VERIFY_NONE, NULL, "wrong.example", NULL);
    assert_judged(*state, TLS_VERIFY_NONE, "other.crt", "wrong.example", NULL);
}

static void verify_ca_wants_the_right_signer_and_no_name(void **state)
{
    assert_judged(*state, TLS_VERIFY_CA, "ca.crt", "wrong.example", NULL);
    assert_judged(*state, TLS_VERIFY_CA, "ca.crt", "", NULL);
    assert_judged(*state, TLS_VERIFY_CA, "other.crt", "db.example", "unable to get local issuer certificate");
    assert_judged(*state, TLS_VERIFY_CA, NULL, "db.example", "unable to get local issuer certificate");
}

static void verify_full_wants_the_name_too(void **state)
{
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "db.example", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "DB.example", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "wrong.example", "hostname mismatch");
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "the server", "hostname mismatch");
    assert_judged(*state, TLS_VERIFY_FULL, "other.crt", "db.example",
                  "unable to get local issuer certificate");
}

static void a_wildcard_stands_for_one_whole_label(void **state)
{
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "a.pool.example", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "a.b.pool.example", "hostname mismatch");
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "pool.example", "hostname mismatch");
    folder_issue(*state, "partial",
                 (struct wish){ .name = "partial",
                                .alternatives = "DNS:db*.pool.example",
                                .issuer = &((struct folder *)*state)->authority },
                 NULL);
    struct meeting meeting;
    meeting_draft(&meeting, *state);
    draft_show(&meeting.drafts[TLS_SERVER], *state, "partial");
    draft_trust(&meeting.drafts[TLS_CLIENT], *state, "ca.crt");
    meeting.drafts[TLS_CLIENT].plan.verification = TLS_VERIFY_FULL;
    meeting_hold(&meeting, "db1.pool.example");
    assert_failure(&meeting.pair, TLS_CLIENT, "hostname mismatch");
    meeting_close(&meeting);
}

static void an_address_is_held_against_the_addresses(void **state)
{
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "127.0.0.1", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "::1", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "::1%lo", NULL);
    assert_judged(*state, TLS_VERIFY_FULL, "ca.crt", "127.0.0.2", "IP address mismatch");
}

static void verify_full_without_a_host_makes_no_stream(void **state)
{
    struct draft draft;
    char longest[400];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    draft_client(&draft);
    draft_trust(&draft, *state, "ca.crt");
    draft.plan.verification = TLS_VERIFY_FULL;
    struct tls_context *context = context_make(&draft);
    assert_null(tls_stream_create(context, NULL));
    assert_null(tls_stream_create(context, ""));
    assert_null(tls_stream_create(context, "%lo"));
    assert_null(tls_stream_create(context, longest));
    tls_context_release(context);
}

static void assert_out_of_time(const struct folder *folder, struct wish wish, const char *words)
{
    struct meeting meeting;
    wish.name = "db.example";
    wish.issuer = &folder->authority;
    folder_issue(folder, "late", wish, NULL);
    for (enum tls_verification verification = TLS_VERIFY_NONE; verification <= TLS_VERIFY_FULL;
         verification++) {
        meeting_draft(&meeting, folder);
        draft_show(&meeting.drafts[TLS_SERVER], folder, "late");
        draft_trust(&meeting.drafts[TLS_CLIENT], folder, "ca.crt");
        meeting.drafts[TLS_CLIENT].plan.verification = verification;
        meeting_hold(&meeting, "db.example");
        assert_int_equal(meeting.is_agreed, verification == TLS_VERIFY_NONE);
        if (verification != TLS_VERIFY_NONE)
            assert_failure(&meeting.pair, TLS_CLIENT, words);
        meeting_close(&meeting);
    }
}

static void a_certificate_out_of_its_time_is_refused_under_verification(void **state)
{
    assert_out_of_time(*state, (struct wish){ .starts_s = -2 * DAY_S, .ends_s = -DAY_S },
                       "certificate has expired");
    assert_out_of_time(*state, (struct wish){ .starts_s = DAY_S, .ends_s = 2 * DAY_S },
                       "certificate is not yet valid");
}

/* What the stranger's server is asked for by name. */
static void assert_asked_for(const struct folder *folder, const char *host, const char *name)
{
    struct draft draft;
    struct stranger stranger;
    draft_client(&draft);
    struct tls_context *context = context_make(&draft);
    struct tls_stream *stream = tls_stream_create(context, host);
    stranger_init(&stranger, TLS_SERVER, folder);
    assert_int_equal(stranger_meet(&stranger, stream), TLS_STARVED);
    const char *asked = SSL_get_servername(stranger.ssl, TLSEXT_NAMETYPE_host_name);
    assert_string_equal(asked != NULL ? asked : "", name);
    stranger_release(&stranger);
    tls_stream_destroy(stream);
    tls_context_release(context);
}

static void a_host_is_asked_for_by_name_unless_it_is_an_address(void **state)
{
    assert_asked_for(*state, "db.example", "db.example");
    assert_asked_for(*state, "10.0.0.1", "");
    assert_asked_for(*state, "fe80::1%eth0", "");
    assert_asked_for(*state, "", "");
}

/* A client that offers these protocols, as ALPN writes them, meets our server. */
static enum tls_result offer(const struct folder *folder, const char *protocols, struct tls_facts *facts,
                             char *failure)
{
    struct draft draft;
    struct stranger stranger;
    draft_server(&draft, folder);
    struct tls_context *context = context_make(&draft);
    struct tls_stream *stream = tls_stream_create(context, NULL);
    stranger_init(&stranger, TLS_CLIENT, folder);
    assert_int_equal(
        SSL_set_alpn_protos(stranger.ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols)), 0);
    enum tls_result result = stranger_meet(&stranger, stream);
    tls_stream_describe(stream, facts);
    (void)snprintf(failure, PATH_SIZE, "%s", tls_stream_failure(stream));
    assert_int_equal(SSL_is_init_finished(stranger.ssl), result == TLS_STARVED);
    stranger_release(&stranger);
    tls_stream_destroy(stream);
    tls_context_release(context);
    return result;
}

static void other_protocols_are_answered_by_an_alert(void **state)
{
    struct tls_facts facts;
    char failure[PATH_SIZE];
    assert_int_equal(offer(*state, "\x0apostgresql", &facts, failure), TLS_STARVED);
    assert_true(facts.has_protocol);
    assert_int_equal(offer(*state, "\x08http/1.1\x0apostgresql", &facts, failure), TLS_STARVED);
    assert_true(facts.has_protocol);
    assert_int_equal(offer(*state, "", &facts, failure), TLS_STARVED);
    assert_false(facts.has_protocol);
    assert_int_equal(offer(*state, "\x08http/1.1", &facts, failure), TLS_FAILED);
    assert_string_equal(failure, "no application protocol");
}

/* A server that asks for certificates, and what the client shows (NULL: none). */
static void meeting_ask(struct meeting *meeting, const struct folder *folder, bool needs_certificate,
                        const char *shown)
{
    meeting_draft(meeting, folder);
    draft_trust(&meeting->drafts[TLS_SERVER], folder, "ca.crt");
    meeting->drafts[TLS_SERVER].plan.needs_certificate = needs_certificate;
    if (shown != NULL)
        draft_show(&meeting->drafts[TLS_CLIENT], folder, shown);
    meeting_hold(meeting, "db.example");
}

static void a_client_is_known_by_its_certificate(void **state)
{
    for (int needs = 0; needs <= 1; needs++) {
        struct meeting meeting;
        meeting_ask(&meeting, *state, needs, "client");
        assert_true(meeting.is_agreed);
        struct tls_facts facts = pair_facts(&meeting.pair, TLS_SERVER);
        assert_true(facts.has_peer_certificate);
        assert_string_equal(facts.peer_name, "the client");
        facts = pair_facts(&meeting.pair, TLS_CLIENT);
        assert_string_equal(facts.peer_name, "the server");
        meeting_close(&meeting);
    }
}

static void a_client_without_a_certificate_passes_only_where_none_is_needed(void **state)
{
    struct meeting meeting;
    meeting_ask(&meeting, *state, false, NULL);
    assert_true(meeting.is_agreed);
    struct tls_facts facts = pair_facts(&meeting.pair, TLS_SERVER);
    assert_false(facts.has_peer_certificate);
    assert_string_equal(facts.peer_name, "");
    meeting_close(&meeting);
    meeting_ask(&meeting, *state, true, NULL);
    assert_false(meeting.is_agreed);
    assert_failure(&meeting.pair, TLS_SERVER, "peer did not return a certificate");
    assert_failure(&meeting.pair, TLS_CLIENT, "the peer refused: ");
    meeting_close(&meeting);
}

static void a_client_whose_certificate_another_signed_is_refused(void **state)
{
    const struct folder *folder = *state;
    folder_issue(folder, "stranger", (struct wish){ .name = "the client", .issuer = &folder->other }, NULL);
    for (int needs = 0; needs <= 1; needs++) {
        struct meeting meeting;
        meeting_ask(&meeting, folder, needs, "stranger");
        assert_false(meeting.is_agreed);
        assert_failure(&meeting.pair, TLS_SERVER, "unable to get local issuer certificate");
        assert_failure(&meeting.pair, TLS_CLIENT, "the peer refused: unknown CA");
        meeting_close(&meeting);
    }
}

static void a_client_is_told_whose_certificates_are_taken(void **state)
{
    struct draft draft;
    struct stranger stranger;
    draft_server(&draft, *state);
    draft_trust(&draft, *state, "ca.crt");
    struct tls_context *context = context_make(&draft);
    struct tls_stream *stream = tls_stream_create(context, NULL);
    stranger_init(&stranger, TLS_CLIENT, *state);
    assert_int_equal(stranger_meet(&stranger, stream), TLS_STARVED);
    assert_int_equal(sk_X509_NAME_num(SSL_get0_peer_CA_list(stranger.ssl)), 1);
    stranger_release(&stranger);
    tls_stream_destroy(stream);
    tls_context_release(context);
}

static void digests_are_those_of_the_certificates(void **state)
{
    static const uint8_t none[TLS_DIGEST_SIZE];
    const struct folder *folder = *state;
    uint8_t server[TLS_DIGEST_SIZE];
    uint8_t client[TLS_DIGEST_SIZE];
    folder_issue(folder, "a", (struct wish){ .name = "a", .issuer = &folder->authority }, server);
    folder_issue(folder, "b", (struct wish){ .name = "b", .issuer = &folder->authority }, client);
    struct meeting meeting;
    meeting_draft(&meeting, folder);
    draft_show(&meeting.drafts[TLS_SERVER], folder, "a");
    meeting_hold(&meeting, "db.example");
    struct tls_facts facts = pair_facts(&meeting.pair, TLS_SERVER);
    assert_memory_equal(facts.own_digest, server, sizeof server);
    assert_memory_equal(facts.peer_digest, none, sizeof none);
    facts = pair_facts(&meeting.pair, TLS_CLIENT);
    assert_memory_equal(facts.own_digest, none, sizeof none);
    assert_memory_equal(facts.peer_digest, server, sizeof server);
    meeting_close(&meeting);
    meeting_ask(&meeting, folder, true, "b");
    facts = pair_facts(&meeting.pair, TLS_SERVER);
    assert_memory_equal(facts.peer_digest, client, sizeof client);
    assert_memory_not_equal(facts.own_digest, server, sizeof server);
    meeting_close(&meeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_verification_takes_any_certificate),
        cmocka_unit_test(verify_ca_wants_the_right_signer_and_no_name),
        cmocka_unit_test(verify_full_wants_the_name_too),
        cmocka_unit_test(a_wildcard_stands_for_one_whole_label),
        cmocka_unit_test(an_address_is_held_against_the_addresses),
        cmocka_unit_test(verify_full_without_a_host_makes_no_stream),
        cmocka_unit_test(a_certificate_out_of_its_time_is_refused_under_verification),
        cmocka_unit_test(a_host_is_asked_for_by_name_unless_it_is_an_address),
        cmocka_unit_test(other_protocols_are_answered_by_an_alert),
        cmocka_unit_test(a_client_is_known_by_its_certificate),
        cmocka_unit_test(a_client_without_a_certificate_passes_only_where_none_is_needed),
        cmocka_unit_test(a_client_whose_certificate_another_signed_is_refused),
        cmocka_unit_test(a_client_is_told_whose_certificates_are_taken),
        cmocka_unit_test(digests_are_those_of_the_certificates),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
