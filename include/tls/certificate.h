/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include "tls/stream.h"

#include <openssl/x509.h>

/* SHA-256 of the whole certificate. */
void certificate_digest(const X509 *certificate, uint8_t out[TLS_DIGEST_SIZE]);
/* The first common name of the subject as text_append_printable writes it, cut; "" where there is none. */
void certificate_name(const X509 *certificate, char out[TLS_NAME_SIZE]);
/* An instant of a certificate in µs since 1970 UTC. False when it is none. */
MUST_USE bool certificate_time(const ASN1_TIME *time, int64_t *out_us);

#endif
