/* SPDX-License-Identifier: PostgreSQL */
#include "control/console_state.h"
#include "wire/reader.h"

#include <stdlib.h>

static const char protocol_violation[] = "08P01";
struct console *console_create(const struct console_options *settings, const struct address *peer)
{
    struct console *console = calloc(1, sizeof *console);
    if (console == NULL)
        return NULL;
    console->settings = settings;
    login_init(&console->login, peer);
    inbox_init(&console->inbox);
    prepared_init(&console->extended.names);
    buffer_init(&console->query, CONSOLE_QUERY_MOST);
    return console;
}

void console_destroy(struct console *console)
{
    if (console == NULL)
        return;
    login_release(&console->login);
    inbox_release(&console->inbox);
    prepared_release(&console->extended.names);
    buffer_release(&console->query);
    free(console);
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

static void console_break(struct console *console, const char *sqlstate, const char *message,
                          struct buffer *out)
{
    struct console_outcome failure;
    struct writer writer = writer_of(out);
    outcome_fail(&failure, sqlstate, "%s", message);
    outcome_write(&failure, "FATAL", &writer);
    console->phase = CONSOLE_OVER;
}

void console_expire(struct console *console, struct buffer *out)
{
    console_break(console, "57014", "the login took too long", out);
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

static void take_query(struct console *console, struct bytes body, struct buffer *out)
{
    struct console_outcome failure;
    struct reader reader = reader_of(body);
    struct bytes query = reader_string(&reader);
    struct prepared_names *names = &console->extended.names;
    size_t count;
    console->is_extended = false;
    console->binary_columns = 0;
    /* the unnamed portal ends with a Query */
    prepared_forget(names, prepared_find(names, PREPARED_PORTAL, BYTES_NONE));
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
            console_run_command(console, out);
        break;
    case EXTENDED_DESCRIBE:
        console->command = run->command;
        console->asked = run;
        console->is_description = true;
        console_begin_asking(console);
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
    outcome_fail(&failure, CONSOLE_LIMIT_EXCEEDED, "a message to the console has at most %d bytes",
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
            console_run_next(console, out);
            break;
        case CONSOLE_ASKING:
            return CONSOLE_ASK;
        case CONSOLE_OVER:
            return CONSOLE_CLOSE;
        }
    }
    return CONSOLE_STARVED;
}
