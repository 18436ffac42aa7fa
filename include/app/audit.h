/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_AUDIT_H
#define APP_AUDIT_H

#include "app/log_file.h"
#include "policy/window.h"

/* The record of schema changes and of what operators did to the gate: a JSON object a line, in a file that is
 * only ever appended to. On the control thread. */
struct audit {
    struct log_file file;
    bool is_on;
    uint64_t lost; /* lines that could not be written, not told yet */
};

void audit_init(struct audit *audit);
void audit_close(struct audit *audit);
/* Opens the file, or none when the path is empty, for audit_use to take over. */
MUST_USE bool audit_open(const char *path, struct log_output *out, struct problem *problem);
/* From now on into this one; cannot fail. */
void audit_use(struct audit *audit, struct log_output output);
/* Writes it if it is about a schema change. */
void audit_event(struct audit *audit, const struct event *event);
/* How many lines were lost since it was last asked: the disk is full, or the file cannot be written. */
uint64_t audit_take_lost(struct audit *audit);

#endif
