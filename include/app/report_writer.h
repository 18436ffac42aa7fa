/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_REPORT_WRITER_H
#define APP_REPORT_WRITER_H

#include "app/report_table.h"

/* Each appends the whole report. Whatever bytes its values hold, nothing but the values' own place shows
 * them: no control, no line break, no mark-up gets through. */
void report_write_text(const struct report *report, struct buffer *out);
void report_write_markdown(const struct report *report, struct buffer *out);
void report_write_json(const struct report *report, struct buffer *out);

#endif
