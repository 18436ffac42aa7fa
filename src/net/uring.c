/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "net/link_state.h"
#include "net/uring_state.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Entries that can be handed over at once; links that there is room for at first. */
enum { ENTRIES = 256, ROOM_FIRST = 64 };
enum { KNOWN_MOST = 64 * 1024, FEATURE_RW_ATTR = 1 << 16 };
enum { MILLISECONDS = 1000, NANOSECONDS_PER_MILLISECOND = 1000000 };

/* ── Making one ────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool refuse(struct problem *problem, int error)
{
    struct text text;
    *problem = (struct problem){ .line = 0 };
    text_init(&text, problem->text, sizeof problem->text);
    switch (error) {
    case UV_ENOSYS:
        text_append_string(&text, "the kernel has no io_uring");
        break;
    case UV_EPERM:
    case UV_EACCES:
        text_append_string(
            &text, "io_uring is not allowed here (kernel.io_uring_disabled, or the seccomp filter of a "
                   "container)");
        break;
    case UV_EINVAL:
        text_append_string(&text, "the kernel's io_uring is too old: Linux 6.1 is the first that will do");
        break;
    default:
        text_append_format(&text, "io_uring cannot be had: %s", uv_strerror(error));
    }
    return false;
}

/* Where there is none, the kernel looks each descriptor up. Up to Linux 6.12 a socket that left the table
 * stays open until all receives are done that began while it was there, those of other sockets too: for good,
 * that is. Which kernel it is can be told by what came soon after (IORING_FEAT_RW_ATTR, 6.14). */
static void uring_open_table(struct uring *uring)
{
    struct rlimit limit;
    bool is_limited = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < KNOWN_MOST;
    unsigned most = is_limited ? (unsigned)limit.rlim_cur : KNOWN_MOST;
    uring->known_most = io_uring_register_files_sparse(&uring->ring, most) == 0 ? (int)most : 0;
}

static int uring_open_call(struct uring *uring)
{
    uring->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (uring->call < 0)
        return uv_translate_sys_error(errno);
    int result = io_uring_register_eventfd(&uring->ring, uring->call);
    if (result < 0)
        (void)close(uring->call);
    return result;
}

/* One thread alone submits and reaps, and the kernel does for the ring what there is to do when that thread
 * asks, without interrupting it. That thread is not the one that makes the ring: it is enabled later. */
static int ring_open(struct uring *uring)
{
    struct io_uring_params plan = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED,
        .cq_entries = URING_COMPLETIONS,
    };
    int result = io_uring_queue_init_params(ENTRIES, &uring->ring, &plan);
    if (result < 0)
        return result;
    result = uring_pool_open(&uring->pool, &uring->ring);
    if (result == 0)
        result = uring_open_call(uring);
    if (result == 0) {
        if ((plan.features & FEATURE_RW_ATTR) != 0)
            uring_open_table(uring);
        return 0;
    }
    io_uring_queue_exit(&uring->ring);
    uring_pool_close(&uring->pool);
    return result;
}

/* For so many links, a power of two. What has more room than the others does no harm. */
static bool uring_make_room(struct uring *uring, size_t room)
{
    struct uring_sending *sending = realloc(uring->sending, room * sizeof *sending);
    if (sending == NULL)
        return false;
    uring->sending = sending;
    return run_queue_make_room(&uring->queue, room);
}

static void uring_free(struct uring *uring)
{
    if (uring == NULL)
        return;
    run_queue_free(&uring->queue);
    free(uring->sending);
    free(uring);
}

bool uring_create(int sockets, struct uring **out, struct problem *problem)
{
    struct uring *uring = calloc(1, sizeof *uring);
    int result = uring == NULL || !uring_make_room(uring, ROOM_FIRST) ? UV_ENOMEM : ring_open(uring);
    *out = NULL;
    if (result < 0) {
        uring_free(uring);
        return refuse(problem, result);
    }
    uring->sockets = sockets;
    uring->is_calm = true;
    *out = uring;
    return true;
}

