/* SPDX-License-Identifier: PostgreSQL */
#include "sql/mask.h"

#include "sql/masker.h"
#include "sql/readings.h"

/* A text that has been written as far as `out` goes. */
struct mask {
    struct masker masker;
    struct bytes sql;
    struct text *out;
    size_t start;      /* of what is written here */
    struct text begin; /* how `out` stood before the words that may have to be taken back */
    bool has_held_gap; /* white space stood before the literal and the sign that are held back */
    bool has_sign_gap;
};

static void write_gap(struct mask *mask, bool has_gap)
{
    if (has_gap && mask->out->size > mask->start)
        text_append_byte(mask->out, ' ');
}

static void write_command(struct mask *mask)
{
    *mask->out = mask->begin;
    mask->out->data[mask->out->size] = '\0';
    write_gap(mask, true);
    text_append_string(mask->out, mask->masker.command->name);
}

static void write_held(struct mask *mask, unsigned parts, char sign)
{
    if ((parts & MASKER_COMMA) != 0)
        text_append_byte(mask->out, ',');
    if ((parts & MASKER_HELD) != 0) {
        write_gap(mask, mask->has_held_gap);
        text_append_byte(mask->out, '?');
    }
    if ((parts & MASKER_SIGN) != 0) {
        write_gap(mask, mask->has_sign_gap);
        text_append_byte(mask->out, sign);
    }
}

static void write_end(struct mask *mask, unsigned parts)
{
    if ((parts & MASKER_COMMAND) != 0)
        write_command(mask);
    write_held(mask, parts, mask->masker.sign);
}

static struct bytes token_bytes(const struct mask *mask, const struct token *token)
{
    return bytes_of(mask->sql.data + token->start, (size_t)(token->end - token->start));
}

static void write_token(struct mask *mask, const struct token *token)
{
    char sign = mask->masker.sign;
    unsigned held = mask->masker.held;
    bool has_gap = token->start > mask->masker.end;
    unsigned parts = masker_take(&mask->masker, token);
    unsigned newly_held = mask->masker.held & ~held;
    if ((parts & MASKER_COMMAND) != 0)
        write_command(mask);
    if ((parts & MASKER_BEGIN) != 0)
        mask->begin = *mask->out;
    write_held(mask, parts, sign);
    if ((held & ~parts & MASKER_SIGN) != 0) /* it has become part of the number */
        has_gap |= mask->has_sign_gap;
    mask->has_held_gap = (newly_held & MASKER_HELD) != 0 ? has_gap : mask->has_held_gap;
    mask->has_sign_gap = (newly_held & MASKER_SIGN) != 0 ? has_gap : mask->has_sign_gap;
    if ((parts & (MASKER_TOKEN | MASKER_LITERAL)) != 0)
        write_gap(mask, has_gap);
    if ((parts & MASKER_TOKEN) != 0)
        text_append_printable(mask->out, token_bytes(mask, token));
    if ((parts & MASKER_LITERAL) != 0)
        text_append_byte(mask->out, '?');
    if ((parts & MASKER_CUT) != 0)
        text_append_string(mask->out, mask->out->size > mask->start ? " ..." : "...");
}

void mask_sql(struct bytes sql, struct lexer_reading reading, struct text *out)
{
    struct mask mask = { .sql = sql, .out = out, .start = out->size };
    struct readings readings;
    struct token token;
    masker_begin(&mask.masker);
    readings_begin(&readings, reading);
    while (sql.size > 0) {
        struct bytes clear = readings_clear(&readings, &sql);
        while (lexer_next(&readings.lexers[0], &clear, &token) == LEXER_TOKEN)
            write_token(&mask, &token);
        while (readings_next(&readings, &sql, &token) == LEXER_TOKEN)
            write_token(&mask, &token);
    }
    while (readings_finish(&readings, &token))
        write_token(&mask, &token);
    write_end(&mask, masker_end(&mask.masker));
}
