/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_BELL_H
#define APP_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/* By which the workers call the control thread. The first call is heard at once; while calls go on coming,
 * the thread looks by itself every BELL_PAUSE_MS, and a call costs the caller no call of the kernel. */
enum { BELL_PAUSE_MS = 10 };

struct bell {
    uv_async_t async;
    uv_timer_t timer;
    atomic_bool is_rung;  /* somebody called since the thread last looked */
    atomic_bool is_awake; /* it will look by itself */
    void (*heard)(void *owner);
    void *owner;
};

/* 0 or a negative libuv code. `heard` comes from the loop. */
int bell_init(struct bell *bell, uv_loop_t *loop, void (*heard)(void *owner), void *owner);
/* From any thread: `heard` comes BELL_PAUSE_MS from now at the latest, and sees what the caller did before.
 */
void bell_ring(struct bell *bell);
/* The same, at once. */
void bell_ring_loudly(struct bell *bell);
/* Nobody may ring any more; its memory may go when the loop has run. */
void bell_close(struct bell *bell);

#endif
