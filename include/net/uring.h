/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_URING_H
#define NET_URING_H

#include "base/attributes.h"
#include "base/problem.h"

#include <stdbool.h>
#include <uv.h>

/* A ring of the kernel's (io_uring) that moves the bytes of links, of one set of sockets. One system call a
 * turn hands the kernel all there is to write, and brings what came: the receives stay with the kernel, which
 * puts what it reads into buffers that belong to the ring. For src/net only: programs give it to a set. */
struct uring;

/* So much that came can wait to be looked at; the kernel keeps any more in memory of its own. */
enum { URING_COMPLETIONS = 4096 };

/* `sockets` is the descriptor of the set. False with a problem that says what is missing: the kernel, the
 * right to it, or that this program was built without. From its first turn on it belongs to the thread that
 * took it. */
MUST_USE bool uring_create(int sockets, struct uring **out, struct problem *problem);
/* Calm at first. While it is, the first of what comes makes the descriptor uring_call readable, by edge;
 * uring_called says that this was seen. */
void uring_pace(struct uring *uring, bool is_busy);
int uring_call(const struct uring *uring);
void uring_called(struct uring *uring);
/* Does for its links what they want: the first thing in a turn. */
void uring_serve(struct uring *uring);
/* Nothing is left to be done before a wait. */
MUST_USE bool uring_may_wait(const struct uring *uring);
/* While it is calm: hands over what there is and takes what came. Whether anything did. */
MUST_USE bool uring_look(struct uring *uring);
/* While it is busy: the same, and waits for something to come, for `timeout` ms at most, -1: for as long as
 * it takes. Whether one of the set's sockets is ready. The loop is told what time it is. */
MUST_USE bool uring_wait(struct uring *uring, int timeout, uv_loop_t *loop);
bool uring_has_links(const struct uring *uring);
/* When no link is open. */
void uring_destroy(struct uring *uring);

#endif
