/* SPDX-License-Identifier: PostgreSQL */
#include "app/inquiry.h"

#include <stdlib.h>

enum { NANOSECONDS_PER_MILLISECOND = 1000000 };

struct inquiry *inquiry_create(const struct hash_key *key, size_t entries)
{
    struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
    if (inquiry == NULL)
        return NULL;
    if (uv_mutex_init(&inquiry->mutex) != 0 || uv_cond_init(&inquiry->answered) != 0) {
        free(inquiry);
        return NULL;
    }
    snapshot_init(&inquiry->snapshot, key, entries);
    return inquiry;
}

static void inquiry_destroy(struct inquiry *inquiry)
{
    snapshot_release(&inquiry->snapshot);
    uv_cond_destroy(&inquiry->answered);
    uv_mutex_destroy(&inquiry->mutex);
    free(inquiry);
}

void inquiry_answer(struct inquiry *inquiry)
{
    uv_mutex_lock(&inquiry->mutex);
    inquiry->is_answered = true;
    bool is_last = inquiry->is_given_up;
    uv_cond_signal(&inquiry->answered);
    uv_mutex_unlock(&inquiry->mutex);
    if (is_last)
        inquiry_destroy(inquiry);
}

bool inquiry_wait(struct inquiry *inquiry, uint64_t wait_ms)
{
    int error = 0;
    uv_mutex_lock(&inquiry->mutex);
    while (!inquiry->is_answered && error == 0)
        error = uv_cond_timedwait(&inquiry->answered, &inquiry->mutex, wait_ms * NANOSECONDS_PER_MILLISECOND);
    bool is_answered = inquiry->is_answered;
    uv_mutex_unlock(&inquiry->mutex);
    return is_answered;
}

void inquiry_add_to(struct inquiry *inquiry, struct snapshot *into)
{
    snapshot_merge(into, &inquiry->snapshot);
}

void inquiry_give_up(struct inquiry *inquiry)
{
    if (inquiry == NULL)
        return;
    uv_mutex_lock(&inquiry->mutex);
    inquiry->is_given_up = true;
    bool is_last = inquiry->is_answered;
    uv_mutex_unlock(&inquiry->mutex);
    if (is_last)
        inquiry_destroy(inquiry);
}
