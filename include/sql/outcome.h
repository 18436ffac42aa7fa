/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_OUTCOME_H
#define SQL_OUTCOME_H

#include "sql/command.h"

/* What a statement comes to, or several together. Without a class in `levels` it is of none yet. */
struct outcome {
    enum statement_class class;    /* of the riskiest */
    enum safety_level level;       /* and its level */
    const struct command *command; /* of the riskiest; NULL where the first word begins none */
    uint8_t levels[CLASS_COUNT];   /* the highest of each class that occurs, 0 elsewhere */
};

struct outcome outcome_of(enum statement_class class, enum safety_level level, const struct command *command);
/* The same statement is of a further class: its command stays; it is no longer of CLASS_NONE. */
void outcome_add(struct outcome *outcome, enum statement_class class, enum safety_level level);
/* What two statements come to: every class of both, and the riskier one's command; the first's where neither
 * is. */
void outcome_unite(struct outcome *outcome, const struct outcome *other);

#endif
