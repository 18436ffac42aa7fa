/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

#include <stdint.h>

/* The wall clock, µs since 1970. */
int64_t clock_now(void);

#endif
