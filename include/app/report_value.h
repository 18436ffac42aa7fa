/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_REPORT_VALUE_H
#define APP_REPORT_VALUE_H

#include "app/report_table.h"
#include "base/text.h"

enum { REPORT_TIME_SIZE = 40 };

/* How the values of a report are shown to people, and pieces that its writers share. */
static inline void report_put(struct buffer *out, const char *text)
{
    buffer_append(out, bytes_text(text));
}

void report_put_format(struct buffer *out, const char *format, ...) PRINTF_LIKE(2, 3);
/* Whether there is nothing to show: NULL, or an empty text. */
bool report_value_is_empty(const struct history_value *value);
/* Cuts the next character off. False when it is not fit to show: a control, or no valid UTF-8. */
MUST_USE bool report_next_character(struct bytes *rest, struct bytes *character);
/* Appends the value as one line that holds nothing but harmless characters; what is not fit to show becomes
 * \xNN. */
void report_value_plain(const struct history_value *value, enum report_kind kind, struct buffer *out);
/* An instant of the history as RFC 3339; false where the text is none. */
MUST_USE bool report_time(struct bytes text, bool is_exact, char out[static REPORT_TIME_SIZE]);
/* The period, as "2026-11-21 14:00:00Z to 2026-11-21 15:00:00Z (1h)". */
void report_put_period(const struct report *report, struct buffer *out);

#endif
