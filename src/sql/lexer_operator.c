/* SPDX-License-Identifier: PostgreSQL */
#include "sql/lexer_step.h"

static bool is_sign(uint8_t byte)
{
    return byte == '+' || byte == '-';
}

/* With one of these in it an operator may end in + or - (manual: "Operators"). */
static bool is_special(uint8_t byte)
{
    return memchr("~!@#^&|`?%", byte, 10) != NULL;
}

void lexer_operator_begin(struct lexer *lexer, uint64_t start, uint8_t byte)
{
    lexer_word_begin(lexer, start);
    lexer_word_append(lexer, byte);
    lexer->state = STATE_OPERATOR;
    lexer->last = byte;
    lexer->operator_size = 1;
    lexer->has_special_operator = is_special(byte);
    lexer->signs = is_sign(byte) ? 1 : 0;
}

/* What stands between lexer->start and `end`: one operator, and a sign each for the + and - it may not end
 * in. */
static void emit_operator(struct lexer *lexer, uint64_t end, struct token *out)
{
    uint64_t size = end - lexer->start;
    uint64_t signs = lexer->has_special_operator ? 0 : lexer->signs;
    uint64_t kept = size > signs ? size - signs : 1;
    if (lexer->word_size > size)
        lexer->word_size = (uint8_t)size;
    lexer->signs_start = lexer->start + kept;
    lexer->signs_queued = size - kept;
    lexer_emit(lexer, TOKEN_OPERATOR, lexer->start + kept, out);
    bool is_cut = kept > LEXER_WORD_SIZE - 1;
    lexer_word_copy(lexer, is_cut ? LEXER_WORD_SIZE - 1 : (size_t)kept, is_cut, out);
}

/* The operator's text is still there: nothing is read while signs are queued. */
void lexer_emit_sign(struct lexer *lexer, struct token *out)
{
    uint64_t behind = lexer->signs_queued--;
    lexer->start = lexer->signs_start++;
    lexer_emit(lexer, TOKEN_OPERATOR, lexer->start + 1, out);
    out->is_word_cut = lexer->is_word_cut || behind > lexer->word_size;
    if (out->is_word_cut)
        return;
    out->word[0] = lexer->word[lexer->word_size - behind];
    out->word[1] = '\0';
    out->word_size = 1;
}

static enum step begin_comment(struct lexer *lexer, uint8_t byte, struct token *out)
{
    uint64_t start = lexer->offset - 1;
    bool has_operator = lexer->operator_size > 1;
    if (has_operator) {
        lexer->signs = lexer->signs_before;
        emit_operator(lexer, start, out);
    }
    lexer->start = start;
    lexer->last = 0;
    lexer->depth = 1;
    lexer->state = byte == '*' ? STATE_BLOCK_COMMENT : STATE_LINE_COMMENT;
    return has_operator ? STEP_EMIT_TAKE : STEP_TAKE;
}

enum step step_operator(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind != BYTE_OPERATOR) {
        emit_operator(lexer, lexer->offset, out);
        return STEP_EMIT;
    }
    if ((lexer->last == '-' && byte == '-') || (lexer->last == '/' && byte == '*'))
        return begin_comment(lexer, byte, out);
    lexer->last = byte;
    lexer_word_append(lexer, byte);
    lexer->operator_size++;
    lexer->has_special_operator |= is_special(byte);
    lexer->signs_before = lexer->signs;
    lexer->signs = is_sign(byte) ? lexer->signs + 1 : 0;
    return STEP_TAKE;
}

enum step step_line_comment(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    (void)byte;
    if (kind == BYTE_NEWLINE || kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_COMMENT, lexer->offset, out);
    return STEP_TAKE;
}

/* Two bytes that make a mark are used up by it: the slash that closes a comment does not open another one. */
enum step step_block_comment(struct lexer *lexer, uint8_t byte, enum byte_kind kind, struct token *out)
{
    if (kind == BYTE_END)
        return lexer_emit(lexer, TOKEN_UNTERMINATED, lexer->offset, out);
    if (lexer->last == '/' && byte == '*') {
        lexer->depth++;
        lexer->last = 0;
    } else if (lexer->last == '*' && byte == '/') {
        lexer->depth--;
        lexer->last = 0;
    } else {
        lexer->last = byte;
    }
    if (lexer->depth > 0)
        return STEP_TAKE;
    lexer_emit(lexer, TOKEN_COMMENT, lexer->offset + 1, out);
    return STEP_EMIT_TAKE;
}
