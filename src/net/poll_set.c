/* SPDX-License-Identifier: PostgreSQL */
#include "net/poll_set.h"

#include "base/text.h"
#include "net/link_state.h"
#include "net/loop_beside.h"
#include "net/poll_set_state.h"
#include "net/uring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { NANOSECONDS_PER_MICROSECOND = 1000, NANOSECONDS_PER_SECOND = 1000000000 };

/* ── Making one ────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool watch(struct poll_set *set, int descriptor, uint32_t events, void *owner)
{
    struct epoll_event wanted = { .events = events, .data.ptr = owner };
    return epoll_ctl(set->sockets, EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

static bool refuse(struct problem *problem, int error)
{
    *problem = (struct problem){ .line = 0 };
    struct text text;
    text_init(&text, problem->text, sizeof problem->text);
    text_append_format(&text, "sockets cannot be waited for (epoll): %s",
                       uv_strerror(uv_translate_sys_error(error)));
    return false;
}

/* What is ready without being a link's: the loop has no owner, the timer is the set's, the ring its own. */
static bool poll_set_open(struct poll_set *set)
{
    set->timer = -1;
    set->sockets = epoll_create1(EPOLL_CLOEXEC);
    if (set->sockets >= 0)
        set->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return set->timer >= 0 && watch(set, uv_backend_fd(set->loop), EPOLLIN, NULL) &&
           watch(set, set->timer, EPOLLIN | EPOLLET, set);
}

bool poll_set_create(uv_loop_t *loop, struct poll_set **out, struct problem *problem)
{
    struct poll_set *set = calloc(1, sizeof *set);
    *out = set;
    if (set != NULL) {
        set->loop = loop;
        set->turns_before_ring = LANE_POLL_TURNS;
        write_batch_create(&set->batch);
        if (poll_set_open(set))
            return true;
    }
    int error = errno;
    if (set != NULL)
        poll_set_destroy(set);
    *out = NULL;
    return refuse(problem, error);
}

bool poll_set_add_ring(struct poll_set *set, bool is_for_all, struct problem *problem)
{
    if (!uring_create(set->sockets, &set->uring, problem))
        return false;
    if (!watch(set, uring_call(set->uring), EPOLLIN | EPOLLET, set->uring)) {
        int error = errno;
        uring_destroy(set->uring);
        set->uring = NULL;
        return refuse(problem, error);
    }
    set->is_ring_for_all = is_for_all;
    poll_set_pace(set, false);
    return true;
}

void poll_set_pace(struct poll_set *set, bool is_busy)
{
    set->is_busy = is_busy || set->is_ring_for_all;
    if (set->uring != NULL)
        uring_pace(set->uring, set->is_busy);
}

bool poll_set_has_ring(const struct poll_set *set)
{
    return set->uring != NULL;
}

void poll_set_destroy(struct poll_set *set)
{
    if (set->uring != NULL)
        uring_destroy(set->uring);
    if (set->timer >= 0)
        (void)close(set->timer);
    if (set->sockets >= 0)
        (void)close(set->sockets);
    write_batch_destroy(&set->batch);
    link_pieces_free(&set->pieces);
    free(set);
}

/* ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* A failure is always told of: where nothing else is waited for, once, or the set would never rest. What is
 * only read is told of once, too (by edge): else the kernel would look at each that was ready again in the
 * next wait. */
static uint32_t events_by_kernel(unsigned events)
{
    switch (events) {
    case 0:
        return EPOLLET;
    case EPOLLIN:
        return EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    default:
        return events;
    }
}

int poll_set_add(struct poll_set *set, struct link *link, int socket, unsigned events)
{
    if (!watch(set, socket, events_by_kernel(events), link))
        return uv_translate_sys_error(errno);
    set->links++;
    return 0;
}

void poll_set_change(struct poll_set *set, struct link *link, int socket, unsigned events)
{
    struct epoll_event wanted = { .events = events_by_kernel(events), .data.ptr = link };
    (void)epoll_ctl(set->sockets, EPOLL_CTL_MOD, socket, &wanted);
}

/* The kernel would do it when the socket is closed, but that is not while a process that is about to become
 * another program has it, too. */
void poll_set_remove(struct poll_set *set, int socket)
{
    (void)epoll_ctl(set->sockets, EPOLL_CTL_DEL, socket, NULL);
    set->links--;
}

/* The kernel may have told of it already, in this turn: it stays until that was looked at. */
void poll_set_close(struct poll_set *set, struct link *link)
{
    link->socket.poll.next_closing = set->closing;
    set->closing = link;
}

static void tell_closed(struct poll_set *set)
{
    struct link *next = set->closing;
    set->closing = NULL;
    while (next != NULL) {
        struct link *link = next;
        next = link->socket.poll.next_closing;
        link_closed(link);
    }
}

