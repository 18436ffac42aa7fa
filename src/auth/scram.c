/* SPDX-License-Identifier: PostgreSQL */
#include "auth/scram.h"

#include "auth/base64.h"

enum { NONCE_RANDOM_SIZE = 24 }; /* bytes; fills SCRAM_NONCE_SIZE - 1 characters of base64 */

bool scram_secret_init(struct scram_secret *secret, struct bytes password,
                       const uint8_t salt[SCRAM_SALT_SIZE], uint32_t iterations)
{
    uint8_t salted[DIGEST_SIZE] = { 0 };
    uint8_t client_key[DIGEST_SIZE];
    struct bytes salted_password = bytes_of(salted, sizeof salted);

    secret->iterations = iterations;
    memcpy(secret->salt, salt, SCRAM_SALT_SIZE);
    bool is_made = digest_stretch(password, bytes_of(salt, SCRAM_SALT_SIZE), iterations, salted) &&
                   digest_hmac(salted_password, bytes_text("Client Key"), client_key) &&
                   digest_sha256(bytes_of(client_key, sizeof client_key), secret->stored_key) &&
                   digest_hmac(salted_password, bytes_text("Server Key"), secret->server_key);
    digest_wipe(salted, sizeof salted);
    digest_wipe(client_key, sizeof client_key);
    return is_made;
}

bool scram_secret_create(struct scram_secret *secret, struct bytes password)
{
    uint8_t salt[SCRAM_SALT_SIZE];
    return digest_random(salt, sizeof salt) && scram_secret_init(secret, password, salt, SCRAM_ITERATIONS);
}

void scram_secret_wipe(struct scram_secret *secret)
{
    digest_wipe(secret, sizeof *secret);
}

bool scram_make_nonce(char own_nonce[SCRAM_NONCE_SIZE])
{
    uint8_t random[NONCE_RANDOM_SIZE];
    struct text text;
    if (!digest_random(random, sizeof random))
        return false;
    text_init(&text, own_nonce, SCRAM_NONCE_SIZE);
    base64_append(&text, bytes_of(random, sizeof random));
    return true;
}

void scram_init(struct scram *scram, const struct scram_secret *secret, const char *own_nonce)
{
    *scram = (struct scram){ .phase = SCRAM_AWAITS_FIRST, .secret = *secret };
    bytes_copy_text(bytes_text(own_nonce), scram->own_nonce, sizeof scram->own_nonce);
}

void scram_release(struct scram *scram)
{
    digest_wipe(scram, sizeof *scram);
    scram->phase = SCRAM_OVER;
}

static bool is_printable(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] < '!' || bytes.data[i] > '~')
            return false;
    return bytes.size > 0;
}

/* Takes "NAME=value" up to a comma or the end; the comma goes too. */
static bool take_attribute(struct bytes *rest, char name, struct bytes *value)
{
    if (rest->size < 2 || rest->data[0] != (uint8_t)name || rest->data[1] != '=')
        return false;
    bytes_take(rest, 2);
    *value = bytes_take(rest, bytes_find(*rest, ','));
    if (rest->size > 0)
        bytes_take(rest, 1);
    return true;
}

/* Takes the GS2 header off client-first: "n,," or "y,,". A client that demands channel binding ("p=") or
 * wants to act as somebody else ("a=") asks for what is not offered. The header comes back, encoded, in
 * client-final. */
static bool take_binding(struct scram *scram, struct bytes *message)
{
    if (!bytes_start_with(*message, "n,,") && !bytes_start_with(*message, "y,,"))
        return false;
    struct text binding;
    text_init(&binding, scram->binding, sizeof scram->binding);
    base64_append(&binding, bytes_take(message, 3));
    return true;
}

/* server-first-message: r=nonce,s=salt,i=iterations */
static void append_challenge(const struct scram *scram, struct text *out)
{
    text_append_format(out, "r=%s,s=", scram->nonce);
    base64_append(out, bytes_of(scram->secret.salt, SCRAM_SALT_SIZE));
    text_append_format(out, ",i=%u", scram->secret.iterations);
}

static enum scram_result take_first(struct scram *scram, struct bytes message, struct text *answer)
{
    if (!take_binding(scram, &message))
        return SCRAM_MALFORMED;
    struct bytes rest = message;
    struct bytes user;
    struct bytes client_nonce;
    /* extensions after the nonce are optional ones, which a server may ignore; "m=" before the name is not */
    if (!take_attribute(&rest, 'n', &user) || !take_attribute(&rest, 'r', &client_nonce) ||
        !is_printable(client_nonce))
        return SCRAM_MALFORMED;

