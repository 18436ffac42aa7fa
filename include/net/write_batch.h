/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_WRITE_BATCH_H
#define NET_WRITE_BATCH_H

#include "base/attributes.h"
#include "net/run_queue.h"

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>

/* The writes of one turn of a set of sockets, which the kernel is handed in one call (io_submit, which every
 * kernel and the usual filters of containers have, and which does the writes of sockets that do not block
 * within the call). A write of its own wakes who reads it, and that program may then interrupt us on the way
 * out of the call, write for write; here it may once. Servers come before others, as in a run_queue. For
 * src/net only.
 *
 * Sockets must not block, and SIGPIPE has to be ignored: these writes cannot ask for either. */

struct link;

/* Links of a kind that have something to write, and of all kinds. */
enum { WRITE_BATCH_MOST = 64, WRITE_BATCH_ALL = WRITE_BATCH_MOST * RUN_KINDS };

struct write_batch {
    aio_context_t context; /* 0: there is none to be had, and nothing is put off */
    bool is_open;
    struct write_batch_links {
        struct link *links[WRITE_BATCH_MOST];
        size_t count;
    } kinds[RUN_KINDS];
    /* the call: */
    struct iocb writes[WRITE_BATCH_ALL];
    struct iocb *handed[WRITE_BATCH_ALL];
    struct io_event done[WRITE_BATCH_ALL];
};

/* All zero before. Where the kernel refuses, or does not write on sockets so, writes are never put off. */
void write_batch_create(struct write_batch *batch);
/* Links that are in it are forgotten. */
void write_batch_destroy(struct write_batch *batch);

/* From here on writes may be put off, until write_batch_close, which does them. */
static inline void write_batch_open(struct write_batch *batch)
{
    batch->is_open = batch->context != 0;
}

/* Whether a write of this link's could be put off now. */
MUST_USE bool write_batch_has_room(const struct write_batch *batch, const struct link *link);
/* There has to be room, and the link is not in it. It may be closed until the batch is done, not freed. */
void write_batch_add(struct write_batch *batch, struct link *link);
/* Does the writes that were put off. What is written while it does is not put off. */
void write_batch_close(struct write_batch *batch);

/* Half of what can be put off is. */
static inline bool write_batch_is_filling(const struct write_batch *batch)
{
    return batch->kinds[RUN_OF_SERVERS].count > WRITE_BATCH_MOST / 2 ||
           batch->kinds[RUN_OF_OTHERS].count > WRITE_BATCH_MOST / 2;
}

#endif
