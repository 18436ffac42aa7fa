/* SPDX-License-Identifier: PostgreSQL */
#include "unit/tls/pair.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static struct tls_context *server_of(const struct folder *folder, struct draft *draft, const char *name)
{
    draft_server(draft, folder);
    draft_show(draft, folder, name);
    return context_make(draft);
}

static struct tls_context *client_of(const struct folder *folder, struct draft *draft)
{
    draft_client(draft);
    draft_trust(draft, folder, "ca.crt");
    draft->plan.verification = TLS_VERIFY_CA;
    return context_make(draft);
}

static void issue(const struct folder *folder, const char *name, const char *common_name)
{
    folder_issue(folder, name, (struct wish){ .name = common_name, .issuer = &folder->authority }, NULL);
}

/* Which certificate a new connection is shown. */
static void assert_shown(struct tls_context *server, struct tls_context *client, const char *name)
{
    struct pair pair;
    assert_true(pair_meet(&pair, server, client, "db.example"));
    struct tls_facts facts = pair_facts(&pair, TLS_CLIENT);
    assert_string_equal(facts.peer_name, name);
    pair_release(&pair);
}

static void assert_still_speaks(struct pair *pair)
{
    buffer_clear(&pair->received[TLS_SERVER]);
    assert_true(tls_stream_seal(pair->streams[TLS_CLIENT], bytes_text("still"), &pair->wires[TLS_SERVER]));
    pair_carry(pair, UNCUT);
    assert_true(bytes_equal_text(buffer_bytes(&pair->received[TLS_SERVER]), "still"));
}

static void a_reload_is_for_new_streams_and_leaves_the_old_alone(void **state)
{
    const struct folder *folder = *state;
    struct draft drafts[2];
    struct pair open_one;
    struct pair half_open;
    struct problem problem;
    issue(folder, "changing", "before");
    struct tls_context *server = server_of(folder, &drafts[0], "changing");
    struct tls_context *client = client_of(folder, &drafts[1]);
    assert_true(pair_meet(&open_one, server, client, "open"));
    pair_init(&half_open, server, client, "half open");
    issue(folder, "changing", "after");
    assert_true(tls_context_reload(server, &problem));
    assert_shown(server, client, "after");
    assert_still_speaks(&open_one);
    pair_carry(&half_open, UNCUT);
    struct tls_facts facts = pair_facts(&half_open, TLS_CLIENT);
    assert_string_equal(facts.peer_name, "before");
    assert_still_speaks(&half_open);
    pair_release(&half_open);
    pair_release(&open_one);
    tls_context_release(server);
    tls_context_release(client);
}

static void a_broken_file_leaves_the_old_in_force(void **state)
{
    const struct folder *folder = *state;
    struct draft drafts[2];
    struct problem problem;
    issue(folder, "breaking", "sound");
    struct tls_context *server = server_of(folder, &drafts[0], "breaking");
    struct tls_context *client = client_of(folder, &drafts[1]);
    folder_write_text(folder, "breaking.crt", "nonsense\n");
    assert_false(tls_context_reload(server, &problem));
    assert_string_equal(problem.file, drafts[0].plan.certificate);
    assert_shown(server, client, "sound");
    tls_context_release(server);
    tls_context_release(client);
}

static void streams_outlive_the_release_of_their_context(void **state)
{
    struct draft drafts[2];
    struct pair pair;
    struct tls_context *server = server_of(*state, &drafts[0], "server");
    struct tls_context *client = client_of(*state, &drafts[1]);
    pair_init(&pair, server, client, "db.example");
    tls_context_release(server);
    tls_context_release(client);
    tls_context_release(NULL);
    pair_carry(&pair, UNCUT);
    assert_still_speaks(&pair);
    pair_release(&pair);
}

