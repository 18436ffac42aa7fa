/* SPDX-License-Identifier: PostgreSQL */
/* Commands that run, and their answers. */
#include "control/console_state.h"
#include "control/show.h"
#include "control/syntax.h"

#include <assert.h>

void console_ready(struct console *console, struct buffer *out)
{
    struct writer writer = writer_of(out);
    if (console->is_in_transaction)
        prepared_rest_portals(&console->extended.names);
    else
        prepared_end_portals(&console->extended.names);
    writer_ready(&writer, console->is_in_transaction ? 'T' : 'I');
    console->phase = CONSOLE_IDLE;
}

static void write_error(const struct console_outcome *failure, struct buffer *out)
{
    struct writer writer = writer_of(out);
    outcome_write(failure, "ERROR", &writer);
}

void console_fail(struct console *console, const struct console_outcome *failure, struct buffer *out)
{
    write_error(failure, out);
    if (console->is_extended)
        console->phase = CONSOLE_SKIPPING;
    else
        console_ready(console, out);
}

/* What CommandComplete says: the command's keywords; for those that show, the word that PostgreSQL uses. */
static void write_tag(enum command_kind kind, struct writer *writer)
{
    char storage[64];
    struct text tag;
    text_init(&tag, storage, sizeof storage);
    if (command_forms[kind].show->column_count > 0)
        text_append_string(&tag, "SHOW");
    else if (kind == COMMAND_ROLLBACK_TO)
        text_append_string(&tag, "ROLLBACK"); /* PostgreSQL's word */
    else
        syntax_skip_keywords(command_forms[kind].syntax, &tag);
    writer_command_complete(writer, storage);
}

/* Writes the rows of the running command; *outcome is what is to be said of it besides. */
static void write_rows(const struct console *console, const struct console_world *world,
                       struct console_outcome *outcome, struct buffer *out)
{
    const struct show_form *show = command_forms[console->command.kind].show;
    struct show_source source = { &console->command, world, console->settings->version };
    struct result result = result_of(out, console->binary_columns);
    if (show->column_count == 0)
        return;
    if (!console->is_extended)
        result_describe(&result, show->columns, show->column_count);
    if (!show->fill(&source, &result, outcome))
        outcome_fail(outcome, "53200", "out of memory");
}

/* The command that ends what drivers take for a transaction ends its portals, its own too. */
static void note_transaction(struct console *console)
{
    enum command_kind kind = console->command.kind;
    if (kind == COMMAND_BEGIN)
        console->is_in_transaction = true;
    if (kind != COMMAND_COMMIT && kind != COMMAND_ROLLBACK)
        return;
    console->is_in_transaction = false;
    console->asked = NULL;
    prepared_end_portals(&console->extended.names);
}

/* An answer from `before` on is whole, or *outcome says why there is none. */
static void settle(struct console *console, const char *shorter, size_t before,
                   struct console_outcome *outcome, struct buffer *out)
{
    if (out->has_failed) {
        outcome_fail(outcome, CONSOLE_LIMIT_EXCEEDED, "the answer is too long");
        outcome_hint(outcome, "%s", shorter);
        out->has_failed = false;
    }
    bool is_executed = console->is_extended && !console->is_description;
    if (!outcome_has_failed(outcome) && is_executed)
        extended_keep_rest(&console->extended, console->asked, out, before, outcome);
    if (outcome_has_failed(outcome)) {
        out->size = before;
        console_fail(console, outcome, out);
    } else {
        console->phase = console->is_extended ? CONSOLE_IDLE : CONSOLE_RUNNING;
        note_transaction(console);
    }
    console->is_description = false;
}

/* Writes the whole answer of a command; an answer that failed half-way or does not fit leaves nothing but its
 * error. */
static void write_answer(struct console *console, const struct console_world *world, struct buffer *out)
{
    size_t before = out->size;
    struct writer writer = writer_of(out);
    struct console_outcome outcome = world != NULL ? world->outcome : (struct console_outcome){ 0 };
    if (command_forms[console->command.kind].needs != COMMAND_NEEDS_EFFECT)
        outcome = (struct console_outcome){ 0 };

    write_rows(console, world, &outcome, out);
    if (!outcome_has_failed(&outcome)) {
        outcome_write(&outcome, "NOTICE", &writer);
        write_tag(console->command.kind, &writer);
    }
    settle(console, "LIMIT shortens it, where the command has one.", before, &outcome, out);
}

