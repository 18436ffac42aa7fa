/* SPDX-License-Identifier: PostgreSQL */
#include "policy/quoted.h"

void ascii_append(struct text *out, struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\')
            text_append_byte(out, (char)byte);
        else
            text_append_format(out, "\\x%02x", (unsigned)byte);
    }
}

void quoted_append(struct text *out, const char *before, struct bytes name)
{
    text_append_string(out, before);
    text_append_byte(out, '"');
    ascii_append(out, name);
    text_append_byte(out, '"');
}
