/* SPDX-License-Identifier: PostgreSQL */
/* The value that was refused, where the operator wants values to be seen: only events carry it, nothing that
 * is counted. */
#include "session/state.h"

/* Behind the values of a key: of unique, foreign (from either side) and exclusion keys. */
static const char *const key_ends[] = {
    ") already exists.",
    ") is not present in table ",
    ") is still referenced from table ",
    ") conflicts with existing key (",
};

static const char *key_end(const char *values)
{
    const char *found = NULL;
    for (size_t index = 0; index < COUNT_OF(key_ends); index++) {
        const char *end = strstr(values, key_ends[index]);
        found = end != NULL && (found == NULL || end < found) ? end : found;
    }
    return found;
}

void attempted_keep(const struct session *session, const struct report *report, struct event *event)
{
    static const char between[] = ")=(";
    struct bytes columns = report_key_columns(report);
    bool is_cut = strlen(report->detail) + 1 == sizeof(report->detail);
    if (!session->world->captures_values)
        return;
    if (columns.size > 0) {
        struct text shown;
        const char *values = (const char *)columns.data + columns.size + strlen(between);
        const char *end = key_end(values);
        text_init(&shown, event->violation.attempted, sizeof(event->violation.attempted));
        text_append_printable(&shown, end != NULL ? bytes_of(values, (size_t)(end - values)) : BYTES_NONE);
    } else if (!is_cut && event->violation.kind == VIOLATION_CHECK) {
        (void)bytes_copy_text(bytes_text(report->detail), event->row, sizeof(event->row));
    }
}
