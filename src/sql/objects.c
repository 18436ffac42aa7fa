/* SPDX-License-Identifier: PostgreSQL */
#include "sql/objects.h"

#include "sql/classifier.h"
#include "sql/object_reader.h"
#include "sql/split.h"

/* Whether the text has an end as SQL: what has none the server refuses as a whole. */
static bool has_end(struct bytes text, struct lexer_reading reading)
{
    struct token_walk walk;
    struct token token = { .kind = TOKEN_NONE };
    token_walk_begin(&walk, text, reading);
    while (token_walk_next(&walk, &token)) {
        if (token.kind == TOKEN_UNTERMINATED)
            return token.is_word_cut;
    }
    return true;
}

/* A statement that holds semicolons, in parentheses or as a routine's body, must not hide another one. */
static bool may_hide_another(struct bytes statement, struct lexer_reading reading)
{
    struct token_walk walk;
    struct token token;
    struct verdict verdict;
    token_walk_begin(&walk, statement, reading);
    while (token_walk_next_word(&walk, &token)) {
        if (token.kind != TOKEN_SEMICOLON)
            continue;
        bytes_take(&statement, (size_t)token.end);
        classify(statement, reading, &verdict);
        return verdict.is_guarded;
    }
    return false;
}

static void read_statement(struct bytes statement, struct lexer_reading reading, struct object_names *out)
{
    struct verdict verdict;
    struct object_walk walk;
    classify(statement, reading, &verdict);
    if (!verdict.is_guarded)
        return;
    if (verdict.statement_count > 1 && may_hide_another(statement, reading))
        out->is_complete = false;
    object_walk_begin(&walk, statement, reading, out);
    object_read(&walk);
}

static void read_text(struct bytes text, struct lexer_reading reading, struct object_names *out)
{
    struct bytes statement;
    memset(out, 0, sizeof(*out));
    out->is_complete = has_end(text, reading);
    while ((statement = split_statement(text, reading, 0)).size > 0) {
        read_statement(statement, reading, out);
        bytes_take(&text, (size_t)(statement.data - text.data) + statement.size);
    }
}

static bool are_same(const struct object_names *a, const struct object_names *b)
{
    return a->is_complete == b->is_complete && a->count == b->count &&
           memcmp(a->names, b->names, a->count * sizeof(a->names[0])) == 0;
}

/* The server may read backslashes in strings otherwise than is believed. */
static bool reads_alike_otherwise(struct bytes text, struct lexer_reading reading,
                                  const struct object_names *names)
{
    struct object_names others;
    reading.has_standard_strings = !reading.has_standard_strings;
    if (bytes_find(text, '\\') == text.size || !has_end(text, reading))
        return true;
    read_text(text, reading, &others);
    return are_same(names, &others);
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] >= 0x80)
            return false;
    }
    return true;
}

void objects_named(struct bytes text, bool is_cut, struct lexer_reading reading, struct object_names *out)
{
    read_text(text, reading, out);
    bool is_surely_read = !reading.has_unsafe_encoding || is_ascii(text);
    if (is_cut || !is_surely_read || !reads_alike_otherwise(text, reading, out))
        out->is_complete = false;
}

static bool needs_quotes(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++) {
        bool is_letter = (name[i] >= 'a' && name[i] <= 'z') || name[i] == '_' || (uint8_t)name[i] >= 0x80;
        bool is_digit = (name[i] >= '0' && name[i] <= '9') || name[i] == '$';
        if (!is_letter && (i == 0 || !is_digit))
            return true;
    }
    return !object_word_is_name(name);
}

static void describe_part(const char *name, struct text *out)
{
    if (!needs_quotes(name)) {
        text_append_printable(out, bytes_text(name));
        return;
    }
    text_append_byte(out, '"');
    for (size_t i = 0; name[i] != '\0';) {
        size_t size = strcspn(name + i, "\"");
        text_append_printable(out, bytes_of(name + i, size));
        i += size;
        if (name[i] == '"') {
            text_append_string(out, "\"\"");
            i++;
        }
    }
    text_append_byte(out, '"');
}

void object_name_describe(const struct object_name *name, struct text *out)
{
    if (name->is_schema)
        text_append_string(out, "schema ");
    if (name->schema[0] != '\0') {
        describe_part(name->schema, out);
        text_append_byte(out, '.');
    }
    describe_part(name->name, out);
}

void objects_describe(const struct object_names *objects, struct text *out)
{
    for (size_t i = 0; i < objects->count; i++) {
        if (i > 0)
            text_append_string(out, ", ");
        object_name_describe(&objects->names[i], out);
    }
}
