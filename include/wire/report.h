/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_REPORT_H
#define WIRE_REPORT_H

#include "base/attributes.h"
#include "base/bytes.h"

/* What an ErrorResponse says, captured from its body however it is cut and however large it is (manual:
 * "Error and Notice Message Fields"). Every field is copied up to its capacity; a longer one is cut. message,
 * detail and where may hold row values: they must not leave the program as they are. */

/* FIELD(code, name, capacity with NUL): the fields that are kept. */
#define REPORT_FIELDS(FIELD)                                                                                 \
    FIELD('S', severity_shown, 32)                                                                           \
    FIELD('V', severity, 16)                                                                                 \
    FIELD('C', sqlstate, 8)                                                                                  \
    FIELD('M', message, 256)                                                                                 \
    FIELD('D', detail, 512)                                                                                  \
    FIELD('P', position, 16)                                                                                 \
    FIELD('W', where, 256)                                                                                   \
    FIELD('s', schema, 64)                                                                                   \
    FIELD('t', table, 64)                                                                                    \
    FIELD('c', column, 64)                                                                                   \
    FIELD('d', datatype, 64)                                                                                 \
    FIELD('n', constraint, 64)                                                                               \
    FIELD('R', routine, 64)

struct report {
#define FIELD(code, name, capacity) char name[capacity];
    REPORT_FIELDS(FIELD)
#undef FIELD
#define FIELD(code, name, capacity) bool has_##name;
    REPORT_FIELDS(FIELD)
#undef FIELD
    bool is_complete; /* the final NUL was the last byte, no byte after it */
    /* The decoder's place. */
    uint8_t field;       /* code of the open field, 0 between fields */
    bool is_kept;        /* the open field is one of the above and comes for the first time */
    bool has_ended;      /* the final NUL was seen */
    bool has_extra;      /* bytes came after it */
    uint16_t field_size; /* bytes of the open field copied so far */
};

/* Severities after which the session goes on (ERROR) or ends (FATAL, PANIC); NONE where neither V nor S came.
 */
enum report_severity { REPORT_NONE, REPORT_ERROR, REPORT_FATAL, REPORT_OTHER };

void report_begin(struct report *report);
/* Takes the next piece of the body. A field that comes twice keeps its first value; one that has no end is
 * not there. */
void report_feed(struct report *report, struct bytes body);
/* After the last piece; sets is_complete. */
void report_end(struct report *report);
/* By V; where it is absent (servers before 9.6) by S, which may be in another language: then OTHER. */
enum report_severity report_severity(const struct report *report);
/* Five characters of 0-9 and A-Z. */
bool report_has_valid_sqlstate(const struct report *report);
/* The column list in a detail of the form "Key (a, b)=(...": a view into report->detail, never holding a
 * value; BYTES_NONE where the detail has another form or is in another language. */
struct bytes report_key_columns(const struct report *report);
/* The enum type whose values do not have the one that was sent (22P02), as the server writes its name,
 * qualified and quoted where needed: a view into report->message. BYTES_NONE of any other error, and where
 * the message is in another language: the name stands in nothing else (enum.c of PostgreSQL's sources). */
struct bytes report_enum_type(const struct report *report);

#endif
