/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_CHUNK_H
#define NET_CHUNK_H

#include "base/buffer.h"

/* What is read at once; what it may be as plaintext, together with the TLS record that an earlier read began;
 * what TLS may have to say at once. */
enum { CHUNK_SIZE = 64 * 1024, PLAIN_SIZE = CHUNK_SIZE + 17 * 1024, SEALED_MOST = 256 * 1024 };

struct poll_set;
struct uring;

/* The read buffers of a worker: all its links read into them, one after the other, so an idle connection owns
 * none. What is read must be used up, or copied, before the callback returns. */
struct chunk {
    struct uring *uring;       /* which moves the links' bytes, or NULL: */
    struct poll_set *poll_set; /* which says when their sockets are ready */
    uint8_t data[CHUNK_SIZE];  /* not used where a ring reads into blocks of its own */
    /* of links that speak TLS: */
    uint8_t plain[PLAIN_SIZE];
    struct buffer sealed; /* what is about to be written; empty between the link's calls */
    size_t arrivals;      /* how often bytes came to one of the links */
};

/* A chunk whose links speak no TLS needs neither, if it is zero. */
static inline void chunk_init(struct chunk *chunk)
{
    chunk->uring = NULL;
    chunk->poll_set = NULL;
    chunk->arrivals = 0;
    buffer_init(&chunk->sealed, SEALED_MOST);
}

static inline void chunk_release(struct chunk *chunk)
{
    buffer_release(&chunk->sealed);
}

#endif
