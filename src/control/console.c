/* SPDX-License-Identifier: PostgreSQL */
#include "control/console.h"

#include "control/extended.h"
#include "control/show.h"
#include "control/syntax.h"
#include "wire/reader.h"

#include <assert.h>
#include <stdlib.h>

/*     LOGIN --> IDLE --Query--> RUNNING --> ASKING --console_answer--> RUNNING --> IDLE
 *                `--Execute--> ASKING --console_answer--> IDLE, or with an error SKIPPING --Sync--> IDLE
 *     and from any of them to OVER
 */
enum console_phase {
    CONSOLE_LOGIN,
    CONSOLE_IDLE,
    CONSOLE_RUNNING,
    CONSOLE_ASKING,
    CONSOLE_SKIPPING,
    CONSOLE_OVER
};

struct console {
    const struct console_options *settings;
    enum console_phase phase;
    bool has_logged_in;
    struct login login;
    struct inbox inbox;
    struct extended extended;
    bool is_extended; /* what runs came by Execute: its rows are not described, its error skips to Sync */
    uint32_t binary_columns;        /* of what runs */
    struct prepared *asked;         /* of the extended protocol, what is to be executed or described */
    bool is_description;            /* only to be described */
    struct buffer query;            /* the text that is running, unless is_extended */
    struct command_reader reader;   /* in it */
    struct console_command command; /* asked last */
    struct history_value name;      /* of that command */
};

static const char protocol_violation[] = "08P01";
static const char program_limit_exceeded[] = "54000";

struct console *console_create(const struct console_options *settings, const struct address *peer)
{
    struct console *console = calloc(1, sizeof *console);
    if (console == NULL)
        return NULL;
    console->settings = settings;
    login_init(&console->login, peer);
    inbox_init(&console->inbox);
    extended_init(&console->extended);
    buffer_init(&console->query, CONSOLE_QUERY_MOST);
    return console;
}

void console_destroy(struct console *console)
{
    if (console == NULL)
        return;
    login_release(&console->login);
    inbox_release(&console->inbox);
    extended_release(&console->extended);
    buffer_release(&console->query);
    free(console);
}

const struct console_command *console_command(const struct console *console)
{
    return &console->command;
}

const char *console_user(const struct console *console)
{
    return console->login.user;
}

bool console_has_logged_in(const struct console *console)
{
    return console->has_logged_in;
}

bool console_has_wrong_password(const struct console *console)
{
    return console->login.has_wrong_password;
}

static void console_ready(struct console *console, struct buffer *out)
{
    struct writer writer = writer_of(out);
    writer_ready(&writer, 'I');
    console->phase = CONSOLE_IDLE;
}

static void write_error(const struct console_outcome *failure, struct buffer *out)
{
    struct writer writer = writer_of(out);
    outcome_write(failure, "ERROR", &writer);
}

/* What runs is over with this error. */
static void console_fail(struct console *console, const struct console_outcome *failure, struct buffer *out)
{
    write_error(failure, out);
    if (console->is_extended)
        console->phase = CONSOLE_SKIPPING;
    else
        console_ready(console, out);
}

static void console_break(struct console *console, const char *sqlstate, const char *message,
                          struct buffer *out)
{
    struct console_outcome failure;
    struct writer writer = writer_of(out);
    outcome_fail(&failure, sqlstate, "%s", message);
    outcome_write(&failure, "FATAL", &writer);
    console->phase = CONSOLE_OVER;
}

