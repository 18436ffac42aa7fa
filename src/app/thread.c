/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* gettid, pthread_setname_np */
#include "app/thread.h"

#include <pthread.h>
#include <stdio.h>
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

int64_t thread_cpu_us(uv_thread_t thread)
{
    clockid_t clock;
    struct timespec used;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}
