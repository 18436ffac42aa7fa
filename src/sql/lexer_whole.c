/* SPDX-License-Identifier: PostgreSQL */
#include "sql/byte_block.h"
#include "sql/lexer_step.h"

/* Tokens that the input holds whole, with the byte that shows their end: the same as by steps, but quicker.
 * The short ones, which are nearly all, are taken without a call, a table of functions or a loop over their
 * bytes: a jump that the processor guesses wrong costs more than the token. */

/* What a take_* may read from the token's first byte on without looking at the end: a block and some. */
enum { ROOM = 20, ROOM_FOR_TWO = 2 * ROOM };

/* Each take_* takes the token that begins at `at` and fills *out but for its start and end. It returns where
 * the token ends, or NULL where others have to tell. */

static inline const uint8_t *take(struct token *out, enum token_kind kind, size_t word_size,
                                  const uint8_t *behind)
{
    out->kind = kind;
    out->word_size = (uint8_t)word_size;
    out->is_word_cut = false;
    out->is_unicode = false;
    out->word[word_size] = '\0';
    return behind;
}

static inline bool is_blank(uint8_t byte)
{
    uint8_t kind = lexer_byte_kinds[byte];
    return kind == BYTE_SPACE || kind == BYTE_NEWLINE;
}

/* A word of one letter may be the prefix of a string. */
static inline const uint8_t *take_word(const uint8_t *at, const uint8_t *end, struct token *out)
{
    struct byte_block block = byte_block_load(at);
    size_t size = byte_block_run(byte_block_words(block));
    byte_block_fold(block, out->word);
    if (size == BYTE_BLOCK_SIZE) {
        if (end - at < ROOM_FOR_TWO)
            return NULL;
        block = byte_block_load(at + BYTE_BLOCK_SIZE);
        size += byte_block_run(byte_block_words(block));
        byte_block_fold(block, out->word + BYTE_BLOCK_SIZE);
    }
    if (size == 2 * BYTE_BLOCK_SIZE || (size == 1 && (at[1] == '\'' || at[1] == '&')))
        return NULL;
    return take(out, TOKEN_WORD, size, at + size);
}

static inline size_t count_digits(const uint8_t *at)
{
    return byte_block_run(byte_block_digits(byte_block_load(at)));
}

static inline const uint8_t *take_number(const uint8_t *at, const uint8_t *end, struct token *out)
{
    size_t size = count_digits(at);
    uint8_t behind = lexer_byte_kinds[at[size]];
    if (behind == BYTE_DOT) {
        if (end - at < ROOM_FOR_TWO)
            return NULL;
        size_t digits = count_digits(at + size + 1);
        size += 1 + digits;
        behind = digits > 0 ? lexer_byte_kinds[at[size]] : (uint8_t)BYTE_DOT;
    }
    if (behind == BYTE_LETTER || behind == BYTE_DIGIT || behind == BYTE_DOT)
        return NULL;
    return take(out, TOKEN_NUMBER, 0, at + size);
}

static inline const uint8_t *take_parameter(const uint8_t *at, struct token *out)
{
    struct byte_block block = byte_block_load(at + 1);
    size_t digits = byte_block_run(byte_block_digits(block));
    if (digits == 0 || digits == BYTE_BLOCK_SIZE)
        return NULL;
    memcpy(out->word, &block, sizeof(block));
    return take(out, TOKEN_PARAMETER, digits, at + 1 + digits);
}

/* Behind white space another quote or a comment may carry the string on. */
static inline const uint8_t *take_string(const uint8_t *at, const uint8_t *end, struct token *out)
{
    uint32_t quotes = byte_block_equal(byte_block_load(at + 1), '\'');
    if (quotes == 0 && end - at >= ROOM_FOR_TWO)
        quotes = byte_block_equal(byte_block_load(at + 1 + BYTE_BLOCK_SIZE), '\'') << BYTE_BLOCK_SIZE;
    if (quotes == 0)
        return NULL;
    const uint8_t *behind = at + 2 + __builtin_ctz(quotes);
    uint8_t kind = lexer_byte_kinds[behind[*behind == ' ' ? 1 : 0]];
    bool is_ended = kind == BYTE_LETTER || (kind >= BYTE_COMMA && kind <= BYTE_SEMICOLON);
    return is_ended ? take(out, TOKEN_STRING, 0, behind) : NULL;
}

static inline const uint8_t *take_name(const uint8_t *at, struct token *out)
{
    struct byte_block block = byte_block_load(at + 1);
    size_t size = byte_block_first(byte_block_equal(block, '"'));
    if (size == BYTE_BLOCK_SIZE || at[size + 2] == '"')
        return NULL;
    memcpy(out->word, &block, sizeof(block));
    return take(out, TOKEN_QUOTED_NAME, size, at + size + 2);
}

