/* SPDX-License-Identifier: PostgreSQL */
#include "config/source.h"
#include "unit/config/given.h"

#include <unistd.h>

static void assert_not_loaded(const char *path, const char *words)
{
    struct given given;
    problems_init(&given.problems);
    assert_false(settings_load(path, &given.settings, &given.problems));
    assert_null(given.settings);
    assert_problem(&given.problems, 0, 0, words);
    assert_string_equal(given.problems.kept[0].file, path);
}

static void a_file_that_cannot_be_read_is_a_problem(void **state)
{
    (void)state;
    assert_not_loaded("/nonexistent/pgsluice.yaml", "cannot be opened: No such file or directory");
    assert_not_loaded("/tmp", "must be in a file: Is a directory");
    assert_not_loaded("", "cannot be opened");
}

static void write_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    char *text = malloc(size);
    memset(text, '#', size);
    assert_int_equal(fwrite(text, 1, size, file), size);
    free(text);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_read_up_to_the_limit(void **state)
{
    (void)state;
    char path[] = "/tmp/pgsluice-test-XXXXXX";
    char nameless[32];
    int descriptor = mkstemp(path);
    struct given given;
    assert_true(descriptor >= 0);
    (void)unlink(path); /* nothing stays behind, however the test ends */
    (void)snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", descriptor);
    write_file(nameless, SOURCE_LIMIT);
    problems_init(&given.problems);
    assert_false(settings_load(nameless, &given.settings, &given.problems));
    assert_problem(&given.problems, 1, 1, "the file is empty");
    write_file(nameless, SOURCE_LIMIT + 1);
    assert_not_loaded(nameless, "the file is too large: settings have at most 1024 KiB");
    write_file(nameless, 10 * SOURCE_LIMIT);
    assert_not_loaded(nameless, "the file is too large");
    (void)close(descriptor);
}

static void a_text_above_the_limit_is_refused(void **state)
{
    (void)state;
    struct given given;
    char *text = malloc(SOURCE_LIMIT + 1);
    memset(text, '#', SOURCE_LIMIT + 1);
    problems_init(&given.problems);
    assert_false(
        settings_parse("file.yaml", bytes_of(text, SOURCE_LIMIT + 1), &given.settings, &given.problems));
    assert_problem(&given.problems, 0, 0, "too large");
    free(text);
}

static void what_is_not_text_is_found_where_it_stands(void **state)
{
    (void)state;
    assert_refused("workers: \xff\n", 1, 10, "not UTF-8");
    assert_refused("# \xc3\xa4\xc3\xa4\n# \xc3\xa4\xc3(\n", 2, 4, "not UTF-8");
    assert_refused("\xff\xfe"
                   "a",
                   1, 1, "not UTF-8");
    assert_refused("workers: 1\r\nlog: \x01\n", 2, 6, "a control character (U+0001)");
    assert_refused("workers: \x7f\n", 1, 10, "U+007F");
    assert_refused("workers: \xc2\x9f\n", 1, 10, "U+009F");
    assert_refused("workers: \xef\xbf\xbf\n", 1, 10, "U+FFFF");
}

static void a_byte_order_mark_and_line_ends_of_windows_are_borne(void **state)
{
    (void)state;
    struct given given;
    assert_int_equal(
        given_good(&given, "\xef\xbb\xbf" NEEDED "workers: 2\r\nlog: { level: debug }\r\n")->workers, 2);
    given_release(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_read_is_a_problem),
        cmocka_unit_test(a_file_is_read_up_to_the_limit),
        cmocka_unit_test(a_text_above_the_limit_is_refused),
        cmocka_unit_test(what_is_not_text_is_found_where_it_stands),
        cmocka_unit_test(a_byte_order_mark_and_line_ends_of_windows_are_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
