/* SPDX-License-Identifier: PostgreSQL */
/* In place of uring*.c and lane_ring.c where liburing was missing when this was built. */
#include "net/lane.h"
#include "net/uring.h"

#include <stdlib.h>

bool uring_create(int sockets, struct uring **out, struct problem *problem)
{
    (void)sockets;
    *out = NULL;
    *problem = (struct problem){ .text = "this program was built without liburing" };
    return false;
}

/* Since none can be made, nothing of what follows is ever called. */

void uring_pace(struct uring *uring, bool is_busy)
{
    (void)uring, (void)is_busy;
    abort();
}

int uring_call(const struct uring *uring)
{
    (void)uring;
    abort();
}

void uring_called(struct uring *uring)
{
    (void)uring;
    abort();
}

void uring_serve(struct uring *uring)
{
    (void)uring;
    abort();
}

bool uring_may_wait(const struct uring *uring)
{
    (void)uring;
    abort();
}

bool uring_look(struct uring *uring)
{
    (void)uring;
    abort();
}

bool uring_wait(struct uring *uring, int timeout, uv_loop_t *loop)
{
    (void)uring, (void)timeout, (void)loop;
    abort();
}

bool uring_has_links(const struct uring *uring)
{
    (void)uring;
    abort();
}

void uring_destroy(struct uring *uring)
{
    (void)uring;
    abort();
}

int lane_ring_open(struct link *link, int socket)
{
    (void)link, (void)socket;
    abort();
}

void lane_ring_let_go(struct link *link, const struct link_ring *ring)
{
    (void)link, (void)ring;
    abort();
}

void lane_ring_attend(struct link *link)
{
    (void)link;
    abort();
}

struct link_piece *lane_ring_refer(struct link *link, struct bytes bytes)
{
    (void)link, (void)bytes;
    abort();
}

void lane_ring_drop(struct link *link, struct uring_block *block)
{
    (void)link, (void)block;
    abort();
}

void lane_ring_flush(struct link *link)
{
    (void)link;
    abort();
}

void lane_ring_close(struct link *link)
{
    (void)link;
    abort();
}
