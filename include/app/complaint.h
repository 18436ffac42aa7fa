/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_COMPLAINT_H
#define APP_COMPLAINT_H

#include "base/problem.h"

/* Writes each problem that was kept to the standard error, a line each, and how many there are beside them.
 */
void complain(const struct problems *problems);

#endif
