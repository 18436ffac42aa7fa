/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_ENTRY_H
#define HISTORY_ENTRY_H

#include "history/record.h"
#include "observe/event.h"

enum history_statement {
#define STATEMENT(symbol, sql) STATEMENT_##symbol,
#include "history/statements.def"
#undef STATEMENT
    STATEMENT_COUNT
};

enum { INCIDENT_KIND_SIZE = 32, SUSPECTS_SIZE = 1024, HISTORY_TIME_SIZE = 32 };

/* What one fingerprint did in one minute for one service, database and user. */
struct history_minute {
    int64_t minute_us; /* any instant in it, since 1970 */
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char user[NAME_SIZE];
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    char statement[SHOWN_TEXT_SIZE]; /* masked; kept once for each fingerprint; may be empty */
    uint64_t calls;
    uint64_t errors;
    uint64_t rows;
    uint64_t bytes;
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    int64_t longest_us;
};

/* A spike. Recorded again with the same number, the row says what is said last. */
struct history_incident {
    uint64_t number; /* in this run of the program */
    int64_t started_us;
    int64_t ended_us; /* 0: it goes on */
    char service[NAME_SIZE];
    char kind[INCIDENT_KIND_SIZE]; /* of what: constraint, family ... */
    char subject[COLUMNS_SIZE];    /* its name */
    bool is_first;                 /* seen for the first time ever */
    uint64_t count;
    double rate; /* a minute */
    double baseline;
    double peak;
    char suspects[SUSPECTS_SIZE]; /* the changes that may have done it, for people */
};

/* An instant (µs since 1970) as it stands in the file: "2026-11-21 03:04:05.678901", UTC. */
void entry_time(int64_t time_us, char out[static HISTORY_TIME_SIZE]);
/* The beginning of the minute, µs. */
int64_t entry_minute(int64_t time_us);
/* Fills the row of an event; its tag is the enum history_statement that writes it. False for events of which
 * the history keeps nothing. */
MUST_USE bool entry_of_event(const struct event *event, struct record *out);
void entry_of_minute(const struct history_minute *minute, struct record *out);
void entry_of_text(const struct history_minute *minute, struct record *out);
void entry_of_incident(const struct history_incident *incident, struct record *out);
/* What violations are counted by, without the count that ends the row. */
void entry_of_count(const struct violation *violation, int64_t minute_us, struct record *out);
/* The same of violations whose names found no room: kind "other", all else empty. */
void entry_of_unnamed(int64_t minute_us, struct record *out);

#endif
