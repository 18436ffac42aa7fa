/* SPDX-License-Identifier: PostgreSQL */
#include "sql/harmless.h"

#include "sql/byte_block.h"
#include "sql/lexer.h"

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
}

bool harmless_is_blank(struct bytes text)
{
    size_t blank = 0;
    while (blank < text.size && is_blank(text.data[blank]))
        blank++;
    return blank == text.size;
}

/* Behind white space and comments that hold no other comment. */
static struct bytes skip_blank(struct bytes text)
{
    while (text.size > 0) {
        size_t taken = 0;
        if (is_blank(text.data[0])) {
            taken = 1;
        } else if (text.size >= 2 && text.data[0] == '-' && text.data[1] == '-') {
            while (taken < text.size && text.data[taken] != '\n' && text.data[taken] != '\r')
                taken++;
        } else if (text.size >= 4 && text.data[0] == '/' && text.data[1] == '*') {
            taken = 2;
            while (taken < text.size && text.data[taken] != '*' && text.data[taken] != '/')
                taken++;
            if (taken + 1 >= text.size || text.data[taken] != '*' || text.data[taken + 1] != '/')
                return text;
            taken += 2;
        } else {
            return text;
        }
        bytes_take(&text, taken);
    }
    return text;
}

static struct bytes take_keyword(struct bytes text, char word[LEXER_WORD_SIZE])
{
    size_t size = 0;
    while (size < text.size && size < LEXER_WORD_SIZE) {
        uint8_t byte = (uint8_t)(text.data[size] | 0x20);
        if (byte < 'a' || byte > 'z')
            break;
        word[size++] = (char)byte;
    }
    bool is_whole = size == text.size || is_blank(text.data[size]) || text.data[size] == ';' ||
                    text.data[size] == '(' || text.data[size] == '*';
    return is_whole && size < LEXER_WORD_SIZE ? bytes_of(word, size) : BYTES_NONE;
}

static inline bool has_letters(struct bytes text, const char *letters)
{
    enum { ROOM = BYTE_BLOCK_SIZE + 3 };
    while (text.size >= ROOM) {
        if (byte_block_letters(text.data, letters) != 0)
            return true;
        bytes_take(&text, BYTE_BLOCK_SIZE);
    }
    uint8_t copy[ROOM] = { 0 };
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return byte_block_letters(copy, letters) != 0;
}

/* Whether the command's own class is all that the text comes to. INSERT and MERGE do not go without INTO; the
 * letters of UPDATE and DELETE are looked for by four of each. */
static bool is_proven(const struct command *command, struct bytes text)
{
    switch (command->shape) {
    case SHAPE_SELECT:
        return !has_letters(text, "into");
    case SHAPE_WITH:
        return !has_letters(text, "into") && !has_letters(text, "pdat") && !has_letters(text, "elet");
    case SHAPE_COPY:
        return false;
    default:
        return true;
    }
}

const struct command *harmless_find(struct bytes text)
{
    size_t semicolon = bytes_find(text, ';');
    struct bytes behind = text;
    bytes_take(&behind, semicolon);
    if (behind.size > 1 && !harmless_is_blank(bytes_of(behind.data + 1, behind.size - 1)))
        return NULL;
    char word[LEXER_WORD_SIZE];
    struct command_path path;
    struct bytes begun = skip_blank(text);
    if (!command_path_begin(&path, take_keyword(begun, word)))
        return NULL;
    const struct command *command = command_path_end(&path);
    bool is_found = command != NULL && command_is_harmless(command) && is_proven(command, begun);
    return is_found ? command : NULL;
}
