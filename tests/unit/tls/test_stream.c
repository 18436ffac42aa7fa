/* SPDX-License-Identifier: PostgreSQL */
#include "unit/tls/stranger.h"

#include <openssl/err.h>

enum { MEGABYTE = 1 << 20 };

static const uint8_t unready_alert[] = { 0x15, 0x03 };

/* A server and a client that trusts it, both of one version only. */
struct scene {
    struct draft drafts[2];
    struct tls_context *contexts[2];
    struct pair pair;
};

static void scene_open(struct scene *scene, const struct folder *folder)
{
    draft_server(&scene->drafts[TLS_SERVER], folder);
    draft_client(&scene->drafts[TLS_CLIENT]);
    draft_trust(&scene->drafts[TLS_CLIENT], folder, "ca.crt");
    scene->drafts[TLS_CLIENT].plan.verification = TLS_VERIFY_FULL;
    for (int i = 0; i < 2; i++)
        scene->contexts[i] = context_make(&scene->drafts[i]);
    pair_init(&scene->pair, scene->contexts[TLS_SERVER], scene->contexts[TLS_CLIENT], "db.example");
}

static void scene_close(struct scene *scene)
{
    pair_release(&scene->pair);
    for (int i = 0; i < 2; i++)
        tls_context_release(scene->contexts[i]);
}

static void scene_ready(struct scene *scene, const struct folder *folder)
{
    scene_open(scene, folder);
    pair_carry(&scene->pair, UNCUT);
    assert_true(pair_is_ready(&scene->pair));
}

static void fill(uint8_t *data, size_t size, unsigned long seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        data[i] = (uint8_t)(seed >> 56);
    }
}

static void a_handshake_says_what_was_agreed_on(void **state)
{
    struct scene scene;
    scene_open(&scene, *state);
    assert_false(tls_stream_is_ready(scene.pair.streams[TLS_CLIENT]));
    assert_false(tls_stream_seal(scene.pair.streams[TLS_CLIENT], bytes_text("early"), &scene.pair.wires[0]));
    pair_carry(&scene.pair, UNCUT);
    assert_true(pair_is_ready(&scene.pair));
    for (int i = 0; i < 2; i++) {
        struct tls_facts facts = pair_facts(&scene.pair, (enum tls_role)i);
        assert_string_equal(facts.version, "TLSv1.3");
        assert_string_equal(facts.cipher, "TLS_AES_256_GCM_SHA384");
        assert_true(facts.has_protocol);
        assert_false(facts.is_resumed);
    }
    scene_close(&scene);
}

static void a_handshake_may_be_cut_anywhere(void **state)
{
    static const int cuts[] = { 1, 2, 5, 6, 100, RANDOM_CUTS };
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        struct scene scene;
        scene_open(&scene, *state);
        pair_carry(&scene.pair, cuts[i]);
        assert_true(pair_is_ready(&scene.pair));
        scene_close(&scene);
    }
}

/* A peer of the older version against one of our streams that takes `least` and later. */
static void meet_older(const struct folder *folder, enum tls_role role, enum tls_version least)
{
    struct draft draft;
    struct stranger stranger;
    struct tls_facts facts;
    if (role == TLS_SERVER)
        draft_server(&draft, folder);
    else
        draft_client(&draft);
    draft.plan.version_least = least;
    struct tls_context *context = context_make(&draft);
    struct tls_stream *stream = tls_stream_create(context, "db.example");
    stranger_init(&stranger, role == TLS_SERVER ? TLS_CLIENT : TLS_SERVER, folder);
    SSL_set_max_proto_version(stranger.ssl, TLS1_2_VERSION);
    enum tls_result result = stranger_meet(&stranger, stream);
    tls_stream_describe(stream, &facts);
    assert_int_equal(result, least == TLS_VERSION_1_2 ? TLS_STARVED : TLS_FAILED);
    assert_int_equal(tls_stream_is_ready(stream), least == TLS_VERSION_1_2);
    if (result == TLS_STARVED)
        assert_string_equal(facts.version, "TLSv1.2");
    else
        assert_non_null(strstr(tls_stream_failure(stream), "protocol"));
    assert_false(facts.has_protocol);
    tls_stream_destroy(stream);
    tls_context_release(context);
    stranger_release(&stranger);
}

static void the_least_version_is_kept_to(void **state)
{
    for (enum tls_version least = TLS_VERSION_1_2; least <= TLS_VERSION_1_3; least++) {
        meet_older(*state, TLS_SERVER, least);
        meet_older(*state, TLS_CLIENT, least);
    }
}

