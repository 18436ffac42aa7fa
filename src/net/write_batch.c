/* SPDX-License-Identifier: PostgreSQL */
#include "net/write_batch.h"

#include "net/poll_set_state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How many bytes the kernel wrote of the first write; 0 where it did none, or failed. */
static long write_first(struct write_batch *batch)
{
    const struct timespec patience = { .tv_sec = 1 };
    bool is_done = syscall(SYS_io_submit, batch->context, 1L, batch->handed) == 1 &&
                   syscall(SYS_io_getevents, batch->context, 1L, 1L, batch->done, &patience) == 1;
    return is_done && batch->done[0].res > 0 ? (long)batch->done[0].res : 0;
}

/* Some that stand in for a kernel have these calls and none that write on sockets. */
static bool can_write(struct write_batch *batch)
{
    static const char word = '?';
    char heard = 0;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    batch->writes[0] = (struct iocb){
        .aio_lio_opcode = IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)ends[0],
        .aio_buf = (uintptr_t)&word,
        .aio_nbytes = 1,
    };
    batch->handed[0] = &batch->writes[0];
    bool is_written = write_first(batch) == 1 && recv(ends[1], &heard, 1, 0) == 1 && heard == word;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return is_written;
}

void write_batch_create(struct write_batch *batch)
{
    if (syscall(SYS_io_setup, WRITE_BATCH_ALL, &batch->context) != 0)
        batch->context = 0;
    else if (!can_write(batch))
        write_batch_destroy(batch);
}

void write_batch_destroy(struct write_batch *batch)
{
    if (batch->context != 0)
        (void)syscall(SYS_io_destroy, batch->context);
    *batch = (struct write_batch){ .context = 0 };
}

static size_t kind_of(const struct link *link)
{
    return link->is_of_server ? RUN_OF_SERVERS : RUN_OF_OTHERS;
}

bool write_batch_has_room(const struct write_batch *batch, const struct link *link)
{
    return batch->is_open && batch->kinds[kind_of(link)].count < WRITE_BATCH_MOST;
}

void write_batch_add(struct write_batch *batch, struct link *link)
{
    struct write_batch_links *kind = &batch->kinds[kind_of(link)];
    link->socket.poll.is_late = true;
    kind->links[kind->count++] = link;
}

static void fill(struct iocb *out, struct link *link)
{
    struct link_piece *piece = link->first;
    *out = (struct iocb){
        .aio_data = (uintptr_t)link,
        .aio_lio_opcode = IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)link->socket.poll.descriptor,
        .aio_buf = (uintptr_t)piece->data,
        .aio_nbytes = piece->size,
    };
    piece->is_under_way = true;
}

/* Fills in the writes for the call, of which each takes one piece, and returns how many they are. What is
 * left of the kind are links of several pieces, and those that had to write before. Nothing is told to
 * anybody: it might close a socket whose number stands in the call. */
static size_t gather(struct write_batch *batch, struct write_batch_links *kind, size_t count)
{
    size_t left = 0;
    for (size_t index = 0; index < kind->count; index++) {
        struct link *link = kind->links[index];
        if (link->is_closing || link->failure < 0) {
            link->socket.poll.is_late = false;
            continue;
        }
        if (link->first == NULL || link->first->next != NULL) {
            kind->links[left++] = link;
            continue;
        }
        link->socket.poll.is_late = false;
        fill(&batch->writes[count], link);
        batch->handed[count] = &batch->writes[count];
        count++;
    }
    kind->count = left;
    return count;
}

static struct link *link_of(uint64_t data)
{
    return (void *)(uintptr_t)data;
}

/* All are done already: sockets that do not block have nothing to be waited for. */
static void reap(struct write_batch *batch, size_t count)
{
    size_t reaped = 0;
    while (reaped < count) {
        long more = syscall(SYS_io_getevents, batch->context, count - reaped, count - reaped,
                            batch->done + reaped, NULL);
        if (more < 0 && errno != EINTR)
            abort(); /* what became of the writes cannot be known any more */
        reaped += more > 0 ? (size_t)more : 0;
    }
}

static void write_alone(struct link *link)
{
    link->socket.poll.is_late = false;
    if (!link->is_closing && link->first != NULL)
        lane_poll_write_waiting(link);
    else
        lane_poll_written(link, 0);
}

/* What the kernel did not take of the writes is written one by one, and so is one alone, by a single call.
 * Whoever is told of the others may close them: they are late again until then. */
static void hand_over(struct write_batch *batch, size_t count)
{
    long taken = count > 1 ? syscall(SYS_io_submit, batch->context, count, batch->handed) : 0;
    size_t handed = taken > 0 ? (size_t)taken : 0;
    reap(batch, handed);
    for (size_t index = handed; index < count; index++)
        link_of(batch->writes[index].aio_data)->socket.poll.is_late = true;
    for (size_t index = 0; index < handed; index++)
        lane_poll_written(link_of(batch->done[index].data), (ssize_t)batch->done[index].res);
    for (size_t index = handed; index < count; index++)
        write_alone(link_of(batch->writes[index].aio_data));
}

void write_batch_close(struct write_batch *batch)
{
    size_t count = 0;
    batch->is_open = false;
    for (size_t kind = 0; kind < RUN_KINDS; kind++)
        count = gather(batch, &batch->kinds[kind], count);
    if (count > 0)
        hand_over(batch, count);
    for (size_t kind = 0; kind < RUN_KINDS; kind++) {
        struct write_batch_links *left = &batch->kinds[kind];
        for (size_t index = 0; index < left->count; index++)
            write_alone(left->links[index]);
        left->count = 0;
    }
}
