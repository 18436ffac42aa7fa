/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer.h"

#include "sql/lexer_step.h"

/* One letter a kind, so that the table below can be read. */
enum {
    L = BYTE_LETTER,
    D = BYTE_DIGIT,
    M = BYTE_DOLLAR,
    S = BYTE_SPACE,
    N = BYTE_NEWLINE,
    V = BYTE_VERTICAL_TAB,
    Q = BYTE_QUOTE,
    W = BYTE_DOUBLE_QUOTE,
    B = BYTE_BACKSLASH,
    R = BYTE_OPERATOR,
    P = BYTE_DOT,
    C = BYTE_COLON,
    K = BYTE_COMMA,
    O = BYTE_OPEN,
    E = BYTE_CLOSE,
    Z = BYTE_SEMICOLON,
    X = BYTE_OTHER,
};

/* clang-format off */
static const uint8_t byte_kinds[256] = {
    X, X, X, X, X, X, X, X, X, S, N, V, S, N, X, X, /* 00 */
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 10 */
    S, R, W, R, M, R, R, Q, O, E, R, R, K, R, P, R, /* 20 */
    D, D, D, D, D, D, D, D, D, D, C, Z, R, R, R, R, /* 30 */
    R, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 40 */
    L, L, L, L, L, L, L, L, L, L, L, X, B, X, R, L, /* 50 */
    R, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 60 */
    L, L, L, L, L, L, L, L, L, L, L, X, R, X, R, X, /* 70 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 80 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 90 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* A0 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* B0 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* C0 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* D0 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* E0 */
    L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* F0 */
};
/* clang-format on */

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
    if (kind == TOKEN_WORD || kind == TOKEN_QUOTED_NAME) {
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
    while (size < input.size && lexer_is_space(lexer, byte_kinds[input.data[size]]))
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

static size_t count_string(const struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    if (!lexer_has_escapes(lexer))
        return bytes_find(input, '\'');
    size_t size = 0;
    while (size < input.size && kinds[input.data[size]] != BYTE_QUOTE &&
           kinds[input.data[size]] != BYTE_BACKSLASH)
        size++;
    return size;
}

static size_t count_block_comment(struct lexer *lexer, struct bytes input)
{
    size_t size = 0;
    while (size < input.size && input.data[size] != '*' && input.data[size] != '/')
        size++;
    if (size > 0)
        lexer->last = 0;
    return size;
}

static size_t count_line(struct bytes input)
{
    size_t size = 0;
    while (size < input.size && input.data[size] != '\n' && input.data[size] != '\r')
        size++;
    return size;
}

/* How many bytes at the front of `input` leave the state as it is: the loops in which the time goes. */
static size_t count_run(struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    switch (lexer->state) {
    case STATE_START:
        return kinds == byte_kinds ? count_space(lexer, input) : 0;
    case STATE_WORD:
        return take_word(lexer, kinds, input);
    case STATE_STRING:
        return count_string(lexer, kinds, input);
    case STATE_DOLLAR_STRING:
        return lexer->depth == 0 ? bytes_find(input, '$') : 0;
    case STATE_LINE_COMMENT:
    case STATE_STRING_COMMENT:
        return count_line(input);
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

static void emit_whole(struct lexer *lexer, enum token_kind kind, struct bytes *input, size_t size,
                       struct token *out)
{
    out->kind = kind;
    out->start = lexer->start = lexer->offset;
    lexer_take(lexer, input, size);
    out->end = lexer->offset;
    out->is_unicode = false;
}

/* How many bytes the token at the front has if it is a single character whatever follows, or a number, an
 * operator or a string that the byte behind it ends for certain; 0 where only the steps can tell. */
static size_t measure_whole(const struct lexer *lexer, const uint8_t *kinds, struct bytes input)
{
    size_t size = 1;
    switch (kinds[input.data[0]]) {
    case BYTE_COMMA:
    case BYTE_OPEN:
    case BYTE_CLOSE:
    case BYTE_SEMICOLON:
        return 1;
    case BYTE_DOT:
        return input.size > 1 && kinds[input.data[1]] == BYTE_LETTER ? 1 : 0;
    case BYTE_OPERATOR:
        return input.size > 1 && kinds[input.data[1]] != BYTE_OPERATOR ? 1 : 0;
    case BYTE_DIGIT:
        while (size < input.size && kinds[input.data[size]] == BYTE_DIGIT)
            size++;
        break;
    case BYTE_QUOTE:
        if (!lexer->reading.has_standard_strings)
            return 0;
        size += bytes_find(bytes_of(input.data + 1, input.size - 1), '\'') + 1;
        break;
    default:
        return 0;
    }
    uint8_t behind = size < input.size ? kinds[input.data[size]] : BYTE_OTHER;
    bool is_blank = kinds[input.data[0]] == BYTE_DIGIT && (behind == BYTE_SPACE || behind == BYTE_NEWLINE);
    return is_blank || (behind >= BYTE_COMMA && behind <= BYTE_SEMICOLON) ? size : 0;
}

static bool take_whole_word(struct lexer *lexer, const uint8_t *kinds, struct bytes *input, struct token *out)
{
    size_t size = 0;
    size_t taken = fold_word(kinds, *input, out->word, &size);
    if (taken == 1 || taken == input->size)
        return false;
    emit_whole(lexer, TOKEN_WORD, input, taken, out);
    out->is_word_cut = taken > size;
    out->word_size = (uint8_t)size;
    out->word[size] = '\0';
    return true;
}

/* The most frequent tokens, where they lie whole in the input with a byte behind: the same as by steps, but
 * quicker. A word of one letter may be a prefix and is left to the steps. */
static bool take_whole(struct lexer *lexer, const uint8_t *kinds, struct bytes *input, struct token *out)
{
    static const uint8_t token_kinds[] = {
        [BYTE_DOT] = TOKEN_DOT,      [BYTE_OPERATOR] = TOKEN_OPERATOR,   [BYTE_DIGIT] = TOKEN_NUMBER,
        [BYTE_QUOTE] = TOKEN_STRING, [BYTE_COMMA] = TOKEN_COMMA,         [BYTE_OPEN] = TOKEN_OPEN,
        [BYTE_CLOSE] = TOKEN_CLOSE,  [BYTE_SEMICOLON] = TOKEN_SEMICOLON,
    };
    uint8_t byte = input->data[0];
    uint8_t kind = kinds[byte];
    if (kind == BYTE_LETTER)
        return take_whole_word(lexer, kinds, input, out);
    size_t size = measure_whole(lexer, kinds, *input);
    if (size == 0)
        return false;
    emit_whole(lexer, (enum token_kind)token_kinds[kind], input, size, out);
    out->is_word_cut = false;
    out->word_size = kind == BYTE_OPERATOR ? 1 : 0;
    out->word[0] = (char)byte;
    out->word[out->word_size] = '\0';
    return true;
}

static enum lexer_result advance(struct lexer *lexer, const uint8_t *kinds, struct bytes *input,
                                 struct token *out)
{
    for (;;) {
        lexer_take(lexer, input, count_run(lexer, kinds, *input));
        if (input->size == 0)
            return LEXER_STARVED;
        if (lexer->state == STATE_START && take_whole(lexer, kinds, input, out))
            return LEXER_TOKEN;
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
        enum lexer_result result = advance(lexer, is_trail ? trail_kinds : byte_kinds, &one, out);
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

enum lexer_result lexer_next(struct lexer *lexer, struct bytes *input, struct token *out)
{
    if ((lexer->signs_queued > 0 || lexer->queued != QUEUE_NONE) && take_queued(lexer, out))
        return LEXER_TOKEN;
    if (lexer->reading.has_unsafe_encoding)
        return advance_unsafe(lexer, input, out);
    return advance(lexer, byte_kinds, input, out);
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

bool lexer_is_open(const struct lexer *lexer, uint64_t *start)
{
    *start = lexer->start;
    return lexer->state != STATE_START;
}
