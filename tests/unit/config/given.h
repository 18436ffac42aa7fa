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

/* As an operator may write it: nested sections in entries of one line. */
#define NESTED                                                                                               \
    "listen:\n"                                                                                              \
    "  - { address: \"0.0.0.0:6432\", upstream: main, tls: { mode: require, certificate: server.crt, key: "  \
    "/k/server.key, version_least: 1.3 }, proxy_protocol: { from: [10.0.0.0/8, \"fd00::/8\"] }, routes: [ "  \
    "{ "                                                                                                     \
    "database: \"orders*\", upstream: main } ] }\n"                                                          \
    "upstreams:\n"                                                                                           \
    "  - { name: main, hosts: [\"db1:5432\", \"db2:5432\"], target: read-write, probe: \"user=probe "        \
    "password=canary-Zx81\", probe_interval: 500ms, connect_timeout: 3s, tls: { mode: verify-full, ca: "     \
    "certs/ca.crt, direct: true } }\n"                                                                       \
    "limits: { sessions: 1000, sessions_per_service: 500, sessions_per_address: 200, idle_timeout: 1h, "     \
    "idle_in_transaction_timeout: 5m }\n"                                                                    \
    "guard: { mode: off }\n"

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

static inline void assert_place(const struct settings *settings, const char *path, unsigned line,
                                unsigned column)
{
    struct settings_place place = settings_place(settings, path);
    assert_string_equal(place.file, "file.yaml");
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
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
