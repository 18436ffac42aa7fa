/* SPDX-License-Identifier: PostgreSQL */
#include "sql/split.h"

#include "sql/token_walk.h"

/* Where a walk over the statements stands. */
struct splitter {
    struct token_walk walk;
    uint32_t parentheses;
    uint32_t blocks; /* BEGIN ATOMIC, BEGIN and CASE that are open */
    uint32_t words;  /* how many words of the statement have been read, as far as they matter */
    bool is_create;
    bool is_routine; /* CREATE FUNCTION or PROCEDURE: only there is BEGIN ATOMIC a body */
    bool was_begin;
    bool is_label; /* the word comes behind AS or a dot: a name, whatever it reads */
};

/* One statement, without its semicolon, from its first token to its last; and up to where its region goes. */
struct split_part {
    uint64_t start;
    uint64_t end;
    uint64_t region_end;
    bool is_empty;
};

static void note_routine(struct splitter *splitter, const struct token *token)
{
    splitter->words++;
    if (splitter->words == 1)
        splitter->is_create = token_is_word(token, "create");
    else if (splitter->is_create && splitter->words <= 4)
        splitter->is_routine |= token_is_word(token, "function") || token_is_word(token, "procedure");
}

static void note_block(struct splitter *splitter, const struct token *token)
{
    bool opens_body = splitter->was_begin && token_is_word(token, "atomic");
    splitter->was_begin = token_is_word(token, "begin");
    if (splitter->blocks == 0) {
        splitter->blocks = opens_body ? 1 : 0;
        return;
    }
    if (splitter->is_label)
        return;
    if (token_is_word(token, "case") || splitter->was_begin)
        splitter->blocks++;
    else if (token_is_word(token, "end"))
        splitter->blocks--;
}

static void note_token(struct splitter *splitter, const struct token *token)
{
    if (token->kind == TOKEN_OPEN)
        splitter->parentheses++;
    if (token->kind == TOKEN_CLOSE && splitter->parentheses > 0)
        splitter->parentheses--;
    if (token->kind == TOKEN_WORD)
        note_routine(splitter, token);
    if (splitter->is_routine)
        note_block(splitter, token);
    splitter->is_label = token->kind == TOKEN_DOT || token_is_word(token, "as");
}

static void splitter_begin(struct splitter *splitter, struct bytes sql, struct lexer_reading reading)
{
    *splitter = (struct splitter){ .parentheses = 0 };
    token_walk_begin(&splitter->walk, sql, reading);
}

static void splitter_reset(struct splitter *splitter)
{
    struct token_walk walk = splitter->walk;
    *splitter = (struct splitter){ .walk = walk };
}

/* The next statement, empty ones included; false when the text is used up. */
static bool splitter_next(struct splitter *splitter, struct split_part *out)
{
    struct token token;
    bool has_any = false;
    *out = (struct split_part){ .is_empty = true };
    splitter_reset(splitter);
    while (token_walk_next_word(&splitter->walk, &token)) {
        has_any = true;
        out->region_end = token.end;
        if (token.kind == TOKEN_SEMICOLON && splitter->parentheses == 0 && splitter->blocks == 0)
            return true;
        note_token(splitter, &token);
        out->start = out->is_empty ? token.start : out->start;
        out->end = token.end;
        out->is_empty = false;
    }
    out->region_end = UINT64_MAX;
    return has_any;
}

static struct bytes part_bytes(struct bytes sql, const struct split_part *part)
{
    return part->is_empty ? BYTES_NONE : bytes_of(sql.data + part->start, (size_t)(part->end - part->start));
}

struct bytes split_statement(struct bytes sql, struct lexer_reading reading, uint32_t index)
{
    struct splitter splitter;
    struct split_part part;
    splitter_begin(&splitter, sql, reading);
    while (splitter_next(&splitter, &part)) {
        if (part.is_empty)
            continue;
        if (index-- == 0)
            return part_bytes(sql, &part);
    }
    return BYTES_NONE;
}

