/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_ENTRY_H
#define HISTORY_ENTRY_H

#include "history/record.h"
#include "observe/errors.h"
#include "observe/event.h"
#include "observe/incident_note.h"

enum history_statement {
#define STATEMENT(symbol, ...) STATEMENT_##symbol,
#define CHANGE(symbol, ...)    STATEMENT_##symbol,
#include "history/statements.def"
#undef CHANGE
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
    uint64_t calls;                  /* since it was told last, as the next three */
    uint64_t errors;
    uint64_t rows;
    uint64_t bytes;
    int64_t p50_us; /* of the whole minute so far, as the next three */
    int64_t p95_us;
    int64_t p99_us;
    int64_t longest_us;
};

/* A change of a constraint that a reading of the catalogue found. */
struct history_constraint_change {
    int64_t time_us;       /* of the reading that found it */
    int64_t not_before_us; /* of the reading before */
    char database[NAME_SIZE];
    char schema[NAME_SIZE];
    char table[NAME_SIZE];
    char constraint[NAME_SIZE];
    char kind[INCIDENT_KIND_SIZE]; /* check, foreign key ... */
    char change[COLUMNS_SIZE];     /* made, dropped, "values dropped, values added" ... */
    char difference[DIFFERENCE_SIZE];
    char before[NOTE_DEFINITION_SIZE]; /* empty: it was not there; so below */
    char after[NOTE_DEFINITION_SIZE];
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
void entry_of_error_text(const struct error_entry *error, struct record *out);
void entry_of_constraint_change(const struct history_constraint_change *change, struct record *out);
/* The incident, and the change of one rank, from 1, that may have brought it about. */
void entry_of_incident(const struct incident_note *note, struct record *out);
void entry_of_suspect(const struct incident_note *note, size_t rank, struct record *out);
/* Takes away what was said of ranks that the note does not have. */
void entry_of_suspects_cut(const struct incident_note *note, struct record *out);
/* That this run takes over what an earlier one told of an incident. */
void entry_of_incident_taken(enum history_statement statement, int64_t run, uint64_t number,
                             struct record *out);
/* What violations are counted by, without the count that ends the row. */
void entry_of_count(const struct violation *violation, int64_t minute_us, struct record *out);
/* The same of violations whose names found no room: kind "other", all else empty. */
void entry_of_unnamed(int64_t minute_us, struct record *out);
/* The same of errors; of those without names the family may be known. */
void entry_of_error_count(const struct error_entry *error, int64_t minute_us, struct record *out);
void entry_of_family_count(enum error_family family, int64_t minute_us, struct record *out);
void entry_of_unnamed_error(int64_t minute_us, struct record *out);

#endif
