/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_POLL_SET_H
#define NET_POLL_SET_H

#include "base/attributes.h"
#include "base/problem.h"

#include <stdbool.h>
#include <uv.h>

/* The sockets of a thread's links, of which the kernel says when one is ready (epoll), beside the loop that
 * has the timers, the listeners and all else. libuv's own handles for sockets take 160 bytes each and six
 * calls of the kernel in the life of a connection; here they take none, and two or three. */
struct poll_set;

/* False with a problem where descriptors or memory are short. */
MUST_USE bool poll_set_create(uv_loop_t *loop, struct poll_set **out, struct problem *problem);
/* Gives it a ring (net/uring.h), before links are opened: which has all links from their beginning to their
 * end, or those that are read while the set is busy. False with a problem. */
MUST_USE bool poll_set_add_ring(struct poll_set *set, bool is_for_all, struct problem *problem);
bool poll_set_has_ring(const struct poll_set *set);
/* Whether the thread has several things to do at a time, of which a ring does many with one call; at first it
 * is not. While one thing comes at a time a ring spares nothing, and takes longer to wake it. */
void poll_set_pace(struct poll_set *set, bool is_busy);
/* Runs the loop and the set, from one thread, as uv_run does: until no handle of the loop is alive and no
 * link is open, or until poll_set_stop. `before_wait`, which may be NULL, is called each turn. */
void poll_set_run(struct poll_set *set, void (*before_wait)(void *owner), void *owner);
/* poll_set_run returns after this turn. To be called from the loop, a link or `before_wait`. */
void poll_set_stop(struct poll_set *set);
/* Whether poll_set_run would go on. */
bool poll_set_is_alive(const struct poll_set *set);
/* One turn, which waits for nothing, of a set that poll_set_run does not run. */
void poll_set_turn(struct poll_set *set);
/* When no link is open. */
void poll_set_destroy(struct poll_set *set);

#endif
