/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_EVENT_H
#define OBSERVE_EVENT_H

#include "base/address.h"
#include "base/log.h"
#include "observe/violation.h"

enum event_kind {
#define EVENT(symbol, name, level, about) EVENT_##symbol,
#include "observe/events.def"
#undef EVENT
    EVENT_KIND_COUNT
};

const char *event_kind_name(enum event_kind kind);
enum log_level event_kind_level(enum event_kind kind);

enum {
    REASON_SIZE = 256,
    EVENT_COMMAND_SIZE = 48,
    OBJECTS_TEXT_SIZE = 256,
    EVENT_ROW_SIZE = 512,
    NEAR_MISS_SIZE = 256
};

/* One thing that happened in one session, as it travels through the ring. Texts are masked or identifiers;
 * empty where they do not apply. */
struct event {
    enum event_kind kind;
    uint32_t worker;
    uint64_t session;
    int64_t time_us; /* wall clock, µs since 1970 */
    int64_t duration_us;
    char address[ADDRESS_TEXT_SIZE];
    char application_name[NAME_SIZE];
    char reason[REASON_SIZE];
    /* violations, and who it was (service, database, user, fingerprint, statement) for all kinds; sqlstate
     * also of DDL_FAILED */
    struct violation violation;
    char row[EVENT_ROW_SIZE]; /* of a violation, where values may be told: the refused row, as the server
                               * wrote it; whoever takes the event picks the value and wipes it */
    char near_miss[NEAR_MISS_SIZE]; /* what is said of that value then */
    /* schema changes, and what else the guard refuses */
    uint32_t change;      /* its number in its session, from 1; 0: it did not pass */
    uint32_t change_last; /* DDL_COMMITTED, DDL_UNDONE, DDL_UNKNOWN: they are `change` to `change_last` */
    char command[EVENT_COMMAND_SIZE];
    char class[24];
    uint8_t level;
    const char *ground;     /* guard_ground_name: a constant; NULL where it does not apply */
    char window[NAME_SIZE]; /* the window that let it pass, or the freeze that refused it */
    char rule[NAME_SIZE];   /* of the settings, that decided; empty: none */
    char objects[OBJECTS_TEXT_SIZE];
};

/* Writes the event as one line of structured log: time, level, event, then the fields that its kind has,
 * always in the same order. What is empty or 0 is left out but for session and worker, the reason of an end,
 * the service of violations, schema changes and refusals, what names these (kind, phase, SQLSTATE; command,
 * class, level; change), and the duration of what has one. */
struct bytes event_log(const struct event *event, enum log_format format, struct log_line *line);

#endif
