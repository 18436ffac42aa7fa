/* SPDX-License-Identifier: PostgreSQL */
#include "observe/violation.h"

const char *violation_kind_name(enum violation_kind kind)
{
    static const char *const names[] = {
#define VIOLATION(symbol, name, about) [VIOLATION_##symbol] = (name),
#include "observe/violations.def"
#undef VIOLATION
    };
    return names[kind];
}

const char *violation_kind_about(enum violation_kind kind)
{
    static const char *const abouts[] = {
#define VIOLATION(symbol, name, about) [VIOLATION_##symbol] = (about),
#include "observe/violations.def"
#undef VIOLATION
    };
    return abouts[kind];
}

const char *violation_phase_name(enum violation_phase phase)
{
    static const char *const names[] = {
#define PHASE(symbol, name, about) [PHASE_##symbol] = (name),
#include "observe/phases.def"
#undef PHASE
    };
    return names[phase];
}

enum { TABLE = 1, COLUMN = 2, CONSTRAINT = 4, DATATYPE = 8 };

static unsigned fields_mask(struct violation_fields fields)
{
    return (fields.has_table ? TABLE : 0u) | (fields.has_column ? COLUMN : 0u) |
           (fields.has_constraint ? CONSTRAINT : 0u) | (fields.has_datatype ? DATATYPE : 0u);
}

/* Which fields tell errors of one SQLSTATE apart; the first row that fits. */
static const struct shape {
    char sqlstate[6];
    uint8_t needed;
    uint8_t absent;
    enum violation_kind kind;
} shapes[] = {
    { "23505", 0, 0, VIOLATION_UNIQUE },
    { "23P01", 0, 0, VIOLATION_EXCLUSION },
    { "23503", 0, 0, VIOLATION_FOREIGN_KEY },
    { "23001", 0, 0, VIOLATION_RESTRICT },
    { "23502", DATATYPE, TABLE | COLUMN, VIOLATION_DOMAIN_NOT_NULL },
    { "23502", TABLE, 0, VIOLATION_NOT_NULL },
    { "23502", COLUMN, 0, VIOLATION_NOT_NULL },
    { "23514", DATATYPE, TABLE, VIOLATION_DOMAIN_CHECK },
    { "23514", CONSTRAINT, 0, VIOLATION_CHECK },
    { "23514", TABLE, 0, VIOLATION_PARTITION },
    { "44000", 0, 0, VIOLATION_CHECK_OPTION },
};

bool violation_classify(const char *sqlstate, struct violation_fields fields, enum violation_kind *kind)
{
    unsigned present = fields_mask(fields);
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const struct shape *shape = &shapes[i];
        if (strcmp(sqlstate, shape->sqlstate) == 0 && (present & shape->needed) == shape->needed &&
            (present & shape->absent) == 0) {
            *kind = shape->kind;
            return true;
        }
    }
    *kind = VIOLATION_INTEGRITY;
    return strlen(sqlstate) == 5 && strncmp(sqlstate, "23", 2) == 0;
}
