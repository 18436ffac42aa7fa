/* SPDX-License-Identifier: PostgreSQL */
/* Writes that the kernel does when it takes them, and tells of only where it did not do all. */
#include "net/uring_state.h"

void uring_sends(struct uring *uring, struct link *link)
{
    uring->sending[uring->sending_count++] = (struct uring_sending){ link, uring->ring.sq.sqe_tail - 1 };
}

/* Those of which not all was taken are told of, and before all else: the kernel did them when it took their
 * entries. */
static void find_those_back(struct uring *uring)
{
    struct io_uring_cqe *came;
    unsigned head;
    io_uring_for_each_cqe(&uring->ring, head, came)
    {
        if ((came->user_data & TOPIC_MASK) == TOPIC_SEND)
            lane_ring_came_back((void *)(uintptr_t)(came->user_data & ~(uint64_t)TOPIC_MASK));
    }
}

bool uring_is_awaited(const struct uring *uring)
{
    for (size_t index = 0; index < uring->sending_count; index++) {
        if (lane_ring_is_awaited(uring->sending[index].link))
            return true;
    }
    return false;
}

bool uring_has_overflown(const struct uring *uring)
{
    return (IO_URING_READ_ONCE(*uring->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;
}

/* Of the entries that the kernel took, those that did not come back are done. */
void uring_settle_sending(struct uring *uring)
{
    unsigned taken = io_uring_smp_load_acquire(uring->ring.sq.khead);
    size_t done = 0;
    size_t left = 0;
    find_those_back(uring);
    while (done < uring->sending_count && (int)(taken - uring->sending[done].position) > 0)
        lane_ring_sent_all(uring, uring->sending[done++].link);
    while (done < uring->sending_count)
        uring->sending[left++] = uring->sending[done++];
    uring->sending_count = left;
}
