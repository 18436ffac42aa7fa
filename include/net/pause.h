/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_PAUSE_H
#define NET_PAUSE_H

#include "base/attributes.h"

#include <uv.h>

/* A timer of microseconds on a loop, whose own timers count milliseconds. */
struct pause;

/* `on_over` comes from the loop. NULL where a descriptor or memory is short. */
MUST_USE struct pause *pause_create(uv_loop_t *loop, void (*on_over)(void *owner), void *owner);
/* on_over comes once, after so many microseconds (less than a second, not 0); begun again, it counts anew. */
void pause_begin(struct pause *pause, unsigned microseconds);
/* on_over comes no more. The memory goes in the loop. */
void pause_destroy(struct pause *pause);

#endif
