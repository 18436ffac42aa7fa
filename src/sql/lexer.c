/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer.h"

#include "sql/byte_block.h"
#include "sql/lexer_step.h"

/* In an unsafe encoding the byte behind a high one belongs to the same character: the server, which reads the
 * text converted, sees a letter there. */
static const uint8_t trail_kinds[256] = { BYTE_LETTER };

typedef enum step (*step_function)(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out);

static const step_function steps[] = {
#define STATE(symbol, function) function,
    LEXER_STATES(STATE)
#undef STATE
};

void lexer_init(struct lexer *lexer, struct lexer_reading reading)
{
    *lexer = (struct lexer){ .reading = reading, .state = STATE_START };
}

void lexer_reread(struct lexer *lexer, bool has_standard_strings)
{
    lexer->reading.has_standard_strings = has_standard_strings;
}

void lexer_word_copy(const struct lexer *lexer, size_t size, bool is_cut, struct token *out)
{
    memcpy(out->word, lexer->word, size);
    out->word[size] = '\0';
    out->word_size = (uint8_t)size;
    out->is_word_cut = is_cut;
}

enum step lexer_emit(struct lexer *lexer, enum token_kind kind, uint64_t end, struct token *out)
{
    out->kind = kind;
    out->start = lexer->start;
    out->end = end;
    out->word_size = 0;
    out->is_word_cut = false;
    out->is_unicode = false;
    out->word[0] = '\0';
    lexer->state = STATE_START;
    if (kind == TOKEN_STRING)
        out->is_unicode = lexer->is_unicode;
    if (kind == TOKEN_WORD || kind == TOKEN_QUOTED_NAME || kind == TOKEN_PARAMETER) {
        out->is_unicode = lexer->is_unicode;
        lexer_word_copy(lexer, lexer->word_size, lexer->is_word_cut, out);
    }
    return STEP_EMIT;
}

enum step lexer_emit_operator(struct lexer *lexer, const char *text, struct token *out)
{
    size_t size = strlen(text);
    lexer_emit(lexer, TOKEN_OPERATOR, lexer->start + size, out);
    memcpy(out->word, text, size + 1);
    out->word_size = (uint8_t)size;
    return STEP_EMIT;
}

void lexer_word_begin(struct lexer *lexer, uint64_t start)
{
    lexer->start = start;
    lexer->word_size = 0;
    lexer->is_word_cut = false;
    lexer->is_unicode = false;
    lexer->state = STATE_WORD;
}

static size_t count_space(const struct lexer *lexer, struct bytes input)
{
    size_t size = 0;
    while (size < input.size && lexer_is_space(lexer, lexer_byte_kinds[input.data[size]]))
        size++;
    return size;
}

/* Copies the word at the front of `input`, folded, behind `size` bytes of `word`; returns its size in the
 * input. */
static size_t fold_word(const uint8_t *kinds, struct bytes input, char *word, size_t *size)
{
    size_t taken = 0;
    size_t kept = *size;
    size_t most = input.size < LEXER_WORD_SIZE - 1 - kept ? input.size : LEXER_WORD_SIZE - 1 - kept;
    while (taken < most && kinds[input.data[taken]] <= BYTE_DOLLAR)
        word[kept++] = (char)byte_folded(input.data[taken++]);
    *size = kept;
    while (taken < input.size && kinds[input.data[taken]] <= BYTE_DOLLAR)
        taken++;
    return taken;
}

static size_t take_word(struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    size_t before = lexer->word_size;
    size_t size = before;
    size_t taken = fold_word(kinds, input, lexer->word, &size);
    lexer->word_size = (uint8_t)size;
    lexer->is_word_cut |= taken > size - before;
    return taken;
}

/* The second byte of a character, which may look like a backslash but never like a quote, comes alone. */
static size_t count_string(const struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    if (!lexer_has_escapes(lexer) || kinds != lexer_byte_kinds)
        return bytes_find(input, '\'');
    return byte_block_find_either(input, '\'', '\\');
}

static size_t count_block_comment(struct lexer *lexer, struct bytes input)
{
    size_t size = byte_block_find_either(input, '*', '/');
    if (size > 0)
        lexer->last = 0;
    return size;
}

/* How many bytes at the front of `input` leave the state as it is: the loops in which the time goes. */
static size_t count_run(struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    switch (lexer->state) {
    case STATE_START:
        return kinds == lexer_byte_kinds ? count_space(lexer, input) : 0;
    case STATE_WORD:
        return take_word(lexer, kinds, input);
    case STATE_STRING:
        return count_string(lexer, kinds, input);
    case STATE_DOLLAR_STRING:
        return lexer->depth == 0 ? bytes_find(input, '$') : 0;
    case STATE_LINE_COMMENT:
    case STATE_STRING_COMMENT:
        return byte_block_find_either(input, '\n', '\r');
    case STATE_BLOCK_COMMENT:
        return count_block_comment(lexer, input);
    case STATE_LOST:
        return input.size;
    default:
        return 0;
    }
}

