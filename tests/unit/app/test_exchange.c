/* SPDX-License-Identifier: PostgreSQL */
#include "app/exchange.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key key = { { 5, 6 } };
static const struct harvest_bounds bounds = { .violations = 4, .statements = 4, .errors = 4 };

static void violate(struct harvest *harvest)
{
    struct violation violation = { .kind = VIOLATION_CHECK, .sqlstate = "23514" };
    ledger_record(&harvest->violations, &violation, 1);
}

static void nothing_changes_hands_while_nothing_was_counted(void **state)
{
    (void)state;
    struct exchange exchange;
    struct harvest *own = harvest_create(&key, &bounds);
    struct harvest *empty = harvest_create(&key, &bounds);
    assert_true(exchange_init(&exchange));
    exchange_offer(&exchange, &empty);
    assert_null(empty);
    assert_false(exchange_give(&exchange, &own));
    assert_null(exchange_take(&exchange));
    harvest_destroy(own);
    exchange_release(&exchange);
}

static void a_worker_keeps_its_own_while_it_is_offered_none(void **state)
{
    (void)state;
    struct exchange exchange;
    struct harvest *own = harvest_create(&key, &bounds);
    struct harvest *kept = own;
    assert_true(exchange_init(&exchange));
    violate(own);
    assert_false(exchange_give(&exchange, &own));
    assert_ptr_equal(own, kept);
    harvest_destroy(own);
    exchange_release(&exchange);
}

static void a_full_one_that_was_not_taken_stays_as_it_is(void **state)
{
    (void)state;
    struct exchange exchange;
    struct harvest *own = harvest_create(&key, &bounds);
    struct harvest *first = own;
    struct harvest *empty = harvest_create(&key, &bounds);
    assert_true(exchange_init(&exchange));
    exchange_offer(&exchange, &empty);
    violate(own);
    assert_true(exchange_give(&exchange, &own));
    empty = harvest_create(&key, &bounds);
    exchange_offer(&exchange, &empty);
    violate(own);
    assert_false(exchange_give(&exchange, &own));
    assert_ptr_equal(exchange_take(&exchange), first);
    assert_true(exchange_give(&exchange, &own));
    harvest_destroy(first);
    harvest_destroy(own);
    exchange_release(&exchange);
}

enum { VIOLATIONS = 20000 };

struct counting {
    struct exchange exchange;
    struct harvest *own;
    uint64_t given;
    atomic_bool has_ended;
};

static void count(void *argument)
{
    struct counting *counting = argument;
    for (int i = 0; i < VIOLATIONS; i++) {
        violate(counting->own);
        counting->given += exchange_give(&counting->exchange, &counting->own) ? 1 : 0;
    }
    atomic_store(&counting->has_ended, true);
}

static uint64_t take(struct counting *counting)
{
    struct harvest *full = exchange_take(&counting->exchange);
    uint64_t count = full != NULL ? ledger_total(&full->violations) : 0;
    harvest_destroy(full);
    return count;
}

static void nothing_is_lost_between_two_threads(void **state)
{
    (void)state;
    struct counting counting = { .own = harvest_create(&key, &bounds) };
    uint64_t counted = 0;
    uv_thread_t thread;
    assert_true(exchange_init(&counting.exchange));
    assert_int_equal(uv_thread_create(&thread, count, &counting), 0);
    while (!atomic_load(&counting.has_ended)) {
        struct harvest *empty = harvest_create(&key, &bounds);
        exchange_offer(&counting.exchange, &empty);
        harvest_destroy(empty);
        counted += take(&counting);
    }
    uv_thread_join(&thread);
    counted += take(&counting) + ledger_total(&counting.own->violations);
    assert_int_equal(counted, VIOLATIONS);
    assert_true(counting.given > 0);
    harvest_destroy(counting.own);
    exchange_release(&counting.exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_hands_while_nothing_was_counted),
        cmocka_unit_test(a_worker_keeps_its_own_while_it_is_offered_none),
        cmocka_unit_test(a_full_one_that_was_not_taken_stays_as_it_is),
        cmocka_unit_test(nothing_is_lost_between_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
