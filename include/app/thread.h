/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_THREAD_H
#define APP_THREAD_H

#include <stdint.h>
#include <uv.h>

/* How operators see a thread, in top and gdb. */

/* Names the calling thread "what number". Returns its number, as the kernel calls it. */
int thread_introduce(const char *what, unsigned number);
/* The processor time of a thread that runs, in µs; 0: it cannot be told. */
int64_t thread_cpu_us(uv_thread_t thread);

#endif
