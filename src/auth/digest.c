/* SPDX-License-Identifier: PostgreSQL */
#include "auth/digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

bool digest_sha256(struct bytes bytes, uint8_t out[DIGEST_SIZE])
{
    return EVP_Digest(bytes.data, bytes.size, out, NULL, EVP_sha256(), NULL) == 1;
}

bool digest_hmac(struct bytes key, struct bytes bytes, uint8_t out[DIGEST_SIZE])
{
    return key.size <= INT_MAX &&
           HMAC(EVP_sha256(), key.data, (int)key.size, bytes.data, bytes.size, out, NULL) != NULL;
}

bool digest_stretch(struct bytes password, struct bytes salt, uint32_t iterations, uint8_t out[DIGEST_SIZE])
{
    if (password.size > INT_MAX || salt.size > INT_MAX || iterations > INT_MAX)
        return false;
    return PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.size, salt.data, (int)salt.size,
                             (int)iterations, EVP_sha256(), DIGEST_SIZE, out) == 1;
}

bool digest_random(uint8_t *out, size_t size)
{
    return size <= INT_MAX && RAND_bytes(out, (int)size) == 1;
}

void digest_wipe(void *secret, size_t size)
{
    OPENSSL_cleanse(secret, size);
}
