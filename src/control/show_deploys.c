/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "control/show.h"

/* Each list below has the columns of one command, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

enum { RATE_SIZE = 32 };

/* One deploy and one service; the storage is for numbers a minute. */
struct deploy_cells {
    const struct deploy *deploy;
    const struct deploy_row *row; /* all zeros: no service has used the database */
    const char *verdict;
    char violations_before[RATE_SIZE];
    char violations_after[RATE_SIZE];
    char errors_before[RATE_SIZE];
    char errors_after[RATE_SIZE];
};

/* The time is that of the calls that 95 of 100 do not exceed; violations and errors are those a minute. */
#define DEPLOY_COLUMNS(COLUMN)                                                                               \
    COLUMN(number, INTEGER, (int64_t)cells.deploy->number)                                                   \
    COLUMN(started, TIME, cells.deploy->started_us)                                                          \
    COLUMN(database, TEXT, cells.deploy->database)                                                           \
    COLUMN(changed_by, TEXT, cells.deploy->service)                                                          \
    COLUMN(user_name, TEXT, cells.deploy->user)                                                              \
    COLUMN(application_name, TEXT, cells.deploy->application_name)                                           \
    COLUMN(objects, TEXT, cells.deploy->objects)                                                             \
    COLUMN(changes, INTEGER, (int64_t)cells.deploy->changes)                                                 \
    COLUMN(command, TEXT, cells.deploy->command)                                                             \
    COLUMN(watched, DURATION, cells.deploy->watched_us - cells.deploy->started_us)                           \
    COLUMN(service, TEXT, cells.row->service)                                                                \
    COLUMN(verdict, TEXT, cells.verdict)                                                                     \
    COLUMN(reason, TEXT, cells.row->reason)                                                                  \
    COLUMN(found, TIME, cells.row->worse_us)                                                                 \
    COLUMN(violations_before, TEXT, cells.violations_before)                                                 \
    COLUMN(violations_after, TEXT, cells.violations_after)                                                   \
    COLUMN(errors_before, TEXT, cells.errors_before)                                                         \
    COLUMN(errors_after, TEXT, cells.errors_after)                                                           \
    COLUMN(p95_before, DURATION, cells.row->before.p95_us)                                                   \
    COLUMN(p95_after, DURATION, cells.row->after.p95_us)                                                     \
    COLUMN(calls_before, INTEGER, (int64_t)cells.row->before.calls)                                          \
    COLUMN(calls_after, INTEGER, (int64_t)cells.row->after.calls)                                            \
    COLUMN(statement, TEXT, cells.deploy->statement)

static const struct result_column deploy_columns[] = { DEPLOY_COLUMNS(COLUMN_DESCRIPTION) };

static void write_rate(char storage[RATE_SIZE], uint64_t count, double minutes)
{
    struct text text;
    text_init(&text, storage, RATE_SIZE);
    if (minutes > 0)
        text_append_format(&text, "%.2f", (double)count / minutes);
}

static void write_row(struct result *result, const struct deploy *deploy, const struct deploy_row *row)
{
    const char *verdict = row->service[0] != '\0' ? deploy_outcome_name(row->outcome) : NULL;
    struct deploy_cells cells = { .deploy = deploy, .row = row, .verdict = verdict };
    write_rate(cells.violations_before, row->before.violations, row->before.minutes);
    write_rate(cells.violations_after, row->after.violations, row->after.minutes);
    write_rate(cells.errors_before, row->before.errors, row->before.minutes);
    write_rate(cells.errors_after, row->after.errors, row->after.minutes);
    result_row_begin(result, COUNT_OF(deploy_columns));
    DEPLOY_COLUMNS(COLUMN_CELL)
    result_row_end(result);
}

static size_t write_deploy(struct result *result, const struct deploy *deploy, size_t most)
{
    static const struct deploy_row nobody;
    size_t count = deploy->row_count < most ? deploy->row_count : most;
    if (deploy->row_count == 0 && most > 0)
        write_row(result, deploy, &nobody);
    for (size_t i = 0; i < count; i++)
        write_row(result, deploy, &deploy->rows[i]);
    return deploy->row_count == 0 && most > 0 ? 1 : count;
}

static void note_unfollowed(const struct deploys *deploys, struct console_outcome *notice)
{
    struct text text = { notice->message, strlen(notice->message), sizeof notice->message, false };
    if (deploys->pulses.unfollowed > 0)
        text_append_format(&text, "More than %d services and databases were active: not all are followed.",
                           PULSES_MOST);
}

static bool fill_deploys(const struct show_source *source, struct result *result,
                         struct console_outcome *notice)
{
    const struct deploys *deploys = source->world->deploys;
    const struct deploy *deploy;
    size_t left = source->command->count > 0 ? source->command->count : SHOW_ROWS_DEFAULT;
    note_unfollowed(deploys, notice);
    for (size_t age = 0; left > 0 && (deploy = deploys_newest(deploys, age)) != NULL; age++)
        left -= write_deploy(result, deploy, left);
    return true;
}

const struct show_form show_deploys = { deploy_columns, COUNT_OF(deploy_columns), fill_deploys };
