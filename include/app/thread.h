/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_THREAD_H
#define APP_THREAD_H

#include <stdint.h>
#include <uv.h>

/* How operators see a thread, in top and gdb. */

/* Names the calling thread "what number". Returns its number, as the kernel calls it. */
int thread_introduce(const char *what, unsigned number);
/* Asks the scheduler to let the calling thread, and those that it makes from then on, run so long at a
 * stretch, in µs (100 to 100,000; 0: as long as all programs), before another that waits for the processor.
 * The rarer it changes, the more the thread finds to do each time, and the later its turn comes. Before
 * Linux 6.12 the kernel takes no notice; a thread whose policy is not the ordinary one is left as it is, and
 * so is what the kernel refuses. */
void thread_ask_slice(int64_t slice_us);
/* The processor time of a thread that runs, in µs; 0: it cannot be told. */
int64_t thread_cpu_us(uv_thread_t thread);

#endif