static void send_both_ways(struct pair *pair, uint8_t *data[2], int cut)
{
    for (size_t sent = 0; sent < MEGABYTE;) {
        size_t size = pair_dice(pair, 50000);
        size = size < MEGABYTE - sent ? size : MEGABYTE - sent;
        for (int end = 0; end < 2; end++)
            assert_true(
                tls_stream_seal(pair->streams[end], bytes_of(data[end] + sent, size), &pair->wires[!end]));
        sent += size;
        pair_carry(pair, cut);
    }
}

static void a_megabyte_arrives_both_ways_however_it_is_cut(void **state)
{
    static const int cuts[] = { UNCUT, 1399, RANDOM_CUTS };
    uint8_t *data[2] = { malloc(MEGABYTE), malloc(MEGABYTE) };
    fill(data[0], MEGABYTE, 7);
    fill(data[1], MEGABYTE, 8);
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        struct scene scene;
        scene_ready(&scene, *state);
        scene.pair.step_size = i == 1 ? 4000 : 1 << 14;
        send_both_ways(&scene.pair, data, cuts[i]);
        for (int end = 0; end < 2; end++)
            assert_true(bytes_equal(buffer_bytes(&scene.pair.received[end]), bytes_of(data[!end], MEGABYTE)));
        scene_close(&scene);
    }
    free(data[0]);
    free(data[1]);
}

static void data_cut_byte_by_byte_arrives(void **state)
{
    struct scene scene;
    scene_ready(&scene, *state);
    struct buffer *wire = &scene.pair.wires[TLS_SERVER];
    scene.pair.step_size = 1;
    assert_true(tls_stream_seal(scene.pair.streams[TLS_CLIENT], bytes_text("select "), wire));
    size_t size = wire->size;
    assert_true(tls_stream_seal(scene.pair.streams[TLS_CLIENT], BYTES_NONE, wire));
    assert_int_equal(wire->size, size);
    assert_true(tls_stream_seal(scene.pair.streams[TLS_CLIENT], bytes_text("1"), wire));
    pair_carry(&scene.pair, 1);
    assert_true(bytes_equal_text(buffer_bytes(&scene.pair.received[TLS_SERVER]), "select 1"));
    scene_close(&scene);
}

static void plaintext_that_waits_inside_comes_without_more_input(void **state)
{
    struct scene scene;
    uint8_t into[3];
    size_t size = 0;
    scene_ready(&scene, *state);
    struct buffer *wire = &scene.pair.wires[TLS_SERVER];
    assert_true(tls_stream_seal(scene.pair.streams[TLS_CLIENT], bytes_text("abcd"), wire));
    struct bytes input = buffer_bytes(wire);
    struct tls_stream *server = scene.pair.streams[TLS_SERVER];
    assert_int_equal(tls_stream_open(server, &input, into, 3, &size, &scene.pair.wires[TLS_CLIENT]),
                     TLS_BYTES);
    assert_int_equal(input.size, 0);
    assert_int_equal(tls_stream_open(server, &input, into, 3, &size, &scene.pair.wires[TLS_CLIENT]),
                     TLS_BYTES);
    assert_int_equal(size, 1);
    assert_int_equal(into[0], 'd');
    scene_close(&scene);
}

static void an_end_reaches_the_other_side_and_seals_no_more(void **state)
{
    struct scene scene;
    scene_ready(&scene, *state);
    struct pair *pair = &scene.pair;
    struct tls_stream *client = pair->streams[TLS_CLIENT];
    assert_true(tls_stream_seal(client, bytes_text("last words"), &pair->wires[TLS_SERVER]));
    tls_stream_end(client, &pair->wires[TLS_SERVER]);
    size_t size = pair->wires[TLS_SERVER].size;
    tls_stream_end(client, &pair->wires[TLS_SERVER]);
    assert_int_equal(pair->wires[TLS_SERVER].size, size);
    assert_false(tls_stream_seal(client, bytes_text("more"), &pair->wires[TLS_SERVER]));
    pair_carry(pair, UNCUT);
    assert_true(bytes_equal_text(buffer_bytes(&pair->received[TLS_SERVER]), "last words"));
    assert_int_equal(pair->results[TLS_SERVER], TLS_ENDED);
    /* the other side may still speak */
    assert_true(tls_stream_seal(pair->streams[TLS_SERVER], bytes_text("bye"), &pair->wires[TLS_CLIENT]));
    tls_stream_end(pair->streams[TLS_SERVER], &pair->wires[TLS_CLIENT]);
    pair_carry(pair, 1);
    assert_true(bytes_equal_text(buffer_bytes(&pair->received[TLS_CLIENT]), "bye"));
    assert_int_equal(pair->results[TLS_CLIENT], TLS_ENDED);
    scene_close(&scene);
}

