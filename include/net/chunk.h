/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_CHUNK_H
#define NET_CHUNK_H

#include "base/bytes.h"

enum { CHUNK_SIZE = 64 * 1024 };

/* The one read buffer of a worker: all its links read into it, one after the other, so an idle connection
 * owns none. What is read must be used up, or copied, before the callback returns. */
struct chunk {
    uint8_t data[CHUNK_SIZE];
};

#endif