static void lexer_take(struct lexer *lexer, struct bytes *input, size_t size)
{
    bytes_take(input, size);
    lexer->offset += size;
}

static enum lexer_result advance(struct lexer *lexer, const uint8_t *kinds, struct bytes *input,
                                 struct token *out)
{
    for (;;) {
        lexer_take(lexer, input, count_run(lexer, kinds, *input));
        if (input->size == 0)
            return LEXER_STARVED;
        uint8_t byte = input->data[0];
        enum step step = steps[lexer->state](lexer, byte, kinds[byte], out);
        if (step == STEP_TAKE || step == STEP_EMIT_TAKE)
            lexer_take(lexer, input, 1);
        if (step == STEP_EMIT || step == STEP_EMIT_TAKE)
            return LEXER_TOKEN;
    }
}

/* Byte by byte: whether a byte is a trail byte depends on the one before. */
static enum lexer_result advance_unsafe(struct lexer *lexer, struct bytes *input, struct token *out)
{
    while (input->size > 0) {
        uint8_t byte = input->data[0];
        struct bytes one = { input->data, 1 };
        bool is_trail = lexer->was_high && byte >= 0x40 && byte <= 0x7e;
        enum lexer_result result = advance(lexer, is_trail ? trail_kinds : lexer_byte_kinds, &one, out);
        if (one.size == 0) {
            lexer->was_high = byte >= 0x80;
            bytes_take(input, 1);
        }
        if (result == LEXER_TOKEN)
            return LEXER_TOKEN;
    }
    return LEXER_STARVED;
}

static bool take_queued(struct lexer *lexer, struct token *out)
{
    uint8_t state = lexer->state;
    uint64_t start = lexer->start;
    if (lexer->signs_queued > 0) {
        lexer_emit_sign(lexer, out);
    } else if (lexer->queued == QUEUE_COMMENT) {
        lexer->start = lexer->comment_start;
        lexer_emit(lexer, TOKEN_COMMENT, lexer->comment_end, out);
        lexer->queued = QUEUE_NONE;
    } else if (lexer->queued == QUEUE_MARK) {
        lexer->start = lexer->end;
        lexer_emit(lexer, TOKEN_NONE, lexer->end + 1, out);
        out->kind = TOKEN_WORD;
        memcpy(out->word, "e", sizeof("e"));
        out->word_size = 1;
        lexer->queued = QUEUE_NONE;
    } else {
        return false;
    }
    lexer->state = state;
    lexer->start = start;
    return true;
}

enum lexer_result lexer_next_by_steps(struct lexer *lexer, struct bytes *input, struct token *out)
{
    if ((lexer->signs_queued > 0 || lexer->queued != QUEUE_NONE) && take_queued(lexer, out))
        return LEXER_TOKEN;
    if (lexer->reading.has_unsafe_encoding)
        return advance_unsafe(lexer, input, out);
    return advance(lexer, lexer_byte_kinds, input, out);
}

bool lexer_finish(struct lexer *lexer, struct token *out)
{
    if (take_queued(lexer, out))
        return true;
    while (lexer->state != STATE_START) {
        enum step step = steps[lexer->state](lexer, 0, BYTE_END, out);
        if (step == STEP_EMIT || step == STEP_EMIT_TAKE)
            return true;
    }
    return false;
}

static bool is_between(const struct lexer *lexer)
{
    return lexer->state == STATE_START && lexer->queued == QUEUE_NONE && lexer->signs_queued == 0;
}

bool lexer_is_like(const struct lexer *lexer, const struct lexer *other)
{
    if (lexer->offset != other->offset || lexer->was_high != other->was_high)
        return false;
    if (is_between(lexer) && is_between(other))
        return true;
#define SAME(field) (lexer->field == other->field)
    return SAME(state) && SAME(queued) && SAME(string_form) && SAME(last) && SAME(radix) &&
           SAME(has_special_operator) && SAME(has_newline) && SAME(is_word_cut) && SAME(is_unicode) &&
           SAME(depth) && SAME(start) && SAME(end) && SAME(comment_start) && SAME(comment_end) &&
           SAME(operator_size) && SAME(signs) && SAME(signs_before) && SAME(signs_queued) &&
           SAME(signs_start) && SAME(word_size) && memcmp(lexer->word, other->word, lexer->word_size) == 0;
#undef SAME
}

bool lexer_is_open(const struct lexer *lexer, uint64_t *start)
{
    *start = lexer->start;
    return lexer->state != STATE_START;
}
