/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_CONTEXT_STATE_H
#define TLS_CONTEXT_STATE_H

#include "tls/carrier.h"
#include "tls/credential.h"
#include "tls/resumption.h"

#include <pthread.h>
#include <stdatomic.h>

/* The inside of a context: for src/tls only. */
struct tls_context {
    struct tls_plan plan;
    BIO_METHOD *carriers;
    atomic_uint references; /* its owner's and one for each stream */
    pthread_mutex_t mutex;  /* guards what follows */
    SSL_CTX *rules;         /* in force; streams keep those they were made with */
    struct credential credential;
    struct resumption resumption;
};

void tls_context_retain(struct tls_context *context);
/* An SSL under the rules in force, or NULL. `host` is its own for as long as it lives: what it learns for the
 * next connection is kept under that name; NULL for TLS_SERVER. */
SSL *tls_context_connect(struct tls_context *context, char *host);
/* What was kept for the host has not served. */
void tls_context_forget(struct tls_context *context, const char *host);

#endif
