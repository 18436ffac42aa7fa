/* SPDX-License-Identifier: PostgreSQL */
/* Holds the lexer against the server's own, which libpg_query carries: random texts made of pieces that are
 * hard to part, with tokens compared wherever the server's scanner takes the text. */
#include "sql/lexer.h"

#include <pg_query.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXTS = 40000, PIECES_MOST = 12, TEXT_SIZE = 256, TOKENS_MOST = 256 };

struct span {
    uint64_t start;
    uint64_t end;
};

struct spans {
    struct span span[TOKENS_MOST];
    size_t count;
};

static const char *const pieces[] = {
    "select", "a",     "E",    "e",        "b",         "x",       "n",   "u",    "U&",   "u&",
    "'",      "'",     "'",    "''",       "\"",        "\"",      "$",   "$$",   "$a$",  "$b",
    "1",      "0",     "12",   ".",        "..",        "1.5",     "1e5", "e+",   "_",    "::",
    ":=",     ":",     "+",    "-",        "--",        "*",       "/",   "/*",   "*/",   "<",
    ">",      "=",     "!",    "@",        "#",         "^",       "&",   "|",    "?",    "%",
    "~",      "`",     "=>",   "<=",       "(",         ")",       "[",   "]",    ",",    ";",
    " ",      " ",     "\n",   "\r",       "\t",        "\f",      "\\",  "\\'",  "{",    "}",
    "$1",     "$2",    "a$",   "\xc3\xa4", "-- x\n",    "/* y */", "' '", "'\n'", "--\n", "E'a'",
    "x'1f'",  "b'01'", "n'z'", "\"q\"",    "\n-- z\n'", "+-",      "-+",  "@-",   "*-",   "/+",
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void make_text(uint32_t *seed, char *text)
{
    size_t size = 0;
    uint32_t count = 1 + next_random(seed) % PIECES_MOST;
    for (uint32_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, TEXT_SIZE - size, "%s",
                                 pieces[next_random(seed) % COUNT_OF(pieces)]);
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

/* False where the text has an end that is open; *is_alike where the library follows the server. */
static bool lex(const char *text, struct spans *out, bool *is_alike)
{
    struct lexer lexer;
    struct token token;
    struct bytes rest = bytes_text(text);
    bool is_whole = true;
    out->count = 0;
    lexer_init(&lexer, (struct lexer_reading){ .has_standard_strings = true });
    while (lexer_next(&lexer, &rest, &token) == LEXER_TOKEN || lexer_finish(&lexer, &token)) {
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
static bool compare(const char *text)
{
    struct spans ours;
    struct spans theirs;
    bool is_alike = true;
    bool is_whole = lex(text, &ours, &is_alike);
    PgQueryScanResult result = pg_query_scan(text);
    bool is_taken = result.error == NULL && is_alike;
    if (is_taken) {
        read_spans(bytes_of(result.pbuf.data, result.pbuf.len), &theirs);
        drop_comments(text, &theirs);
        if (!is_whole || !spans_equal(text, &ours, &theirs)) {
            print_error("<%s>\n", text);
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
    (void)state;
    uint32_t seed = 20261121;
    size_t taken = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        char text[TEXT_SIZE] = "";
        make_text(&seed, text);
        taken += compare(text);
    }
    assert_true(taken > TEXTS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_parted_as_the_server_parts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
