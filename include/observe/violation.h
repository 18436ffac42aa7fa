/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_VIOLATION_H
#define OBSERVE_VIOLATION_H

#include "base/attributes.h"
#include "base/bytes.h"

enum violation_kind {
#define VIOLATION(symbol, name, about) VIOLATION_##symbol,
#include "observe/violations.def"
#undef VIOLATION
    VIOLATION_KIND_COUNT
};

const char *violation_kind_name(enum violation_kind kind);
const char *violation_kind_about(enum violation_kind kind);

/* When the server found it. */
enum violation_phase {
#define PHASE(symbol, name, about) PHASE_##symbol,
#include "observe/phases.def"
#undef PHASE
    PHASE_COUNT
};

const char *violation_phase_name(enum violation_phase phase);

/* Whether an error with this SQLSTATE is a violation (class 23, and 44000), and of which kind, given which
 * fields came with it (manual: "Error and Notice Message Fields"). 23502 and 23514 without the fields that
 * the server sends with its own are some function's: of the kind "integrity". */
struct violation_fields {
    bool has_table;
    bool has_column;
    bool has_constraint;
    bool has_datatype;
};
MUST_USE bool violation_classify(const char *sqlstate, struct violation_fields fields,
                                 enum violation_kind *kind);

enum {
    NAME_SIZE = 64,
    COLUMNS_SIZE = 256,
    SHOWN_TEXT_SIZE = 512,
    FINGERPRINT_TEXT_SIZE = 24,
    ROUTE_SIZE = 65,    /* 64 bytes and a NUL, as for all values of comments */
    TRACE_ID_SIZE = 33, /* 32 hexadecimal digits and a NUL */
    ATTEMPTED_SIZE = 128
};

/* One violation: identifiers and masked text only; never a row's value but for `attempted`, which is empty
 * unless the operator wants values to be seen. Empty where unknown or not sent. */
struct violation {
    enum violation_kind kind;
    enum violation_phase phase;
    char sqlstate[6];
    char schema[NAME_SIZE];
    char table[NAME_SIZE];
    char column[NAME_SIZE];
    char constraint[NAME_SIZE];
    char datatype[NAME_SIZE];
    char service[NAME_SIZE];
    char database[NAME_SIZE];
    char user[NAME_SIZE];
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    char key_columns[COLUMNS_SIZE];  /* of unique, exclusion and foreign keys: "a, b" */
    char statement[SHOWN_TEXT_SIZE]; /* masked */
    char route[ROUTE_SIZE];          /* what the program said of the statement in a comment */
    char trace_id[TRACE_ID_SIZE];
    char attempted[ATTEMPTED_SIZE]; /* the value that was refused, fit to show */
};

#endif
