/* SPDX-License-Identifier: PostgreSQL */
#include "sql/shape.h"

#include "base/text.h"

/* Numbers without meaning: the digits of the square roots of 2, 3, 5 and 7 behind the point. */
static const uint64_t seed = 0x6a09e667f3bcc908;
static const uint64_t second = 0xbb67ae8584caa73b;
static const uint64_t tag_factor = 0x3c6ef372fe94f82b;
static const uint64_t last = 0xa54ff53a5f1d36f1;

/* Marks of what is no token. */
enum { TAG_COMMAND = 0x80, TAG_CUT = 0x81 };

__extension__ typedef unsigned __int128 wide;

static inline uint64_t multiply_folded(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* Sixteen bytes. Were a product 0, what came before would still be in it. */
static inline uint64_t absorb(uint64_t hash, uint64_t low, uint64_t high)
{
    return multiply_folded(hash ^ low, high ^ second) ^ rotate_left(hash, 29);
}

/* Written out, it compiles to one load. */
static inline uint64_t little_endian_word(const char *text)
{
    const uint8_t *data = (const uint8_t *)text;
    return (uint64_t)data[0] | (uint64_t)data[1] << 8 | (uint64_t)data[2] << 16 | (uint64_t)data[3] << 24 |
           (uint64_t)data[4] << 32 | (uint64_t)data[5] << 40 | (uint64_t)data[6] << 48 |
           (uint64_t)data[7] << 56;
}

/* Bits of the first and the second eight bytes of a text, by its size. */
static const uint64_t low_masks[17] = {
    0x0,          0xff,           0xffff,           0xffffff,   0xffffffff,
    0xffffffffff, 0xffffffffffff, 0xffffffffffffff, UINT64_MAX, UINT64_MAX,
    UINT64_MAX,   UINT64_MAX,     UINT64_MAX,       UINT64_MAX, UINT64_MAX,
    UINT64_MAX,   UINT64_MAX,
};
static const uint64_t high_masks[17] = {
    0x0,
    0x0,
    0x0,
    0x0,
    0x0,
    0x0,
    0x0,
    0x0,
    0x0,
    0xff,
    0xffff,
    0xffffff,
    0xffffffff,
    0xffffffffff,
    0xffffffffffff,
    0xffffffffffffff,
    UINT64_MAX,
};

static inline uint64_t mark_of(unsigned tag, size_t size)
{
    return (tag << 8 | size) * tag_factor;
}

/* A kind of token and its text, in which whole blocks of sixteen bytes may be read. Sizes follow no pattern
 * that the processor could guess: up to sixteen bytes nothing branches on them. */
static inline uint64_t absorb_text(uint64_t hash, unsigned tag, const char *text, size_t size)
{
    uint64_t mark = mark_of(tag, size);
    for (; size > 16; size -= 16, text += 16)
        hash = absorb(hash, little_endian_word(text), little_endian_word(text + 8));
    return absorb(hash, little_endian_word(text) & low_masks[size],
                  (little_endian_word(text + 8) & high_masks[size]) ^ mark);
}

/* What is told by its kind alone. */
static inline uint64_t absorb_mark(uint64_t hash, unsigned tag)
{
    return absorb(hash, 0, mark_of(tag, 0));
}

/* One character that is an operator: the literal's question mark, or a sign. */
static inline uint64_t absorb_operator(uint64_t hash, char byte)
{
    return absorb(hash, (uint8_t)byte, mark_of(TOKEN_OPERATOR, 1));
}

static uint64_t absorb_command(uint64_t hash, const struct command *command)
{
    char name[LEXER_WORD_SIZE] = { 0 };
    bytes_copy_text(bytes_text(command->name), name, sizeof(name));
    return absorb_text(hash, TAG_COMMAND, name, strlen(name));
}

static inline uint64_t absorb_token(uint64_t hash, const struct token *token)
{
    unsigned tag = token->kind | (unsigned)token->is_unicode << 6;
    return absorb_text(hash, tag, token->word, token->word_size);
}

/* All but the token itself and the literal. */
static void take_parts(struct shape *shape, unsigned parts, char sign)
{
    if ((parts & MASKER_COMMAND) != 0)
        shape->hash = absorb_command(shape->begin, shape->masker.command);
    if ((parts & MASKER_BEGIN) != 0)
        shape->begin = shape->hash;
    if ((parts & MASKER_COMMA) != 0)
        shape->hash = absorb_mark(shape->hash, TOKEN_COMMA);
    if ((parts & MASKER_HELD) != 0)
        shape->hash = absorb_operator(shape->hash, '?');
    if ((parts & MASKER_SIGN) != 0)
        shape->hash = absorb_operator(shape->hash, sign);
    if ((parts & MASKER_CUT) != 0)
        shape->hash = absorb_mark(shape->hash, TAG_CUT);
}

static void take_semicolon(struct shape *shape)
{
    if (shape->has_semicolon)
        shape->hash = absorb_mark(shape->hash, TOKEN_SEMICOLON);
    shape->has_semicolon = false;
}

__attribute__((always_inline)) static inline void take_token(struct shape *shape, const struct token *token)
{
    char sign = shape->masker.sign;
    unsigned parts = masker_take(&shape->masker, token);
    if (parts == 0)
        return;
    take_semicolon(shape);
    if ((parts & ~(unsigned)(MASKER_TOKEN | MASKER_LITERAL)) != 0)
        take_parts(shape, parts, sign);
    if ((parts & MASKER_LITERAL) != 0)
        shape->hash = absorb_operator(shape->hash, '?');
    if (token->kind == TOKEN_SEMICOLON)
        shape->has_semicolon = true;
    else if ((parts & MASKER_TOKEN) != 0)
        shape->hash = absorb_token(shape->hash, token);
}

/* One that does not come often: not worth its code in another place. */
__attribute__((noinline)) static void take_rare(struct shape *shape, const struct token *token)
{
    take_token(shape, token);
}

void shape_begin(struct shape *shape, struct lexer_reading reading)
{
    shape->hash = shape->begin = seed;
    shape->has_semicolon = false;
    masker_begin(&shape->masker);
    readings_begin(&shape->readings, reading);
}

void shape_feed(struct shape *shape, struct bytes piece)
{
    struct token token;
    while (piece.size > 0) {
        struct bytes clear = readings_clear(&shape->readings, &piece);
        while (lexer_next(&shape->readings.lexers[0], &clear, &token) == LEXER_TOKEN)
            take_token(shape, &token);
        while (readings_next(&shape->readings, &piece, &token) == LEXER_TOKEN)
            take_rare(shape, &token);
    }
}

uint64_t shape_end(struct shape *shape)
{
    struct token token;
    while (readings_finish(&shape->readings, &token))
        take_rare(shape, &token);
    unsigned parts = masker_end(&shape->masker);
    if (parts != 0)
        take_parts(shape, parts, shape->masker.sign);
    uint64_t hash = multiply_folded(shape->hash ^ last, second);
    return hash != 0 ? hash : 1;
}

uint64_t shape_sql(struct bytes sql, struct lexer_reading reading)
{
    struct shape shape;
    shape_begin(&shape, reading);
    shape_feed(&shape, sql);
    return shape_end(&shape);
}

void shape_text(uint64_t shape, char out[SHAPE_TEXT_SIZE])
{
    struct text text;
    text_init(&text, out, SHAPE_TEXT_SIZE);
    text_append_format(&text, "m:%016llx", (unsigned long long)shape);
}
