/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_SURVEYOR_H
#define APP_SURVEYOR_H

#include "catalog/changes.h"
#include "config/settings.h"

#include <uv.h>

/* Reads the constraints of the databases that the settings name, over connections of its own: at the start,
 * again and again, and soon after a schema change. On the control thread. */
struct surveyor;

/* What became of one database's readings, and what they found. */
struct survey_news {
    const char *database;
    bool is_readable;
    const char *reason; /* why it is not; one line without secrets */
    size_t constraints; /* of this reading, if it is */
};

/* What is told from the loop; `owner` is given back. */
struct survey_listener {
    /* A database is read for the first time, can be read no more, or again. */
    void (*on_news)(void *owner, const struct survey_news *news);
    /* A constraint is another than at the reading before. The constraint and its version live for the call.
     */
    void (*on_change)(void *owner, const struct constraint *constraint, const struct version *version,
                      const struct constraint_change *change);
    void *owner;
};

/* Whether the connection strings can be used; false with problems at their places. */
MUST_USE bool surveyor_check(const struct settings *settings, struct problems *problems);
/* Begins with all databases at once. The settings must outlive it. NULL when memory is short. */
struct surveyor *surveyor_start(uv_loop_t *loop, const struct settings *settings, const struct hash_key *key,
                                const struct survey_listener *listener);
/* Ends all readings; the memory goes in the loop. NULL is allowed. */
void surveyor_stop(struct surveyor *surveyor);
/* Something was changed in this database: reads it soon, if it is one of ours. NULL is allowed, as below. */
void surveyor_hurry(struct surveyor *surveyor, const char *database);

/* What was read; NULL where no database is to be read. */
const struct catalog *surveyor_catalog(const struct surveyor *surveyor);
/* What readings found to be changed; NULL so. */
const struct constraint_changes *surveyor_changes(const struct surveyor *surveyor);

#endif