/* ── Rests ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static struct poll_rest *rest_at(struct poll_set *set, size_t index)
{
    return &set->rests[(set->first_rest + index) % POLL_SET_RESTS_MOST];
}

/* The clock is CLOCK_MONOTONIC, as uv_hrtime's; a time that is over already is told of at once. */
static void time_first_rest(struct poll_set *set)
{
    uint64_t due_ns = rest_at(set, 0)->due_ns;
    const struct itimerspec when = { .it_value = {
                                         .tv_sec = (time_t)(due_ns / NANOSECONDS_PER_SECOND),
                                         .tv_nsec = (long)(due_ns % NANOSECONDS_PER_SECOND),
                                     } };
    (void)timerfd_settime(set->timer, TFD_TIMER_ABSTIME, &when, NULL); /* cannot fail for a time like this */
}

bool poll_set_rest(struct poll_set *set, struct link *link)
{
    if (set->rest_count == POLL_SET_RESTS_MOST)
        return false;
    *rest_at(set, set->rest_count++) = (struct poll_rest){
        .link = link,
        .due_ns = uv_hrtime() + (uint64_t)LINK_REST_US * NANOSECONDS_PER_MICROSECOND,
    };
    if (set->rest_count == 1)
        time_first_rest(set);
    return true;
}

void poll_set_wake(struct poll_set *set, const struct link *link)
{
    for (size_t index = 0; index < set->rest_count; index++) {
        if (rest_at(set, index)->link == link)
            rest_at(set, index)->link = NULL;
    }
}

static void end_rests(struct poll_set *set)
{
    uint64_t now_ns = uv_hrtime();
    while (set->rest_count > 0 && rest_at(set, 0)->due_ns <= now_ns) {
        struct link *link = rest_at(set, 0)->link;
        set->first_rest = (set->first_rest + 1) % POLL_SET_RESTS_MOST;
        set->rest_count--;
        if (link != NULL)
            lane_poll_rested(link);
    }
    if (set->rest_count > 0)
        time_first_rest(set);
}

/* ── The loop beside the set ───────────────────────────────────────────────────────────────────────────────
 */

static bool is_link(const struct poll_set *set, const struct epoll_event *ready)
{
    const void *owner = ready->data.ptr;
    return owner != NULL && owner != set && owner != set->uring;
}

static void take_ready(struct poll_set *set, const struct epoll_event *ready)
{
    if (ready->data.ptr == NULL)
        set->is_loop_due = true;
    else if (ready->data.ptr == set)
        end_rests(set);
    else if (ready->data.ptr == set->uring)
        uring_called(set->uring);
    else
        lane_poll_ready(ready->data.ptr, ready->events);
}

bool poll_set_is_alive(const struct poll_set *set)
{
    bool has_links =
        set->links > 0 || set->closing != NULL || (set->uring != NULL && uring_has_links(set->uring));
    return has_links || uv_loop_alive(set->loop);
}

/* What is called before a wait may have closed the last link, or stopped the set. */
static bool set_may_wait(const struct poll_set *set)
{
    bool is_ring_done = set->uring == NULL || uring_may_wait(set->uring);
    return is_ring_done && set->closing == NULL && !set->has_stopped && poll_set_is_alive(set);
}

/* Of several that are ready the writes are put off and done together. */
static void take_all_ready(struct poll_set *set, int count)
{
    if (count > 1)
        write_batch_open(&set->batch);
    for (int index = 0; index < count; index++) {
        take_ready(set, &set->ready[index]);
        if (write_batch_is_filling(&set->batch)) {
            write_batch_close(&set->batch);
            write_batch_open(&set->batch);
        }
    }
    write_batch_close(&set->batch);
}

static void change_lanes(struct poll_set *set, int count)
{
    for (int index = 0; index < count; index++) {
        if (is_link(set, &set->ready[index]))
            lane_poll_leave(set->ready[index].data.ptr);
    }
}

/* What one wait brought came at one time. */
static void wait_for_sockets(struct poll_set *set, int timeout)
{
    int count = epoll_wait(set->sockets, set->ready, POLL_SET_READY_MOST, timeout);
    uv_update_time(set->loop);
    take_all_ready(set, count);
    if (set->uring != NULL && set->is_busy)
        change_lanes(set, count);
}

/* While the set is busy its ring waits, and says whether a socket is ready, too; else the ring says whether
 * it has brought anything, or the set waits. */
static void turn(struct poll_set *set, bool may_wait)
{
    int timeout = may_wait && set_may_wait(set) ? loop_beside_timeout(set->loop) : 0;
    if (set->uring == NULL)
        wait_for_sockets(set, timeout);
    else if (!set->is_busy)
        wait_for_sockets(set, uring_look(set->uring) ? 0 : timeout);
    else if (uring_wait(set->uring, timeout, set->loop))
        wait_for_sockets(set, 0);
    tell_closed(set);
    loop_beside_run(set->loop, &set->is_loop_due);
}

static void serve(struct poll_set *set)
{
    if (set->uring != NULL)
        uring_serve(set->uring);
}

void poll_set_run(struct poll_set *set, void (*before_wait)(void *owner), void *owner)
{
    set->has_stopped = false;
    while (!set->has_stopped && poll_set_is_alive(set)) {
        serve(set);
        if (before_wait != NULL)
            before_wait(owner);
        turn(set, true);
    }
}

void poll_set_stop(struct poll_set *set)
{
    set->has_stopped = true;
}

void poll_set_turn(struct poll_set *set)
{
    serve(set);
    turn(set, false);
}
