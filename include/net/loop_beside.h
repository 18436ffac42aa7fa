/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LOOP_BESIDE_H
#define NET_LOOP_BESIDE_H

#include <stdbool.h>
#include <uv.h>

/* libuv's loop where its thread waits in something else, which watches the loop's descriptor. While a link is
 * open the loop has to have an active handle, or it is not run when its descriptor is ready. */

/* How long to wait at most, in ms; -1: until something comes. */
static inline int loop_beside_timeout(const uv_loop_t *loop)
{
    return uv_loop_alive(loop) ? uv_backend_timeout(loop) : -1;
}

/* Lets the loop do what it has to: after its descriptor was ready (`is_due`), when a timer is due, and when
 * a handle was started or closed. */
static inline void loop_beside_run(uv_loop_t *loop, bool *is_due)
{
    if (!*is_due && loop_beside_timeout(loop) != 0)
        return;
    *is_due = false;
    (void)uv_run(loop, UV_RUN_NOWAIT);
}

#endif