/* The one place where a command is let through. */
static bool console_may(const struct console *console, struct console_outcome *failure)
{
    const struct command_form *form = &command_forms[console->command.kind];
    if (console->login.role >= form->role)
        return true;
    outcome_fail(failure, "42501", "permission denied: the command needs the role %s",
                 console_role_name(form->role));
    outcome_hint(failure, "Any user name but \"%s\" has it.", console_role_name(ROLE_VIEWER));
    return false;
}

void console_begin_asking(struct console *console)
{
    console->name = history_text(console->command.name);
    console->phase = CONSOLE_ASKING;
}

void console_run_command(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    if (!console_may(console, &failure))
        console_fail(console, &failure, out);
    else if (command_forms[console->command.kind].needs != COMMAND_NEEDS_NOTHING)
        console_begin_asking(console);
    else
        write_answer(console, NULL, out);
}

void console_run_next(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    switch (command_next(&console->reader, &console->command, &failure)) {
    case COMMAND_READY:
        console_run_command(console, out);
        break;
    case COMMAND_END:
        console_ready(console, out);
        break;
    case COMMAND_REFUSED:
        console_fail(console, &failure, out);
        break;
    }
}

static const char tables_sql[] =
    "SELECT name AS table_name, type AS kind FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE"
    " 'sqlite\\_%' ESCAPE '\\' AND type IN ('table', 'view') UNION ALL SELECT name, 'live' FROM live_tables"
    " ORDER BY 1";
static const char columns_sql[] =
    "SELECT name AS column_name, lower(type) AS type FROM pragma_table_info($1) ORDER BY cid";

static bool is_preview(const struct console *console)
{
    return console->is_description && console->asked->kind == PREPARED_STATEMENT;
}

struct console_question console_question(const struct console *console)
{
    const struct console_command *command = &console->command;
    struct console_question question = { .is_preview = is_preview(console) };
    if (command->kind == COMMAND_SHOW_TABLES) {
        question.sql = bytes_text(tables_sql);
    } else if (command->kind == COMMAND_SHOW_COLUMNS) {
        question.sql = bytes_text(columns_sql);
        question.parameters = &console->name;
        question.parameter_count = 1;
    } else {
        question.sql = command->sql;
        question.parameters = console->is_extended ? console->asked->parameters : NULL;
        question.parameter_count = console->is_extended ? console->asked->parameter_count : 0;
    }
    return question;
}

/* Places in the query are told as places in the text that holds it. */
static void place_outcome(const struct console *console, struct console_outcome *outcome)
{
    if (outcome->position > 0)
        outcome->position += console->command.sql_position;
    if (console->command.kind != COMMAND_SELECT)
        outcome->position = 0;
}

static void write_reply(struct console *console, struct console_reply *reply, struct buffer *out)
{
    static const struct question_form plain;
    if (console->is_description) {
        extended_describe(console->asked, reply, out);
        return;
    }
    if (!console->is_extended)
        question_describe(reply->rows, &plain, out);
    question_write(reply->rows, console->is_extended ? &console->asked->form : &plain, out, &reply->outcome);
}

void console_reply(struct console *console, struct console_reply *reply, struct buffer *out)
{
    assert(console->phase == CONSOLE_ASKING);
    size_t before = out->size;
    place_outcome(console, &reply->outcome);
    if (console->command.kind == COMMAND_SHOW_COLUMNS && reply->rows != NULL && !is_preview(console) &&
        reply->rows->row_count == 0) {
        outcome_fail(&reply->outcome, "42P01", "no such table: %s", console->command.name);
        outcome_hint(&reply->outcome, "SHOW TABLES lists the tables.");
    }
    if (!outcome_has_failed(&reply->outcome))
        write_reply(console, reply, out);
    query_rows_destroy(reply->rows);
    reply->rows = NULL;
    settle(console, "LIMIT shortens it.", before, &reply->outcome, out);
}

void console_answer(struct console *console, const struct console_world *world, struct buffer *out)
{
    assert(console->phase == CONSOLE_ASKING);
    write_answer(console, world, out);
}

const struct console_command *console_command(const struct console *console)
{
    return &console->command;
}
