/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/expression.h"

/* What stands for itself behind a backslash in E'...', and what it stands for; numbers are left alone, which
 * the server never writes. */
static bool escape_resolve(uint8_t letter, uint8_t *out)
{
    static const char letters[] = "bfnrt\\'";
    static const char meanings[] = "\b\f\n\r\t\\'";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    if (found == NULL)
        return false;
    *out = (uint8_t)meanings[found - letters];
    return true;
}

/* The next byte of the value, from one or two of the text. */
static bool literal_byte(struct bytes *rest, bool has_escapes, uint8_t *out)
{
    uint8_t byte = *bytes_take(rest, 1).data;
    bool is_pair = byte == '\'' || (byte == '\\' && has_escapes);
    *out = byte;
    if (!is_pair)
        return true;
    if (rest->size == 0)
        return false;
    uint8_t second = *bytes_take(rest, 1).data;
    return byte == '\'' ? second == '\'' : escape_resolve(second, out);
}

bool literal_append(struct bytes literal, struct buffer *out)
{
    bool has_escapes = bytes_start_with(literal, "E'");
    struct bytes rest = literal;
    (void)bytes_take(&rest, has_escapes ? 1 : 0);
    if (rest.size < 2 || rest.data[0] != '\'' || rest.data[rest.size - 1] != '\'')
        return false;
    rest = bytes_of(rest.data + 1, rest.size - 2);
    while (rest.size > 0) {
        uint8_t byte;
        if (!literal_byte(&rest, has_escapes, &byte))
            return false;
        buffer_append(out, bytes_of(&byte, 1));
    }
    return true;
}
