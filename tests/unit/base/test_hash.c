/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The key of the published vectors: the bytes 0 to 15. Their messages are the bytes 0, 1, 2, ... */
static const struct hash_key published_key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

struct vector {
    size_t size;
    uint64_t hash;
};

static struct bytes message(size_t size)
{
    static uint8_t counting[64];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    return bytes_of(counting, size);
}

static void the_stable_hash_gives_the_published_vectors_of_siphash_2_4(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        { 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd },  { 7, 0xab0200f58b01d137 },
        { 8, 0x93f5f5799a932462 },  { 15, 0xa129ca6149be45e5 }, { 16, 0x3f2acc7f57c29bdb },
        { 63, 0x958a324ceb064572 },
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        assert_true(hash_stable(message(vectors[i].size)) == vectors[i].hash);
}

static void the_keyed_hash_gives_the_vectors_of_siphash_1_3(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        { 0, 0xabac0158050fc4dc },  { 1, 0xc9f49bf37d57ca93 },  { 7, 0xd3927d989bb11140 },
        { 8, 0x369095118d299a8e },  { 15, 0xd320d86d2a519956 }, { 16, 0xcc4fdd1a7d908b66 },
        { 63, 0x9d199062b7bbb3a8 },
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        assert_true(hash_keyed(&published_key, message(vectors[i].size)) == vectors[i].hash);
    /* what PYTHONHASHSEED=0 python3 -c 'print(hash(b"hello world"))' prints, Python's hash being SipHash-1-3
     */
    const struct hash_key zero = { { 0, 0 } };
    assert_true((int64_t)hash_keyed(&zero, bytes_text("hello world")) == -5642461784034726774);
}

static void both_halves_of_the_key_count(void **state)
{
    (void)state;
    const struct hash_key keys[] = { { { 1, 2 } }, { { 1, 3 } }, { { 2, 2 } }, { { 2, 1 } } };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        for (size_t j = 0; j < i; j++)
            assert_true(hash_keyed(&keys[i], message(9)) != hash_keyed(&keys[j], message(9)));
    }
}

static void alignment_does_not_count(void **state)
{
    (void)state;
    uint8_t storage[48];
    uint64_t expected = hash_stable(message(33));
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(storage + shift, message(33).data, 33);
        assert_true(hash_stable(bytes_of(storage + shift, 33)) == expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stable_hash_gives_the_published_vectors_of_siphash_2_4),
        cmocka_unit_test(the_keyed_hash_gives_the_vectors_of_siphash_1_3),
        cmocka_unit_test(both_halves_of_the_key_count),
        cmocka_unit_test(alignment_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
