/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_EXCHANGE_H
#define APP_EXCHANGE_H

#include "base/attributes.h"
#include "observe/harvest.h"

#include <uv.h>

/* Where the control thread lays down an empty harvest for a worker and finds the full one: neither waits for
 * the other. */
struct exchange {
    uv_mutex_t mutex;
    struct harvest *empty;
    struct harvest *full;
};

MUST_USE bool exchange_init(struct exchange *exchange);
void exchange_release(struct exchange *exchange);
/* Control thread: lays down an empty one where there is none (*empty, which is then NULL). */
void exchange_offer(struct exchange *exchange, struct harvest **empty);
/* Control thread: takes the full one; NULL when there is none. */
struct harvest *exchange_take(struct exchange *exchange);
/* Worker: lays down its harvest, if anything was counted, and takes the empty one. While its last one was not
 * taken, or there is no empty one, it goes on with its own. Whether it laid one down. */
MUST_USE bool exchange_give(struct exchange *exchange, struct harvest **own);

#endif
