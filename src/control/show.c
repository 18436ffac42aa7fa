/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"

/* Each list below has the columns of one command, once: COLUMN(name, type, value). */
#define COLUMN_DESCRIPTION(name, type, value) { #name, COLUMN_##type },
#define COLUMN_CELL(name, type, value)        RESULT_CELL_##type(result, value);

const struct show_form show_none = { NULL, 0, NULL };

#define WINDOW_COLUMNS(COLUMN)                                                                               \
    COLUMN(name, TEXT, row->name)                                                                            \
    COLUMN(kind, TEXT, window_kind_name(row->kind))                                                          \
    COLUMN(allow, TEXT, row->kind == WINDOW_FREEZE ? NULL : safety_level_name(row->allow))                   \
    COLUMN(state, TEXT, window_state_name(row->state))                                                       \
    COLUMN(opens, TIME, row->opens_us)                                                                       \
    COLUMN(closes, TIME, row->closes_us)                                                                     \
    COLUMN(timezone, TEXT, row->timezone)                                                                    \
    COLUMN(reason, TEXT, row->reason)                                                                        \
    COLUMN(opened_by, TEXT, row->opened_by)                                                                  \
    COLUMN(service, TEXT, row->service)                                                                      \
    COLUMN(user_name, TEXT, row->user)                                                                       \
    COLUMN(database, TEXT, row->database)

