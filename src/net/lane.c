/* SPDX-License-Identifier: PostgreSQL */
/* Which lane a link is on. */
#include "net/lane.h"

#include "net/poll_set_state.h"

#include <sys/ioctl.h>

uv_loop_t *lane_loop(const struct link *link)
{
    return link->chunk->poll_set->loop;
}

struct link_pieces *lane_pieces(const struct link *link)
{
    return &link->chunk->poll_set->pieces;
}

int lane_open(struct link *link, int socket)
{
    bool is_by_ring = link->chunk->poll_set->is_ring_for_all;
    int result = is_by_ring ? lane_ring_open(link, socket) : lane_poll_open(link, socket);
    link->is_by_ring = is_by_ring && result == 0;
    return result;
}

static int leave_ring(struct link *link, const struct link_ring *ring)
{
    int on = 1;
    int result = lane_poll_open(link, ring->descriptor);
    if (result != 0)
        return result;
    lane_ring_let_go(link, ring);
    (void)ioctl(ring->descriptor, FIONBIO, &on); /* as it was before the ring had it */
    return 0;
}

static int leave_set(struct link *link, const struct link_poll *poll)
{
    int result = lane_ring_open(link, poll->descriptor);
    if (result == 0)
        lane_poll_let_go(link, poll);
    return result;
}

bool lane_change(struct link *link)
{
    const union link_socket was = link->socket;
    int result = link->is_by_ring ? leave_ring(link, &was.ring) : leave_set(link, &was.poll);
    if (result != 0) {
        link->socket = was;
        return false;
    }
    link->is_by_ring = !link->is_by_ring;
    lane_attend(link);
    return true;
}
