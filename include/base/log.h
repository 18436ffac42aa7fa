/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/text.h"

/* Writes one line of structured log into memory: logfmt (key=value, values quoted where needed) or one JSON
 * object. Every value passes text_append_printable's rules (in JSON: \uNNNN for what they escape, \ufffd for
 * a byte that is not UTF-8), so no value can break the line. Keys are plain words; their order is the order
 * of calls. A value of more than LOG_VALUE_SIZE bytes as written is cut inside its quotes and ends in "...";
 * when the line is full, the pairs that follow are left out and the line ends with is_cut=true. It is always
 * well-formed. */
enum log_format { LOG_LOGFMT, LOG_JSON };
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

enum { LOG_LINE_SIZE = 8192, LOG_VALUE_SIZE = 2048 };

struct log_line {
    enum log_format format;
    struct text text;
    char storage[LOG_LINE_SIZE];
};

const char *log_level_name(enum log_level level);
/* Starts a line with its time (µs since 1970), level and event name. */
void log_begin(struct log_line *line, enum log_format format, int64_t time_us, enum log_level level,
               const char *event);
void log_bytes(struct log_line *line, const char *key, struct bytes value);
void log_string(struct log_line *line, const char *key, const char *value);
void log_integer(struct log_line *line, const char *key, int64_t value);
void log_boolean(struct log_line *line, const char *key, bool value);
/* An instant as RFC 3339. */
void log_time(struct log_line *line, const char *key, int64_t time_us);
/* Ends the line, with its line feed; the view lives as long as the line. */
struct bytes log_end(struct log_line *line);

#endif