static const struct result_column window_columns[] = { WINDOW_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_windows(const struct show_source *source, struct result *result,
                         struct console_outcome *notice)
{
    (void)notice;
    for (size_t i = 0; i < source->world->window_count; i++) {
        const struct window_row *row = &source->world->windows[i];
        result_row_begin(result, COUNT_OF(window_columns));
        WINDOW_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_windows = { window_columns, COUNT_OF(window_columns), fill_windows };

/* `order` counts from 1 through all kinds. */
#define RULE_COLUMNS(COLUMN)                                                                                 \
    COLUMN(order, INTEGER, (int64_t)(i + 1))                                                                 \
    COLUMN(kind, TEXT, rule_kind_name(row->kind))                                                            \
    COLUMN(name, TEXT, row->name)                                                                            \
    COLUMN(service, TEXT, row->scope.service)                                                                \
    COLUMN(user_name, TEXT, row->scope.user)                                                                 \
    COLUMN(database, TEXT, row->scope.database)                                                              \
    COLUMN(address, TEXT, row->address)                                                                      \
    COLUMN(object, TEXT, row->object)                                                                        \
    COLUMN(classes, TEXT, row->classes)                                                                      \
    COLUMN(action, TEXT, row->action)                                                                        \
    COLUMN(most, TEXT, row->most)                                                                            \
    COLUMN(windows, TEXT, row->windows)                                                                      \
    COLUMN(mode, TEXT, row->mode)

static const struct result_column rule_columns[] = { RULE_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_rules(const struct show_source *source, struct result *result,
                       struct console_outcome *notice)
{
    (void)notice;
    for (size_t i = 0; i < source->world->rule_count; i++) {
        const struct rule_row *row = &source->world->rules[i];
        result_row_begin(result, COUNT_OF(rule_columns));
        RULE_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return source->world->rules != NULL;
}

const struct show_form show_rules = { rule_columns, COUNT_OF(rule_columns), fill_rules };

#define READONLY_COLUMNS(COLUMN)                                                                             \
    COLUMN(service, TEXT, order->scope.service)                                                              \
    COLUMN(user_name, TEXT, order->scope.user)                                                               \
    COLUMN(database, TEXT, order->scope.database)                                                            \
    COLUMN(since, TIME, order->from_us)                                                                      \
    COLUMN(until, TIME, order->until_us)                                                                     \
    COLUMN(reason, TEXT, order->reason)                                                                      \
    COLUMN(ordered_by, TEXT, order->ordered_by)

static const struct result_column readonly_columns[] = { READONLY_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_readonly(const struct show_source *source, struct result *result,
                          struct console_outcome *notice)
{
    (void)notice;
    for (size_t i = 0; i < source->world->order_count; i++) {
        const struct readonly_order *order = &source->world->orders[i];
        if (order->until_us <= source->world->now_us)
            continue;
        result_row_begin(result, COUNT_OF(readonly_columns));
        READONLY_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_readonly = { readonly_columns, COUNT_OF(readonly_columns), fill_readonly };

#define WORKER_COLUMNS(COLUMN)                                                                               \
    COLUMN(worker, INTEGER, (int64_t)i)                                                                      \
    COLUMN(state, TEXT, row->state)                                                                          \
    COLUMN(io, TEXT, row->io)                                                                                \
    COLUMN(connections, INTEGER, (int64_t)row->connections)                                                  \
    COLUMN(handed, INTEGER, (int64_t)row->handed)                                                            \
    COLUMN(stalls, INTEGER, (int64_t)row->stalls)                                                            \
    COLUMN(longest_stall_us, DURATION, row->longest_stall_us)                                                \
    COLUMN(cpu_us, DURATION, row->cpu_us)                                                                    \
    COLUMN(thread, INTEGER, row->thread)

static const struct result_column worker_columns[] = { WORKER_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_workers(const struct show_source *source, struct result *result,
                         struct console_outcome *notice)
{
    (void)notice;
    for (size_t i = 0; i < source->world->worker_count; i++) {
        const struct worker_row *row = &source->world->workers[i];
        result_row_begin(result, COUNT_OF(worker_columns));
        WORKER_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return source->world->workers != NULL;
}

const struct show_form show_workers = { worker_columns, COUNT_OF(worker_columns), fill_workers };

static const char *setting_value(const struct setting_row *row)
{
    bool is_hidden = row->is_secret && row->value != NULL && row->value[0] != '\0';
    return is_hidden ? "********" : row->value;
}

#define SETTING_COLUMNS(COLUMN)                                                                              \
    COLUMN(setting, TEXT, row->name)                                                                         \
    COLUMN(value, TEXT, setting_value(row))                                                                  \
    COLUMN(default, TEXT, row->default_value)                                                                \
    COLUMN(about, TEXT, row->about)

static const struct result_column setting_columns[] = { SETTING_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_settings(const struct show_source *source, struct result *result,
                          struct console_outcome *notice)
{
    (void)notice;
    for (size_t i = 0; i < source->world->setting_count; i++) {
        const struct setting_row *row = &source->world->settings[i];
        result_row_begin(result, COUNT_OF(setting_columns));
        SETTING_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_settings = { setting_columns, COUNT_OF(setting_columns), fill_settings };

#define HELP_COLUMNS(COLUMN)                                                                                 \
    COLUMN(command, TEXT, form->syntax)                                                                      \
    COLUMN(role, TEXT, console_role_name(form->role))                                                        \
    COLUMN(about, TEXT, form->about)

static const struct result_column help_columns[] = { HELP_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_help(const struct show_source *source, struct result *result, struct console_outcome *notice)
{
    (void)source;
    (void)notice;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command_form *form = &command_forms[i];
        result_row_begin(result, COUNT_OF(help_columns));
        HELP_COLUMNS(COLUMN_CELL)
        result_row_end(result);
    }
    return true;
}

const struct show_form show_help = { help_columns, COUNT_OF(help_columns), fill_help };

#define VERSION_COLUMNS(COLUMN) COLUMN(version, TEXT, source->version)

static const struct result_column version_columns[] = { VERSION_COLUMNS(COLUMN_DESCRIPTION) };

static bool fill_version(const struct show_source *source, struct result *result,
                         struct console_outcome *notice)
{
    (void)notice;
    result_row_begin(result, COUNT_OF(version_columns));
    VERSION_COLUMNS(COLUMN_CELL)
    result_row_end(result);
    return true;
}

const struct show_form show_version = { version_columns, COUNT_OF(version_columns), fill_version };
