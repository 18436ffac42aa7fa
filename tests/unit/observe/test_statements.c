/* SPDX-License-Identifier: PostgreSQL */
#include "observe/statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 3, 4 } };

static const struct statement_call plain = { .service = "orders",
                                             .database = "shop",
                                             .user = "app",
                                             .shape = 7,
                                             .rows = 2,
                                             .bytes = 100,
                                             .duration_us = 50 };

static uint64_t draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void fill(struct statement_entry *entry, const char *text, const char *route)
{
    assert_non_null(entry);
    bytes_copy_text(bytes_text(text), entry->text, sizeof entry->text);
    bytes_copy_text(bytes_text(route), entry->route, sizeof entry->route);
}

static const struct statement_entry *only(const struct statements *statements)
{
    const struct statement_entry *out[2];
    assert_int_equal(statements_top(statements, STATEMENTS_BY_CALLS, out, 2), 1);
    return out[0];
}

static void calls_of_one_shape_are_summed(void **state)
{
    (void)state;
    struct statements statements;
    struct statement_call call = plain;
    statements_init(&statements, &key, 4);
    fill(statements_record(&statements, &call, 10), "select ?", "/orders");
    call.has_failed = true;
    call.rows = 0;
    call.duration_us = 1000;
    assert_null(statements_record(&statements, &call, 20));
    call.duration_us = -1;
    assert_null(statements_record(&statements, &call, 30));
    const struct statement_entry *entry = only(&statements);
    assert_int_equal(entry->entry.count, 3);
    assert_int_equal(entry->entry.first_us, 10);
    assert_int_equal(entry->entry.last_us, 30);
    assert_int_equal(entry->sums.errors, 2);
    assert_int_equal(entry->sums.rows, 2);
    assert_int_equal(entry->sums.bytes, 300);
    assert_int_equal(entry->sums.time_us, 1050);
    assert_int_equal(histogram_count(&entry->sums.latency), 2);
    assert_string_equal(entry->service, "orders");
    assert_string_equal(entry->database, "shop");
    assert_string_equal(entry->user, "app");
    assert_string_equal(entry->text, "select ?");
    assert_string_equal(entry->route, "/orders");
    statements_release(&statements);
}

static void services_databases_users_and_shapes_are_told_apart(void **state)
{
    (void)state;
    struct statements statements;
    struct statement_call calls[5] = { plain, plain, plain, plain, plain };
    const struct statement_entry *out[8];
    statements_init(&statements, &key, 8);
    calls[1].service = "billing";
    calls[2].database = "shop2";
    calls[3].user = "other";
    calls[4].shape = UINT64_C(7) << 56;
    for (size_t i = 0; i < 5; i++)
        assert_non_null(statements_record(&statements, &calls[i], (int64_t)i));
    assert_int_equal(statements_top(&statements, STATEMENTS_BY_CALLS, out, 8), 5);
    statements_release(&statements);
}

static void long_names_are_cut_alike_each_time(void **state)
{
    (void)state;
    struct statements statements;
    char name[200];
    struct statement_call call = plain;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    call.service = call.database = call.user = name;
    statements_init(&statements, &key, 8);
    statements_record(&statements, &call, 1);
    statements_record(&statements, &call, 2);
    assert_int_equal(only(&statements)->entry.count, 2);
    assert_int_equal(strlen(only(&statements)->service), NAME_SIZE - 1);
    statements_release(&statements);
}

static void the_top_is_by_what_is_asked(void **state)
{
    (void)state;
    struct statements statements;
    const struct statement_entry *out[3];
    struct statement_call call = plain;
    statements_init(&statements, &key, 8);
    for (unsigned shape = 1; shape <= 3; shape++) {
        for (unsigned i = 0; i < shape; i++) {
            call.shape = shape;
            call.duration_us = 1000 / (shape * shape);
            call.has_failed = shape == 2;
            statements_record(&statements, &call, (int64_t)shape);
        }
    }
    assert_int_equal(statements_top(&statements, STATEMENTS_BY_CALLS, out, 3), 3);
    assert_int_equal(out[0]->shape, 3);
    assert_int_equal(out[2]->shape, 1);
    assert_int_equal(statements_top(&statements, STATEMENTS_BY_TIME, out, 2), 2);
    assert_int_equal(out[0]->shape, 1);
    assert_int_equal(out[1]->shape, 2);
    assert_int_equal(statements_top(&statements, STATEMENTS_BY_ERRORS, out, 3), 3);
    assert_int_equal(out[0]->shape, 2);
    assert_int_equal(out[1]->shape, 3); /* the newer of two without errors */
    statements_release(&statements);
}

static void add_sums(struct statement_sums *into, const struct statement_sums *from)
{
    into->errors += from->errors;
    into->rows += from->rows;
    into->bytes += from->bytes;
    into->time_us += from->time_us;
    histogram_merge(&into->latency, &from->latency);
}

/* What all entries and the rest hold together. */
static struct statement_sums sum_up(const struct statements *statements, uint64_t *calls)
{
    const struct statement_entry *out[64];
    struct statement_sums sums = statements->rest.sums;
    size_t count = statements_top(statements, STATEMENTS_BY_CALLS, out, 64);
    *calls = statements->tally.other;
    for (size_t i = 0; i < count; i++) {
        *calls += out[i]->entry.count;
        add_sums(&sums, &out[i]->sums);
    }
    return sums;
}