static void an_end_right_after_the_handshake_outlives_the_tickets(void **state)
{
    for (int cut = UNCUT; cut <= 1; cut++) {
        struct scene scene;
        scene_open(&scene, *state);
        struct pair *pair = &scene.pair;
        pair_deliver(pair, TLS_SERVER, UNCUT);
        pair_deliver(pair, TLS_CLIENT, UNCUT);
        assert_true(tls_stream_is_ready(pair->streams[TLS_CLIENT]));
        tls_stream_end(pair->streams[TLS_CLIENT], &pair->wires[TLS_SERVER]);
        pair_deliver(pair, TLS_SERVER, UNCUT);
        assert_true(pair->wires[TLS_CLIENT].size > 0);
        assert_true(tls_stream_seal(pair->streams[TLS_SERVER], bytes_text("late"), &pair->wires[TLS_CLIENT]));
        pair_carry(pair, cut);
        assert_int_equal(pair->results[TLS_SERVER], TLS_ENDED);
        assert_int_equal(pair->results[TLS_CLIENT], TLS_STARVED);
        assert_true(bytes_equal_text(buffer_bytes(&pair->received[TLS_CLIENT]), "late"));
        scene_close(&scene);
    }
}

static void an_end_before_the_handshake_does_nothing(void **state)
{
    struct scene scene;
    struct buffer out;
    buffer_init(&out, 1000);
    scene_open(&scene, *state);
    tls_stream_end(scene.pair.streams[TLS_CLIENT], &out);
    tls_stream_end(scene.pair.streams[TLS_SERVER], &out);
    tls_stream_start(scene.pair.streams[TLS_SERVER], &out);
    assert_int_equal(out.size, 0);
    pair_carry(&scene.pair, UNCUT);
    assert_true(pair_is_ready(&scene.pair));
    scene_close(&scene);
    buffer_release(&out);
}

/* Feeds one input to a fresh server, cut and uncut: it fails with these words, and sends an alert or nothing.
 */
static void assert_rejected(const struct folder *folder, struct bytes garbage, const char *words,
                            bool has_alert)
{
    for (int cut = UNCUT; cut <= 1; cut++) {
        struct scene scene;
        scene_open(&scene, folder);
        struct pair *pair = &scene.pair;
        buffer_clear(&pair->wires[TLS_SERVER]);
        buffer_append(&pair->wires[TLS_SERVER], garbage);
        pair_deliver(pair, TLS_SERVER, cut);
        assert_failure(pair, TLS_SERVER, words);
        assert_int_equal(pair->wires[TLS_CLIENT].size > 0, has_alert);
        if (has_alert)
            assert_memory_equal(pair->wires[TLS_CLIENT].data, unready_alert, sizeof unready_alert);
        scene_close(&scene);
    }
}

static void garbage_in_place_of_a_hello_is_refused(void **state)
{
    static const uint8_t alike[] = { 0x16, 0x03, 0x01, 0x00, 0x08, 0x01, 0, 0, 4, 0xde, 0xad, 0xbe, 0xef };
    static const uint8_t startup[] = "\0\0\0\x17\0\3\0\0user\0somebody\0\0";
    uint8_t noise[300];
    fill(noise, sizeof noise, 3);
    noise[0] = 0x91;
    assert_rejected(*state, bytes_of(alike, sizeof alike), "", true);
    assert_rejected(*state, bytes_of(noise, sizeof noise), "wrong version number", false);
    assert_rejected(*state, bytes_of(startup, sizeof startup - 1), "wrong version number", false);
    assert_rejected(*state, bytes_text("GET / HTTP/1.1\r\n\r\n"), "http request", false);
}

static void a_failed_stream_stays_failed(void **state)
{
    struct scene scene;
    scene_ready(&scene, *state);
    struct pair *pair = &scene.pair;
    struct tls_stream *client = pair->streams[TLS_CLIENT];
    assert_true(tls_stream_seal(client, bytes_text("good"), &pair->wires[TLS_SERVER]));
    pair->wires[TLS_SERVER].data[7] ^= 1;
    pair_deliver(pair, TLS_SERVER, UNCUT);
    assert_failure(pair, TLS_SERVER, "decryption failed or bad record mac");
    assert_true(pair->wires[TLS_CLIENT].size > 0);
    buffer_clear(&pair->wires[TLS_SERVER]);
    assert_false(tls_stream_seal(pair->streams[TLS_SERVER], bytes_text("x"), &pair->wires[TLS_SERVER]));
    tls_stream_end(pair->streams[TLS_SERVER], &pair->wires[TLS_SERVER]);
    assert_int_equal(pair->wires[TLS_SERVER].size, 0);
    assert_true(tls_stream_seal(client, bytes_text("later"), &pair->wires[TLS_SERVER]));
    pair_carry(pair, UNCUT);
    assert_failure(pair, TLS_SERVER, "decryption failed or bad record mac");
    assert_failure(pair, TLS_CLIENT, "the peer refused: bad record mac");
    assert_int_equal(pair->received[TLS_SERVER].size, 0);
    scene_close(&scene);
}

