/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_RULES_H
#define TLS_RULES_H

#include "tls/credential.h"

/* ALPN's name of the protocol (manual: "SSL Session Encryption"). */
#define RULES_PROTOCOL "postgresql"

/* What the plan asks for as OpenSSL wants it: files read, versions, options, verification, ALPN. NULL with a
 * problem. */
SSL_CTX *rules_create(const struct tls_plan *plan, struct credential *credential, struct problem *problem);
/* Makes a client's SSL ask for the host by name and hold it against the certificate, as the plan wants. */
MUST_USE bool rules_aim(const struct tls_plan *plan, SSL *ssl, const char *host);

#endif
