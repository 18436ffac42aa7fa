/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/reading.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_query_fits_and_is_of_the_servers_version(void **state)
{
    (void)state;
    static const int versions[] = { 150000, 160003, 170010, 180004, 190000 };
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        char storage[READING_QUERY_SIZE];
        struct text sql;
        text_init(&sql, storage, sizeof storage);
        reading_query(versions[i], &sql);
        assert_false(sql.is_truncated);
        assert_true((strstr(storage, "contype = 'n'") != NULL) == (versions[i] >= 180000));
    }
}

static bool take(struct catalog *catalog, const char *letter, const char *name)
{
    const struct bytes fields[READING_FIELDS] = {
        bytes_text(letter), bytes_text("c1"),  bytes_text("public"),          bytes_text("orders"),
        bytes_text(name),   bytes_text("col"), bytes_text("CHECK ((i > 1))"), BYTES_NONE,
    };
    return reading_take(catalog, fields);
}

static void rows_of_unknown_letters_are_refused(void **state)
{
    (void)state;
    struct catalog catalog;
    const struct hash_key key = { { 1, 2 } };
    catalog_init(&catalog, &key, 100000);
    assert_true(catalog_begin(&catalog, bytes_text("shop"), 1));
    assert_true(take(&catalog, "c", "known"));
    assert_false(take(&catalog, "z", "unknown"));
    assert_false(take(&catalog, "", "none"));
    assert_false(take(&catalog, "cc", "long"));
    assert_true(take(&catalog, "T", ""));
    catalog_end(&catalog);
    assert_int_equal(catalog.constraints.count, 1);
    assert_int_equal(catalog.parts.count, 1);
    catalog_release(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_query_fits_and_is_of_the_servers_version),
        cmocka_unit_test(rows_of_unknown_letters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
