/* SPDX-License-Identifier: PostgreSQL */
#include "auth/base64.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *plain;
    const char *encoded;
} vectors[] = { /* RFC 4648, section 10 */
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" }
};

static void the_published_vectors_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        char storage[16];
        struct text text;
        text_init(&text, storage, sizeof storage);
        base64_append(&text, bytes_text(vectors[i].plain));
        assert_string_equal(storage, vectors[i].encoded);
    }
}

static void the_published_vectors_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        uint8_t out[8];
        size_t size = strlen(vectors[i].plain);
        assert_true(base64_decode(bytes_text(vectors[i].encoded), out, size));
        assert_memory_equal(out, vectors[i].plain, size);
    }
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t plain[4] = { (uint8_t)byte, (uint8_t)~byte, 0x80, (uint8_t)byte };
        uint8_t out[4];
        char storage[16];
        struct text text;
        text_init(&text, storage, sizeof storage);
        base64_append(&text, bytes_of(plain, sizeof plain));
        assert_true(base64_decode(text_bytes(&text), out, sizeof out));
        assert_memory_equal(out, plain, sizeof out);
    }
}

static void what_is_not_exactly_base64_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "Zg",   "Zg=",  "Zg= ",  "Zg=A",  "Z===", "====",     "Zh==",
                                         "Zm=v", "Zm9v", "Zg==A", " Zg==", "Z-==", "Zg==Zg==", "Z\xff==" };
    uint8_t out[8];
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(base64_decode(bytes_text(wrong[i]), out, 1));
    assert_false(base64_decode(bytes_text("Zm9="), out, 2)); /* bits behind the end */
    assert_false(base64_decode(bytes_of("Zg=\0", 4), out, 1));
    assert_false(base64_decode(bytes_of("Z\0==", 4), out, 1));
    assert_false(base64_decode(bytes_text("Zm9vYg=="), out, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_are_encoded),
        cmocka_unit_test(the_published_vectors_are_decoded),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(what_is_not_exactly_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
