/* SPDX-License-Identifier: PostgreSQL */
#include "observe/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct event event_of(const char *constraint, const char *service, const char *value)
{
    struct event event = { .kind = EVENT_VIOLATION };
    (void)snprintf(event.violation.constraint, sizeof event.violation.constraint, "%s", constraint);
    (void)snprintf(event.violation.service, sizeof event.violation.service, "%s", service);
    (void)snprintf(event.violation.attempted, sizeof event.violation.attempted, "%s", value);
    (void)snprintf(event.near_miss, sizeof event.near_miss, "near %s", value);
    return event;
}

static struct event numbered(int number)
{
    char name[16];
    (void)snprintf(name, sizeof name, "c%d", number);
    return event_of(name, "kds", name);
}

static void the_last_value_is_kept_for_each_constraint_and_service(void **state)
{
    (void)state;
    struct attempts *attempts = calloc(1, sizeof *attempts);
    struct event first = event_of("a", "kds", "one");
    struct event second = event_of("a", "kds", "two");
    struct event other = event_of("a", "web", "three");
    assert_null(attempts_find(attempts, &first.violation));
    attempts_record(attempts, &first);
    attempts_record(attempts, &second);
    assert_string_equal(attempts_find(attempts, &first.violation)->value, "two");
    assert_string_equal(attempts_find(attempts, &first.violation)->near_miss, "near two");
    assert_null(attempts_find(attempts, &other.violation));
    free(attempts);
}

/* Whatever the key, and however many there were before. */
static void the_last_few_are_all_kept(void **state)
{
    enum { KEYS = 200, BEFORE = 3 * ATTEMPTS_KEPT };
    (void)state;
    struct attempts *attempts = malloc(sizeof *attempts);
    for (uint64_t key = 0; key < KEYS; key++) {
        memset(attempts, 0, sizeof *attempts);
        attempts->key = (struct hash_key){ { key, ~key } };
        for (int i = 0; i < BEFORE + ATTEMPTS_TOGETHER; i++) {
            struct event event = numbered(i);
            attempts_record(attempts, &event);
        }
        for (int i = BEFORE; i < BEFORE + ATTEMPTS_TOGETHER; i++) {
            struct event event = numbered(i);
            assert_non_null(attempts_find(attempts, &event.violation));
        }
    }
    free(attempts);
}

/* One that comes again and again is not the oldest. */
static void one_that_comes_again_stays(void **state)
{
    (void)state;
    struct attempts *attempts = calloc(1, sizeof *attempts);
    struct event steady = event_of("steady", "kds", "same");
    for (int i = 0; i < 4 * ATTEMPTS_KEPT; i++) {
        struct event event = numbered(i);
        attempts_record(attempts, &steady);
        attempts_record(attempts, &event);
        assert_non_null(attempts_find(attempts, &steady.violation));
    }
    free(attempts);
}

static void a_violation_without_a_value_leaves_the_last_one(void **state)
{
    (void)state;
    struct attempts *attempts = calloc(1, sizeof *attempts);
    struct event first = event_of("a", "kds", "one");
    struct event empty = event_of("a", "kds", "");
    attempts_record(attempts, &first);
    attempts_record(attempts, &empty);
    assert_string_equal(attempts_find(attempts, &first.violation)->value, "one");
    free(attempts);
}

static void however_many_there_are_none_is_taken_for_another(void **state)
{
    enum { MANY = 4 * ATTEMPTS_KEPT };
    (void)state;
    struct attempts *attempts = calloc(1, sizeof *attempts);
    for (int i = 0; i < MANY; i++) {
        struct event event = numbered(i);
        attempts_record(attempts, &event);
    }
    size_t found = 0;
    for (int i = 0; i < MANY; i++) {
        struct event event = numbered(i);
        const struct attempt *attempt = attempts_find(attempts, &event.violation);
        if (attempt != NULL)
            assert_string_equal(attempt->value, event.violation.attempted);
        found += attempt != NULL;
    }
    assert_in_range(found, 1, ATTEMPTS_KEPT);
    free(attempts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_value_is_kept_for_each_constraint_and_service),
        cmocka_unit_test(the_last_few_are_all_kept),
        cmocka_unit_test(one_that_comes_again_stays),
        cmocka_unit_test(a_violation_without_a_value_leaves_the_last_one),
        cmocka_unit_test(however_many_there_are_none_is_taken_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
