/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "observe/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 5, 6 } };

static struct error_entry *record(struct errors *errors, const char *sqlstate, uint64_t shape, int64_t now_us)
{
    struct error_seen seen = { .service = "orders", .database = "shop", .user = "app", .shape = shape };
    seen.sqlstate = bytes_text(sqlstate);
    return errors_record(errors, &seen, now_us);
}

static void errors_are_counted_by_code_and_shape(void **state)
{
    (void)state;
    struct errors errors;
    const struct error_entry *out[8];
    errors_init(&errors, &key, 8);
    struct error_entry *entry = record(&errors, "42P01", 1, 10);
    assert_non_null(entry);
    bytes_copy_text(bytes_text("select a from b"), entry->text, sizeof entry->text);
    assert_null(record(&errors, "42P01", 1, 20));
    assert_non_null(record(&errors, "42P01", 2, 30));
    assert_non_null(record(&errors, "40001", 1, 40));
    assert_int_equal(errors_top(&errors, out, 8), 3);
    assert_int_equal(out[0]->entry.count, 2);
    assert_string_equal(out[0]->sqlstate, "42P01");
    assert_string_equal(out[0]->service, "orders");
    assert_string_equal(out[0]->database, "shop");
    assert_string_equal(out[0]->user, "app");
    assert_string_equal(out[0]->text, "select a from b");
    assert_int_equal(out[0]->entry.first_us, 10);
    assert_int_equal(out[0]->entry.last_us, 20);
    assert_int_equal(errors.by_family[FAMILY_SCHEMA_DRIFT], 3);
    assert_int_equal(errors.by_family[FAMILY_CONTENTION], 1);
    errors_release(&errors);
}

static void who_it_was_is_told_apart(void **state)
{
    (void)state;
    struct errors errors;
    const struct error_entry *out[8];
    struct error_seen seen = {
        .service = "a", .database = "b", .user = "c", .sqlstate = bytes_text("23505")
    };
    errors_init(&errors, &key, 8);
    errors_record(&errors, &seen, 1);
    seen.service = "x";
    errors_record(&errors, &seen, 1);
    seen.database = "x";
    errors_record(&errors, &seen, 1);
    seen.user = "x";
    errors_record(&errors, &seen, 1);
    seen.type = bytes_text("mood");
    errors_record(&errors, &seen, 1);
    assert_int_equal(errors_top(&errors, out, 8), 5);
    errors_release(&errors);
}

static void what_is_no_code_counts_without_one(void **state)
{
    (void)state;
    static const char *const odd[] = { "", "2350", "235055", "2350a", "23\x1b[1", "     " };
    struct errors errors;
    const struct error_entry *out[8];
    errors_init(&errors, &key, 8);
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        record(&errors, odd[i], 1, (int64_t)i);
    assert_int_equal(errors_top(&errors, out, 8), 1);
    assert_string_equal(out[0]->sqlstate, "");
    assert_int_equal(out[0]->entry.count, COUNT_OF(odd));
    assert_int_equal(errors.by_family[FAMILY_OTHER], COUNT_OF(odd));
    errors_release(&errors);
}

static void families_are_exact_whatever_the_bound(void **state)
{
    (void)state;
    struct errors parts[2];
    errors_init(&parts[0], &key, 3);
    errors_init(&parts[1], &key, 0);
    for (unsigned i = 0; i < 1000; i++)
        record(&parts[i % 2], i % 3 == 0 ? "40P01" : "22P02", i, (int64_t)i);
    errors_merge(&parts[0], &parts[1]);
    assert_int_equal(parts[0].by_family[FAMILY_CONTENTION], 334);
    assert_int_equal(parts[0].by_family[FAMILY_TYPE_DRIFT], 666);
    assert_int_equal(parts[0].tally.total, 1000);
    assert_int_equal(parts[0].tally.other, 997);
    errors_release(&parts[0]);
    errors_release(&parts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_counted_by_code_and_shape),
        cmocka_unit_test(who_it_was_is_told_apart),
        cmocka_unit_test(what_is_no_code_counts_without_one),
        cmocka_unit_test(families_are_exact_whatever_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
