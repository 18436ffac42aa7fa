/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_CONFIG_GIVEN_H
#define UNIT_CONFIG_GIVEN_H

#include "config/settings.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Settings from a text, and what was said about it. */
struct given {
    struct settings *settings; /* NULL when it was refused */
    struct problems problems;
};

/* What every file needs: two lines, so that `rest` begins on line 3. */
#define NEEDED                                                                                               \
    "listen: [ { address: \"127.0.0.1:6432\", upstream: main } ]\n"                                          \
    "upstreams: [ { name: main, hosts: [\"127.0.0.1:5432\"] } ]\n"

static inline bool given_parse(struct given *given, const char *text)
{
    problems_init(&given->problems);
    return settings_parse("file.yaml", bytes_text(text), &given->settings, &given->problems);
}

static inline void given_release(struct given *given)
{
    settings_release(given->settings);
}

static inline struct settings *given_good(struct given *given, const char *text)
{
    if (!given_parse(given, text))
        fail_msg("%s", given->problems.kept[0].text);
    return given->settings;
}

/* The problem is there, at that place; its text has the words in it. */
static inline void assert_problem(const struct problems *problems, unsigned line, unsigned column,
                                  const char *words)
{
    for (size_t i = 0; i < problems_kept_count(problems); i++) {
        const struct problem *problem = &problems->kept[i];
        if (problem->line == line && problem->column == column && strstr(problem->text, words) != NULL)
            return;
    }
    for (size_t i = 0; i < problems_kept_count(problems); i++)
        print_error("%u:%u: %s\n", problems->kept[i].line, problems->kept[i].column, problems->kept[i].text);
    fail_msg("no problem at %u:%u says \"%s\"", line, column, words);
}

/* The text is refused for one reason only. */
static inline void assert_refused(const char *text, unsigned line, unsigned column, const char *words)
{
    struct given given;
    assert_false(given_parse(&given, text));
    assert_null(given.settings);
    assert_problem(&given.problems, line, column, words);
    assert_int_equal(given.problems.error_count, 1);
}

/* The text is taken, with one warning or (words NULL) none. */
static inline void assert_warned(const char *text, unsigned line, unsigned column, const char *words)
{
    struct given given;
    (void)given_good(&given, text);
    if (words != NULL) {
        assert_problem(&given.problems, line, column, words);
        assert_true(given.problems.kept[0].is_warning);
    }
    assert_int_equal(given.problems.count, words != NULL);
    given_release(&given);
}

#endif
