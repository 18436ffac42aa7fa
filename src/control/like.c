/* SPDX-License-Identifier: PostgreSQL */
#include "control/like.h"

#include "base/utf8.h"

/* A byte that is no UTF-8 is a character of its own. */
static size_t character_size(struct bytes text)
{
    uint32_t code_point;
    size_t size = utf8_decode(text, &code_point);
    return size > 0 ? size : 1;
}

/* Takes one character off both where they agree. */
static bool take_same(struct bytes *text, struct bytes *pattern)
{
    if (text->size == 0 || pattern->size == 0)
        return false;
    if (pattern->data[0] == '_') {
        (void)bytes_take(pattern, 1);
        (void)bytes_take(text, character_size(*text));
        return true;
    }
    size_t escape = pattern->data[0] == '\\' && pattern->size > 1 ? 1 : 0;
    if (pattern->data[escape] != text->data[0])
        return false;
    (void)bytes_take(pattern, escape + 1);
    (void)bytes_take(text, 1);
    return true;
}

bool like_matches(struct bytes text, struct bytes pattern)
{
    struct bytes after_run = BYTES_NONE; /* the pattern behind the last %, and the text it was tried on */
    struct bytes tried = BYTES_NONE;
    bool has_run = false;
    while (text.size > 0 || pattern.size > 0) {
        if (pattern.size > 0 && pattern.data[0] == '%') {
            (void)bytes_take(&pattern, 1);
            after_run = pattern;
            tried = text;
            has_run = true;
        } else if (!take_same(&text, &pattern)) {
            if (!has_run || tried.size == 0)
                return false;
            (void)bytes_take(&tried, character_size(tried));
            text = tried;
            pattern = after_run;
        }
    }
    return true;
}
