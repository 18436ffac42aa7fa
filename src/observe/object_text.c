/* SPDX-License-Identifier: PostgreSQL */
#include "observe/object_text.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_of_word(uint8_t byte)
{
    uint8_t lower = byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || is_digit(byte) || byte == '_' || byte == '$' || byte >= 0x80;
}

static void name_add(char *name, size_t *size, uint8_t byte)
{
    if (*size < NAME_SIZE - 1)
        name[(*size)++] = (char)byte;
    name[*size] = '\0';
}

/* What stands between the quotes; false where they do not end. */
static bool take_quoted(struct bytes *text, char *name)
{
    size_t size = 0;
    name[0] = '\0';
    bytes_take(text, 1);
    while (text->size > 0) {
        uint8_t byte = bytes_take(text, 1).data[0];
        bool is_quote = byte == '"';
        if (is_quote && (text->size == 0 || text->data[0] != '"'))
            return true;
        if (is_quote)
            bytes_take(text, 1);
        name_add(name, &size, byte);
    }
    return false;
}

static void take_word(struct bytes *text, char *name)
{
    size_t size = 0;
    name[0] = '\0';
    while (text->size > 0 && is_of_word(text->data[0])) {
        uint8_t byte = bytes_take(text, 1).data[0];
        name_add(name, &size, byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
}

static bool take_name(struct bytes *text, char *name)
{
    if (text->size == 0)
        return false;
    if (text->data[0] == '"')
        return take_quoted(text, name);
    take_word(text, name);
    return name[0] != '\0';
}

static bool take_prefix(struct bytes *text, const char *prefix)
{
    bool is_there = bytes_start_with(*text, prefix);
    if (is_there)
        bytes_take(text, strlen(prefix));
    return is_there;
}

bool object_text_next(struct bytes *list, struct object_reference *out)
{
    struct bytes rest = *list;
    *out = (struct object_reference){ .is_schema = take_prefix(&rest, "schema ") };
    if (!take_name(&rest, out->name))
        return false;
    if (take_prefix(&rest, ".")) {
        memcpy(out->schema, out->name, sizeof out->schema);
        if (!take_name(&rest, out->name))
            return false;
    }
    if (rest.size > 0 && !take_prefix(&rest, ", "))
        return false;
    *list = rest;
    return true;
}

bool object_reference_fits(const struct object_reference *reference, const char *schema, const char *name)
{
    if (reference->is_schema)
        return strcmp(reference->name, schema) == 0;
    bool is_there =
        reference->schema[0] == '\0' || schema[0] == '\0' || strcmp(reference->schema, schema) == 0;
    return is_there && strcmp(reference->name, name) == 0;
}

bool object_text_names(const char *statement, const char *name)
{
    struct bytes rest = bytes_text(statement);
    char word[NAME_SIZE];
    while (name[0] != '\0' && rest.size > 0) {
        bool is_name = rest.data[0] == '"' || is_of_word(rest.data[0]);
        if (!is_name)
            bytes_take(&rest, 1);
        else if (take_name(&rest, word) && strcmp(word, name) == 0)
            return true;
    }
    return false;
}
