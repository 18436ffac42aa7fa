/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* gettid, pthread_setname_np */
#include "app/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE_OF_KERNEL = 16 };

int thread_introduce(const char *what, unsigned number)
{
    char name[NAME_SIZE_OF_KERNEL];
    (void)snprintf(name, sizeof name, "%s %u", what, number);
    (void)pthread_setname_np(pthread_self(), name);
    return gettid();
}

/* The kernel's struct sched_attr as it was at first, which older C libraries do not declare;
 * sched_setattr(2).
 */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* ns; of the ordinary policy: the slice */
    uint64_t deadline;
    uint64_t period;
};

void thread_ask_slice(int64_t slice_us)
{
    struct attributes attributes = { .size = sizeof attributes };
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.policy != SCHED_OTHER)
        return;
    attributes.runtime = (uint64_t)slice_us * 1000;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int64_t thread_cpu_us(uv_thread_t thread)
{
    clockid_t clock;
    struct timespec used;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}
