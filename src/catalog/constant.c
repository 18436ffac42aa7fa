/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/expression.h"
#include "catalog/type_name.h"

enum { ARRAY_LITERAL_SIZE_MOST = 64 * 1024, EXACT_DIGITS_MOST = 15 };

static void trailing_spaces_drop(struct buffer *values, size_t start)
{
    while (!values->has_failed && values->size > start && values->data[values->size - 1] == ' ')
        values->size--;
    value_end(values, start);
}

static bool is_digits(struct bytes number)
{
    size_t start = number.size > 0 && number.data[0] == '-';
    for (size_t i = start; i < number.size; i++) {
        if (number.data[i] < '0' || number.data[i] > '9')
            return false;
    }
    return true;
}

/* A whole number stays what it is in every type of numbers that it fits in; a fraction does in numeric. */
static bool number_cast(const struct type_name *type, struct bytes number)
{
    static const char *const whole[] = { "smallint", "integer", "bigint" };
    bool is_whole = is_digits(number);
    if (type->is_array)
        return false;
    if (type_name_is(type, "numeric"))
        return true;
    if (type_name_is(type, "double precision"))
        return is_whole && number.size <= EXACT_DIGITS_MOST;
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        if (type_name_is(type, whole[i]))
            return is_whole;
    }
    return false;
}

struct constant {
    bool is_number;
    bool has_type;
    bool is_text; /* of a string: its type, if any, is one of text */
    size_t start; /* of its value */
    struct bytes number;
};

static bool constant_begin(struct expression_reader *reader, struct constant *constant)
{
    *constant = (struct constant){ .is_number = expression_is(reader, TOKEN_NUMBER), .is_text = true };
    if (!constant->is_number && !expression_is(reader, TOKEN_STRING))
        return false;
    struct bytes written = token_walk_bytes(&reader->walk, &reader->token);
    constant->start = value_begin(reader->values);
    if (constant->is_number)
        buffer_append(reader->values, written);
    else if (!literal_append(written, reader->values)) /* at least two quotes */
        return false;
    value_end(reader->values, constant->start);
    constant->number = constant->is_number ? written : bytes_of(written.data + 1, written.size - 2);
    expression_next(reader);
    return !reader->values->has_failed;
}

/* Behind a string stands its own type, then such as leave it what it is: '-3'::integer is a number. */
static bool string_cast(struct constant *constant, const struct type_name *type, struct buffer *values)
{
    bool is_text = type_name_is_text(type);
    if (type->is_array || (constant->has_type && !(constant->is_text && is_text)))
        return false;
    constant->is_number = !constant->has_type && number_cast(type, constant->number);
    constant->has_type = true;
    constant->is_text = is_text;
    if (type_name_is(type, "bpchar"))
        trailing_spaces_drop(values, constant->start);
    return true;
}

static bool constant_cast(struct expression_reader *reader, struct constant *constant)
{
    struct type_name type;
    if (!type_name_read(reader, &type))
        return false;
    return constant->is_number ? number_cast(&type, constant->number)
                               : string_cast(constant, &type, reader->values);
}

bool constant_read(struct expression_reader *reader)
{
    size_t open = 0;
    struct constant constant;
    while (expression_take(reader, TOKEN_OPEN))
        open++;
    if (!constant_begin(reader, &constant))
        return false;
    for (;;) {
        if (open > 0 && expression_take(reader, TOKEN_CLOSE))
            open--;
        else if (!expression_take_operator(reader, "::"))
            return open == 0;
        else if (!constant_cast(reader, &constant))
            return false;
    }
}

static bool constants_read(struct expression_reader *reader)
{
    if (!expression_take_word(reader, "array") || !expression_take_operator(reader, "["))
        return false;
    if (expression_take_operator(reader, "]"))
        return true;
    do {
        if (!constant_read(reader))
            return false;
    } while (expression_take(reader, TOKEN_COMMA));
    return expression_take_operator(reader, "]");
}

static bool array_string_read(struct expression_reader *reader)
{
    struct buffer elements;
    buffer_init(&elements, ARRAY_LITERAL_SIZE_MOST);
    bool is_read = literal_append(token_walk_bytes(&reader->walk, &reader->token), &elements) &&
                   !elements.has_failed && array_literal_append(buffer_bytes(&elements), reader->values);
    buffer_release(&elements);
    expression_next(reader);
    return is_read;
}

/* The first type behind '{...}' is its own; of box alone the elements are not parted by commas. */
static bool array_cast(struct expression_reader *reader, bool has_own_type)
{
    struct type_name type;
    if (!type_name_read(reader, &type) || !type.is_array || type_name_is(&type, "bpchar"))
        return false;
    return has_own_type ? type_name_is_text(&type) : !type_name_is(&type, "box");
}

bool constant_array_read(struct expression_reader *reader)
{
    size_t open = 0;
    while (expression_take(reader, TOKEN_OPEN))
        open++;
    bool has_own_type = !expression_is(reader, TOKEN_STRING);
    if (!(has_own_type ? constants_read(reader) : array_string_read(reader)))
        return false;
    for (;;) {
        if (open > 0 && expression_take(reader, TOKEN_CLOSE))
            open--;
        else if (!expression_take_operator(reader, "::"))
            return open == 0;
        else if (!array_cast(reader, has_own_type))
            return false;
        else
            has_own_type = true;
    }
}
