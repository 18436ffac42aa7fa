/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

#include <pthread.h>
#include <stdatomic.h>

static const int64_t rest_us = 30 * INT64_C(1000000);

static struct turnstile_claim claim_of(uint64_t session, const char *database, const char *service)
{
    return (struct turnstile_claim){ .session = session,
                                     .upstream = bytes_text("main"),
                                     .database = bytes_text(database),
                                     .service = bytes_text(service),
                                     .user = bytes_text("deployer") };
}

static bool enters(struct turnstile *turnstile, const struct turnstile_claim *claim, int64_t at_us)
{
    struct turnstile_holder holder;
    return turnstile_enter(turnstile, claim, at_us, &holder);
}

static void one_session_is_in_at_a_time(void **state)
{
    (void)state;
    struct turnstile *turnstile = turnstile_create();
    const struct turnstile_claim one = claim_of(1, "shop", "ci");
    const struct turnstile_claim two = claim_of(2, "shop", "ci");
    struct turnstile_holder holder;
    assert_true(enters(turnstile, &one, now_us));
    assert_true(enters(turnstile, &one, now_us + 1));
    assert_false(turnstile_enter(turnstile, &two, now_us + 2, &holder));
    assert_string_equal(holder.text, "service \"ci\", user \"deployer\"");
    assert_true(holder.since_us == now_us);
    assert_false(holder.is_resting);
    assert_true(holder.until_us == 0);
    turnstile_leave(turnstile, 2, now_us + 3, 0);
    assert_false(enters(turnstile, &two, now_us + 3));
    turnstile_leave(turnstile, 1, now_us + 4, 0);
    assert_true(enters(turnstile, &two, now_us + 4));
    assert_false(enters(turnstile, &one, now_us + 5));
    turnstile_destroy(turnstile);
    turnstile_destroy(NULL);
}

static void others_wait_for_the_end_of_the_rest(void **state)
{
    (void)state;
    struct turnstile *turnstile = turnstile_create();
    const struct turnstile_claim one = claim_of(1, "shop", "ci");
    const struct turnstile_claim other = claim_of(2, "shop", "kds");
    struct turnstile_claim somebody = claim_of(3, "shop", "ci");
    struct turnstile_holder holder;
    somebody.user = bytes_text("anna");
    assert_true(enters(turnstile, &one, now_us));
    turnstile_leave(turnstile, 1, now_us + 7, rest_us);
    assert_false(turnstile_enter(turnstile, &other, now_us + 7 + rest_us - 1, &holder));
    assert_true(holder.is_resting);
    assert_true(holder.since_us == now_us);
    assert_true(holder.until_us == now_us + 7 + rest_us);
    assert_false(enters(turnstile, &somebody, now_us + 8));
    assert_true(enters(turnstile, &other, now_us + 7 + rest_us));
    turnstile_destroy(turnstile);
}

static void who_rests_may_come_back_from_another_session(void **state)
{
    (void)state;
    struct turnstile *turnstile = turnstile_create();
    const struct turnstile_claim one = claim_of(1, "shop", "ci");
    const struct turnstile_claim again = claim_of(2, "shop", "ci");
    struct turnstile_holder holder;
    assert_true(enters(turnstile, &one, now_us));
    turnstile_leave(turnstile, 1, now_us, rest_us);
    assert_true(enters(turnstile, &again, now_us + 1));
    assert_false(turnstile_enter(turnstile, &one, now_us + rest_us + 1, &holder));
    assert_true(holder.since_us == now_us + 1);
    assert_false(holder.is_resting);
    turnstile_leave(turnstile, 1, now_us + 2, 0);
    assert_false(enters(turnstile, &one, now_us + 3));
    turnstile_destroy(turnstile);
}

static void each_database_of_each_upstream_has_its_own(void **state)
{
    (void)state;
    struct turnstile *turnstile = turnstile_create();
    const struct turnstile_claim one = claim_of(1, "shop", "ci");
    const struct turnstile_claim two = claim_of(2, "bar", "kds");
    struct turnstile_claim three = claim_of(3, "shop", "kds");
    assert_true(enters(turnstile, &one, now_us));
    assert_true(enters(turnstile, &two, now_us));
    assert_false(enters(turnstile, &three, now_us));
    three.upstream = bytes_text("spare");
    assert_true(enters(turnstile, &three, now_us));
    turnstile_destroy(turnstile);
}

