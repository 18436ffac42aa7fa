/* SPDX-License-Identifier: PostgreSQL */
#include "control/console.h"

#include "base/utf8.h"
#include "control/show.h"
#include "control/syntax.h"
#include "wire/reader.h"

#include <assert.h>
#include <stdlib.h>

/*     LOGIN ---> IDLE --Query--> RUNNING --> ASKING --console_answer--> RUNNING --> IDLE
 *                 `--extended protocol--> SKIPPING --Sync--> IDLE
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
    struct buffer query;            /* the text that is running */
    struct command_reader reader;   /* in it */
    struct console_command command; /* asked last */
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
    buffer_init(&console->query, CONSOLE_QUERY_MOST);
    return console;
}

void console_destroy(struct console *console)
{
    if (console == NULL)
        return;
    login_release(&console->login);
    inbox_release(&console->inbox);
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

/* The query is over with this error. */
static void console_fail(struct console *console, const struct console_outcome *failure, struct buffer *out)
{
    write_error(failure, out);
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
    struct result result = result_of(out);
    if (show->column_count == 0)
        return;
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
        console->phase = CONSOLE_RUNNING;
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

static void run_next(struct console *console, struct buffer *out)
{
    struct console_outcome failure;
    enum command_result result = command_next(&console->reader, &console->command, &failure);
    if (result == COMMAND_END)
        console_ready(console, out);
    else if (result == COMMAND_REFUSED || !console_may(console, &failure))
        console_fail(console, &failure, out);
    else if (command_forms[console->command.kind].needs != COMMAND_NEEDS_NOTHING)
        console->phase = CONSOLE_ASKING;
    else
        write_answer(console, NULL, out);
}

void console_answer(struct console *console, const struct console_world *world, struct buffer *out)
{
    assert(console->phase == CONSOLE_ASKING);
    write_answer(console, world, out);
}

static bool is_utf8(struct bytes text)
{
    uint32_t code_point;
    size_t size = 1;
    while (text.size > 0 && size > 0) {
        size = utf8_decode(text, &code_point);
        bytes_take(&text, size);
    }
    return size > 0;
}

/* Reads all commands before the first one runs, as PostgreSQL does: a mistake in the last keeps all from
 * running. */
static enum command_result check_query(const struct console *console, struct bytes query, bool *is_empty,
                                       struct console_outcome *failure)
{
    struct console_command command;
    struct command_reader reader = command_reader_of(query, console->settings->opening_most_us);
    enum command_result result;
    *is_empty = true;
    if (!is_utf8(query)) {
        outcome_fail(failure, "22021", "invalid byte sequence for encoding \"UTF8\"");
        return COMMAND_REFUSED;
    }
    while ((result = command_next(&reader, &command, failure)) == COMMAND_READY)
        *is_empty = false;
    return result;
}

static void take_query(struct console *console, struct bytes body, struct buffer *out)
{
    struct console_outcome failure;
    struct reader reader = reader_of(body);
    struct bytes query = reader_string(&reader);
    bool is_empty;
    if (!reader_is_done(&reader)) {
        console_break(console, protocol_violation, "invalid message format", out);
        return;
    }
    if (check_query(console, query, &is_empty, &failure) == COMMAND_REFUSED) {
        console_fail(console, &failure, out);
        return;
    }
    if (is_empty) {
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

static void refuse_message(struct console *console, uint8_t type, bool is_skipping, struct buffer *out)
{
    struct console_outcome failure;
    if (is_skipping)
        return;
    outcome_fail(&failure, "0A000", "the console speaks the simple query protocol only");
    write_error(&failure, out);
    console->phase = CONSOLE_SKIPPING;
    if (type == CLIENT_FUNCTION_CALL) /* has no Sync behind it */
        console_ready(console, out);
}

static void take_message(struct console *console, const struct inbox_message *message, struct buffer *out)
{
    bool is_skipping = console->phase == CONSOLE_SKIPPING;
    switch (message->type) {
    case CLIENT_TERMINATE:
        console->phase = CONSOLE_OVER;
        break;
    case CLIENT_SYNC:
        console_ready(console, out);
        break;
    case CLIENT_QUERY:
        if (!is_skipping)
            take_query(console, message->body, out);
        break;
    case CLIENT_FLUSH:
    case CLIENT_COPY_DATA: /* as PostgreSQL, which drops what is left of a COPY that failed */
    case CLIENT_COPY_DONE:
    case CLIENT_COPY_FAIL:
        break;
    case CLIENT_AUTHENTICATION_REPLY:
        console_break(console, protocol_violation, "a password came that nobody asked for", out);
        break;
    default:
        refuse_message(console, message->type, is_skipping, out);
        break;
    }
}

/* A message that was too long to be held has gone by; while skipping nobody asks what was in it. */
static void refuse_length(struct console *console, uint8_t type, struct buffer *out)
{
    struct console_outcome failure;
    if (console->phase == CONSOLE_SKIPPING)
        return;
    outcome_fail(&failure, program_limit_exceeded, "a message to the console has at most %d bytes",
                 CONSOLE_QUERY_MOST);
    if (type == CLIENT_QUERY) {
        console_fail(console, &failure, out);
        return;
    }
    write_error(&failure, out);
    console->phase = CONSOLE_SKIPPING;
}

/* False when the input is used up. */
static bool read_message(struct console *console, struct bytes *input, struct buffer *out)
{
    struct inbox_message message;
    switch (inbox_next(&console->inbox, input, CONSOLE_QUERY_MOST, &message)) {
    case INBOX_MESSAGE:
        take_message(console, &message, out);
        break;
    case INBOX_STARVED:
        return false;
    case INBOX_TOO_LONG:
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