/* From characters to bytes; in other encodings than UTF-8 as if every character were one byte. */
static uint64_t byte_offset(struct bytes sql, uint32_t position, bool is_utf8)
{
    uint64_t characters = 0;
    for (size_t i = 0; i < sql.size; i++) {
        bool is_continuation = is_utf8 && (sql.data[i] & 0xc0) == 0x80;
        characters += is_continuation ? 0 : 1;
        if (characters == position)
            return i;
    }
    return sql.size;
}

struct bytes split_statement_at(struct bytes sql, struct lexer_reading reading, uint32_t position,
                                bool is_utf8)
{
    uint64_t offset = byte_offset(sql, position, is_utf8);
    struct splitter splitter;
    struct split_part part;
    splitter_begin(&splitter, sql, reading);
    struct bytes last = BYTES_NONE;
    while (position > 0 && splitter_next(&splitter, &part)) {
        if (!part.is_empty)
            last = part_bytes(sql, &part);
        if (offset < part.region_end)
            return part.region_end == UINT64_MAX ? last : part_bytes(sql, &part);
    }
    return last;
}

/* A token behind one of these may begin the data change; behind others the word is a name. */
static bool begins_change(const struct token *token, const struct token *next)
{
    bool is_change = token_is_word(token, "insert") || token_is_word(token, "update") ||
                     token_is_word(token, "delete") || token_is_word(token, "merge");
    return is_change && next->kind != TOKEN_OPEN && !token_is_word(next, "as");
}

static bool begins_query(const struct token *token)
{
    return token_is_word(token, "select") || token_is_word(token, "values") || token_is_word(token, "table");
}

/* Behind WITH: the first data change outside all parentheses. *next is the token behind its first word. */
static bool find_change(struct token_walk *walk, struct token *token, struct token *next)
{
    uint32_t depth = 0;
    while (token_walk_next_word(walk, next)) {
        if (depth == 0 && begins_query(token))
            return false;
        if (depth == 0 && begins_change(token, next))
            return true;
        depth += token->kind == TOKEN_OPEN ? 1 : 0;
        depth -= token->kind == TOKEN_CLOSE && depth > 0 ? 1 : 0;
        *token = *next;
    }
    return false;
}

static bool copy_is_from(struct token_walk *walk, struct token *token)
{
    uint32_t depth = 0;
    do {
        if (depth == 0 && token_is_word(token, "from"))
            return true;
        depth += token->kind == TOKEN_OPEN ? 1 : 0;
        depth -= token->kind == TOKEN_CLOSE && depth > 0 ? 1 : 0;
    } while ((depth > 0 || !token_is_word(token, "to")) && token_walk_next_word(walk, token));
    return false;
}

/* The last part of the name that begins with *token; *token becomes what stands behind it. */
static bool take_name(struct token_walk *walk, struct token *token, char table[64])
{
    if (!token_is_name(token))
        return false;
    for (;;) {
        bytes_copy_text(bytes_of(token->word, token->word_size), table, 64);
        if (!token_walk_next_word(walk, token) || token->kind != TOKEN_DOT)
            return true;
        if (!token_walk_next_word(walk, token) || !token_is_name(token))
            return false;
    }
}

bool split_target(struct bytes statement, struct lexer_reading reading, char table[64])
{
    struct token_walk walk;
    struct token first;
    struct token token;
    table[0] = '\0';
    token_walk_begin(&walk, statement, reading);
    if (!token_walk_next_word(&walk, &first))
        return false;
    bool is_copy = token_is_word(&first, "copy");
    bool has_change = is_copy || token_is_word(&first, "with") || begins_change(&first, &first);
    if (!has_change || (is_copy ? !token_walk_next_word(&walk, &token) : !find_change(&walk, &first, &token)))
        return false;
    while (token_is_word(&token, "into") || token_is_word(&token, "from") || token_is_word(&token, "only")) {
        if (!token_walk_next_word(&walk, &token))
            return false;
    }
    return take_name(&walk, &token, table) && (!is_copy || copy_is_from(&walk, &token));
}
