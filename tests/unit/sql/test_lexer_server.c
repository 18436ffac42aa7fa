/* SPDX-License-Identifier: PostgreSQL */
/* Holds the lexer against the server's own, which libpg_query carries: random texts made of pieces that are
 * hard to part, and statements with random damage, in pieces of random size; tokens are compared wherever the
 * server's scanner takes the text. The library is a server 15, so that no vertical tab is white space, and
 * what newer ones take for a number (1_000, 0x1f) is an error there, which leaves the text out.
 *
 * usage: unit_sql_lexer_server [TEXTS [SEED]] */
#include "sql/lexer.h"

#include <pg_query.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PIECES_MOST = 12, DAMAGES_MOST = 4, TEXT_SIZE = 1024, TOKENS_MOST = TEXT_SIZE + 2 };

struct run {
    size_t texts;
    uint32_t seed;
};

struct span {
    uint64_t start;
    uint64_t end;
};

struct spans {
    struct span span[TOKENS_MOST];
    size_t count;
};

static const char *const pieces[] = {
    "select",
    "a",
    "E",
    "e",
    "b",
    "x",
    "n",
    "u",
    "U&",
    "u&",
    "'",
    "'",
    "'",
    "''",
    "\"",
    "\"",
    "$",
    "$$",
    "$a$",
    "$b",
    "1",
    "0",
    "12",
    ".",
    "..",
    "1.5",
    "1e5",
    "e+",
    "_",
    "::",
    ":=",
    ":",
    "+",
    "-",
    "--",
    "*",
    "/",
    "/*",
    "*/",
    "<",
    ">",
    "=",
    "!",
    "@",
    "#",
    "^",
    "&",
    "|",
    "?",
    "%",
    "~",
    "`",
    "=>",
    "<=",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    " ",
    " ",
    "\n",
    "\r",
    "\t",
    "\f",
    "\\",
    "\\'",
    "{",
    "}",
    "\v",
    "$12345678901234567",
    "12345678901234567890",
    "0.12345678901234567890",
    "a_word_of_more_than_sixteen",
    "\"a name of more than sixteen\"",
    "'a string of more than sixteen'",
    "'and one that needs more than thirty-two bytes to end'",
    "                 ",
    "->>",
    "||",
    "'it''s'",
    "$1",
    "$2",
    "a$",
    "\xc3\xa4",
    "-- x\n",
    "/* y */",
    "' '",
    "'\n'",
    "--\n",
    "E'a'",
    "x'1f'",
    "b'01'",
    "n'z'",
    "\"q\"",
    "\n-- z\n'",
    "+-",
    "-+",
    "@-",
    "*-",
    "/+",
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static const char *const statements[] = {
    "SELECT t0_.id AS id_0, t0_.\"name\" AS \"t0_r1\", count(*) FROM users t0_ LEFT JOIN \"order items\" t1_ "
    "ON "
    "(t1_.user_id = t0_.id) WHERE t0_.kind IN ('a', 'b c', E'd\\'e') AND t0_.total >= 12.50 AND x <> -.5e-3 "
    "ORDER BY t0_.a_rather_long_column_name DESC, 2 LIMIT $1 OFFSET $2::bigint;",
    "INSERT INTO customers (id, name, balance) VALUES (1, 'O''Neill', -100.25), (2, '', 1e10), (3, 'a note "
    "of "
    "some length; with a semicolon', NULL), (4, U&'d\\0061t', .5) ON CONFLICT DO NOTHING",
    "CREATE FUNCTION f(a int) RETURNS int AS $body$\nBEGIN\n    -- it's a comment\n    IF a > 1 THEN RETURN "
    "$$x$$; "
    "END IF;\n    /* and /* another */ one */\n    v := a||'b';\nEND\n$body$ LANGUAGE plpgsql",
    "UPDATE pgbench_accounts SET abalance=abalance+-17 WHERE aid=4711;--done",
    "SELECT data->'a'->>'b', data #>> '{c,d}', a @> b, !!c, x'1F', B'01', N'national', 1 "
    "/*application='shop'*/ "
    "+ 2*-3, ARRAY[1,2][1:2], f(a => 1, b := 2)",
    "WITH x AS (SELECT 'one'\n    'two' -- no\n, \"A\"\"B\".c::text FROM y)\r\nTABLE x;\n\n\tEND ; ",
};

/* Whatever makes the text longer than its room is cut off. */
static void insert(char *text, size_t at, size_t dropped, const char *piece)
{
    char rest[TEXT_SIZE];
    (void)snprintf(rest, sizeof(rest), "%s", text + at + dropped);
    (void)snprintf(text + at, TEXT_SIZE - at, "%s%s", piece, rest);
}

static const char *any_piece(uint32_t *seed)
{
    return pieces[next_random(seed) % COUNT_OF(pieces)];
}

static void damage(uint32_t *seed, char *text)
{
    size_t size = strlen(text);
    size_t at = next_random(seed) % (size + 1);
    size_t behind = size - at;
    size_t dropped = next_random(seed) % 4;
    if (next_random(seed) % 8 == 0)
        dropped = next_random(seed) % (behind + 1);
    const char *piece = next_random(seed) % 4 == 0 ? "" : any_piece(seed);
    insert(text, at, dropped < behind ? dropped : behind, piece);
}

static void make_text(uint32_t *seed, char *text)
{
    bool is_statement = next_random(seed) % 2 == 0;
    const char *whole = statements[next_random(seed) % COUNT_OF(statements)];
    (void)snprintf(text, TEXT_SIZE, "%s", is_statement ? whole : "");
    uint32_t count = 1 + next_random(seed) % (is_statement ? DAMAGES_MOST : PIECES_MOST);
    for (uint32_t i = 0; i < count; i++) {
        if (is_statement)
            damage(seed, text);
        else
            insert(text, strlen(text), 0, any_piece(seed));
    }
}

static uint64_t take_varint(struct bytes *rest)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        assert_true(rest->size > 0);
        byte = bytes_take(rest, 1).data[0];
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

/* ScanToken: start is field 1, end field 2, both left out when zero. */
static struct span read_span(struct bytes token)
{
    struct span span = { 0, 0 };
    while (token.size > 0) {
        uint64_t field = take_varint(&token) >> 3;
        uint64_t value = take_varint(&token);
        if (field == 1)
            span.start = value;
        if (field == 2)
            span.end = value;
    }
    return span;
}

/* ScanResult: version is field 1, tokens are field 2. */
static void read_spans(struct bytes result, struct spans *out)
{
    out->count = 0;
    while (result.size > 0) {
        uint64_t key = take_varint(&result);
        uint64_t value = take_varint(&result);
        if (key >> 3 != 2)
            continue;
        assert_true(out->count < TOKENS_MOST);
        out->span[out->count++] = read_span(bytes_take(&result, (size_t)value));
    }
}

/* The server lexes N'...' as a word and a string. */
static void append(struct spans *out, const char *text, const struct token *token)
{
    bool is_national = token->kind == TOKEN_STRING && (text[token->start] | 0x20) == 'n';
    assert_true(out->count + 1 < TOKENS_MOST);
    if (is_national)
        out->span[out->count++] = (struct span){ token->start, token->start + 1 };
    out->span[out->count++] = (struct span){ token->start + (is_national ? 1 : 0), token->end };
}

/* The library takes comments out of the rule for strings that continue; the server has them in it. */
static bool may_hold_comment(const char *text, const struct token *token)
{
    bool is_string = token->kind == TOKEN_STRING || token->kind == TOKEN_UNTERMINATED;
    for (uint64_t i = token->start; is_string && i + 1 < token->end; i++) {
        if (text[i] == '-' && text[i + 1] == '-')
            return true;
    }
    return false;
}

static bool next_token(struct lexer *lexer, struct bytes *rest, struct bytes *piece, size_t step,
                       struct token *out)
{
    while (lexer_next(lexer, piece, out) != LEXER_TOKEN) {
        if (rest->size == 0)
            return lexer_finish(lexer, out);
        *piece = bytes_take(rest, rest->size < step ? rest->size : step);
    }
    return true;
}

/* False where the text has an end that is open; *is_alike where the library follows the server. */
static bool lex(const char *text, size_t step, struct spans *out, bool *is_alike)
{
    struct lexer lexer;
    struct token token;
    struct bytes rest = bytes_text(text);
    struct bytes piece = BYTES_NONE;
    bool is_whole = true;
    out->count = 0;
    lexer_init(&lexer, (struct lexer_reading){ .has_standard_strings = true });
    while (next_token(&lexer, &rest, &piece, step, &token)) {
        *is_alike &= !may_hold_comment(text, &token);
        is_whole &= token.kind != TOKEN_UNTERMINATED;
        if (token.kind != TOKEN_COMMENT)
            append(out, text, &token);
    }
    return is_whole;
}

/* The scanner gives comments as tokens, too, which may stand behind a string that ends. */
static void drop_comments(const char *text, struct spans *spans)
{
    size_t kept = 0;
    for (size_t i = 0; i < spans->count; i++) {
        const char *at = text + spans->span[i].start;
        if (strncmp(at, "--", 2) != 0 && strncmp(at, "/*", 2) != 0)
            spans->span[kept++] = spans->span[i];
    }
    spans->count = kept;
}

/* The library gives a wrong end for U&'...' and U&"...": the start of the next token has to do. */
static bool spans_equal(const char *text, const struct spans *a, const struct spans *b)
{
    bool are_equal = a->count == b->count;
    for (size_t i = 0; are_equal && i < a->count; i++) {
        const char *at = text + a->span[i].start;
        bool has_end = (at[0] | 0x20) != 'u' || at[1] != '&';
        are_equal = a->span[i].start == b->span[i].start && (!has_end || a->span[i].end == b->span[i].end);
    }
    return are_equal;
}

static void show(const char *who, const struct spans *spans)
{
    print_error("%s:", who);
    for (size_t i = 0; i < spans->count; i++)
        print_error(" %u-%u", (unsigned)spans->span[i].start, (unsigned)spans->span[i].end);
    print_error("\n");
}

/* Returns whether the server's scanner took the text. */
static bool compare(const char *text, size_t step)
{
    struct spans ours;
    struct spans theirs;
    bool is_alike = true;
    bool is_whole = lex(text, step, &ours, &is_alike);
    PgQueryScanResult result = pg_query_scan(text);
    bool is_taken = result.error == NULL && is_alike;
    if (is_taken) {
        read_spans(bytes_of(result.pbuf.data, result.pbuf.len), &theirs);
        drop_comments(text, &theirs);
        if (!is_whole || !spans_equal(text, &ours, &theirs)) {
            print_error("in pieces of %zu: <%s>\n", step, text);
            show("ours", &ours);
            show("theirs", &theirs);
        }
        assert_true(is_whole);
        assert_true(spans_equal(text, &ours, &theirs));
    }
    pg_query_free_scan_result(result);
    return is_taken;
}

static void tokens_are_parted_as_the_server_parts_them(void **state)
{
    struct run run = *(struct run *)*state;
    size_t taken = 0;
    for (size_t i = 0; i < run.texts; i++) {
        char text[TEXT_SIZE];
        make_text(&run.seed, text);
        bool is_cut = next_random(&run.seed) % 2 == 0;
        taken += compare(text, is_cut ? 1 + next_random(&run.seed) % 64 : TEXT_SIZE);
    }
    print_message("%zu of %zu texts compared\n", taken, run.texts);
    assert_true(taken > run.texts / 4);
}

int main(int count, char **arguments)
{
    struct run run = { 40000, 20261121 };
    run.texts = count > 1 ? strtoull(arguments[1], NULL, 10) : run.texts;
    run.seed = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) | 1 : run.seed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(tokens_are_parted_as_the_server_parts_them, &run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
