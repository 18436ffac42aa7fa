/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/expression.h"

/* Manual: "Array Input and Output Syntax". One element is gathered at the end of the buffer and then packed
 * in its place. */

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void spaces_skip(struct bytes *rest)
{
    while (rest->size > 0 && is_space(rest->data[0]))
        (void)bytes_take(rest, 1);
}

/* Up to the closing quote. */
static bool quoted_element(struct bytes *rest, struct buffer *out)
{
    while (rest->size > 0) {
        struct bytes byte = bytes_take(rest, 1);
        if (byte.data[0] == '"')
            return true;
        if (byte.data[0] == '\\') {
            if (rest->size == 0)
                return false;
            byte = bytes_take(rest, 1);
        }
        buffer_append(out, byte);
    }
    return false;
}

/* The server quotes whatever is not plain; what is plain but not understood is refused. */
static bool plain_element(struct bytes *rest, struct buffer *out)
{
    static const char odd[] = "\\\"{}";
    struct bytes element = bytes_of(rest->data, 0);
    while (rest->size > 0 && rest->data[0] != ',' && rest->data[0] != '}') {
        if (memchr(odd, rest->data[0], sizeof odd - 1) != NULL)
            return false;
        element.size += bytes_take(rest, 1).size;
    }
    while (element.size > 0 && is_space(element.data[element.size - 1]))
        element.size--;
    buffer_append(out, element);
    return element.size > 0 && !bytes_equal_folded(element, "null");
}

static bool element_append(struct bytes *rest, struct buffer *values)
{
    spaces_skip(rest);
    size_t start = value_begin(values);
    bool is_quoted = rest->size > 0 && rest->data[0] == '"';
    (void)bytes_take(rest, is_quoted ? 1 : 0);
    if (!(is_quoted ? quoted_element(rest, values) : plain_element(rest, values)) || values->has_failed)
        return false;
    value_end(values, start);
    spaces_skip(rest);
    return true;
}

bool array_literal_append(struct bytes elements, struct buffer *values)
{
    struct bytes rest = elements;
    if (bytes_equal_text(elements, "{}"))
        return true;
    if (rest.size < 2 || bytes_take(&rest, 1).data[0] != '{')
        return false;
    do {
        if (!element_append(&rest, values) || rest.size == 0)
            return false;
    } while (bytes_take(&rest, 1).data[0] == ',');
    return rest.size == 0 && elements.data[elements.size - 1] == '}';
}
