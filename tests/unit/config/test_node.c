/* SPDX-License-Identifier: PostgreSQL */
#include "unit/config/given.h"

struct fault {
    const char *text;
    unsigned line;
    unsigned column;
    const char *words;
};

static void what_is_not_yaml_is_explained(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { "log: \"info\n", 2, 1, "the file ends inside a value: a quote is missing" },
        { "guard:\n\tmode: off\n", 2, 1, "a tab has no place here: indent with blanks only" },
        { "# \xc3\xa4\xe2\x82\xac\nguard:\n\tmode: off\n", 3, 1, "a tab has no place here" },
        { "guard:\n  mode: off\n log: 1\n", 3, 2, "check how far this line is indented" },
        { "log: a: b\n", 1, 7, "a colon has no place here" },
        { "log: [::1]:5432\n", 1, 7, "brackets" },
        { "workers: 1\nfoo\nlog: 2\n", 3, 1, "\"name: value\"" },
        { "log: { level: info\nworkers: 1\n", 2, 8, "the braces need a comma or }" },
        { "log: [ a b: c\n", 2, 1, "the brackets need a comma or ]" },
        { "log: @a\n", 1, 6, "put the value into quotes" },
        { "log: { user: *kds }\n", 1, 14, "aliases (*) are not used here" },
        { "log: { user: * }\n", 1, 15, "must stand in quotes" },
        { "log: \"\\q\"\n", 1, 7, "no escape" },
        { "listen:\n  - a\n b\n", 3, 2, "check how far" },
    };
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        assert_refused(faults[i].text, faults[i].line, faults[i].column, faults[i].words);
}

static void what_settings_do_not_need_is_refused(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        { NEEDED "workers: &a 1\n", 3, 10, "anchors (&) are not used here" },
        { NEEDED "log: &a { level: info }\n", 3, 6, "anchors" },
        { NEEDED "services: &a []\n", 3, 11, "anchors" },
        { NEEDED "services: *a\n", 3, 11, "aliases" },
        { NEEDED "workers: !!int 1\n", 3, 10, "tags (!) are not used here" },
        { NEEDED "log: !!map { level: info }\n", 3, 6, "tags" },
        { NEEDED "services: !!seq []\n", 3, 11, "tags" },
        { NEEDED "---\nworkers: 1\n", 3, 1, "a second document begins here" },
        { NEEDED "log: { file: \"a\\nb\" }\n", 3, 14, "one line of text without control characters" },
        { NEEDED "log: { file: \"a\\0b\" }\n", 3, 14, "one line of text" },
        { NEEDED "log:\n  file: |\n    a\n    b\n", 4, 9, "one line of text" },
        { NEEDED "services: [[[[[[[[[[[[ ]]]]]]]]]]]]\n", 3, 22, "nested too deeply" },
    };
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        assert_refused(faults[i].text, faults[i].line, faults[i].column, faults[i].words);
}

static void a_file_that_says_nothing_is_empty(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "\n\n", "# nothing but this\n", "  " };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_refused(texts[i], 1, 1, "the file is empty: it needs at least listen and upstreams");
    struct given given;
    problems_init(&given.problems);
    assert_false(settings_parse("file.yaml", BYTES_NONE, &given.settings, &given.problems));
    assert_problem(&given.problems, 1, 1, "the file is empty");
}

static void deep_and_wide_files_end_soon(void **state)
{
    (void)state;
    static const char *const pieces[] = { "[", "{a: ", "- ", "? ", "a:\n", "a,", "{a,", "\"", "&a [", "%" };
    enum { SIZE = 50000 };
    char *text = malloc(SIZE);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct given given;
        size_t size = 0;
        while (size + strlen(pieces[i]) < SIZE) {
            memcpy(text + size, pieces[i], strlen(pieces[i]));
            size += strlen(pieces[i]);
        }
        problems_init(&given.problems);
        assert_false(settings_parse("file.yaml", bytes_of(text, size), &given.settings, &given.problems));
        assert_true(given.problems.kept[0].line > 0);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_yaml_is_explained),
        cmocka_unit_test(what_settings_do_not_need_is_refused),
        cmocka_unit_test(a_file_that_says_nothing_is_empty),
        cmocka_unit_test(deep_and_wide_files_end_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