static void names_count_as_far_as_the_server_reads_them(void **state)
{
    (void)state;
    char name[128];
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct turnstile *turnstile = turnstile_create();
    const struct turnstile_claim one = claim_of(1, name, "ci");
    const struct turnstile_claim two = claim_of(2, name + 40, "ci");
    const struct turnstile_claim three = claim_of(3, name + 65, "ci");
    assert_true(enters(turnstile, &one, now_us));
    assert_false(enters(turnstile, &two, now_us));
    assert_true(enters(turnstile, &three, now_us)); /* one byte less */
    turnstile_destroy(turnstile);
}

static void a_holder_is_told_in_ascii(void **state)
{
    (void)state;
    struct turnstile *turnstile = turnstile_create();
    struct turnstile_claim one = claim_of(1, "shop", "k\xc3\xa4se\n\"");
    const struct turnstile_claim two = claim_of(2, "shop", "ci");
    struct turnstile_holder holder;
    one.user = BYTES_NONE;
    assert_true(enters(turnstile, &one, now_us));
    assert_false(turnstile_enter(turnstile, &two, now_us, &holder));
    assert_string_equal(holder.text, "service \"k\\xc3\\xa4se\\x0a\\x22\", user \"\"");
    turnstile_destroy(turnstile);
}

static void one_database_too_many_gets_in_unguarded(void **state)
{
    (void)state;
    char name[16];
    struct turnstile *turnstile = turnstile_create();
    for (unsigned i = 0; i < TURNSTILE_DATABASES_MOST; i++) {
        (void)snprintf(name, sizeof(name), "d%u", i);
        const struct turnstile_claim claim = claim_of(i + 1, name, "ci");
        assert_true(enters(turnstile, &claim, now_us));
    }
    const struct turnstile_claim more = claim_of(1000, "more", "ci");
    const struct turnstile_claim others = claim_of(1001, "more", "kds");
    assert_true(enters(turnstile, &more, now_us));
    assert_true(enters(turnstile, &others, now_us));
    turnstile_leave(turnstile, 7, now_us, rest_us);
    assert_true(enters(turnstile, &others, now_us + rest_us - 1));
    assert_true(enters(turnstile, &more, now_us + rest_us - 1));
    assert_true(enters(turnstile, &more, now_us + rest_us)); /* the place of one that rested */
    assert_false(enters(turnstile, &others, now_us + rest_us));
    turnstile_destroy(turnstile);
}

/* Two threads that want in again and again, and count how many are in. */
struct crowd {
    struct turnstile *turnstile;
    atomic_int inside;
    atomic_int entered;
    atomic_bool was_crowded;
};

struct visitor {
    struct crowd *crowd;
    uint64_t session;
};

static void *visit(void *argument)
{
    const struct visitor *visitor = argument;
    struct crowd *crowd = visitor->crowd;
    const struct turnstile_claim claim = claim_of(visitor->session, "shop", "ci");
    for (int i = 0; i < 20000; i++) {
        if (!enters(crowd->turnstile, &claim, now_us + i))
            continue;
        if (atomic_fetch_add(&crowd->inside, 1) != 0)
            atomic_store(&crowd->was_crowded, true);
        (void)atomic_fetch_add(&crowd->entered, 1);
        (void)atomic_fetch_sub(&crowd->inside, 1);
        turnstile_leave(crowd->turnstile, claim.session, now_us + i, 0);
    }
    return NULL;
}

static void of_two_threads_never_both_are_in(void **state)
{
    (void)state;
    struct crowd crowd = { .turnstile = turnstile_create() };
    struct visitor visitors[] = { { &crowd, 1 }, { &crowd, 2 } };
    pthread_t threads[2];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&crowd.was_crowded));
    assert_true(atomic_load(&crowd.entered) > 0);
    turnstile_destroy(crowd.turnstile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_session_is_in_at_a_time),
        cmocka_unit_test(others_wait_for_the_end_of_the_rest),
        cmocka_unit_test(who_rests_may_come_back_from_another_session),
        cmocka_unit_test(each_database_of_each_upstream_has_its_own),
        cmocka_unit_test(names_count_as_far_as_the_server_reads_them),
        cmocka_unit_test(a_holder_is_told_in_ascii),
        cmocka_unit_test(one_database_too_many_gets_in_unguarded),
        cmocka_unit_test(of_two_threads_never_both_are_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
