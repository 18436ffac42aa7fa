/* SPDX-License-Identifier: PostgreSQL */
#include "sql/readings.h"

#include "sql/byte_block.h"
#include "sql/lexer_step.h"
#include "sql/trail.h"

void readings_begin(struct readings *readings, struct lexer_reading reading)
{
    lexer_init(&readings->lexers[0], reading);
    readings->count = 1;
    readings->last = 0;
    readings->are_parted = false;
}

static bool is_unsafe(const struct readings *readings)
{
    return readings->lexers[0].reading.has_unsafe_encoding;
}

/* How many bytes at the front mean the same in all readings. */
static size_t count_clear(const struct readings *readings, struct bytes input)
{
    size_t size = bytes_find(input, '\\');
    if (!is_unsafe(readings))
        return size;
    for (size_t i = 0; i < size; i++) {
        if (input.data[i] >= 0x80)
            return i;
    }
    return size;
}

/* From here on the readings may go different ways. */
static void fork_readings(struct readings *readings)
{
    readings->count = is_unsafe(readings) ? 4 : 2;
    for (unsigned i = 1; i < readings->count; i++) {
        struct lexer *lexer = &readings->lexers[i];
        *lexer = readings->lexers[0];
        lexer->reading.has_standard_strings ^= (i & 1) != 0;
        lexer->reading.has_unsafe_encoding ^= (i & 2) != 0;
    }
}

static void join_readings(struct readings *readings)
{
    bool are_alike = true;
    for (unsigned i = 1; i < readings->count; i++)
        are_alike &= lexer_is_like(&readings->lexers[0], &readings->lexers[i]);
    readings->count = are_alike ? 1 : readings->count;
}

/* Byte by byte, so that it does not depend on the cuts where the readings part; but no token ends inside a
 * string. */
static size_t count_together(const struct readings *readings, struct bytes input)
{
    for (unsigned i = 0; i < readings->count; i++) {
        if (readings->lexers[i].state != STATE_STRING || is_unsafe(readings))
            return 1;
    }
    size_t size = byte_block_find_either(input, '\'', '\\');
    return size > 0 ? size : 1;
}

static bool is_same_token(const struct token *a, const struct token *b)
{
    return a->kind == b->kind && a->start == b->start && a->end == b->end;
}

static enum lexer_result part_readings(struct readings *readings, struct token *out)
{
    readings->are_parted = true;
    *out = (struct token){ .kind = TOKEN_UNTERMINATED };
    return LEXER_TOKEN;
}

struct bytes readings_clear(struct readings *readings, struct bytes *piece)
{
    if (readings->are_parted || readings->count > 1)
        return bytes_take(piece, 0);
    return bytes_take(piece, count_clear(readings, *piece));
}

static enum lexer_result next_together(struct readings *readings, struct bytes *piece, struct token *out)
{
    struct bytes one = { piece->data, count_together(readings, *piece) };
    struct bytes rest = one;
    enum lexer_result result = lexer_next(&readings->lexers[0], &rest, out);
    for (unsigned i = 1; i < readings->count; i++) {
        struct bytes other_rest = one;
        struct token other;
        if (lexer_next(&readings->lexers[i], &other_rest, &other) != result || other_rest.size != rest.size ||
            (result == LEXER_TOKEN && !is_same_token(out, &other)))
            return part_readings(readings, out);
    }
    if (one.size > rest.size)
        readings->last = one.data[one.size - rest.size - 1];
    bytes_take(piece, one.size - rest.size);
    return result;
}

/* No reading takes two bytes for an ASCII character. */
static bool is_made_ascii(const struct readings *readings, struct bytes piece)
{
    return readings->lexers[0].reading.has_ascii_pairs && trail_makes_ascii(readings->last, piece.data[0]);
}

enum lexer_result readings_next(struct readings *readings, struct bytes *piece, struct token *out)
{
    if (readings->count == 1 && piece->size > 0)
        fork_readings(readings);
    while (piece->size > 0 && readings->count > 1 && !readings->are_parted) {
        if (is_made_ascii(readings, *piece))
            return part_readings(readings, out);
        if (next_together(readings, piece, out) == LEXER_TOKEN)
            return LEXER_TOKEN;
        join_readings(readings);
    }
    if (readings->are_parted)
        bytes_take(piece, piece->size);
    return LEXER_STARVED;
}

bool readings_finish(struct readings *readings, struct token *out)
{
    if (readings->are_parted)
        return false;
    bool has_token = lexer_finish(&readings->lexers[0], out);
    for (unsigned i = 1; i < readings->count; i++) {
        struct token other;
        bool has_other = lexer_finish(&readings->lexers[i], &other);
        if (has_other != has_token || (has_token && !is_same_token(out, &other)))
            return part_readings(readings, out) == LEXER_TOKEN;
    }
    return has_token;
}
