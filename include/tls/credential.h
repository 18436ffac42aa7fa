/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_CREDENTIAL_H
#define TLS_CREDENTIAL_H

#include "tls/context.h"

#include <openssl/ssl.h>

/* What is known of the certificate that a context shows. */
struct credential {
    bool has_certificate;
    int64_t starts_us;
    int64_t expires_us;
    bool is_exposed; /* others than the key's owner may read its file */
    unsigned mode;   /* of the key's file */
};

/* Reads certificate, chain and key of the plan into `out`; without a certificate in the plan there is nothing
 * to do. */
MUST_USE bool credential_load(const struct tls_plan *plan, SSL_CTX *out, struct credential *credential,
                              struct problem *problem);
/* Reads those who sign the peer's certificate, when the plan names a file. */
MUST_USE bool credential_load_authorities(const struct tls_plan *plan, SSL_CTX *out, struct problem *problem);
/* As tls_context_warning. */
MUST_USE bool credential_warning(const struct credential *credential, const struct tls_plan *plan,
                                 int64_t now_us, struct text *out);

#endif
