/* SPDX-License-Identifier: PostgreSQL */
#include "net/pause.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { NANOSECONDS_PER_MICROSECOND = 1000 };

struct pause {
    uv_poll_t poll;
    int timer;
    void (*on_over)(void *owner);
    void *owner;
};

static void on_due(uv_poll_t *poll, int status, int events)
{
    struct pause *pause = CONTAINER_OF(poll, struct pause, poll);
    uint64_t times;
    (void)status;
    (void)events;
    if (read(pause->timer, &times, sizeof times) == sizeof times)
        pause->on_over(pause->owner);
}

struct pause *pause_create(uv_loop_t *loop, void (*on_over)(void *owner), void *owner)
{
    struct pause *pause = malloc(sizeof *pause);
    if (pause == NULL)
        return NULL;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0 || uv_poll_init(loop, &pause->poll, timer) != 0) {
        if (timer >= 0)
            (void)close(timer);
        free(pause);
        return NULL;
    }
    pause->timer = timer;
    pause->on_over = on_over;
    pause->owner = owner;
    (void)uv_poll_start(&pause->poll, UV_READABLE, on_due); /* cannot fail for a handle just made */
    return pause;
}

void pause_begin(struct pause *pause, unsigned microseconds)
{
    const struct itimerspec when = { .it_value = {
                                         .tv_nsec = (long)microseconds * NANOSECONDS_PER_MICROSECOND,
                                     } };
    (void)timerfd_settime(pause->timer, 0, &when, NULL); /* cannot fail for a time like this */
}

static void on_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF((uv_poll_t *)handle, struct pause, poll));
}

void pause_destroy(struct pause *pause)
{
    uv_close((uv_handle_t *)&pause->poll, on_closed);
    (void)close(pause->timer);
}
