/* SPDX-License-Identifier: PostgreSQL */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "auth/digest.h"
#include "base/text.h"

/* The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677; manual: "SASL Authentication") as a function from
 * bytes to bytes. Channel binding is not offered. */

#define SCRAM_MECHANISM "SCRAM-SHA-256"

enum {
    SCRAM_SALT_SIZE = 16,
    SCRAM_ITERATIONS = 4096,
    SCRAM_NONCE_SIZE = 33,     /* our part of the nonce, with its NUL */
    SCRAM_MESSAGE_MOST = 1024, /* bytes of any one message; a longer one is malformed */
};

/* What is kept of a password: enough to check it, not to log in with. */
struct scram_secret {
    uint8_t salt[SCRAM_SALT_SIZE];
    uint32_t iterations;
    uint8_t stored_key[DIGEST_SIZE];
    uint8_t server_key[DIGEST_SIZE];
};

/* Derives it, which takes milliseconds: once a password, not once a login. The password is taken as its bytes
 * are: ASCII needs no more; what is not ASCII is not brought into Unicode's normal form (RFC 4013), so a
 * client that types another form of the same characters is refused. False when libcrypto fails. */
MUST_USE bool scram_secret_init(struct scram_secret *secret, struct bytes password,
                                const uint8_t salt[SCRAM_SALT_SIZE], uint32_t iterations);
/* The same with a random salt and SCRAM_ITERATIONS. */
MUST_USE bool scram_secret_create(struct scram_secret *secret, struct bytes password);
void scram_secret_wipe(struct scram_secret *secret);

enum scram_phase { SCRAM_AWAITS_FIRST, SCRAM_AWAITS_FINAL, SCRAM_OVER };

struct scram {
    enum scram_phase phase;
    struct scram_secret secret;
    char own_nonce[SCRAM_NONCE_SIZE];
    char binding[16];               /* the c attribute that client-final has to bear, in base64 */
    char nonce[SCRAM_MESSAGE_MOST]; /* the client's and ours */
    char messages[2 * SCRAM_MESSAGE_MOST + 1024]; /* client-first-bare "," server-first: AuthMessage so far */
};

enum scram_result {
    SCRAM_CONTINUE,  /* `answer` goes to the client, whose next message is awaited */
    SCRAM_DONE,      /* the password was right; `answer` is server-final */
    SCRAM_WRONG,     /* well-formed, but not the password */
    SCRAM_MALFORMED, /* not what the protocol has at this place, or more than is offered */
    SCRAM_BROKEN,    /* libcrypto failed */
};

/* A random own_nonce; printable ASCII without a comma. */
MUST_USE bool scram_make_nonce(char own_nonce[SCRAM_NONCE_SIZE]);
/* Begins one exchange with a copy of the secret. own_nonce must never be used twice. */
void scram_init(struct scram *scram, const struct scram_secret *secret, const char *own_nonce);
/* Takes client-first, then client-final, and appends the answer (room for SCRAM_MESSAGE_MOST and 256 more is
 * enough). After any result but CONTINUE it is over and its secrets are wiped; further messages are
 * malformed. The user's name in client-first is not looked at, as PostgreSQL does not: the one of the
 * StartupMessage counts. */
MUST_USE enum scram_result scram_step(struct scram *scram, struct bytes message, struct text *answer);
void scram_release(struct scram *scram);

#endif
