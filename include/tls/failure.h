/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_FAILURE_H
#define TLS_FAILURE_H

#include "base/problem.h"

#include <openssl/ssl.h>

/* What OpenSSL's queue of errors has to say, in few words and without a byte of anybody's data. */

/* Appends why the stream failed and empties the queue; nothing when the queue is empty. */
void failure_describe(const SSL *ssl, struct text *out);
/* The oldest error's words, a constant; empties the queue. "unknown reason" when there is none. */
const char *failure_reason(void);

/* Fills in a problem of a file (or "") and returns false. */
bool failure_report(struct problem *problem, const char *file, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
