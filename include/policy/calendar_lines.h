/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_CALENDAR_LINES_H
#define POLICY_CALENDAR_LINES_H

#include "policy/calendar_state.h"

/* A file that is being made into a calendar. */
struct calendar_source {
    const char *path;
    struct calendar *calendar;
    struct problems *problems;
    unsigned *event_lines; /* where its events begin, in their order; the owner frees them */
    size_t event_count;
};

/* Puts the file's components into the calendar's roots. False with an error at its line. */
MUST_USE bool calendar_lines_read(struct calendar_source *source, struct bytes text);

#endif