/* Up to two characters, and none that may be a comment or have to be parted. */
static inline const uint8_t *take_operator(const uint8_t *at, struct token *out)
{
    bool is_pair = lexer_byte_kinds[at[1]] == BYTE_OPERATOR;
    if (is_pair && (lexer_byte_kinds[at[2]] == BYTE_OPERATOR || at[1] == '+' || at[1] == '-' || at[1] == '*'))
        return NULL;
    size_t size = is_pair ? 2 : 1;
    memcpy(out->word, at, 2);
    return take(out, TOKEN_OPERATOR, size, at + size);
}

static inline const uint8_t *take_colon(const uint8_t *at, struct token *out)
{
    size_t size = at[1] == ':' || at[1] == '=' ? 2 : 1;
    memcpy(out->word, at, 2);
    return take(out, TOKEN_OPERATOR, size, at + size);
}

static inline const uint8_t *take_dot(const uint8_t *at, struct token *out)
{
    uint8_t behind = lexer_byte_kinds[at[1]];
    return behind == BYTE_DIGIT || behind == BYTE_DOT ? NULL : take(out, TOKEN_DOT, 0, at + 1);
}

_Static_assert(TOKEN_SEMICOLON - TOKEN_COMMA == BYTE_SEMICOLON - BYTE_COMMA, "the same order in both");

/* In the order of their frequency. */
__attribute__((always_inline)) static inline const uint8_t *take_short(const uint8_t *at, const uint8_t *end,
                                                                       struct token *out)
{
    uint8_t kind = lexer_byte_kinds[*at];
    if (kind == BYTE_LETTER)
        return take_word(at, end, out);
    if (kind >= BYTE_COMMA && kind <= BYTE_SEMICOLON)
        return take(out, (enum token_kind)(kind - BYTE_COMMA + TOKEN_COMMA), 0, at + 1);
    if (kind == BYTE_DIGIT)
        return take_number(at, end, out);
    if (*at == '.')
        return take_dot(at, out);
    if (*at == '"')
        return take_name(at, out);
    if (*at == '\'')
        return take_string(at, end, out);
    if (kind == BYTE_OPERATOR)
        return take_operator(at, out);
    if (*at == ':')
        return take_colon(at, out);
    return *at == '$' ? take_parameter(at, out) : NULL;
}

static const uint8_t *take_long_word(const uint8_t *at, const uint8_t *end, struct token *out)
{
    size_t size = 0;
    while (at + size < end && lexer_byte_kinds[at[size]] <= BYTE_DOLLAR) {
        if (size == LEXER_WORD_SIZE - 1)
            return NULL;
        out->word[size] = (char)byte_folded(at[size]);
        size++;
    }
    return size > 1 ? take(out, TOKEN_WORD, size, at + size) : NULL;
}

static const uint8_t *take_long_name(const uint8_t *at, const uint8_t *end, struct token *out)
{
    struct bytes inside = bytes_of(at + 1, (size_t)(end - at) - 1);
    if (inside.size > LEXER_WORD_SIZE - 1)
        inside.size = LEXER_WORD_SIZE - 1;
    size_t size = bytes_find(inside, '"');
    const uint8_t *behind = inside.data + size + 1;
    if (size == inside.size || behind >= end || *behind == '"')
        return NULL;
    memcpy(out->word, inside.data, size);
    return take(out, TOKEN_QUOTED_NAME, size, behind);
}

/* Behind the string's last quote, or `end`. */
static const uint8_t *find_string_end(const uint8_t *at, const uint8_t *end)
{
    do {
        at += 1;
        at += bytes_find(bytes_of(at, (size_t)(end - at)), '\'');
        at += at < end ? 1 : 0;
    } while (at < end && *at == '\'');
    return at;
}

/* A backslash in it may be an escape. */
static const uint8_t *take_long_string(const struct lexer *lexer, const uint8_t *at, const uint8_t *end,
                                       struct token *out)
{
    const uint8_t *behind = find_string_end(at, end);
    const uint8_t *next = behind;
    while (next < end && is_blank(*next))
        next++;
    if (next == end || *next == '\'' || *next == '-' || *next == '\v')
        return NULL;
    struct bytes string = bytes_of(at, (size_t)(behind - at));
    if (!lexer->reading.has_standard_strings && bytes_find(string, '\\') < string.size)
        return NULL;
    return take(out, TOKEN_STRING, 0, behind);
}

static const uint8_t *take_line_comment(const uint8_t *at, const uint8_t *end, struct token *out)
{
    size_t size = byte_block_find_either(bytes_of(at, (size_t)(end - at)), '\n', '\r');
    return take(out, TOKEN_COMMENT, 0, at + size);
}

/* Only where no other comment is inside. */
static const uint8_t *take_block_comment(const uint8_t *at, const uint8_t *end, struct token *out)
{
    at += 2;
    for (;;) {
        at += byte_block_find_either(bytes_of(at, (size_t)(end - at)), '*', '/');
        if (end - at < 2 || (at[0] == '/' && at[1] == '*'))
            return NULL;
        if (at[0] == '*' && at[1] == '/')
            return take(out, TOKEN_COMMENT, 0, at + 2);
        at++;
    }
}

