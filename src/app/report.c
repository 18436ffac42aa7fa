/* SPDX-License-Identifier: PostgreSQL */
#include "app/report.h"

#include "app/clock.h"
#include "app/report_writer.h"
#include "control/duration.h"
#include "history/history.h"
#include "policy/window.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    REPORT_SIZE_MOST = 256 * 1024 * 1024,
    QUERY_ROWS_MOST = 10000,
    QUERY_BYTES_MOST = 512 * 1024 * 1024,
    PARAMETERS = 5,
    SECONDS_SIZE = sizeof("2026-11-21 03:04:05") - 1
};

static const int64_t second_us = 1000000;
static const int64_t minute_us = 60 * INT64_C(1000000);
static const int64_t query_time_us = 60 * INT64_C(1000000);
static const char since_standard[] = "1h";

struct format {
    const char *name;
    void (*write)(const struct report *report, struct buffer *out);
};

static const struct format formats[] = {
    { "text", report_write_text },
    { "json", report_write_json },
    { "md", report_write_markdown },
};

static const struct format *format_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (name == NULL || strcmp(name, formats[i].name) == 0)
            return &formats[i];
    return NULL;
}

static bool moment_read(const char *option, const char *text, int64_t now_us, int64_t *time_us)
{
    int64_t span_us;
    if (duration_parse(bytes_text(text), &span_us)) {
        *time_us = now_us - span_us;
        return true;
    }
    if (instant_parse(text, time_us))
        return true;
    (void)fprintf(stderr,
                  "pgsluice: %s is a span back from now (30m, 1h, 2d) or a time (2026-11-21T03:04:05Z),"
                  " not \"%s\"\n",
                  option, text);
    return false;
}

static bool period_read(const struct report_request *request, int64_t now_us, struct report *report)
{
    const char *since = request->since != NULL ? request->since : since_standard;
    report->until_us = now_us;
    if (!moment_read("--since", since, now_us, &report->since_us))
        return false;
    if (request->until != NULL && !moment_read("--until", request->until, now_us, &report->until_us))
        return false;
    if (report->since_us < report->until_us)
        return true;
    (void)fprintf(stderr,
                  "pgsluice: the period ends before it begins: --since is to be earlier than --until\n");
    return false;
}

/* What the queries of a report are asked with, as texts of the history. */
struct asking {
    struct report *report;
    char since[HISTORY_TIME_SIZE];
    char until[HISTORY_TIME_SIZE];
    char minute[HISTORY_TIME_SIZE];
    char alive[HISTORY_TIME_SIZE];
    size_t section;
};

static bool on_columns(void *context, const struct history_column *columns, size_t count)
{
    const struct asking *asking = context;
    (void)columns;
    size_t named = report_sections[asking->section].column_count;
    return count == named || count == named + 1;
}

static bool on_row(void *context, const struct history_value *values, size_t count)
{
    struct asking *asking = context;
    struct report_table *table = &asking->report->tables[asking->section];
    if (!report_table_add(table, values))
        return false;
    if (count > table->column_count)
        report_table_note_all(table, values[table->column_count].integer);
    return true;
}

static bool section_ask(struct asking *asking)
{
    struct history_failure failure;
    const struct history_value parameters[PARAMETERS] = {
        history_text(asking->since), history_text(asking->until), history_text(asking->report->service),
        history_text(asking->minute), history_text(asking->alive)
    };
    const struct history_question question = {
        .sql = bytes_text(report_sections[asking->section].sql),
        .parameters = parameters,
        .parameter_count = COUNT_OF(parameters),
        .limits = { query_time_us, QUERY_ROWS_MOST, QUERY_BYTES_MOST, NULL },
        .on_columns = on_columns,
        .on_row = on_row,
        .context = asking,
    };
    if (history_query_file(asking->report->history, &question, &failure) == HISTORY_ANSWERED)
        return true;
    (void)fprintf(stderr, "pgsluice: %s cannot be read as a history of this version: %s\n",
                  asking->report->history, failure.message);
    return false;
}

static bool report_fill(struct report *report, int64_t now_us)
{
    struct asking asking = { .report = report };
    entry_time(report->since_us, asking.since);
    entry_time(report->until_us, asking.until);
    entry_time(entry_minute(report->since_us), asking.minute);
    /* As minutes stand in the file: the one that begins with the end of the period is not of it. */
    asking.minute[SECONDS_SIZE] = '\0';
    if (report->until_us % second_us == 0)
        asking.until[SECONDS_SIZE] = '\0';
    entry_time(now_us - minute_us, asking.alive);
    if (access(report->history, R_OK) != 0) {
        (void)fprintf(stderr, "pgsluice: %s: %s\n", report->history, strerror(errno));
        return false;
    }
    for (; asking.section < REPORT_SECTION_COUNT; asking.section++)
        if (!section_ask(&asking))
            return false;
    return true;
}

static int report_print(const struct report *report, const struct format *format)
{
    struct buffer out;
    buffer_init(&out, REPORT_SIZE_MOST);
    format->write(report, &out);
    bool is_written = !out.has_failed && fwrite(out.data, 1, out.size, stdout) == out.size;
    buffer_release(&out);
    return is_written && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int report_run(const struct report_request *request)
{
    const struct format *format = format_find(request->format);
    struct report report;
    int64_t now_us = clock_now();
    if (format == NULL) {
        (void)fprintf(stderr, "pgsluice: --format is text, json or md, not \"%s\"\n", request->format);
        return EXIT_USAGE;
    }
    report_init(&report);
    report.history = request->history;
    report.service = request->service;
    report.version = PGSLUICE_VERSION;
    int status = period_read(request, now_us, &report) ? EXIT_FAILURE : EXIT_USAGE;
    if (status == EXIT_FAILURE && report_fill(&report, now_us))
        status = report_print(&report, format);
    report_release(&report);
    return status;
}
