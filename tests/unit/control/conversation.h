/* SPDX-License-Identifier: PostgreSQL */
#ifndef TESTS_CONTROL_CONVERSATION_H
#define TESTS_CONTROL_CONVERSATION_H

/* What a client says to the console, and what came back, in words. */

#include "base/text.h"
#include "control/console.h"
#include "wire/framer.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <stdlib.h>

enum { CONVERSATION_MOST = 1 << 20, TRANSCRIPT_SIZE = 1 << 16 };

/* A StartupMessage of the pairs, which end with NULL. */
static inline void say_startup(struct buffer *said, uint32_t protocol, const char *const *pairs)
{
    struct writer writer = { said, said->size };
    writer_int32(&writer, 0);
    writer_int32(&writer, protocol);
    for (; *pairs != NULL; pairs++)
        writer_string(&writer, bytes_text(*pairs));
    writer_byte(&writer, '\0');
    writer_end(&writer);
}

static inline void say_hello(struct buffer *said, const char *user)
{
    say_startup(said, 3 << 16, (const char *const[]){ "user", user, "database", "pgsluice", NULL });
}

/* SSLRequest (5679), GSSENCRequest (5680). */
static inline void say_request(struct buffer *said, uint16_t code)
{
    struct writer writer = writer_of(said);
    writer_int32(&writer, 8);
    writer_int16(&writer, 1234);
    writer_int16(&writer, code);
}

static inline void say_message(struct buffer *said, uint8_t type, struct bytes body)
{
    struct writer writer = writer_of(said);
    writer_begin(&writer, type);
    writer_bytes(&writer, body);
    writer_end(&writer);
}

static inline void say_query(struct buffer *said, const char *query)
{
    say_message(said, CLIENT_QUERY, bytes_of(query, strlen(query) + 1));
}

static inline void hear_row(struct bytes body, struct text *out)
{
    struct reader reader = reader_of(body);
    uint16_t count = reader_int16(&reader);
    for (uint16_t i = 0; i < count; i++) {
        uint32_t size = reader_int32(&reader);
        text_append_string(out, i > 0 ? "|" : "");
        text_append(out, size == UINT32_MAX ? bytes_text("~") : reader_bytes(&reader, size));
    }
    text_append_string(out, reader_is_done(&reader) ? "" : " MALFORMED");
}

static inline void hear_columns(struct bytes body, struct text *out)
{
    struct reader reader = reader_of(body);
    uint16_t count = reader_int16(&reader);
    for (uint16_t i = 0; i < count; i++) {
        text_append_string(out, i > 0 ? "|" : "");
        text_append(out, reader_string(&reader));
        (void)reader_bytes(&reader, 6);
        text_append_format(out, ":%u", reader_int32(&reader));
        (void)reader_bytes(&reader, 6);
        text_append_string(out, reader_int16(&reader) == 1 ? "b" : "");
    }
    text_append_string(out, reader_is_done(&reader) ? "" : " MALFORMED");
}

/* Fields as "C=42601", without S, V and R; those of a severity other than ERROR and NOTICE begin with it. */
static inline void hear_fields(struct bytes body, struct text *out)
{
    struct reader reader = reader_of(body);
    uint8_t code;
    while ((code = reader_byte(&reader)) != '\0') {
        struct bytes value = reader_string(&reader);
        if (code == 'V' && !bytes_equal_text(value, "ERROR") && !bytes_equal_text(value, "NOTICE"))
            text_append_format(out, "%.*s ", (int)value.size, (const char *)value.data);
        if (strchr("SVR", code) == NULL)
            text_append_format(out, "%s%c=%.*s", code == 'C' ? "" : "|", code, (int)value.size,
                               (const char *)value.data);
    }
    text_append_string(out, reader_is_done(&reader) ? "" : " MALFORMED");
}

static inline void hear_message(const struct fragment *fragment, struct text *out)
{
    struct reader reader = reader_of(fragment->body);
    text_append_byte(out, (char)fragment->type);
    switch (fragment->type) {
    case SERVER_DATA_ROW:
        text_append_byte(out, ' ');
        hear_row(fragment->body, out);
        break;
    case SERVER_ROW_DESCRIPTION:
        text_append_byte(out, ' ');
        hear_columns(fragment->body, out);
        break;
    case SERVER_ERROR_RESPONSE:
    case SERVER_NOTICE_RESPONSE:
        text_append_byte(out, ' ');
        hear_fields(fragment->body, out);
        break;
    case SERVER_COMMAND_COMPLETE:
    case SERVER_PARAMETER_STATUS:
        text_append_byte(out, ' ');
        text_append(out, reader_string(&reader));
        break;
    case SERVER_READY_FOR_QUERY:
        text_append_string(out, reader_byte(&reader) == 'I' ? "" : " in a transaction");
        break;
    case SERVER_AUTHENTICATION:
        text_append_format(out, "%u", reader_int32(&reader));
        break;
    default:
        break;
    }
    text_append_byte(out, '\n');
}

/* One line for each message of the console. ParameterStatus is left out. */
static inline void hear(struct bytes heard, struct text *out)
{
    struct framer framer;
    struct fragment fragment;
    enum framer_result result;
    framer_init(&framer, SIDE_SERVER);
    while ((result = framer_next(&framer, &heard, &fragment)) == FRAMER_FRAGMENT && fragment.is_last)
        if (fragment.type != SERVER_PARAMETER_STATUS)
            hear_message(&fragment, out);
    if (result != FRAMER_STARVED)
        text_append_string(out, "GARBAGE\n");
}

/* The digit behind the query's LIMIT; 1 where it has none. */
static inline unsigned rows_wanted(struct bytes sql)
{
    static const char word[] = "LIMIT ";
    size_t at = 0;
    while (at < sql.size && !bytes_start_with(bytes_of(sql.data + at, sql.size - at), word))
        at++;
    at += strlen(word);
    return at < sql.size ? (unsigned)(sql.data[at] - '0') : 1;
}

/* Answers what the console asks: a query by rows whose column n is 7, 8 ... */
static inline void answer(struct console *console, const struct console_world *world, struct buffer *heard)
{
    if (command_forms[console_command(console)->kind].needs != COMMAND_NEEDS_QUERY) {
        console_answer(console, world, heard);
        return;
    }
    struct history_column column = { "n", "INTEGER" };
    struct console_reply reply = { .rows = query_rows_create(1000) };
    struct console_question question = console_question(console);
    unsigned count = question.is_preview ? 0 : rows_wanted(question.sql);
    bool is_made = query_rows_take_columns(reply.rows, &column, 1);
    for (unsigned row = 0; row < count && is_made; row++) {
        struct history_value value = history_integer(7 + row);
        is_made = query_rows_take_row(reply.rows, &value, 1);
    }
    reply.parameter_count = 1;
    if (!is_made)
        abort();
    console_reply(console, &reply, heard);
}

#endif
