/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/attributes.h"
#include "base/bytes.h"

#include <stdarg.h>

/* Builds a text in somebody else's storage. What does not fit is cut and remembered in `is_truncated`; the
 * storage is always NUL-terminated; once something was cut, nothing more is appended. Nothing allocates. */
struct text {
    char *data;
    size_t size;     /* without the NUL */
    size_t capacity; /* with the NUL, at least 1 */
    bool is_truncated;
};

void text_init(struct text *text, char *storage, size_t capacity);
void text_append(struct text *text, struct bytes bytes);
void text_append_byte(struct text *text, char byte);
void text_append_string(struct text *text, const char *string);
void text_append_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_append_arguments(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
/* Appends bytes of unknown origin so that they are one harmless line of valid UTF-8: what utf8_is_control
 * names and invalid UTF-8 become \xNN per byte, a backslash is doubled. Never cuts inside a character or an
 * escape. */
void text_append_printable(struct text *text, struct bytes bytes);
/* Appends an instant (µs since 1970 UTC) as 2026-11-21T03:04:05.678901Z. */
void text_append_time(struct text *text, int64_t time_us);
/* Appends a span of time for people, cut to its two largest units: 850us, 1.5ms, 12s, 3m20s, 2h5m, 4d3h. */
void text_append_duration(struct text *text, int64_t duration_us);

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->data, text->size);
}

#endif