/* What CommandComplete says: the command's keywords; for those that show, the word that PostgreSQL uses. */
static void write_tag(enum command_kind kind, struct writer *writer)
{
    char storage[64];
    struct text tag;
    text_init(&tag, storage, sizeof storage);
    if (command_forms[kind].show->column_count > 0)
        text_append_string(&tag, "SHOW");
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
    if (out->has_failed) {
        outcome_fail(&outcome, program_limit_exceeded, "the answer is too long");
        outcome_hint(&outcome, "LIMIT shortens it, where the command has one.");
        out->has_failed = false;
    }
    if (outcome_has_failed(&outcome)) {
        out->size = before;
        console_fail(console, &outcome, out);
    } else {
        console->phase = console->is_extended ? CONSOLE_IDLE : CONSOLE_RUNNING;
    }
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

static void begin_asking(struct console *console)
{
    console->name = history_text(console->command.name);
    console->phase = CONSOLE_ASKING;
}

static void run_command(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    if (!console_may(console, &failure))
        console_fail(console, &failure, out);
    else if (command_forms[console->command.kind].needs != COMMAND_NEEDS_NOTHING)
        begin_asking(console);
    else
        write_answer(console, NULL, out);
}

static void run_next(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    switch (command_next(&console->reader, &console->command, &failure)) {
    case COMMAND_READY:
        run_command(console, out);
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
    if (out->has_failed) {
        outcome_fail(&reply->outcome, program_limit_exceeded, "the answer is too long");
        outcome_hint(&reply->outcome, "LIMIT shortens it.");
        out->has_failed = false;
    }
    query_rows_destroy(reply->rows);
    reply->rows = NULL;
    if (outcome_has_failed(&reply->outcome)) {
        out->size = before;
        console_fail(console, &reply->outcome, out);
    } else {
        console->phase = console->is_extended ? CONSOLE_IDLE : CONSOLE_RUNNING;
    }
    console->is_description = false;
}

void console_set_key(struct console *console, uint32_t number, uint32_t secret)
{
    console->login.key_number = number;
    console->login.key_secret = secret;
}

bool console_is_cancel(const struct console *console, uint32_t *number, uint32_t *secret)
{
    *number = console->login.cancel_number;
    *secret = console->login.cancel_secret;
    return console->login.is_cancel;
}

void console_answer(struct console *console, const struct console_world *world, struct buffer *out)
{
    assert(console->phase == CONSOLE_ASKING);
    write_answer(console, world, out);
}

static void take_query(struct console *console, struct bytes body, struct buffer *out)
{
    struct console_outcome failure;
    struct reader reader = reader_of(body);
    struct bytes query = reader_string(&reader);
    size_t count;
    console->is_extended = false;
    console->binary_columns = 0;
    extended_end_portals(&console->extended);
    if (!reader_is_done(&reader)) {
        console_break(console, protocol_violation, "invalid message format", out);
        return;
    }
    if (command_check(query, console->settings->opening_most_us, &count, &failure) == COMMAND_REFUSED) {
        console_fail(console, &failure, out);
        return;
    }
    if (count == 0) {
        struct writer writer = writer_of(out);
        writer_begin(&writer, SERVER_EMPTY_QUERY_RESPONSE);
        writer_end(&writer);
    }
    buffer_clear(&console->query);
    buffer_append(&console->query, query);
    if (console->query.has_failed) {
        console_break(console, "53200", "out of memory", out);
        return;
    }
    console->reader = command_reader_of(buffer_bytes(&console->query), console->settings->opening_most_us);
    console->phase = CONSOLE_RUNNING;
}

/* The rows came with the description. */
static void write_described(struct console *console, struct buffer *out)
{
    struct console_reply reply = { .rows = console->asked->rows };
    console->asked->rows = NULL;
    console->phase = CONSOLE_ASKING;
    console_reply(console, &reply, out);
}

static void take_extended(struct console *console, const struct inbox_message *message, struct buffer *out)
{
    struct console_outcome failure = { 0 };
    struct prepared *run = NULL;
    console->is_extended = true;
    console->extended.duration_most_us = console->settings->opening_most_us;
    switch (extended_take(&console->extended, message, out, &run, &failure)) {
    case EXTENDED_DONE:
        break;
    case EXTENDED_RUN:
        console->command = run->command;
        console->binary_columns = run->binary_columns;
        console->asked = run;
        if (run->rows != NULL)
            write_described(console, out);
        else
            run_command(console, out);
        break;
    case EXTENDED_DESCRIBE:
        console->command = run->command;
        console->asked = run;
        console->is_description = true;
        begin_asking(console);
        break;
    case EXTENDED_REFUSED:
        console_fail(console, &failure, out);
        break;
    }
}

static void refuse_function_call(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    console->is_extended = false;
    outcome_fail(&failure, "0A000", "the console has no functions");
    console_fail(console, &failure, out);
}

static void take_message(struct console *console, const struct inbox_message *message, struct buffer *out)
{
    switch (message->type) {
    case CLIENT_TERMINATE:
        console->phase = CONSOLE_OVER;
        break;
    case CLIENT_AUTHENTICATION_REPLY:
        console_break(console, protocol_violation, "a password came that nobody asked for", out);
        break;
    case CLIENT_SYNC:
        extended_end_portals(&console->extended);
        console_ready(console, out);
        break;
    case CLIENT_FLUSH:
    case CLIENT_COPY_DATA: /* as PostgreSQL, which drops what is left of a COPY that failed */
    case CLIENT_COPY_DONE:
    case CLIENT_COPY_FAIL:
        break;
    case CLIENT_QUERY:
        take_query(console, message->body, out);
        break;
    case CLIENT_FUNCTION_CALL:
        refuse_function_call(console, out);
        break;
    default:
        take_extended(console, message, out);
        break;
    }
}

/* After an error in the extended protocol all up to Sync goes unanswered, a Query too; only the end is heard.
 */
static bool is_skipped(const struct console *console, uint8_t type)
{
    bool is_heard = type == CLIENT_SYNC || type == CLIENT_TERMINATE || type == CLIENT_AUTHENTICATION_REPLY;
    return console->phase == CONSOLE_SKIPPING && !is_heard;
}

/* A message that was too long to be held has gone by. */
static void refuse_length(struct console *console, uint8_t type, struct buffer *out)
{
    struct console_outcome failure;
    outcome_fail(&failure, program_limit_exceeded, "a message to the console has at most %d bytes",
                 CONSOLE_QUERY_MOST);
    console->is_extended = type != CLIENT_QUERY && type != CLIENT_FUNCTION_CALL;
    if (type != CLIENT_COPY_DATA)
        console_fail(console, &failure, out);
}

/* False when the input is used up. */
static bool read_message(struct console *console, struct bytes *input, struct buffer *out)
{
    struct inbox_message message;
    switch (inbox_next(&console->inbox, input, CONSOLE_QUERY_MOST, &message)) {
    case INBOX_MESSAGE:
        if (!is_skipped(console, message.type))
            take_message(console, &message, out);
        break;
    case INBOX_STARVED:
        return false;
    case INBOX_TOO_LONG:
        if (!is_skipped(console, message.type))
            refuse_length(console, message.type, out);
        break;
    case INBOX_UNKNOWN_TYPE:
        console_break(console, protocol_violation, "invalid frontend message type", out);
        break;
    case INBOX_BAD_LENGTH:
        console_break(console, protocol_violation, "invalid message length", out);
        break;
    case INBOX_NO_MEMORY:
        console_break(console, "53200", "out of memory", out);
        break;
    }
    return true;
}

static bool step_login(struct console *console, struct bytes *input, struct buffer *out)
{
    switch (login_step(&console->login, console->settings, &console->inbox, input, out)) {
    case LOGIN_STARVED:
        return false;
    case LOGIN_DONE:
        console->has_logged_in = true;
        console_ready(console, out);
        break;
    case LOGIN_CLOSE:
        console->phase = CONSOLE_OVER;
        break;
    }
    return true;
}

enum console_event console_step(struct console *console, struct bytes *input, struct buffer *out)
{
    bool has_more = true;
    while (has_more) {
        if (out->has_failed)
            console->phase = CONSOLE_OVER;
        switch (console->phase) {
        case CONSOLE_LOGIN:
            has_more = step_login(console, input, out);
            break;
        case CONSOLE_IDLE:
        case CONSOLE_SKIPPING:
            has_more = read_message(console, input, out);
            break;
        case CONSOLE_RUNNING:
            run_next(console, out);
            break;
        case CONSOLE_ASKING:
            return CONSOLE_ASK;
        case CONSOLE_OVER:
            return CONSOLE_CLOSE;
        }
    }
    return CONSOLE_STARVED;
}
