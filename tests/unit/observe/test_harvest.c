/* SPDX-License-Identifier: PostgreSQL */
#include "observe/harvest.h"
#include "observe/totals.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct hash_key key = { { 5, 6 } };
static const struct harvest_bounds roomy = { .violations = 10, .statements = 10, .errors = 10 };

enum { MINUTE = 60 * 1000 * 1000 };
static const int64_t noon_us = INT64_C(1764000000) * 1000000; /* the beginning of a minute */

static void violate(struct harvest *harvest, const char *constraint, int64_t time_us)
{
    struct violation violation = { .kind = VIOLATION_CHECK, .sqlstate = "23514" };
    assert_true(bytes_copy_text(bytes_text(constraint), violation.constraint, sizeof violation.constraint));
    ledger_record(&harvest->violations, &violation, time_us);
}

static uint64_t counted_in(const struct ledger *ledger, int64_t minute_us)
{
    uint64_t count = 0;
    LIST_EACH(node, &ledger->tally.recent)
    {
        const struct ledger_entry *entry = CONTAINER_OF(node, struct ledger_entry, entry.recent);
        count += entry->minute_us == minute_us ? entry->entry.count : 0;
    }
    return count;
}

static void each_violation_counts_in_the_minute_in_which_it_came(void **state)
{
    (void)state;
    struct harvest *harvest = harvest_create(&key, &roomy);
    violate(harvest, "a", noon_us);
    violate(harvest, "a", noon_us + MINUTE - 1);
    violate(harvest, "a", noon_us + MINUTE);
    violate(harvest, "b", noon_us + MINUTE);
    assert_int_equal(harvest->violations.tally.table.count, 3);
    assert_int_equal(counted_in(&harvest->violations, noon_us), 2);
    assert_int_equal(counted_in(&harvest->violations, noon_us + MINUTE), 2);
    harvest_destroy(harvest);
}

static void totals_add_minutes_and_workers_up(void **state)
{
    (void)state;
    struct totals totals;
    const struct ledger_entry *top[2];
    totals_init(&totals, &key, &roomy);
    for (int worker = 0; worker < 2; worker++) {
        struct harvest *harvest = harvest_create(&key, &roomy);
        violate(harvest, "a", noon_us + worker);
        violate(harvest, "a", noon_us + MINUTE + worker);
        struct statement_call call = {
            .service = "kds", .database = "d", .user = "u", .shape = 7, .rows = 3
        };
        (void)statements_record(&harvest->statements, &call, noon_us);
        struct error_seen seen = {
            .service = "kds", .database = "d", .user = "u", .sqlstate = bytes_text("40001"), .shape = 7
        };
        (void)errors_record(&harvest->errors, &seen, noon_us);
        totals_add(&totals, harvest);
        harvest_destroy(harvest);
    }
    assert_int_equal(ledger_top(&totals.violations, top, 2), 1);
    assert_int_equal(top[0]->entry.count, 4);
    assert_int_equal(top[0]->entry.first_us, noon_us);
    assert_int_equal(top[0]->entry.last_us, noon_us + MINUTE + 1);
    assert_int_equal(totals.statements.tally.total, 2);
    assert_int_equal(totals.errors.by_family[FAMILY_CONTENTION], 2);
    totals_release(&totals);
}

static void what_finds_no_room_in_a_harvest_is_in_the_totals(void **state)
{
    (void)state;
    const struct harvest_bounds narrow = { .violations = 1, .statements = 1, .errors = 1 };
    struct totals totals;
    struct harvest *harvest = harvest_create(&key, &narrow);
    totals_init(&totals, &key, &roomy);
    violate(harvest, "a", noon_us);
    violate(harvest, "b", noon_us);
    totals_add(&totals, harvest);
    assert_int_equal(ledger_total(&totals.violations), 2);
    assert_int_equal(totals.violations.tally.other, 1);
    harvest_destroy(harvest);
    totals_release(&totals);
}

static void a_harvest_is_empty_until_something_is_counted(void **state)
{
    (void)state;
    struct harvest *harvest = harvest_create(&key, &roomy);
    assert_true(harvest_is_empty(harvest));
    struct error_seen seen = { .service = "", .database = "", .user = "", .sqlstate = bytes_text("57P01") };
    (void)errors_record(&harvest->errors, &seen, noon_us);
    assert_false(harvest_is_empty(harvest));
    harvest_destroy(harvest);
    harvest_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_violation_counts_in_the_minute_in_which_it_came),
        cmocka_unit_test(totals_add_minutes_and_workers_up),
        cmocka_unit_test(what_finds_no_room_in_a_harvest_is_in_the_totals),
        cmocka_unit_test(a_harvest_is_empty_until_something_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