void uring_destroy(struct uring *uring)
{
    io_uring_queue_exit(&uring->ring);
    uring_pool_close(&uring->pool);
    (void)close(uring->call);
    uring_free(uring);
}

/* ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* From now on the ring is the calling thread's. */
static void uring_enable(struct uring *uring)
{
    /* liburing 2.3 declares a function for this and does not export it */
    (void)syscall(SYS_io_uring_register, uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    (void)io_uring_register_ring_fd(&uring->ring); /* spares the kernel a look-up, where it can */
    uring->is_enabled = true;
}

/* Hands over all entries and takes what came: until the next call nothing more comes, so that a turn ends,
 * however much is sent to us meanwhile. What goes wrong (a signal, want of memory) is tried again at the next
 * turn. */
static void uring_submit(struct uring *uring)
{
    if (!uring->is_enabled)
        uring_enable(uring);
    (void)io_uring_submit_and_get_events(&uring->ring);
    if (io_uring_sq_ready(&uring->ring) == 0)
        uring->write_count = 0; /* all were taken */
}

/* Looks twice before it waits: often something comes while the kernel does the writes, and neither who sends
 * it has to wake us then, nor is our place on the processor lost. */
static void uring_submit_and_wait(struct uring *uring)
{
    uring_submit(uring);
    if (io_uring_cq_ready(&uring->ring) == 0)
        (void)io_uring_get_events(&uring->ring);
    if (io_uring_cq_ready(&uring->ring) == 0)
        (void)io_uring_submit_and_wait(&uring->ring, 1);
}

static uint64_t topic_data(void *link, enum uring_topic topic)
{
    return (uintptr_t)link | topic;
}

struct io_uring_sqe *uring_entry(struct uring *uring, void *link, enum uring_topic topic)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);
    if (entry == NULL) {
        uring_submit(uring);
        entry = io_uring_get_sqe(&uring->ring);
        if (entry == NULL)
            abort(); /* the kernel takes nothing any more */
    }
    entry->user_data = topic_data(link, topic);
    return entry;
}

struct uring_write *uring_write_room(struct uring *uring)
{
    return uring->write_count < URING_WRITES_AT_ONCE ? &uring->writes[uring->write_count++] : NULL;
}

/* ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

bool uring_know(struct uring *uring, int socket)
{
    return socket < uring->known_most &&
           io_uring_register_files_update(&uring->ring, (unsigned)socket, &socket, 1) == 1;
}

void uring_forget(struct uring *uring, int socket)
{
    int none = -1;
    (void)io_uring_register_files_update(&uring->ring, (unsigned)socket, &none, 1);
}

bool uring_reserve(struct uring *uring)
{
    size_t room = uring->queue.room;
    return uring->links < room || uring_make_room(uring, 2 * room);
}

void uring_serve(struct uring *uring)
{
    struct link *link;
    while ((link = run_queue_next(&uring->queue)) != NULL)
        lane_ring_serve(uring, link);
}

/* ── Turns ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Tells of the set once, when one of its sockets is ready or becomes it. */
static void uring_watch_sockets(struct uring *uring)
{
    if (uring->is_watching)
        return;
    io_uring_prep_poll_add(uring_entry(uring, NULL, TOPIC_SOCKETS), uring->sockets, POLLIN);
    uring->is_watching = true;
}

/* Else the set, in which the ring's own call is, would have the ring told of it. */
static void uring_unwatch_sockets(struct uring *uring)
{
    if (uring->is_watching)
        io_uring_prep_cancel64(uring_entry(uring, NULL, TOPIC_NONE), topic_data(NULL, TOPIC_SOCKETS), 0);
}

