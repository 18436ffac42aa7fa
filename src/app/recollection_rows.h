/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_RECOLLECTION_ROWS_H
#define APP_RECOLLECTION_ROWS_H

#include "app/recollection.h"

#include <stdatomic.h>

/* What a recollection asks the history for. */

struct recollection_question {
    const char *path; /* of the history */
    const atomic_bool *is_cancelled;
    const char *sql;
    const char *from;  /* $1, an instant or a minute */
    const char *until; /* $2; may be NULL */
    bool (*on_row)(void *context, const struct history_value *values, size_t count);
    void *context;
};

/* Asks the file, as it is. False when not all was told. */
MUST_USE bool recollection_ask(const struct recollection_question *question);
/* The incidents that were under way when a run ended, of the last hour, and the highest number of any. */
MUST_USE bool recollection_read_incidents(struct recollection *recollection);
/* The latest schema changes since `since_us`, and those that the catalogue found: as many as can be read. */
void recollection_read_changes(struct recollection *recollection, int64_t since_us);
void recollection_copy(char *out, size_t capacity, const struct history_value *value);

#define RECOLLECT(field, value) recollection_copy((field), sizeof(field), (value))

#endif
