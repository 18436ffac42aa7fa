/* SPDX-License-Identifier: PostgreSQL */
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
const uint8_t lexer_byte_kinds[256] = {
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