static void assert_sums(const struct statements *statements, const struct statement_sums *expected,
                        uint64_t expected_calls)
{
    uint64_t calls;
    struct statement_sums sums = sum_up(statements, &calls);
    assert_int_equal(calls, expected_calls);
    assert_int_equal(statements->tally.total, expected_calls);
    assert_memory_equal(&sums, expected, sizeof sums);
    assert_string_equal(statements->rest.text, "");
}

/* Shapes beyond the bound come and go, in three workers that are merged into one that holds less or more. */
static void nothing_is_lost_whatever_the_bound(void **state)
{
    (void)state;
    static const size_t bounds[] = { 0, 1, 5, 40 };
    uint64_t random = 5;
    for (size_t b = 0; b < 4; b++) {
        struct statements parts[3];
        struct statements merged;
        struct statement_sums expected = { 0 };
        statements_init(&merged, &key, bounds[b]);
        for (size_t i = 0; i < 3; i++)
            statements_init(&parts[i], &key, bounds[3 - b] + i);
        for (int64_t now_us = 1; now_us <= 3000; now_us++) {
            struct statement_call call = plain;
            call.shape = 1 + draw(&random) % 30;
            call.rows = draw(&random) % 10;
            call.bytes = draw(&random) % 1000;
            call.duration_us = (int64_t)(draw(&random) % 100000);
            call.has_failed = draw(&random) % 4 == 0;
            struct statement_entry *entry = statements_record(&parts[draw(&random) % 3], &call, now_us);
            if (entry != NULL)
                fill(entry, "select ?", "");
            expected.errors += call.has_failed ? 1 : 0;
            expected.rows += call.rows;
            expected.bytes += call.bytes;
            expected.time_us += (uint64_t)call.duration_us;
            histogram_add(&expected.latency, call.duration_us);
        }
        for (size_t i = 0; i < 3; i++)
            statements_merge(&merged, &parts[i]);
        assert_sums(&merged, &expected, 3000);
        for (size_t i = 0; i < 3; i++)
            statements_release(&parts[i]);
        statements_release(&merged);
    }
}

static void text_and_route_are_of_the_first_occurrence(void **state)
{
    (void)state;
    struct statements into;
    struct statements from;
    statements_init(&into, &key, 2);
    statements_init(&from, &key, 2);
    fill(statements_record(&into, &plain, 20), "later", "/later");
    fill(statements_record(&from, &plain, 10), "earlier", "/earlier");
    statements_merge(&into, &from);
    assert_string_equal(only(&into)->text, "earlier");
    assert_string_equal(only(&into)->route, "/earlier");
    assert_int_equal(only(&into)->entry.first_us, 10);
    assert_int_equal(only(&into)->entry.last_us, 20);
    assert_int_equal(only(&into)->sums.rows, 4);
    statements_merge(&from, &into);
    assert_string_equal(only(&from)->text, "earlier");
    statements_release(&into);
    statements_release(&from);
}

static void an_entry_without_text_asks_again(void **state)
{
    (void)state;
    struct statements statements;
    statements_init(&statements, &key, 1);
    assert_non_null(statements_record(&statements, &plain, 1));
    assert_non_null(statements_record(&statements, &plain, 2));
    fill(statements_record(&statements, &plain, 3), "select ?", "");
    assert_null(statements_record(&statements, &plain, 4));
    statements_release(&statements);
}

/* Their entries are looked for in the same place. */
static void what_ends_in_the_same_bits_is_told_apart(void **state)
{
    (void)state;
    enum { ROUNDS = 10 };
    struct statements statements;
    const struct statement_entry *out[8];
    statements_init(&statements, &key, 8);
    for (int round = 0; round < ROUNDS; round++) {
        struct statement_call calls[5] = { plain, plain, plain, plain, plain };
        calls[1].user = "other";
        calls[2].database = "other";
        calls[3].service = "other";
        calls[4].shape = plain.shape + STATEMENTS_NEAR;
        for (size_t i = 0; i < 5; i++) {
            statements_record(&statements, &calls[i], round);
            statements_record(&statements, &calls[i], round);
        }
    }
    assert_int_equal(statements_top(&statements, STATEMENTS_BY_CALLS, out, 8), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(out[i]->sums.rows, 2 * 2 * ROUNDS);
    statements_release(&statements);
}

static void an_entry_that_gave_its_place_up_is_not_found_again(void **state)
{
    (void)state;
    struct statements statements;
    struct statement_call other = plain;
    other.shape++;
    statements_init(&statements, &key, 1);
    for (int round = 0; round < 3; round++) {
        statements_record(&statements, &plain, round);
        statements_record(&statements, &other, round);
    }
    assert_int_equal(statements.tally.other, 5);
    assert_int_equal(statements.rest.sums.rows, 5 * plain.rows);
    assert_int_equal(only(&statements)->shape, other.shape);
    statements_release(&statements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_one_shape_are_summed),
        cmocka_unit_test(services_databases_users_and_shapes_are_told_apart),
        cmocka_unit_test(long_names_are_cut_alike_each_time),
        cmocka_unit_test(the_top_is_by_what_is_asked),
        cmocka_unit_test(nothing_is_lost_whatever_the_bound),
        cmocka_unit_test(text_and_route_are_of_the_first_occurrence),
        cmocka_unit_test(an_entry_without_text_asks_again),
        cmocka_unit_test(what_ends_in_the_same_bits_is_told_apart),
        cmocka_unit_test(an_entry_that_gave_its_place_up_is_not_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
