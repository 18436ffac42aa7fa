/* SPDX-License-Identifier: PostgreSQL */
#include "auth/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_digest(const uint8_t digest[DIGEST_SIZE], const char *expected)
{
    char shown[2 * DIGEST_SIZE + 1];
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        (void)snprintf(shown + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(shown, expected);
}

static void sha256_is_that_of_fips_180(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_SIZE];
    assert_true(digest_sha256(bytes_text("abc"), digest));
    assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(digest_sha256(BYTES_NONE, digest));
    assert_digest(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, section 4.3. */
static void hmac_is_that_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_SIZE];
    assert_true(digest_hmac(bytes_text("Jefe"), bytes_text("what do ya want for nothing?"), digest));
    assert_digest(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 7914, section 11, its first 32 bytes. */
static void stretching_is_that_of_rfc_7914(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_SIZE];
    assert_true(digest_stretch(bytes_text("passwd"), bytes_text("salt"), 1, digest));
    assert_digest(digest, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

static void a_wiped_secret_is_gone(void **state)
{
    (void)state;
    static const uint8_t none[8];
    uint8_t secret[8];
    uint8_t other[8];
    assert_true(digest_random(secret, sizeof secret) && digest_random(other, sizeof other));
    assert_memory_not_equal(secret, other, sizeof secret);
    digest_wipe(secret, sizeof secret);
    assert_memory_equal(secret, none, sizeof none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(hmac_is_that_of_rfc_4231),
        cmocka_unit_test(stretching_is_that_of_rfc_7914),
        cmocka_unit_test(a_wiped_secret_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