/* It may come too early, since it is not put off when that is. */
static void uring_time(struct uring *uring, uint64_t timeout_ms, uint64_t now_ms)
{
    uint64_t due_ms = now_ms + timeout_ms;
    if (uring->is_timing && uring->due_ms <= due_ms)
        return;
    uring->timeout.tv_sec = (long long)(timeout_ms / MILLISECONDS);
    uring->timeout.tv_nsec = (long long)(timeout_ms % MILLISECONDS) * NANOSECONDS_PER_MILLISECOND;
    if (uring->is_timing)
        io_uring_prep_timeout_update(uring_entry(uring, NULL, TOPIC_NONE), &uring->timeout,
                                     topic_data(NULL, TOPIC_TIMER), 0);
    else
        io_uring_prep_timeout(uring_entry(uring, NULL, TOPIC_TIMER), &uring->timeout, 0, 0);
    uring->is_timing = true;
    uring->due_ms = due_ms;
}

static void uring_dispatch(struct uring *uring, const struct io_uring_cqe *came)
{
    void *link = (void *)(uintptr_t)(came->user_data & ~(uint64_t)TOPIC_MASK);
    switch ((enum uring_topic)(came->user_data & TOPIC_MASK)) {
    case TOPIC_RECEIVE:
        lane_ring_received(uring, link, came->res, came->flags);
        break;
    case TOPIC_SEND:
        lane_ring_sent(uring, link, came->res);
        break;
    case TOPIC_REST:
        lane_ring_rested(uring, link);
        break;
    case TOPIC_SOCKETS:
        uring->is_watching = false;
        uring->is_ready = true;
        break;
    case TOPIC_TIMER:
        uring->is_timing = false;
        break;
    case TOPIC_NONE:
        break;
    }
}

/* Whether there was anything to be taken, or to be done. Where there was no room for all that came, what came
 * back is found only behind the rest. */
static bool uring_take(struct uring *uring)
{
    struct io_uring_cqe *next = NULL;
    bool has_taken = uring->sending_count > 0;
    if (uring->sending_count > 0 && !uring_has_overflown(uring))
        uring_settle_sending(uring);
    while (io_uring_peek_cqe(&uring->ring, &next) == 0) {
        const struct io_uring_cqe came = { .user_data = next->user_data,
                                           .res = next->res,
                                           .flags = next->flags };
        io_uring_cqe_seen(&uring->ring, next);
        uring_dispatch(uring, &came);
        has_taken = true;
    }
    if (uring->sending_count > 0)
        uring_settle_sending(uring);
    return has_taken;
}

/* What is served, and what is called before a wait, may have listed others anew. */
bool uring_may_wait(const struct uring *uring)
{
    return run_queue_is_empty(&uring->queue) && !uring_is_awaited(uring);
}

bool uring_wait(struct uring *uring, int timeout, uv_loop_t *loop)
{
    uring->is_ready = false;
    uring_watch_sockets(uring);
    if (timeout > 0)
        uring_time(uring, (uint64_t)timeout, uv_now(loop));
    if (timeout != 0)
        uring_submit_and_wait(uring);
    else
        uring_submit(uring);
    uv_update_time(loop);
    (void)uring_take(uring);
    return uring->is_ready;
}

/* The kernel calls for what finds nothing there before it: so it looks until nothing is. What the kernel
 * tells within our own call is called for, too, and costs one look more. */
bool uring_look(struct uring *uring)
{
    if (!uring->is_called && io_uring_sq_ready(&uring->ring) == 0)
        return false;
    uring_submit(uring);
    uring->is_called = uring_take(uring) || uring_has_overflown(uring);
    return uring->is_called || io_uring_sq_ready(&uring->ring) > 0;
}

/* What came before the kernel saw that it is to call is looked for behind that. */
void uring_pace(struct uring *uring, bool is_busy)
{
    if (uring->is_calm == !is_busy)
        return;
    uring->is_calm = !is_busy;
    uring->is_called = true;
    (void)io_uring_cq_eventfd_toggle(&uring->ring, uring->is_calm);
    atomic_thread_fence(memory_order_seq_cst);
    if (uring->is_calm)
        uring_unwatch_sockets(uring);
}

void uring_called(struct uring *uring)
{
    uring->is_called = true;
}

int uring_call(const struct uring *uring)
{
    return uring->call;
}

bool uring_has_links(const struct uring *uring)
{
    return uring->links > 0;
}
