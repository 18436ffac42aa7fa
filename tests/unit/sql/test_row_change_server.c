/* SPDX-License-Identifier: PostgreSQL */
/* Holds the classes of data changes against the server's own grammar, which libpg_query carries: random
 * queries with and without changes in all the places where they may stand, and with the words of changes as
 * names in all others. What the grammar does not take is left out. The library is a server 15, which has no
 * MERGE in WITH and COPY.
 *
 * usage: unit_sql_row_change_server [TEXTS [SEED]] */
#include "base/text.h"
#include "sql/classifier.h"

#include <pg_query.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_SIZE = 8192, DEPTH_MOST = 4 };

struct run {
    size_t texts;
    uint32_t seed;
};

struct writer {
    struct text text;
    uint32_t *seed;
    unsigned depth;
};

static unsigned pick(struct writer *writer, unsigned count)
{
    *writer->seed = *writer->seed * 1664525 + 1013904223;
    return (*writer->seed >> 16) % count;
}

#define PICK(writer, words) say(writer, (words)[pick(writer, COUNT_OF(words))])

static void say(struct writer *writer, const char *words)
{
    static const char *const gaps[] = { " ", " ", " ", "\n", " /* update t */ ", " -- insert into\n" };
    text_append_string(&writer->text, words);
    text_append_string(&writer->text, gaps[pick(writer, COUNT_OF(gaps))]);
}

static void say_name(struct writer *writer)
{
    static const char *const names[] = { "update", "delete", "insert", "merge",        "copy",
                                         "search", "cycle",  "by",     "set",          "materialized",
                                         "depth",  "first",  "value",  "program",      "\"update\"",
                                         "\"as\"", "a",      "t",      "\"from\"",     "recursive",
                                         "prior",  "b",      "stdin",  "\"in\"\"to\"", "breadth" };
    PICK(writer, names);
}

static void say_qualified(struct writer *writer)
{
    static const char *const parts[] = { "from", "to", "as", "update", "using", "select", "with" };
    say_name(writer);
    if (pick(writer, 4) > 0)
        return;
    say(writer, ".");
    PICK(writer, parts);
}

static void say_query(struct writer *writer, bool is_outer);

static void say_columns(struct writer *writer)
{
    say_name(writer);
    while (pick(writer, 3) == 0) {
        say(writer, ",");
        say_name(writer);
    }
}

static void say_expression(struct writer *writer)
{
    static const char *const constants[] = { "1", "'update t'", "null", "$$delete from t$$", "'it''s'" };
    if (pick(writer, 3) == 0) {
        PICK(writer, constants);
    } else if (pick(writer, 3) == 0) {
        say(writer, "( ");
        say_name(writer);
        say(writer, ")");
    } else if (pick(writer, 4) == 0 && writer->depth < DEPTH_MOST) {
        say(writer, "( select");
        say_name(writer);
        say(writer, ")");
    } else {
        say_qualified(writer);
    }
    if (pick(writer, 3) == 0) {
        say(writer, pick(writer, 2) == 0 ? "as" : "");
        say_name(writer);
    }
}

static void say_select(struct writer *writer)
{
    static const char *const ends[] = { "",       "", "", "for update", "for no key update", "union select 1",
                                        "limit 1" };
    if (pick(writer, 8) == 0) {
        say(writer, pick(writer, 2) == 0 ? "values (1)" : "table update");
        return;
    }
    say(writer, "select");
    say_expression(writer);
    if (pick(writer, 2) == 0) {
        say(writer, ",");
        say_expression(writer);
    }
    if (pick(writer, 2) == 0) {
        say(writer, "from");
        say_qualified(writer);
    }
    PICK(writer, ends);
}

static void say_returning(struct writer *writer)
{
    if (pick(writer, 2) > 0)
        return;
    say(writer, "returning");
    say_name(writer);
}

static void say_change(struct writer *writer)
{
    switch (pick(writer, 4)) {
    case 0:
        say(writer, "insert into");
        say_qualified(writer);
        say_query(writer, false);
        say(writer, pick(writer, 2) == 0 ? "on conflict do nothing" : "");
        break;
    case 1:
        say(writer, pick(writer, 3) == 0 ? "update only" : "update");
        say_qualified(writer);
        say(writer, "set a = 1");
        break;
    case 2:
        say(writer, "delete from");
        say_qualified(writer);
        break;
    default:
        say(writer, "merge into t using u on true when matched then do nothing");
        return;
    }
    say_returning(writer);
}

static void say_clauses(struct writer *writer)
{
    if (pick(writer, 4) == 0) {
        say(writer, pick(writer, 2) == 0 ? "search depth first by" : "search breadth first by");
        say_columns(writer);
        say(writer, "set");
        say_name(writer);
    }
    if (pick(writer, 4) > 0)
        return;
    say(writer, "cycle");
    say_columns(writer);
    say(writer, "set");
    say_name(writer);
    if (pick(writer, 2) == 0)
        say(writer, "to f.using('x') 'update' default date('y') 'z'");
    say(writer, "using");
    say_name(writer);
}

