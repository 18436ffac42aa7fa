/* SPDX-License-Identifier: PostgreSQL */
#include "base/hash.h"

/* SipHash, after Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
struct siphash {
    uint64_t v0, v1, v2, v3;
};

static const struct hash_key stable_key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void siphash_rounds(struct siphash *state, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        state->v0 += state->v1;
        state->v1 = rotate_left(state->v1, 13) ^ state->v0;
        state->v0 = rotate_left(state->v0, 32);
        state->v2 += state->v3;
        state->v3 = rotate_left(state->v3, 16) ^ state->v2;
        state->v0 += state->v3;
        state->v3 = rotate_left(state->v3, 21) ^ state->v0;
        state->v2 += state->v1;
        state->v1 = rotate_left(state->v1, 17) ^ state->v2;
        state->v2 = rotate_left(state->v2, 32);
    }
}

static inline void siphash_absorb(struct siphash *state, uint64_t word, unsigned rounds)
{
    state->v3 ^= word;
    siphash_rounds(state, rounds);
    state->v0 ^= word;
}

/* Written out, it compiles to one load. */
static inline uint64_t little_endian_word(const uint8_t *data)
{
    return (uint64_t)data[0] | (uint64_t)data[1] << 8 | (uint64_t)data[2] << 16 | (uint64_t)data[3] << 24 |
           (uint64_t)data[4] << 32 | (uint64_t)data[5] << 40 | (uint64_t)data[6] << 48 |
           (uint64_t)data[7] << 56;
}

/* The up to seven bytes behind the last whole word. */
static inline uint64_t little_endian_rest(struct bytes rest)
{
    uint64_t word = 0;
    for (size_t i = 0; i < rest.size; i++)
        word |= (uint64_t)rest.data[i] << (8 * i);
    return word;
}

static inline uint64_t siphash(const struct hash_key *key, struct bytes bytes, unsigned per_word,
                               unsigned at_end)
{
    struct siphash state = {
        .v0 = key->words[0] ^ 0x736f6d6570736575,
        .v1 = key->words[1] ^ 0x646f72616e646f6d,
        .v2 = key->words[0] ^ 0x6c7967656e657261,
        .v3 = key->words[1] ^ 0x7465646279746573,
    };
    uint64_t last = (uint64_t)bytes.size << 56;
    while (bytes.size >= 8)
        siphash_absorb(&state, little_endian_word(bytes_take(&bytes, 8).data), per_word);
    siphash_absorb(&state, last | little_endian_rest(bytes), per_word);
    state.v2 ^= 0xff;
    siphash_rounds(&state, at_end);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

uint64_t hash_keyed(const struct hash_key *key, struct bytes bytes)
{
    return siphash(key, bytes, 1, 3);
}

uint64_t hash_stable(struct bytes bytes)
{
    return siphash(&stable_key, bytes, 2, 4);
}
