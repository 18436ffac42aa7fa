/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_INQUIRY_H
#define APP_INQUIRY_H

#include "base/attributes.h"
#include "observe/snapshot.h"

#include <uv.h>

/* A question from the control thread to a worker. Both hold it: the one that lets go last frees it, so
 * neither depends on the other being in time. */
struct inquiry {
    struct snapshot snapshot; /* the worker's until it has answered, then the asker's */
    uv_mutex_t mutex;
    uv_cond_t answered;
    bool is_answered;
    bool is_given_up;
};

/* NULL when memory is short. */
struct inquiry *inquiry_create(const struct hash_key *key, size_t entries);
/* The worker: the snapshot is filled; it lets go. */
void inquiry_answer(struct inquiry *inquiry);
/* The asker: waits for the answer. Whether it came. */
MUST_USE bool inquiry_wait(struct inquiry *inquiry, uint64_t wait_ms);
/* The asker, after an answer: puts it together with what `into` holds. */
void inquiry_add_to(struct inquiry *inquiry, struct snapshot *into);
/* The asker lets go. NULL is allowed. */
void inquiry_give_up(struct inquiry *inquiry);

#endif
