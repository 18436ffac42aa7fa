/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/definition.h"

#include "catalog/expression.h"

enum { VALUES_MOST = 4096 };

static bool suffix_take(struct bytes *text, const char *suffix)
{
    size_t size = strlen(suffix);
    if (text->size < size || memcmp(text->data + text->size - size, suffix, size) != 0)
        return false;
    text->size -= size;
    return true;
}

static struct bytes body_take(struct bytes text, bool *is_not_valid, bool *is_unenforced)
{
    *is_unenforced = suffix_take(&text, " NOT ENFORCED");
    *is_not_valid = suffix_take(&text, " NOT VALID");
    return text;
}

struct bytes definition_body(struct bytes text)
{
    bool is_not_valid;
    bool is_unenforced;
    return body_take(text, &is_not_valid, &is_unenforced);
}

/* Packs the values anew without doubles. */
static void values_tidy(struct buffer *storage, struct value_list *out)
{
    struct bytes rest = buffer_bytes(storage);
    struct bytes value;
    struct bytes begin = bytes_of(rest.data, 0);
    *out = (struct value_list){ begin, 0 };
    while (value_list_next(&rest, &value)) {
        size_t size = sizeof(uint32_t) + value.size;
        if (value_list_has(*out, value))
            continue;
        memmove(storage->data + out->packed.size, value.data - sizeof(uint32_t), size);
        out->packed.size += size;
        out->count++;
    }
    storage->size = out->packed.size;
}

static size_t values_count(struct bytes packed)
{
    struct bytes value;
    size_t count = 0;
    while (value_list_next(&packed, &value))
        count++;
    return count;
}

static bool only_words_follow(struct expression_reader *reader)
{
    while (expression_is(reader, TOKEN_WORD))
        expression_next(reader);
    return !reader->has_token;
}

static bool check_read(struct expression_reader *reader, struct definition *out)
{
    struct condition condition;
    if (!expression_take_word(reader, "check") || !expression_take(reader, TOKEN_OPEN))
        return false;
    expression_condition(reader, &condition);
    if (condition.kind != CONDITION_LIST || !expression_take(reader, TOKEN_CLOSE) ||
        !only_words_follow(reader))
        return false;
    out->is_whole = condition.is_whole;
    out->refuses_null = condition.refuses_null;
    memcpy(out->column, condition.column, sizeof out->column);
    return true;
}

static bool enum_read(struct expression_reader *reader, struct definition *out)
{
    if (!expression_take_word(reader, "enum") || !expression_take(reader, TOKEN_OPEN))
        return false;
    out->is_whole = true;
    if (expression_take(reader, TOKEN_CLOSE))
        return !reader->has_token;
    do {
        if (!constant_read(reader))
            return false;
    } while (expression_take(reader, TOKEN_COMMA));
    return expression_take(reader, TOKEN_CLOSE) && !reader->has_token;
}

void definition_read(struct bytes text, struct definition *out, struct buffer *storage)
{
    struct expression_reader reader;
    struct definition found = { .has_list = true };
    *out = (struct definition){ .has_list = false };
    text = body_take(text, &out->is_not_valid, &out->is_unenforced);
    found.is_not_valid = out->is_not_valid;
    found.is_unenforced = out->is_unenforced;
    buffer_clear(storage);
    expression_begin(&reader, text, storage);
    bool is_list =
        expression_is_word(&reader, "enum") ? enum_read(&reader, &found) : check_read(&reader, &found);
    if (!is_list || storage->has_failed || values_count(buffer_bytes(storage)) > VALUES_MOST)
        return;
    values_tidy(storage, &found.values);
    *out = found;
}
