/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_RUN_QUEUE_H
#define NET_RUN_QUEUE_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct link;

/* The links that a ring has to attend to, each once. Those of servers come before others (in a batch of
 * writes, too), and those that were put in first before later ones: servers have work to do with what is
 * written to them, and a program with many connections is mostly woken when all that a turn has for it is
 * there. All zero it is empty. */
enum { RUN_OF_SERVERS, RUN_OF_OTHERS, RUN_KINDS };

struct run_queue {
    struct run_circle {
        struct link **links;
        size_t first;
        size_t count;
    } circles[RUN_KINDS];
    size_t room; /* of each: a power of two */
};

/* For so many links in all, a power of two and no fewer than before. False where memory is short: nothing is
 * lost. */
MUST_USE bool run_queue_make_room(struct run_queue *queue, size_t room);
/* There has to be room. Nothing happens where the link is in it already. */
void run_queue_add(struct run_queue *queue, struct link *link);
MUST_USE bool run_queue_is_empty(const struct run_queue *queue);
/* Takes the next one out, or NULL. */
struct link *run_queue_next(struct run_queue *queue);
void run_queue_free(struct run_queue *queue);

#endif