static void say_list(struct writer *writer)
{
    static const char *const forms[] = { "as (", "as (", "as materialized (", "as not materialized (",
                                         "(a, update) as (" };
    say(writer, pick(writer, 3) == 0 ? "with recursive" : "with");
    do {
        say_name(writer);
        PICK(writer, forms);
        if (pick(writer, 4) == 0)
            say_change(writer);
        else
            say_query(writer, true);
        say(writer, ")");
        say_clauses(writer);
    } while (pick(writer, 3) == 0 && (say(writer, ","), true));
}

/* A query that is not a change itself; `is_outer`: its WITH may hold some. */
static void say_query(struct writer *writer, bool is_outer)
{
    writer->depth++;
    bool has_list = is_outer && writer->depth < DEPTH_MOST && pick(writer, 2) == 0;
    bool has_parentheses = pick(writer, 5) == 0;
    say(writer, has_parentheses ? "(" : "");
    if (has_list)
        say_list(writer);
    if (has_list && !has_parentheses && pick(writer, 3) == 0)
        say_change(writer);
    else
        say_select(writer);
    say(writer, has_parentheses ? ")" : "");
    writer->depth--;
}

static void say_copy(struct writer *writer)
{
    static const char *const files[] = { "stdin", "STDOUT", "program 'x'", "'update'", "$$f$$" };
    say(writer, pick(writer, 6) == 0 ? "copy binary" : "copy");
    bool is_query = pick(writer, 2) == 0;
    if (is_query) {
        say(writer, "(");
        if (pick(writer, 3) == 0)
            say_change(writer);
        else
            say_query(writer, true);
        say(writer, ")");
    } else {
        say_qualified(writer);
        say(writer, pick(writer, 3) == 0 ? "(insert, program)" : "");
    }
    say(writer, is_query || pick(writer, 2) == 0 ? "to" : "from");
    PICK(writer, files);
    say(writer, pick(writer, 3) == 0 ? "with (format csv)" : "");
}

static void say_statement(struct writer *writer)
{
    static const char *const holders[] = { "explain",
                                           "explain analyze",
                                           "explain (verbose)",
                                           "explain (analyze, costs off)",
                                           "prepare update as",
                                           "prepare p (int) as",
                                           "create temp table t as",
                                           "create table s.as (a, b) as",
                                           "explain analyze create temp table t as" };
    switch (pick(writer, 4)) {
    case 0:
        say_copy(writer);
        return;
    case 1:
        PICK(writer, holders);
        say_query(writer, true);
        return;
    case 2:
        say_query(writer, true);
        return;
    default:
        say(writer, pick(writer, 6) == 0 ? "explain analyze" : "");
        say_change(writer);
        return;
    }
}

static bool holds(const char *tree, const char *word)
{
    return strstr(tree, word) != NULL;
}

static bool tree_writes(const char *tree)
{
    if (holds(tree, "\"ExplainStmt\"") && !holds(tree, "\"analyze\""))
        return false;
    return holds(tree, "\"InsertStmt\"") || holds(tree, "\"UpdateStmt\"") || holds(tree, "\"DeleteStmt\"") ||
           holds(tree, "\"MergeStmt\"") || holds(tree, "\"is_from\":true");
}

static bool tree_leaves(const char *tree)
{
    return holds(tree, "\"is_program\":true") || holds(tree, "\"filename\"");
}

/* Whether the grammar takes it. */
static bool check_text(const char *text)
{
    static const struct lexer_reading reading = { .has_standard_strings = true };
    PgQueryParseResult parsed = pg_query_parse(text);
    bool is_taken = parsed.error == NULL;
    if (is_taken) {
        struct verdict verdict;
        classify(bytes_text(text), reading, &verdict);
        bool is_write = (verdict.classes & 1u << CLASS_WRITE) != 0;
        bool is_outside = (verdict.classes & 1u << CLASS_COPY_PROGRAM) != 0;
        bool is_right =
            is_write == tree_writes(parsed.parse_tree) && is_outside == tree_leaves(parsed.parse_tree);
        if (!is_right)
            print_error("%s\n%s\n", text, parsed.parse_tree);
        assert_true(is_right);
    }
    pg_query_free_parse_result(parsed);
    return is_taken;
}

static void changes_are_told_as_the_grammar_tells_them(void **state)
{
    struct run *run = *state;
    size_t taken = 0;
    static char storage[TEXT_SIZE];
    for (size_t i = 0; i < run->texts; i++) {
        struct writer writer = { .seed = &run->seed };
        text_init(&writer.text, storage, sizeof(storage));
        say_statement(&writer);
        taken += check_text(storage);
    }
    print_message("%zu of %zu texts are SQL\n", taken, run->texts);
    assert_true(taken > run->texts / 2);
}

int main(int argc, char **argv)
{
    struct run run = { .texts = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000,
                       .seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1 };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(changes_are_told_as_the_grammar_tells_them, &run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
