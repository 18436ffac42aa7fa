/* SPDX-License-Identifier: PostgreSQL */
#ifndef TLS_RESUMPTION_H
#define TLS_RESUMPTION_H

#include <openssl/ssl.h>

/* The newest TLS session of each host, so that the next connection to it takes one round trip less of
 * arithmetic. Whoever owns it guards it against other threads. */

enum { RESUMPTION_HOSTS_MOST = 32 };

struct resumption_entry {
    char *host; /* NULL: free */
    SSL_SESSION *session;
};

struct resumption {
    struct resumption_entry entries[RESUMPTION_HOSTS_MOST];
    unsigned next; /* whose turn it is to make room */
};

/* Keeps a copy of the session in the place of the host's older one; nothing when memory is short. */
void resumption_keep(struct resumption *resumption, const char *host, SSL_SESSION *session);
/* A copy, the caller's, of what is kept for the host, or NULL. */
SSL_SESSION *resumption_find(const struct resumption *resumption, const char *host);
void resumption_forget(struct resumption *resumption, const char *host);
/* Forgets all. */
void resumption_clear(struct resumption *resumption);

#endif
