/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SUSPECTS_H
#define OBSERVE_SUSPECTS_H

#include "observe/journal.h"
#include "observe/suspect.h"

/* Which schema change did it: remembers the latest changes, as they pass through the sluice and as the
 * catalogue of constraints finds them, and finds those that may have brought an incident about. Bounded: the
 * oldest is given up first. */

/* A schema change as far as it is known. */
struct suspect_change {
    struct suspect suspect; /* what is asked for decides its ground and object */
    char database[NAME_SIZE];
    char objects[OBJECTS_TEXT_SIZE]; /* as in its event */
    bool is_complete;                /* it touched no other object than those in the list */
    char schema[NAME_SIZE];          /* of what the catalogue found, with the next two; else empty */
    char table[NAME_SIZE];
    char constraint[NAME_SIZE];
    uint32_t worker;
    uint64_t session;
    uint32_t change;         /* its number in its session; 0: it has none */
    enum change_state state; /* CHANGE_COMMITTED of one that only the catalogue found */
    bool is_taken;           /* suspects_next_carried_out gave it */
};

struct suspects {
    struct suspect_change *changes; /* a circle */
    size_t capacity;
    size_t count;
    size_t next;
    int64_t look_back_us; /* older ones are no suspects */
};

/* What the catalogue found: that a constraint is another one, new or gone. `table` is the domain of a
 * domain's constraint. */
struct suspect_difference {
    const char *database;
    const char *schema;
    const char *table;
    const char *constraint;
    int64_t seen_us;       /* the reading that saw it first */
    int64_t not_before_us; /* the last reading that did not */
    const char *text;      /* what was changed */
};

/* What was hit, and when. Texts are NULL or empty where they are not known. */
struct suspect_query {
    const char *database;
    const char *schema;
    const char *table;
    const char *datatype;   /* the domain or type */
    const char *constraint; /* or the column, where the error names no constraint */
    const char *root_schema;
    const char *root;      /* of a partition, the partitioned table */
    const char *statement; /* masked; where neither table nor type is known, the names in it are those hit */
    int64_t started_us;
    bool is_first; /* it never happened before: the newest change counts however old it is */
};

enum { SUSPECT_LOOK_BACK_HOURS = 24 };

MUST_USE bool suspects_init(struct suspects *suspects, size_t capacity, int64_t look_back_us);
void suspects_release(struct suspects *suspects);
/* Takes in what the event says of schema changes; nothing of other events. */
void suspects_record(struct suspects *suspects, const struct event *event);
/* Takes in a change of an earlier run of the program: its decision, with the time and the reason of its end.
 * What was not seen to end may have been carried out. suspects_next_carried_out does not give it. */
void suspects_restore(struct suspects *suspects, const struct event *event, enum change_state state);
/* The next change, oldest first, that was carried out through the sluice, or may have been, and was not given
 * before; NULL: no more. Valid until the next call of another function. */
const struct suspect_change *suspects_next_carried_out(struct suspects *suspects);
/* Takes in what the catalogue found: added to the change that explains it, made between the two readings in
 * the same database and naming the table; otherwise a change of its own, made around the sluice. */
void suspects_learn(struct suspects *suspects, const struct suspect_difference *difference);
/* Fills `out` with the changes made before it started, likeliest first: those that touched the very
 * constraint or column, then those that touched the table or type, then those of which that is not known, the
 * newest first among equals. What failed or was undone is no suspect. Returns how many. */
size_t suspects_find(const struct suspects *suspects, const struct suspect_query *asked,
                     struct suspect out[SUSPECTS_MOST]);

#endif
