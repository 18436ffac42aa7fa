/* SPDX-License-Identifier: PostgreSQL */
#include "control/syntax.h"

bool syntax_next(const char **syntax, struct syntax_element *out)
{
    const char *start = *syntax + strspn(*syntax, " ");
    struct bytes piece = bytes_of(start, strcspn(start, " "));
    *syntax = start + piece.size;
    if (piece.size == 0)
        return false;

    out->opens = piece.data[0] == '[';
    out->closes = piece.data[piece.size - 1] == ']';
    if (out->opens)
        bytes_take(&piece, 1);
    if (out->closes)
        piece.size--;
    bytes_copy_text(piece, out->text, sizeof out->text);
    out->is_keyword = out->text[0] >= 'A' && out->text[0] <= 'Z';
    return true;
}

const char *syntax_skip_keywords(const char *syntax, struct text *keywords)
{
    struct syntax_element element;
    const char *behind = syntax;
    while (syntax_next(&behind, &element) && element.is_keyword && !element.opens) {
        text_append_string(keywords, keywords->size > 0 ? " " : "");
        text_append_string(keywords, element.text);
        syntax = behind;
    }
    return syntax;
}
