/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_URING_H
#define NET_URING_H

#include "base/attributes.h"
#include "base/problem.h"

#include <stdbool.h>
#include <uv.h>

/* A ring of the kernel's (io_uring) that moves the bytes of a worker's links, beside the loop that has the
 * worker's timers, its listeners and all else. One system call a turn hands the kernel all there is to write,
 * and brings what came: the receives stay with the kernel, which puts what it reads into buffers that belong
 * to the ring. */
struct uring;

/* So much that came can wait to be looked at; the kernel keeps any more in memory of its own. */
enum { URING_COMPLETIONS = 4096 };

/* False with a problem that says what is missing: the kernel, the right to it, or that this program was built
 * without.
 */
MUST_USE bool uring_create(uv_loop_t *loop, struct uring **out, struct problem *problem);
/* Runs the loop and the ring, from one thread until their end, as uv_run does: until no handle of the loop is
 * alive and no link is open. `before_wait`, which may be NULL, is called each turn. */
void uring_run(struct uring *uring, void (*before_wait)(void *owner), void *owner);
/* Whether uring_run would go on. */
bool uring_is_alive(const struct uring *uring);
/* One turn, which waits for nothing, of a ring that uring_run does not run. */
void uring_turn(struct uring *uring);
/* When no link is open. */
void uring_destroy(struct uring *uring);

#endif