    struct text text;
    text_init(&text, scram->nonce, sizeof scram->nonce);
    text_append(&text, client_nonce);
    text_append_string(&text, scram->own_nonce);
    if (text.is_truncated)
        return SCRAM_MALFORMED;
    append_challenge(scram, answer);

    text_init(&text, scram->messages, sizeof scram->messages);
    text_append(&text, message);
    text_append_byte(&text, ',');
    append_challenge(scram, &text);
    return text.is_truncated || answer->is_truncated ? SCRAM_MALFORMED : SCRAM_CONTINUE;
}

/* Whether the proof belongs to the stored key: ClientKey is ClientProof XOR HMAC(StoredKey, AuthMessage), and
 * its digest must be StoredKey. */
static enum scram_result check_proof(const struct scram *scram, const uint8_t *proof, struct bytes messages)
{
    struct bytes stored_key = bytes_of(scram->secret.stored_key, DIGEST_SIZE);
    uint8_t key[DIGEST_SIZE];
    uint8_t digest[DIGEST_SIZE];
    if (!digest_hmac(stored_key, messages, key))
        return SCRAM_BROKEN;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] ^= proof[i];
    bool has_digest = digest_sha256(bytes_of(key, sizeof key), digest);
    digest_wipe(key, sizeof key);
    if (!has_digest)
        return SCRAM_BROKEN;
    return bytes_equal_secret(bytes_of(digest, sizeof digest), stored_key) ? SCRAM_DONE : SCRAM_WRONG;
}

static enum scram_result append_signature(const struct scram *scram, struct bytes messages,
                                          struct text *answer)
{
    uint8_t signature[DIGEST_SIZE];
    if (!digest_hmac(bytes_of(scram->secret.server_key, DIGEST_SIZE), messages, signature))
        return SCRAM_BROKEN;
    text_append_string(answer, "v=");
    base64_append(answer, bytes_of(signature, sizeof signature));
    return SCRAM_DONE;
}

/* Finds the proof, which ends the message: optional extensions may stand before it. */
static bool take_proof(struct bytes rest, struct bytes *proof)
{
    const uint8_t *end = rest.data + rest.size;
    while (rest.size > 0 && !bytes_start_with(rest, "p=")) {
        size_t size = bytes_find(rest, ',');
        bytes_take(&rest, size < rest.size ? size + 1 : size);
    }
    return take_attribute(&rest, 'p', proof) && proof->data + proof->size == end;
}

static enum scram_result take_final(struct scram *scram, struct bytes message, struct text *answer)
{
    struct bytes rest = message;
    struct bytes binding;
    struct bytes nonce;
    struct bytes encoded;
    uint8_t proof[DIGEST_SIZE];
    if (!take_attribute(&rest, 'c', &binding) || !take_attribute(&rest, 'r', &nonce) ||
        !take_proof(rest, &encoded) || !base64_decode(encoded, proof, sizeof proof))
        return SCRAM_MALFORMED;
    if (!bytes_equal_text(binding, scram->binding) || !bytes_equal_text(nonce, scram->nonce))
        return SCRAM_MALFORMED;

    struct text messages = { scram->messages, strlen(scram->messages), sizeof scram->messages, false };
    text_append_byte(&messages, ',');
    text_append(&messages, bytes_of(message.data, message.size - encoded.size - strlen(",p=")));
    if (messages.is_truncated)
        return SCRAM_MALFORMED;
    enum scram_result result = check_proof(scram, proof, text_bytes(&messages));
    return result == SCRAM_DONE ? append_signature(scram, text_bytes(&messages), answer) : result;
}

enum scram_result scram_step(struct scram *scram, struct bytes message, struct text *answer)
{
    enum scram_result result = SCRAM_MALFORMED;
    bool is_sound = message.size <= SCRAM_MESSAGE_MOST && bytes_find(message, '\0') == message.size;
    if (is_sound && scram->phase == SCRAM_AWAITS_FIRST)
        result = take_first(scram, message, answer);
    else if (is_sound && scram->phase == SCRAM_AWAITS_FINAL)
        result = take_final(scram, message, answer);

    if (result == SCRAM_CONTINUE)
        scram->phase = SCRAM_AWAITS_FINAL;
    else
        scram_release(scram);
    return result;
}
