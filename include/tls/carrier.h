/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_CARRIER_H
#define TLS_CARRIER_H

#include "base/buffer.h"

#include <openssl/bio.h>

/* How OpenSSL reaches the caller's bytes: it takes from a view and appends to a buffer, both lent for one
 * call. */
struct carrier {
    struct bytes *input; /* NULL: there is nothing to take */
    struct buffer *out;  /* NULL: nothing may be sent */
};

/* The kind of BIO that does it, or NULL. BIO_meth_free frees it, after its BIOs. */
BIO_METHOD *carrier_method_create(void);
/* A BIO over the carrier, which must outlive it; NULL when memory is short. */
BIO *carrier_bio_create(const BIO_METHOD *method, struct carrier *carrier);

#endif
