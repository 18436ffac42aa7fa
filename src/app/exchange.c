/* SPDX-License-Identifier: PostgreSQL */
#include "app/exchange.h"

bool exchange_init(struct exchange *exchange)
{
    exchange->empty = NULL;
    exchange->full = NULL;
    return uv_mutex_init(&exchange->mutex) == 0;
}

void exchange_release(struct exchange *exchange)
{
    harvest_destroy(exchange->empty);
    harvest_destroy(exchange->full);
    uv_mutex_destroy(&exchange->mutex);
}

void exchange_offer(struct exchange *exchange, struct harvest **empty)
{
    uv_mutex_lock(&exchange->mutex);
    if (exchange->empty == NULL) {
        exchange->empty = *empty;
        *empty = NULL;
    }
    uv_mutex_unlock(&exchange->mutex);
}

struct harvest *exchange_take(struct exchange *exchange)
{
    uv_mutex_lock(&exchange->mutex);
    struct harvest *full = exchange->full;
    exchange->full = NULL;
    uv_mutex_unlock(&exchange->mutex);
    return full;
}

bool exchange_give(struct exchange *exchange, struct harvest **own)
{
    if (harvest_is_empty(*own))
        return false;
    uv_mutex_lock(&exchange->mutex);
    bool is_given = exchange->full == NULL && exchange->empty != NULL;
    if (is_given) {
        exchange->full = *own;
        *own = exchange->empty;
        exchange->empty = NULL;
    }
    uv_mutex_unlock(&exchange->mutex);
    return is_given;
}
