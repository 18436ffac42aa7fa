/* SPDX-License-Identifier: PostgreSQL */
#include "app/live_copy.h"

#include "wire/reader.h"

#include <stdlib.h>

enum {
    LIVE_COLUMNS_MOST = 32,
    LIVE_ROWS_MOST = 1000000,
    LIVE_BYTES_MOST = 64 * 1024 * 1024,
    MESSAGE_HEAD_SIZE = 5,
    TIME_SIZE = 40
};

static const struct live_form forms[] = {
    { "live_violations", COMMAND_SHOW_VIOLATIONS },
    { "live_errors", COMMAND_SHOW_ERRORS },
    { "live_families", COMMAND_SHOW_FAMILIES },
    { "live_statements", COMMAND_SHOW_STATEMENTS },
    { "live_ddl", COMMAND_SHOW_DDL },
    { "live_would_refuse", COMMAND_SHOW_WOULD_REFUSE },
    { "live_rules", COMMAND_SHOW_RULES },
    { "live_readonly", COMMAND_SHOW_READONLY },
    { "live_windows", COMMAND_SHOW_WINDOWS },
    { "live_sessions", COMMAND_SHOW_SESSIONS },
    { "live_workers", COMMAND_SHOW_WORKERS },
    { "live_stats", COMMAND_SHOW_STATS },
    { "live_history", COMMAND_SHOW_HISTORY },
};

struct live_copy {
    const struct show_form *show;
    struct history_column columns[LIVE_COLUMNS_MOST];
    struct buffer rows; /* DataRow messages */
};

struct live_copies {
    size_t count;
    struct history_live_table tables[COUNT_OF(forms) + 1];
    struct live_copy copies[COUNT_OF(forms)];
};

const struct live_form *live_forms(size_t *count)
{
    *count = COUNT_OF(forms);
    return forms;
}

bool live_form_occurs(const struct live_form *form, struct bytes text)
{
    size_t size = strlen(form->name);
    for (; text.size >= size; bytes_take(&text, 1))
        if (bytes_equal_folded(bytes_of(text.data, size), form->name))
            return true;
    return false;
}

static void yield_names(void *context, bool (*yield)(void *into, const struct history_value *values),
                        void *into)
{
    (void)context;
    bool goes_on = true;
    for (size_t i = 0; i < COUNT_OF(forms) && goes_on; i++) {
        struct history_value values[] = { history_text(forms[i].name),
                                          history_text(command_forms[forms[i].command].about) };
        goes_on = yield(into, values);
    }
}

struct live_copies *live_copies_create(void)
{
    static const struct history_column columns[] = { { "name", "TEXT" }, { "about", "TEXT" } };
    struct live_copies *copies = calloc(1, sizeof(*copies));
    if (copies == NULL)
        return NULL;
    copies->tables[0] =
        (struct history_live_table){ "live_tables", columns, COUNT_OF(columns), yield_names, NULL };
    copies->count = 1;
    return copies;
}

void live_copies_destroy(struct live_copies *copies)
{
    if (copies == NULL)
        return;
    for (size_t i = 0; i + 1 < copies->count; i++)
        buffer_release(&copies->copies[i].rows);
    free(copies);
}

/* As the history writes times: 2026-11-21 03:04:05. */
static struct bytes time_of(struct bytes shown, char storage[static TIME_SIZE])
{
    bytes_copy_text(shown, storage, TIME_SIZE);
    char *letter = strchr(storage, 'T');
    if (letter != NULL)
        *letter = ' ';
    size_t size = strcspn(storage, "Z");
    return bytes_of(storage, size);
}

static struct history_value value_of(struct bytes cell, enum column_type type, char storage[static TIME_SIZE])
{
    struct history_value value = { .type = HISTORY_TEXT, .text = cell };
    switch (type) {
    case COLUMN_TEXT:
        break;
    case COLUMN_TIME:
        value.text = time_of(cell, storage);
        break;
    case COLUMN_INTEGER:
    case COLUMN_DURATION:
        bytes_copy_text(cell, storage, TIME_SIZE);
        value = history_integer(strtoll(storage, NULL, 10));
        break;
    }
    return value;
}

static void yield_rows(void *context, bool (*yield)(void *into, const struct history_value *values),
                       void *into)
{
    const struct live_copy *copy = context;
    struct history_value values[LIVE_COLUMNS_MOST];
    char storage[LIVE_COLUMNS_MOST][TIME_SIZE];
    struct reader reader = reader_of(buffer_bytes(&copy->rows));
    bool goes_on = true;
    while (goes_on && reader_left(&reader) > 0) {
        (void)reader_bytes(&reader, MESSAGE_HEAD_SIZE);
        size_t count = reader_int16(&reader);
        for (size_t i = 0; i < count; i++) {
            uint32_t size = reader_int32(&reader);
            values[i] = (struct history_value){ .type = HISTORY_NULL };
            if (size != UINT32_MAX)
                values[i] = value_of(reader_bytes(&reader, size), copy->show->columns[i].type, storage[i]);
        }
        goes_on = yield(into, values);
    }
}

static const char *declaration_of(enum column_type type)
{
    return type == COLUMN_INTEGER || type == COLUMN_DURATION ? "INTEGER" : "TEXT";
}

bool live_copies_add(struct live_copies *copies, const struct live_form *form,
                     const struct console_world *world, const char *version)
{
    struct live_copy *copy = &copies->copies[copies->count - 1];
    struct console_command command = { .kind = form->command, .count = LIVE_ROWS_MOST };
    struct show_source source = { &command, world, version };
    struct console_outcome notice = { .position = 0 };
    copy->show = command_forms[form->command].show;
    buffer_init(&copy->rows, LIVE_BYTES_MOST);
    for (size_t i = 0; i < copy->show->column_count; i++)
        copy->columns[i] = (struct history_column){ copy->show->columns[i].name,
                                                    declaration_of(copy->show->columns[i].type) };
    copies->tables[copies->count] =
        (struct history_live_table){ form->name, copy->columns, copy->show->column_count, yield_rows, copy };
    copies->count++;
    struct result result = result_of(&copy->rows, 0);
    return copy->show->fill(&source, &result, &notice) && !copy->rows.has_failed;
}

const struct history_live_table *live_copies_tables(const struct live_copies *copies)
{
    return copies->tables;
}

size_t live_copies_count(const struct live_copies *copies)
{
    return copies->count;
}
