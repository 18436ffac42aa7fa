/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_LOG_FILE_H
#define APP_LOG_FILE_H

#include "base/log.h"
#include "base/problem.h"
#include "observe/event.h"

enum notice {
#define NOTICE(symbol, name, level, about, keys) NOTICE_##symbol,
#include "app/notices.def"
#undef NOTICE
    NOTICE_COUNT
};

/* Where the log goes, on the control thread. Violations and refused writes are held to so many lines a
 * second; the rest of a second's are told in one line with their number. */
struct log_file {
    int descriptor;
    bool is_owned; /* opened by us, not standard error */
    bool is_torn;  /* its last line could be written in part only */
    enum log_format format;
    enum log_level level;
    uint32_t violations_most; /* lines a second */
    int64_t second;           /* the one that is being counted, since 1970 */
    uint32_t violations;      /* in it */
    uint64_t dropped;         /* in it, not written */
    struct log_line line;     /* scratch */
};

struct log_plan {
    enum log_format format;
    enum log_level level;
    const char *path; /* "-": standard error */
    const char *what; /* "log file", for messages */
    uint32_t violations_most;
};

/* A file opened for appending, or standard error, which is not closed. */
struct log_output {
    int descriptor; /* -1: none */
    bool is_owned;
};

void log_file_init(struct log_file *log);
void log_file_close(struct log_file *log);
/* Opens what log_file_use takes over, or log_output_close closes: the same path anew, too, so that it may be
 * rotated away. */
MUST_USE bool log_output_open(const struct log_plan *plan, struct log_output *out, struct problem *problem);
void log_output_close(struct log_output output);
/* From now on by this plan; cannot fail. */
void log_file_use(struct log_file *log, const struct log_plan *plan, struct log_output output);
/* Both; when it cannot, the log stays as it was. */
MUST_USE bool log_file_open(struct log_file *log, const struct log_plan *plan, struct problem *problem);

/* Begins a line of the program's own in log->line, at the notice's level; NULL when lines of that level are
 * not written. log_file_write ends and writes it. */
struct log_line *log_file_begin(struct log_file *log, int64_t time_us, enum notice notice);
/* The same at another level. */
struct log_line *log_file_begin_at(struct log_file *log, int64_t time_us, enum log_level level,
                                   enum notice notice);
bool log_file_write(struct log_file *log);
/* Writes an event's line, within the rate. False, here and above, when not all of the line could be written.
 */
bool log_file_event(struct log_file *log, const struct event *event);
/* Says how many violations of a second that is over were not written. Call now and then. */
void log_file_tick(struct log_file *log, int64_t now_us);

#endif