static void what_does_not_fit_fails_the_stream(void **state)
{
    struct scene scene;
    struct buffer small;
    buffer_init(&small, 100);
    uint8_t data[200] = { 0 };
    scene_ready(&scene, *state);
    struct tls_stream *client = scene.pair.streams[TLS_CLIENT];
    assert_false(tls_stream_seal(client, bytes_of(data, sizeof data), &small));
    assert_string_equal(tls_stream_failure(client), "no room for what has to be sent");
    assert_int_equal(ERR_peek_error(), 0);
    buffer_clear(&small);
    assert_false(tls_stream_seal(client, bytes_text("x"), &small));
    scene_close(&scene);
    scene_open(&scene, *state);
    struct bytes hello = buffer_bytes(&scene.pair.wires[TLS_SERVER]);
    size_t size = 0;
    assert_int_equal(
        tls_stream_open(scene.pair.streams[TLS_SERVER], &hello, data, sizeof data, &size, &small),
        TLS_FAILED);
    assert_string_equal(tls_stream_failure(scene.pair.streams[TLS_SERVER]),
                        "no room for what has to be sent");
    scene_close(&scene);
    buffer_release(&small);
}

static void errors_of_others_in_the_queue_do_no_harm(void **state)
{
    struct scene scene;
    scene_open(&scene, *state);
    struct pair *pair = &scene.pair;
    for (int round = 0; round < 6; round++) {
        ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
        pair_deliver(pair, round % 2 == 0 ? TLS_SERVER : TLS_CLIENT, UNCUT);
    }
    assert_true(pair_is_ready(pair));
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_true(tls_stream_seal(pair->streams[TLS_CLIENT], bytes_text("x"), &pair->wires[TLS_SERVER]));
    assert_int_equal(ERR_peek_error(), 0);
    scene_close(&scene);
}

static void a_wish_to_renegotiate_is_declined(void **state)
{
    for (enum tls_role role = TLS_SERVER; role <= TLS_CLIENT; role++) {
        struct scene scene;
        struct stranger stranger;
        scene_open(&scene, *state);
        struct tls_stream *stream = tls_stream_create(scene.contexts[role], "db.example");
        stranger_init(&stranger, role == TLS_SERVER ? TLS_CLIENT : TLS_SERVER, *state);
        SSL_set_max_proto_version(stranger.ssl, TLS1_2_VERSION);
        assert_int_equal(stranger_meet(&stranger, stream), TLS_STARVED);
        assert_int_equal(SSL_renegotiate(stranger.ssl), 1);
        (void)SSL_do_handshake(stranger.ssl);
        assert_int_equal(stranger_meet(&stranger, stream), TLS_FAILED);
        assert_string_equal(tls_stream_failure(stream), "the peer refused: handshake failure");
        tls_stream_destroy(stream);
        stranger_release(&stranger);
        scene_close(&scene);
    }
}

static void a_change_of_keys_is_followed(void **state)
{
    struct scene scene;
    struct stranger stranger;
    scene_open(&scene, *state);
    stranger_init(&stranger, TLS_CLIENT, *state);
    assert_int_equal(stranger_meet(&stranger, scene.pair.streams[TLS_SERVER]), TLS_STARVED);
    assert_int_equal(SSL_key_update(stranger.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_write(stranger.ssl, "x", 1), 1);
    assert_int_equal(stranger_meet(&stranger, scene.pair.streams[TLS_SERVER]), TLS_STARVED);
    stranger_release(&stranger);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_says_what_was_agreed_on),
        cmocka_unit_test(a_handshake_may_be_cut_anywhere),
        cmocka_unit_test(the_least_version_is_kept_to),
        cmocka_unit_test(a_megabyte_arrives_both_ways_however_it_is_cut),
        cmocka_unit_test(data_cut_byte_by_byte_arrives),
        cmocka_unit_test(plaintext_that_waits_inside_comes_without_more_input),
        cmocka_unit_test(an_end_reaches_the_other_side_and_seals_no_more),
        cmocka_unit_test(an_end_right_after_the_handshake_outlives_the_tickets),
        cmocka_unit_test(an_end_before_the_handshake_does_nothing),
        cmocka_unit_test(garbage_in_place_of_a_hello_is_refused),
        cmocka_unit_test(a_failed_stream_stays_failed),
        cmocka_unit_test(what_does_not_fit_fails_the_stream),
        cmocka_unit_test(errors_of_others_in_the_queue_do_no_harm),
        cmocka_unit_test(a_wish_to_renegotiate_is_declined),
        cmocka_unit_test(a_change_of_keys_is_followed),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