static bool is_resumed(struct tls_context *server, struct tls_context *client, const char *host)
{
    struct pair pair;
    assert_true(pair_meet(&pair, server, client, host));
    struct tls_facts facts[2] = { pair_facts(&pair, TLS_SERVER), pair_facts(&pair, TLS_CLIENT) };
    assert_int_equal(facts[0].is_resumed, facts[1].is_resumed);
    assert_true(facts[1].has_peer_certificate);
    assert_true(facts[1].has_protocol);
    assert_memory_equal(facts[0].own_digest, facts[1].peer_digest, TLS_DIGEST_SIZE);
    pair_release(&pair); /* without a farewell, as connections often end */
    return facts[0].is_resumed;
}

static void a_second_connection_to_a_host_is_resumed(void **state)
{
    struct draft drafts[2];
    struct tls_context *server = server_of(*state, &drafts[0], "server");
    struct tls_context *client = client_of(*state, &drafts[1]);
    assert_false(is_resumed(server, client, "one"));
    assert_true(is_resumed(server, client, "one"));
    assert_true(is_resumed(server, client, "one"));
    assert_false(is_resumed(server, client, "two"));
    tls_context_release(server);
    tls_context_release(client);
}

static void a_client_with_a_certificate_is_known_when_it_is_resumed(void **state)
{
    struct draft drafts[2];
    struct pair pair;
    draft_server(&drafts[0], *state);
    draft_trust(&drafts[0], *state, "ca.crt");
    drafts[0].plan.needs_certificate = true;
    draft_client(&drafts[1]);
    draft_show(&drafts[1], *state, "client");
    struct tls_context *server = context_make(&drafts[0]);
    struct tls_context *client = context_make(&drafts[1]);
    assert_false(is_resumed(server, client, "one"));
    assert_true(pair_meet(&pair, server, client, "one"));
    struct tls_facts facts = pair_facts(&pair, TLS_SERVER);
    assert_true(facts.is_resumed);
    assert_string_equal(facts.peer_name, "the client");
    pair_release(&pair);
    tls_context_release(server);
    tls_context_release(client);
}

static void nothing_is_resumed_across_a_reload(void **state)
{
    struct draft drafts[2];
    struct problem problem;
    struct pair old;
    struct tls_context *server = server_of(*state, &drafts[0], "server");
    struct tls_context *client = client_of(*state, &drafts[1]);
    assert_false(is_resumed(server, client, "one"));
    assert_true(tls_context_reload(client, &problem));
    assert_false(is_resumed(server, client, "one"));
    assert_true(tls_context_reload(server, &problem));
    assert_false(is_resumed(server, client, "one"));
    /* a session that the old rules let in comes too late to be kept */
    pair_init(&old, server, client, "two");
    assert_true(tls_context_reload(client, &problem));
    pair_carry(&old, UNCUT);
    assert_true(pair_is_ready(&old));
    pair_release(&old);
    assert_false(is_resumed(server, client, "two"));
    tls_context_release(server);
    tls_context_release(client);
}

static void a_session_that_failed_is_not_tried_again(void **state)
{
    struct draft drafts[2];
    struct pair pair;
    struct tls_context *server = server_of(*state, &drafts[0], "server");
    struct tls_context *client = client_of(*state, &drafts[1]);
    assert_false(is_resumed(server, client, "one"));
    pair_init(&pair, server, client, "one");
    buffer_append(&pair.wires[TLS_CLIENT], bytes_text("E nonsense"));
    pair_deliver(&pair, TLS_CLIENT, UNCUT);
    assert_failure(&pair, TLS_CLIENT, "wrong version number");
    pair_release(&pair);
    assert_false(is_resumed(server, client, "one"));
    tls_context_release(server);
    tls_context_release(client);
}

/* What is said at `offset_s` from now about a certificate that is good from -1 day to 30 days. */
static void assert_warned(struct tls_context *context, int64_t offset_s, const char *words)
{
    char storage[400];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_string(&text, ">");
    bool has_warning = tls_context_warning(context, ((int64_t)time(NULL) + offset_s) * 1000000, &text);
    assert_int_equal(has_warning, words != NULL);
    if (words == NULL)
        assert_string_equal(storage, ">");
    else if (strstr(storage, words) == NULL || strstr(storage, ">/tmp/") == NULL)
        fail_msg("\"%s\" does not say \"%s\"", storage, words);
}