static const uint8_t *take_long(const struct lexer *lexer, const uint8_t *at, const uint8_t *end,
                                struct token *out)
{
    uint8_t kind = lexer_byte_kinds[*at];
    if (kind == BYTE_LETTER)
        return take_long_word(at, end, out);
    if (kind == BYTE_DOUBLE_QUOTE)
        return take_long_name(at, end, out);
    if (kind == BYTE_QUOTE)
        return take_long_string(lexer, at, end, out);
    if (end - at > 2 && at[0] == '-' && at[1] == '-')
        return take_line_comment(at, end, out);
    return end - at > 2 && at[0] == '/' && at[1] == '*' ? take_block_comment(at, end, out) : NULL;
}

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end)
{
    size_t run = BYTE_BLOCK_SIZE;
    while (run == BYTE_BLOCK_SIZE && end - at >= BYTE_BLOCK_SIZE) {
        run = byte_block_run(byte_block_blanks(byte_block_load(at)));
        at += run;
    }
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* Two overlapping pieces where one is too short and a call of memcpy too slow. */
static inline void copy_short(uint8_t *copy, const uint8_t *at, size_t size)
{
    if (size >= 8) {
        memcpy(copy, at, 8);
        memcpy(copy + (size - 8) / 2, at + (size - 8) / 2, 8);
        memcpy(copy + size - 8, at + size - 8, 8);
    } else if (size >= 4) {
        memcpy(copy, at, 4);
        memcpy(copy + size - 4, at + size - 4, 4);
    } else {
        copy[0] = at[0];
        copy[size / 2] = at[size / 2];
        copy[size - 1] = at[size - 1];
    }
}

/* With less than ROOM left, but something, a copy gives the room. */
static inline const uint8_t *take_near_end(const uint8_t *at, const uint8_t *end, struct token *out)
{
    uint8_t copy[2 * ROOM] = { 0 };
    size_t size = (size_t)(end - at);
    copy_short(copy, at, size);
    const uint8_t *behind = take_short(copy, copy + size, out);
    return behind != NULL ? at + (behind - copy) : NULL;
}

/* Whether the token is complete: a single character always is, others with a byte behind. */
static inline bool is_complete(const uint8_t *behind, const uint8_t *end, const struct token *token)
{
    bool is_single = token->kind >= TOKEN_COMMA && token->kind <= TOKEN_SEMICOLON;
    return behind != NULL && (behind < end || (behind == end && is_single));
}

static inline void give(struct lexer *lexer, struct bytes *input, const uint8_t *at, const uint8_t *behind,
                        struct token *out)
{
    size_t taken = (size_t)(behind - input->data);
    out->start = lexer->offset + (size_t)(at - input->data);
    out->end = lexer->offset = lexer->offset + taken;
    input->size -= taken;
    input->data = behind;
}

static enum lexer_result next_whole(struct lexer *lexer, struct bytes *input, struct token *out)
{
    const uint8_t *end = input->data + input->size;
    const uint8_t *at = is_blank(*input->data) ? skip_blanks(input->data + 1, end) : input->data;
    if (at == end)
        return lexer_next_by_steps(lexer, input, out);
    const uint8_t *behind = NULL;
    if (*at != '\'' || lexer->reading.has_standard_strings)
        behind = end - at >= ROOM ? take_short(at, end, out) : take_near_end(at, end, out);
    if (!is_complete(behind, end, out))
        behind = take_long(lexer, at, end, out);
    if (!is_complete(behind, end, out))
        return lexer_next_by_steps(lexer, input, out);
    give(lexer, input, at, behind, out);
    return LEXER_TOKEN;
}

enum lexer_result lexer_next(struct lexer *lexer, struct bytes *input, struct token *out)
{
    bool is_plain = lexer->state == STATE_START && lexer->queued == QUEUE_NONE && lexer->signs_queued == 0 &&
                    !lexer->reading.has_unsafe_encoding;
    if (!is_plain)
        return lexer_next_by_steps(lexer, input, out);
    if (input->size == 0)
        return LEXER_STARVED;
    const uint8_t *at = input->data;
    if (input->size <= ROOM)
        return next_whole(lexer, input, out);
    if (is_blank(at[0])) {
        bool is_run = is_blank(at[1]);
        if (is_run && input->size < ROOM + BYTE_BLOCK_SIZE)
            return next_whole(lexer, input, out);
        at += is_run ? byte_block_run(byte_block_blanks(byte_block_load(at))) : 1;
    }
    if (*at == '\'' && !lexer->reading.has_standard_strings)
        return next_whole(lexer, input, out);
    const uint8_t *behind = take_short(at, input->data + input->size, out);
    if (behind == NULL)
        return next_whole(lexer, input, out);
    give(lexer, input, at, behind, out);
    return LEXER_TOKEN;
}
