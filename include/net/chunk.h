/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_CHUNK_H
#define NET_CHUNK_H

#include "base/buffer.h"

/* What is read at once; what it may be as plaintext, together with the TLS record that an earlier read began;
 * what TLS may have to say at once. */
enum { CHUNK_SIZE = 64 * 1024, PLAIN_SIZE = CHUNK_SIZE + 17 * 1024, SEALED_MOST = 256 * 1024 };

struct link;
struct poll_set;

/* The read buffers of a worker: all its links read into them, one after the other, so an idle connection owns
 * none. What is read must be used up, or copied, before the callback returns. */
struct chunk {
    struct poll_set *poll_set; /* of the links' sockets */
    uint8_t data[CHUNK_SIZE];  /* not used where a ring reads into blocks of its own */
    /* of links that speak TLS: */
    uint8_t plain[PLAIN_SIZE];
    struct buffer sealed; /* what is about to be written; empty between the link's calls */
    /* how often bytes came to another link than before, since the worker looked last: one that brings much in
     * several reads is one */
    size_t arrivals;
    const struct link *arrived; /* the last, or NULL */
};

/* A chunk whose links speak no TLS needs neither, if it is zero. */
static inline void chunk_init(struct chunk *chunk)
{
    chunk->poll_set = NULL;
    chunk->arrivals = 0;
    chunk->arrived = NULL;
    buffer_init(&chunk->sealed, SEALED_MOST);
}

static inline void chunk_release(struct chunk *chunk)
{
    buffer_release(&chunk->sealed);
}

#endif
