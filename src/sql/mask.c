/* SPDX-License-Identifier: PostgreSQL */
#include "sql/mask.h"

#include "sql/mask_form.h"
#include "sql/token_walk.h"

/* What has been written so far, as far as the next token depends on it. */
struct masker {
    struct text *out;
    enum mask_form form;
    bool has_output;
    uint64_t end;         /* of the last token */
    bool has_comma;       /* one is held back */
    bool has_literal;     /* and a literal behind it */
    bool has_literal_gap; /* with a blank between */
    bool was_element;     /* the last thing written is a ? that nothing was applied to */
    bool was_operator;    /* the last token */
    bool was_number;
    bool at_start;     /* of a statement */
    bool is_secret;    /* nothing is written before the next semicolon */
    uint32_t depth;    /* of parentheses */
    bool is_in_values; /* behind VALUES and its rows */
    uint32_t values_depth;
    bool is_in_row; /* a further row: nothing is written before its end */
};

static void write_gap(struct masker *masker, const struct token *token)
{
    bool has_gap = masker->form == MASK_CANONICAL || token->start > masker->end;
    if (masker->has_output && has_gap)
        text_append_byte(masker->out, ' ');
    masker->has_output = true;
    masker->was_element = false;
}

/* Writes what was held back: a comma, and the literal behind it that turned out to begin something longer. */
static void write_held(struct masker *masker)
{
    bool is_canonical = masker->form == MASK_CANONICAL;
    if (masker->has_comma)
        text_append_string(masker->out, is_canonical ? " ," : ",");
    if (masker->has_literal)
        text_append_string(masker->out, is_canonical || masker->has_literal_gap ? " ?" : "?");
    masker->has_comma = masker->has_literal = false;
}

/* A literal that is alone between commas or parentheses says no more than the one before it. */
static void drop_held(struct masker *masker)
{
    if (masker->has_literal)
        masker->has_comma = masker->has_literal = false;
}

static void write_literal(struct masker *masker, const struct token *token)
{
    if (masker->has_comma && masker->was_element && !masker->has_literal) {
        masker->has_literal = true;
        masker->has_literal_gap = token->start > masker->end;
        return;
    }
    bool is_element = !masker->was_operator;
    write_held(masker);
    write_gap(masker, token);
    text_append_byte(masker->out, '?');
    masker->was_element = is_element;
}

static void write_token(struct masker *masker, const struct token_walk *walk, const struct token *token)
{
    write_held(masker);
    write_gap(masker, token);
    bool is_folded = masker->form == MASK_CANONICAL && token->kind == TOKEN_WORD && !token->is_word_cut;
    text_append_printable(masker->out, is_folded ? bytes_of(token->word, token->word_size)
                                                 : token_walk_bytes(walk, token));
}

/* Further rows of VALUES are left out. */
static bool take_values(struct masker *masker, const struct token *token)
{
    if (masker->is_in_row) {
        masker->is_in_row = !(token->kind == TOKEN_CLOSE && masker->depth == masker->values_depth + 1);
        return true;
    }
    bool is_outside = masker->is_in_values && masker->depth == masker->values_depth;
    if (is_outside && masker->has_comma && token->kind == TOKEN_OPEN) {
        masker->has_comma = false;
        masker->is_in_row = true;
        return true;
    }
    if (is_outside && token->kind != TOKEN_OPEN && token->kind != TOKEN_COMMA)
        masker->is_in_values = false;
    if (token_is_word(token, "values")) {
        masker->is_in_values = true;
        masker->values_depth = masker->depth;
    }
    return false;
}

/* Letters right behind a number are no name: the text is broken there, and they may belong to a value. */
static bool is_junk(const struct masker *masker, const struct token *token)
{
    return token->kind == TOKEN_WORD && masker->was_number && token->start == masker->end;
}

static void take_token(struct masker *masker, const struct token_walk *walk, const struct token *token)
{
    if (take_values(masker, token) || is_junk(masker, token))
        return;
    switch (token->kind) {
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        write_literal(masker, token);
        break;
    case TOKEN_COMMA:
        drop_held(masker);
        write_held(masker);
        masker->has_comma = true;
        break;
    case TOKEN_CLOSE:
        drop_held(masker);
        write_token(masker, walk, token);
        break;
    default:
        write_token(masker, walk, token);
        break;
    }
    masker->was_operator = token->kind == TOKEN_OPERATOR;
    masker->was_number = token->kind == TOKEN_NUMBER;
}

static bool take_secret(struct masker *masker, const struct token_walk *walk, const struct token *token)
{
    const struct command *command = masker->at_start ? token_walk_command(*walk, token) : NULL;
    masker->at_start = false;
    if (command == NULL || command->privacy != PRIVACY_SECRET)
        return masker->is_secret;
    masker->is_secret = true;
    write_gap(masker, token);
    text_append_string(masker->out, command->name);
    return true;
}

static void mask_token(struct masker *masker, const struct token_walk *walk, const struct token *token)
{
    if (token->kind == TOKEN_SEMICOLON) {
        drop_held(masker);
        write_token(masker, walk, token);
        masker->at_start = true;
        masker->is_secret = masker->is_in_values = masker->is_in_row = false;
        masker->depth = 0;
    } else if (!take_secret(masker, walk, token)) {
        take_token(masker, walk, token);
        masker->depth += token->kind == TOKEN_OPEN ? 1 : 0;
        masker->depth -= token->kind == TOKEN_CLOSE && masker->depth > 0 ? 1 : 0;
    }
    masker->end = token->end;
}

/* The readings in which the text may be meant. */
struct readings {
    struct token_walk walks[4];
    size_t count;
};

static void readings_begin(struct readings *readings, struct bytes sql, struct lexer_reading reading)
{
    bool has_backslash = bytes_find(sql, '\\') < sql.size;
    readings->count = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct lexer_reading other = reading;
        other.has_standard_strings ^= (i & 1) != 0;
        other.has_unsafe_encoding ^= (i & 2) != 0;
        bool may_be = (i & 1) == 0 || has_backslash;
        may_be &= (i & 2) == 0 || reading.has_unsafe_encoding;
        if (may_be)
            token_walk_begin(&readings->walks[readings->count++], sql, other);
    }
}

/* The next token in all readings; false at the end. Where they part, *are_parted. */
static bool readings_next(struct readings *readings, struct token *out, bool *are_parted)
{
    bool has_token = token_walk_next_word(&readings->walks[0], out);
    for (size_t i = 1; i < readings->count; i++) {
        struct token other;
        bool has_other = token_walk_next_word(&readings->walks[i], &other);
        *are_parted |=
            has_other != has_token ||
            (has_token && (other.kind != out->kind || other.start != out->start || other.end != out->end));
    }
    return has_token || *are_parted;
}

static void write_cut(struct masker *masker)
{
    write_held(masker);
    text_append_string(masker->out, masker->has_output ? " ..." : "...");
}

void mask_form_sql(struct bytes sql, struct lexer_reading reading, enum mask_form form, struct text *out)
{
    struct readings readings;
    struct token token;
    struct masker masker = { .out = out, .form = form, .at_start = true };
    bool are_parted = false;
    readings_begin(&readings, sql, reading);
    while (readings_next(&readings, &token, &are_parted)) {
        if (are_parted || token.kind == TOKEN_UNTERMINATED) {
            write_cut(&masker);
            return;
        }
        mask_token(&masker, &readings.walks[0], &token);
    }
    drop_held(&masker);
    write_held(&masker);
}

void mask_sql(struct bytes sql, struct lexer_reading reading, struct text *out)
{
    mask_form_sql(sql, reading, MASK_SHOWN, out);
}
