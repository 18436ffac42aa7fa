/* SPDX-License-Identifier: PostgreSQL */
#include "control/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void spans_are_read_in_seconds(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } spans[] = {
        { "30m", 1800 },        { "1h30m", 5400 },
        { "90 minutes", 5400 }, { "1 hour 30 minutes", 5400 },
        { "45s", 45 },          { "2d", 172800 },
        { " 10 MIN ", 600 },    { "1 Day", 86400 },
        { "1000d", 86400000 },  { "86400000s", 86400000 },
        { "1h 1h", 7200 },      { "007m", 420 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        int64_t us = 0;
        assert_true(duration_parse(bytes_text(spans[i].text), &us));
        assert_int_equal(us, spans[i].seconds * 1000000);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",     " ",     "30",      "m",         "30x",
        "-30m", "+1h",   "1.5h",    "30m!",      "0m",
        "0s0h", "1001d", "1000d1s", "86400001s", "99999999999999999999m",
        "1h30", "3 0m",  "1mo",     "1h,1m",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        int64_t us;
        assert_false(duration_parse(bytes_text(wrong[i]), &us));
    }
    int64_t us;
    assert_false(duration_parse(bytes_of("30m\0", 4), &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_read_in_seconds),
        cmocka_unit_test(anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
