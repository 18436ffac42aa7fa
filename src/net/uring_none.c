/* SPDX-License-Identifier: PostgreSQL */
/* In place of uring*.c and lane_ring.c where liburing was missing when this was built. */
#include "net/lane.h"
#include "net/uring.h"

#include <stdlib.h>

bool uring_create(uv_loop_t *loop, struct uring **out, struct problem *problem)
{
    (void)loop;
    *out = NULL;
    *problem = (struct problem){ .text = "this program was built without liburing" };
    return false;
}

/* Since none can be made, nothing of what follows is ever called. */

void uring_run(struct uring *uring, void (*before_wait)(void *owner), void *owner)
{
    (void)uring, (void)before_wait, (void)owner;
    abort();
}

bool uring_is_alive(const struct uring *uring)
{
    (void)uring;
    abort();
}

void uring_turn(struct uring *uring)
{
    (void)uring;
    abort();
}

void uring_destroy(struct uring *uring)
{
    (void)uring;
}

int lane_ring_open(struct link *link, int socket)
{
    (void)link, (void)socket;
    abort();
}

uv_loop_t *lane_ring_loop(const struct link *link)
{
    (void)link;
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

struct link_piece *lane_ring_piece(struct link *link, size_t capacity)
{
    (void)link, (void)capacity;
    abort();
}

void lane_ring_release(struct link *link, struct link_piece *piece)
{
    (void)link, (void)piece;
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
