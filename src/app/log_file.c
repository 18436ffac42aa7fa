/* SPDX-License-Identifier: PostgreSQL */
#include "app/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { LOG_FILE_MODE = 0640, MICROSECONDS = 1000000, LATE_MOST = 60 };

void log_file_init(struct log_file *log)
{
    *log = (struct log_file){ .descriptor = STDERR_FILENO, .level = LOG_INFO };
}

void log_file_close(struct log_file *log)
{
    if (log->is_owned)
        (void)close(log->descriptor);
    log->descriptor = STDERR_FILENO;
    log->is_owned = false;
}

bool log_output_open(const struct log_plan *plan, struct log_output *out, struct problem *problem)
{
    *out = (struct log_output){ .descriptor = STDERR_FILENO };
    if (strcmp(plan->path, "-") == 0)
        return true;
    out->descriptor = open(plan->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_FILE_MODE);
    out->is_owned = true;
    if (out->descriptor >= 0)
        return true;
    struct text text;
    *problem = (struct problem){ .line = 0 };
    text_init(&text, problem->text, sizeof(problem->text));
    text_append_format(&text, "cannot open the %s %s: %s", plan->what, plan->path, strerror(errno));
    return false;
}

void log_output_close(struct log_output output)
{
    if (output.is_owned && output.descriptor >= 0)
        (void)close(output.descriptor);
}

void log_file_use(struct log_file *log, const struct log_plan *plan, struct log_output output)
{
    log_file_close(log);
    log->descriptor = output.descriptor;
    log->is_owned = output.is_owned;
    log->is_torn = false;
    log->format = plan->format;
    log->level = plan->level;
    log->violations_most = plan->violations_most;
}

bool log_file_open(struct log_file *log, const struct log_plan *plan, struct problem *problem)
{
    struct log_output output;
    if (!log_output_open(plan, &output, problem))
        return false;
    log_file_use(log, plan, output);
    return true;
}

static const struct {
    const char *name;
    enum log_level level;
} notices[] = {
#define NOTICE(symbol, name, level, about, keys) [NOTICE_##symbol] = { name, level },
#include "app/notices.def"
#undef NOTICE
};

struct log_line *log_file_begin_at(struct log_file *log, int64_t time_us, enum log_level level,
                                   enum notice notice)
{
    if (level > log->level)
        return NULL;
    log_begin(&log->line, log->format, time_us, level, notices[notice].name);
    return &log->line;
}

struct log_line *log_file_begin(struct log_file *log, int64_t time_us, enum notice notice)
{
    return log_file_begin_at(log, time_us, notices[notice].level, notice);
}

/* Writes as much as can be when the disk is full or the reader is gone: the log never stops the program.
 * Returns how much was written. */
static size_t write_most(int descriptor, struct bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t written = write(descriptor, bytes.data + done, bytes.size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done;
}

/* A line behind one that was torn off begins on a line of its own. Whether all of it was written. */
static bool write_line(struct log_file *log, struct bytes line)
{
    if (log->is_torn && write_most(log->descriptor, bytes_text("\n")) == 0)
        return false;
    size_t written = write_most(log->descriptor, line);
    log->is_torn = written > 0 && written < line.size;
    return written == line.size;
}

bool log_file_write(struct log_file *log)
{
    return write_line(log, log_end(&log->line));
}

/* An event that comes late, behind those of another worker or behind the control thread's own clock, belongs
 * to the second that is being counted; one that is far too late says that the clock was set back. */
static bool is_over(int64_t second, int64_t now)
{
    return now > second || now < second - LATE_MOST;
}

void log_file_tick(struct log_file *log, int64_t now_us)
{
    if (!is_over(log->second, now_us / MICROSECONDS))
        return;
    struct log_line *line =
        log->dropped > 0 ? log_file_begin(log, now_us, NOTICE_VIOLATIONS_NOT_LOGGED) : NULL;
    if (line != NULL) {
        log_integer(line, "count", (int64_t)log->dropped);
        log_time(line, "second", log->second * MICROSECONDS);
        log_file_write(log);
    }
    log->second = now_us / MICROSECONDS;
    log->violations = 0;
    log->dropped = 0;
}

static bool is_within_rate(struct log_file *log, const struct event *event)
{
    bool is_frequent = event->kind == EVENT_VIOLATION || event->kind == EVENT_STATEMENT_REFUSED ||
                       event->kind == EVENT_STATEMENT_WOULD_REFUSE;
    if (!is_frequent)
        return true;
    log_file_tick(log, event->time_us);
    if (log->violations < log->violations_most) {
        log->violations++;
        return true;
    }
    log->dropped++;
    return false;
}

bool log_file_event(struct log_file *log, const struct event *event)
{
    if (event_kind_level(event->kind) > log->level || !is_within_rate(log, event))
        return true;
    return write_line(log, event_log(event, log->format, &log->line));
}
