/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "base/attributes.h"
#include "base/problem.h"

#include <stdbool.h>
#include <stdint.h>

/* Certificates, keys and rules of one listener or one upstream, as its TLS connections are made from. */

/* Which of the two this program is: the server of its clients, or a client of the servers behind it. */
enum tls_role { TLS_SERVER, TLS_CLIENT };

/* What is asked of the server's certificate, as libpq's sslmode means it (manual: "SSL Support", "Protection
 * Provided in Different Modes"). */
enum tls_verification {
    TLS_VERIFY_NONE, /* anything goes */
    TLS_VERIFY_CA,   /* signed by one of `ca` */
    TLS_VERIFY_FULL, /* and made out to the host's name or address */
};

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* Paths are those of PEM files; "" where there is none. They must stay as long as the context. */
struct tls_plan {
    enum tls_role role;
    const char *certificate; /* with its chain. SERVER: required; CLIENT: what is shown to the server */
    const char *key;         /* of the certificate; required with it */
    const char *ca;         /* SERVER: signs the clients' certificates; CLIENT: the server's; "": those of the
                             * system */
    bool needs_certificate; /* SERVER: no client without a certificate signed by `ca` */
    enum tls_verification verification; /* CLIENT */
    enum tls_version version_least;
};

struct tls_context;

/* Reads the files. False with a problem that names the file. */
MUST_USE bool tls_context_create(const struct tls_plan *plan, struct tls_context **out,
                                 struct problem *problem);
/* Reads the files anew: streams made from now on use them, those that are open go on. False with a problem:
 * what was there stays in force. May be called while other threads make streams. */
MUST_USE bool tls_context_reload(struct tls_context *context, struct problem *problem);
/* Streams made of it may go on. NULL is allowed. */
void tls_context_release(struct tls_context *context);

/* Appends a line about what is worth knowing of the certificate in use ("FILE expires in 6d", "FILE has
 * expired on
 * ..."; "FILE may be read by others" of its key); false when there is nothing. `now_us` is the wall clock. */
MUST_USE bool tls_context_warning(struct tls_context *context, int64_t now_us, struct text *out);

#endif
