/* SPDX-License-Identifier: PostgreSQL */
#include "control/outcome.h"

#include "base/text.h"
#include "wire/message.h"

#include <stdarg.h>

enum { SHOWN_SIZE = 4 * OUTCOME_TEXT_SIZE }; /* every byte may become \xNN */

void outcome_fail(struct console_outcome *outcome, const char *sqlstate, const char *format, ...)
{
    struct text text;
    va_list arguments;

    *outcome = (struct console_outcome){ 0 };
    bytes_copy_text(bytes_text(sqlstate), outcome->sqlstate, sizeof outcome->sqlstate);
    text_init(&text, outcome->message, sizeof outcome->message);
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
}

void outcome_hint(struct console_outcome *outcome, const char *format, ...)
{
    struct text text;
    va_list arguments;

    text_init(&text, outcome->hint, sizeof outcome->hint);
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
}

static void write_field(struct writer *writer, char code, const char *value)
{
    char storage[SHOWN_SIZE + 1];
    struct text shown;
    if (value[0] == '\0')
        return;
    text_init(&shown, storage, sizeof storage);
    text_append_printable(&shown, bytes_text(value));
    writer_byte(writer, (uint8_t)code);
    writer_string(writer, text_bytes(&shown));
}

static void write_position(struct writer *writer, uint32_t position)
{
    char storage[16];
    struct text text;
    text_init(&text, storage, sizeof storage);
    if (position > 0)
        text_append_format(&text, "%u", position);
    write_field(writer, 'P', storage);
}

static void write_fields(const struct console_outcome *outcome, const char *severity, const char *sqlstate,
                         struct writer *writer)
{
    write_field(writer, 'S', severity);
    write_field(writer, 'V', severity);
    write_field(writer, 'C', sqlstate);
    write_field(writer, 'M', outcome->message);
    write_field(writer, 'D', outcome->detail);
    write_field(writer, 'H', outcome->hint);
    write_position(writer, outcome->position);
    write_field(writer, 'R', "console");
    writer_byte(writer, '\0');
}

void outcome_write(const struct console_outcome *outcome, const char *severity, struct writer *writer)
{
    bool has_failed = outcome_has_failed(outcome);
    if (!has_failed && outcome->message[0] == '\0')
        return;
    writer_begin(writer, has_failed ? SERVER_ERROR_RESPONSE : SERVER_NOTICE_RESPONSE);
    write_fields(outcome, has_failed ? severity : "NOTICE", has_failed ? outcome->sqlstate : "00000", writer);
    writer_end(writer);
}
