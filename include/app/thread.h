/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_THREAD_H
#define APP_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* How operators see a thread, in top and gdb. */

/* Names the calling thread "what number". Returns its number, as the kernel calls it. */
int thread_introduce(const char *what, unsigned number);
/* Asks the scheduler to let the calling thread run so long at a stretch, in µs (100 to 100,000), before
 * another that waits for its processor: the rarer it changes, the more the thread finds to do each time. It
 * takes no more of the processor than it would. False, and nothing changed: the kernel would not (before
 * Linux 6.12 it takes no notice), or the thread's policy is one that an operator gave it. */
bool thread_ask_slice(int64_t slice_us);
/* The processor time of a thread that runs, in µs; 0: it cannot be told. */
int64_t thread_cpu_us(uv_thread_t thread);

#endif
