/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_ENTRY_FIELDS_H
#define HISTORY_ENTRY_FIELDS_H

#include "history/record.h"

/* What rows are made of, each as it stands in the file. */
#define FIELD(record, array) record_field((record), (array), sizeof(array))

void field_time(struct record *out, int64_t time_us);
/* Of the minute that holds the time. */
void field_minute(struct record *out, int64_t time_us);
/* A NUL-terminated text; NULL is empty. */
void field_constant(struct record *out, const char *constant);
void field_count(struct record *out, uint64_t count);

#endif