static void a_certificate_near_or_beyond_its_end_is_warned_of(void **state)
{
    const struct folder *folder = *state;
    struct draft draft;
    folder_issue(folder, "monthly",
                 (struct wish){ .name = "monthly", .issuer = &folder->authority, .ends_s = 30L * DAY_S },
                 NULL);
    struct tls_context *context = server_of(folder, &draft, "monthly");
    assert_warned(context, 0, NULL);
    assert_warned(context, 15L * DAY_S, NULL);
    assert_warned(context, 25L * DAY_S - 60, "monthly.crt expires in 5d");
    assert_warned(context, 31L * DAY_S, "monthly.crt has expired on 20");
    assert_warned(context, -2L * DAY_S, "monthly.crt is not valid before 20");
    tls_context_release(context);
}

static void a_key_that_others_may_read_is_warned_of(void **state)
{
    const struct folder *folder = *state;
    struct draft draft;
    struct problem problem;
    issue(folder, "shown", "shown");
    struct place key = folder_place(folder, "shown.key");
    assert_int_equal(chmod(key.path, 0644), 0);
    struct tls_context *context = server_of(folder, &draft, "shown");
    assert_warned(context, 0, "shown.key may be read by others (mode 0644; 0600 would be right)");
    assert_warned(context, 400L * DAY_S, "; /tmp");
    assert_int_equal(chmod(key.path, 0600), 0);
    assert_true(tls_context_reload(context, &problem));
    assert_warned(context, 0, NULL);
    tls_context_release(context);
}

static void a_client_without_a_certificate_is_warned_of_nothing(void **state)
{
    struct draft draft;
    struct tls_context *context = client_of(*state, &draft);
    assert_warned(context, 4000L * DAY_S, NULL);
    tls_context_release(context);
}

struct shared {
    struct tls_context *contexts[2];
    atomic_bool is_over;
    atomic_uint failures;
};

static void *meet_until_over(void *argument)
{
    struct shared *shared = argument;
    while (!atomic_load(&shared->is_over)) {
        struct pair pair;
        if (!pair_meet(&pair, shared->contexts[0], shared->contexts[1], "db.example"))
            atomic_fetch_add(&shared->failures, 1);
        pair_release(&pair);
    }
    return NULL;
}

static void threads_make_streams_while_another_reloads(void **state)
{
    enum { THREADS = 2, RELOADS = 60 };
    struct draft drafts[2];
    pthread_t threads[THREADS];
    struct shared shared = { .is_over = false };
    shared.contexts[0] = server_of(*state, &drafts[0], "server");
    shared.contexts[1] = client_of(*state, &drafts[1]);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, meet_until_over, &shared), 0);
    for (int i = 0; i < RELOADS; i++) {
        struct problem problem;
        assert_true(tls_context_reload(shared.contexts[i % 2], &problem));
        assert_warned(shared.contexts[i % 2], 0, NULL);
    }
    atomic_store(&shared.is_over, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&shared.failures), 0);
    tls_context_release(shared.contexts[0]);
    tls_context_release(shared.contexts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_is_for_new_streams_and_leaves_the_old_alone),
        cmocka_unit_test(a_broken_file_leaves_the_old_in_force),
        cmocka_unit_test(streams_outlive_the_release_of_their_context),
        cmocka_unit_test(a_second_connection_to_a_host_is_resumed),
        cmocka_unit_test(a_client_with_a_certificate_is_known_when_it_is_resumed),
        cmocka_unit_test(nothing_is_resumed_across_a_reload),
        cmocka_unit_test(a_session_that_failed_is_not_tried_again),
        cmocka_unit_test(a_certificate_near_or_beyond_its_end_is_warned_of),
        cmocka_unit_test(a_key_that_others_may_read_is_warned_of),
        cmocka_unit_test(a_client_without_a_certificate_is_warned_of_nothing),
        cmocka_unit_test(threads_make_streams_while_another_reloads),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
