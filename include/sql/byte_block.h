/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_BYTE_BLOCK_H
#define SQL_BYTE_BLOCK_H

#include "base/bytes.h"

/* Sixteen bytes looked at together: bit i of a mask says whether byte i is one of those asked for. Where the
 * processor has no instructions for it, one by one, with the same results. */

#if defined(__SSE2__) && !defined(BYTE_BLOCK_PLAIN)
#include <emmintrin.h>
#define BYTE_BLOCK_HAS_VECTORS 1
#else
#define BYTE_BLOCK_HAS_VECTORS 0
#endif

enum { BYTE_BLOCK_SIZE = 16, BYTE_BLOCK_ALL = 0xffff };

#if BYTE_BLOCK_HAS_VECTORS

struct byte_block {
    __m128i bytes;
};

static inline struct byte_block byte_block_load(const void *at)
{
    return (struct byte_block){ _mm_loadu_si128((const __m128i *)at) };
}

static inline __m128i byte_block_between(__m128i bytes, char least, char most)
{
    __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(least));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8((char)(most - least))), above);
}

static inline uint32_t byte_block_equal(struct byte_block block, char wanted)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block.bytes, _mm_set1_epi8(wanted)));
}

/* 0 to 9 */
static inline uint32_t byte_block_digits(struct byte_block block)
{
    return (uint32_t)_mm_movemask_epi8(byte_block_between(block.bytes, '0', '9'));
}

/* What a word can go on with: letters, digits, _ $ and all above 127. */
static inline uint32_t byte_block_words(struct byte_block block)
{
    __m128i folded = _mm_or_si128(block.bytes, _mm_set1_epi8(0x20));
    __m128i letters = byte_block_between(folded, 'a', 'z');
    __m128i digits = byte_block_between(block.bytes, '0', '9');
    __m128i others = _mm_or_si128(_mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('_')),
                                  _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('$')));
    __m128i words = _mm_or_si128(_mm_or_si128(letters, digits), _mm_or_si128(others, block.bytes));
    return (uint32_t)_mm_movemask_epi8(words);
}

/* White space but the vertical tab. */
static inline uint32_t byte_block_blanks(struct byte_block block)
{
    __m128i spaces = _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8(' '));
    __m128i tabs_and_lines = byte_block_between(block.bytes, '\t', '\r');
    __m128i vertical = _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('\v'));
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(spaces, _mm_andnot_si128(vertical, tabs_and_lines)));
}

/* Writes the bytes with A to Z in lower case. */
static inline void byte_block_fold(struct byte_block block, char *out)
{
    __m128i upper = byte_block_between(block.bytes, 'A', 'Z');
    __m128i folded = _mm_or_si128(block.bytes, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    _mm_storeu_si128((__m128i *)(void *)out, folded);
}

static inline __m128i byte_block_letter(const uint8_t *at, char letter)
{
    __m128i folded = _mm_or_si128(byte_block_load(at).bytes, _mm_set1_epi8(0x20));
    return _mm_cmpeq_epi8(folded, _mm_set1_epi8(letter));
}

/* Where the four letters, given in lower case, begin in either case: for the sixteen bytes from `at` on, of
 * which three more are read. Written out, so that letters that are known are spread before the loop around
 * it.
 */
static inline uint32_t byte_block_letters(const uint8_t *at, const char *letters)
{
    __m128i front = _mm_and_si128(byte_block_letter(at, letters[0]), byte_block_letter(at + 1, letters[1]));
    __m128i back =
        _mm_and_si128(byte_block_letter(at + 2, letters[2]), byte_block_letter(at + 3, letters[3]));
    return (uint32_t)_mm_movemask_epi8(_mm_and_si128(front, back));
}

#else

struct byte_block {
    uint8_t bytes[BYTE_BLOCK_SIZE];
};

static inline struct byte_block byte_block_load(const void *at)
{
    struct byte_block block;
    memcpy(block.bytes, at, sizeof(block.bytes));
    return block;
}

static inline uint32_t byte_block_between(struct byte_block block, uint8_t least, uint8_t most)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < BYTE_BLOCK_SIZE; i++)
        mask |= (uint32_t)(block.bytes[i] >= least && block.bytes[i] <= most) << i;
    return mask;
}

static inline uint32_t byte_block_equal(struct byte_block block, char wanted)
{
    return byte_block_between(block, (uint8_t)wanted, (uint8_t)wanted);
}

static inline uint32_t byte_block_digits(struct byte_block block)
{
    return byte_block_between(block, '0', '9');
}

static inline uint32_t byte_block_words(struct byte_block block)
{
    return byte_block_between(block, 'a', 'z') | byte_block_between(block, 'A', 'Z') |
           byte_block_digits(block) | byte_block_between(block, 0x80, 0xff) | byte_block_equal(block, '_') |
           byte_block_equal(block, '$');
}

static inline uint32_t byte_block_blanks(struct byte_block block)
{
    return byte_block_equal(block, ' ') |
           (byte_block_between(block, '\t', '\r') & ~byte_block_equal(block, '\v'));
}

static inline void byte_block_fold(struct byte_block block, char *out)
{
    for (size_t i = 0; i < BYTE_BLOCK_SIZE; i++)
        out[i] =
            (char)(block.bytes[i] >= 'A' && block.bytes[i] <= 'Z' ? block.bytes[i] | 0x20 : block.bytes[i]);
}

static inline uint32_t byte_block_letters(const uint8_t *at, const char *letters)
{
    uint32_t found = BYTE_BLOCK_ALL;
    for (size_t i = 0; i < 4; i++) {
        struct byte_block block = byte_block_load(at + i);
        uint8_t letter = (uint8_t)letters[i];
        found &= byte_block_equal(block, (char)letter) | byte_block_equal(block, (char)(letter & ~0x20));
    }
    return found;
}

#endif

/* How many bytes at the front are in the mask; all sixteen where all are. */
static inline size_t byte_block_run(uint32_t mask)
{
    return (size_t)__builtin_ctz(~mask);
}

/* The first byte in the mask; sixteen where none is. */
static inline size_t byte_block_first(uint32_t mask)
{
    return (size_t)__builtin_ctz(mask | (BYTE_BLOCK_ALL + 1u));
}

/* Offset of the first byte that is one of the two, or bytes.size. */
static inline size_t byte_block_find_either(struct bytes bytes, char one, char other)
{
    size_t size = 0;
    while (bytes.size - size >= BYTE_BLOCK_SIZE) {
        struct byte_block block = byte_block_load(bytes.data + size);
        uint32_t found = byte_block_equal(block, one) | byte_block_equal(block, other);
        if (found != 0)
            return size + byte_block_first(found);
        size += BYTE_BLOCK_SIZE;
    }
    while (size < bytes.size && bytes.data[size] != (uint8_t)one && bytes.data[size] != (uint8_t)other)
        size++;
    return size;
}

#endif
