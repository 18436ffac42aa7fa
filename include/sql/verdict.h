/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_VERDICT_H
#define SQL_VERDICT_H

#include "sql/class.h"
#include "sql/name_list.h"

/* What is known of a text: `class`, `level` and `command` are the riskiest statement's (class_is_riskier), of
 * equally risky ones the first's. */
struct verdict {
    enum statement_class class;
    enum safety_level level;
    bool is_guarded;             /* some statement in it asks for a window */
    uint16_t classes;            /* all that occur in it: a bit 1 << class for each; one statement may have
                                  * several (COPY FROM PROGRAM). CLASS_NONE, at level 1: a statement of no other
                                  * class occurs, or none at all */
    uint8_t levels[CLASS_COUNT]; /* the highest of each class that occurs; 0 elsewhere */
    bool has_temporary;          /* some statement in it changes temporary objects only */
    uint32_t statement_count;    /* statements that are not empty; each semicolon ends one */
    const char *command; /* of the riskiest statement: "ALTER TABLE", "SELECT"; empty where unknown; lives
                          * for ever */
    struct name_list executes; /* what SQL EXECUTEs in it name, cut at 63 bytes as the server does */
    struct name_list prepares; /* and SQL PREPAREs */
};

/* What is known where it may be either text: all that either asks for. */
void verdict_unite(struct verdict *verdict, const struct verdict *other);
/* Whether the other asks for nothing that this one does not ask for, but for the objects that it is about. */
bool verdict_covers(const struct verdict *verdict, const struct verdict *other);

#endif
