/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "base/bytes.h"
#include "observe/counters.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void every_counter_has_a_row_of_its_own(void **state)
{
    (void)state;
    struct counters counters = { 0 };
    size_t count = 0;
    const struct counter_row *rows = counter_rows(&count);
    assert_int_equal(count * sizeof(uint64_t), sizeof counters);
    counter_add(&counters.violations, 3);
    counter_add(&counters.violations, 4);
    for (size_t i = 0; i < count; i++) {
        bool is_violations = strcmp(rows[i].name, "violations") == 0;
        assert_int_equal(counter_value(&counters, &rows[i]), is_violations ? 7 : 0);
        assert_true(strlen(rows[i].about) > 0);
        assert_int_equal(rows[i].offset, i * sizeof(uint64_t));
    }
}

static void merging_adds_every_counter(void **state)
{
    (void)state;
    struct counters into = { 0 };
    struct counters from = { 0 };
    size_t count = 0;
    const struct counter_row *rows = counter_rows(&count);
    for (size_t i = 0; i < count; i++) {
        counter_add((_Atomic uint64_t *)((char *)&into + rows[i].offset), 1000);
        counter_add((_Atomic uint64_t *)((char *)&from + rows[i].offset), i + 1);
    }
    counters_merge(&into, &from);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(counter_value(&into, &rows[i]), 1000 + i + 1);
        assert_int_equal(counter_value(&from, &rows[i]), i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_has_a_row_of_its_own),
        cmocka_unit_test(merging_adds_every_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
