/* SPDX-License-Identifier: PostgreSQL */
#include "control/word.h"

static uint8_t peek(const struct word_reader *reader, size_t ahead)
{
    size_t at = reader->at + ahead;
    return at < reader->query.size ? reader->query.data[at] : '\0';
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool begins_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte >= 0x80;
}

static bool continues_plain(uint8_t byte)
{
    return begins_plain(byte) || byte == '-' || byte == '.' || byte == '$';
}

static bool is_comment(const struct word_reader *reader, char first, char second)
{
    return peek(reader, 0) == (uint8_t)first && peek(reader, 1) == (uint8_t)second;
}

static void skip_line(struct word_reader *reader)
{
    while (reader->at < reader->query.size && peek(reader, 0) != '\n' && peek(reader, 0) != '\r')
        reader->at++;
}

/* Comments of this kind nest, as in SQL. False when it has no end. */
static bool skip_block(struct word_reader *reader)
{
    size_t depth = 0;
    while (reader->at < reader->query.size) {
        bool is_begin = is_comment(reader, '/', '*');
        bool is_end = is_comment(reader, '*', '/');
        depth += is_begin;
        depth -= is_end;
        reader->at += is_begin || is_end ? 2 : 1;
        if (depth == 0)
            return true;
    }
    return false;
}

static bool skip_between(struct word_reader *reader)
{
    bool is_closed = true;
    while (is_closed && reader->at < reader->query.size) {
        if (is_space(peek(reader, 0)))
            reader->at++;
        else if (is_comment(reader, '-', '-'))
            skip_line(reader);
        else if (is_comment(reader, '/', '*'))
            is_closed = skip_block(reader);
        else
            break;
    }
    return is_closed;
}

static enum word_kind read_quoted(struct word_reader *reader, uint8_t quote)
{
    reader->at++;
    while (reader->at < reader->query.size) {
        bool is_doubled = peek(reader, 0) == quote && peek(reader, 1) == quote;
        if (peek(reader, 0) == quote && !is_doubled) {
            reader->at++;
            return quote == '"' ? WORD_QUOTED : WORD_STRING;
        }
        reader->at += is_doubled ? 2 : 1;
    }
    return WORD_OPEN_ENDED;
}

static enum word_kind read_plain(struct word_reader *reader)
{
    while (continues_plain(peek(reader, 0)) && !is_comment(reader, '-', '-'))
        reader->at++;
    return WORD_PLAIN;
}

static enum word_kind read_word(struct word_reader *reader)
{
    uint8_t first = peek(reader, 0);
    if (reader->at == reader->query.size)
        return WORD_END;
    if (first == '"' || first == '\'')
        return read_quoted(reader, first);
    if (begins_plain(first))
        return read_plain(reader);
    reader->at++;
    return first == ';' ? WORD_SEMICOLON : WORD_OTHER;
}

struct word word_next(struct word_reader *reader)
{
    struct word word = { .kind = WORD_OPEN_ENDED };
    size_t before = reader->at;
    bool is_closed = skip_between(reader);
    word.offset = is_closed ? reader->at : before;
    if (is_closed)
        word.kind = read_word(reader);
    if (reader->query.size > 0)
        word.text = bytes_of(reader->query.data + word.offset, reader->at - word.offset);
    return word;
}

void word_append_value(const struct word *word, struct text *out)
{
    struct bytes rest = word->text;
    if (word->kind != WORD_QUOTED && word->kind != WORD_STRING) {
        text_append(out, rest);
        return;
    }
    uint8_t quote = *bytes_take(&rest, 1).data;
    rest.size--;
    while (rest.size > 0) {
        size_t size = bytes_find(rest, quote);
        text_append(out, bytes_take(&rest, size < rest.size ? size + 1 : size));
        if (rest.size > 0)
            bytes_take(&rest, 1); /* the second of two */
    }
}

uint32_t word_position(const struct word_reader *reader, const struct word *word)
{
    uint32_t position = 1;
    for (size_t i = 0; i < word->offset; i++)
        position += (reader->query.data[i] & 0xc0) != 0x80; /* bytes that begin a character */
    return position;
}
