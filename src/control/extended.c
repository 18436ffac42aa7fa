/* SPDX-License-Identifier: PostgreSQL */
#include "control/extended.h"

#include "control/parameter.h"
#include "control/show.h"
#include "wire/reader.h"

static const char protocol_violation[] = "08P01";

static struct prepared *find_or_fail(const struct extended *extended, enum prepared_kind kind,
                                     struct bytes name, struct console_outcome *failure)
{
    struct prepared *found = prepared_find(&extended->names, kind, name);
    if (found == NULL && kind == PREPARED_STATEMENT)
        outcome_fail(failure, "26000", "prepared statement does not exist");
    else if (found == NULL)
        outcome_fail(failure, "34000", "portal does not exist");
    return found;
}

static enum extended_result complete(struct buffer *out, uint8_t type)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, type);
    writer_end(&writer);
    return EXTENDED_DONE;
}

static enum extended_result malformed(struct console_outcome *failure)
{
    outcome_fail(failure, protocol_violation, "invalid message format");
    return EXTENDED_REFUSED;
}

/* Those beyond the most are passed over: Bind refuses them. */
static size_t read_types(struct reader *reader, uint32_t types[PARAMETERS_MOST])
{
    size_t count = reader_int16(reader);
    for (size_t i = 0; i < count && !reader->has_failed; i++) {
        uint32_t type = reader_int32(reader);
        if (i < PARAMETERS_MOST)
            types[i] = type;
    }
    return count < PARAMETERS_MOST ? count : PARAMETERS_MOST;
}

/* The text of the message goes; the query stays. */
static bool keep_sql(struct prepared *prepared, struct console_outcome *failure)
{
    buffer_append(&prepared->sql, prepared->command.sql);
    prepared->command.sql = buffer_bytes(&prepared->sql);
    if (prepared->sql.has_failed)
        outcome_fail(failure, "53200", "out of memory");
    return !prepared->sql.has_failed;
}

static bool is_query(const struct prepared *prepared)
{
    return !prepared->is_empty && command_forms[prepared->command.kind].needs == COMMAND_NEEDS_QUERY;
}

static enum extended_result take_parse(struct extended *extended, struct reader *reader, struct buffer *out,
                                       struct console_outcome *failure)
{
    struct bytes name = reader_string(reader);
    struct bytes query = reader_string(reader);
    size_t count;
    uint32_t types[PARAMETERS_MOST] = { 0 };
    size_t parameter_count = read_types(reader, types);
    if (!reader_is_done(reader))
        return malformed(failure);
    if (command_check(query, extended->duration_most_us, &count, failure) == COMMAND_REFUSED)
        return EXTENDED_REFUSED;
    if (count > 1) {
        outcome_fail(failure, "42601", "a prepared statement holds one command");
        return EXTENDED_REFUSED;
    }
    struct prepared *statement = prepared_add(&extended->names, PREPARED_STATEMENT, name, failure);
    if (statement == NULL)
        return EXTENDED_REFUSED;
    struct command_reader commands = command_reader_of(query, extended->duration_most_us);
    statement->is_empty = command_next(&commands, &statement->command, failure) != COMMAND_READY;
    statement->parameter_count = parameter_count;
    memcpy(statement->types, types, sizeof types);
    return keep_sql(statement, failure) ? complete(out, SERVER_PARSE_COMPLETE) : EXTENDED_REFUSED;
}

/* One format for all, or one for each: 0 text, 1 binary. */
static bool read_formats(struct reader *reader, struct query_formats *formats)
{
    bool is_sound = true;
    formats->count = reader_int16(reader);
    for (uint16_t i = 0; i < formats->count && is_sound && !reader->has_failed; i++) {
        uint16_t format = reader_int16(reader);
        is_sound = format <= 1 && i < QUERY_COLUMNS_MOST;
        if (is_sound)
            formats->is_binary[i] = format == 1;
    }
    return is_sound && !reader->has_failed;
}

/* The columns of a command are few, and known. */
static bool choose_formats(struct prepared *portal, size_t column_count)
{
    const struct query_formats *formats = &portal->form.formats;
    if (is_query(portal))
        return true;
    for (uint16_t i = 0; i < formats->count && i < column_count; i++)
        portal->binary_columns |= (uint32_t)formats->is_binary[i] << i;
    if (formats->count == 1 && formats->is_binary[0])
        portal->binary_columns = UINT32_MAX;
    return formats->count <= 1 || formats->count == column_count;
}

static size_t column_count_of(const struct prepared *prepared)
{
    return prepared->is_empty ? 0 : command_forms[prepared->command.kind].show->column_count;
}

static bool is_binary(const struct query_formats *formats, size_t at)
{
    return formats->count == 1 ? formats->is_binary[0] : at < formats->count && formats->is_binary[at];
}

/* Values first, where their texts are kept; the views after, when the texts stay where they are. */
static bool take_values(struct reader *reader, const struct query_formats *formats, struct prepared *portal,
                        struct console_outcome *failure)
{
    size_t offsets[PARAMETERS_MOST] = { 0 };
    for (size_t i = 0; i < portal->parameter_count; i++) {
        uint32_t size = reader_int32(reader);
        struct history_value *value = &portal->parameters[i];
        *value = (struct history_value){ .type = HISTORY_NULL };
        if (size == UINT32_MAX)
            continue;
        struct bytes bytes = reader_bytes(reader, size);
        if (reader->has_failed)
            return true; /* told by the caller */
        if (!parameter_read(bytes, portal->types[i], is_binary(formats, i), value, failure))
            return false;
        offsets[i] = portal->texts.size;
        if (value->type == HISTORY_TEXT)
            buffer_append(&portal->texts, bytes);
    }
    for (size_t i = 0; i < portal->parameter_count; i++)
        if (portal->parameters[i].type == HISTORY_TEXT && !portal->texts.has_failed)
            portal->parameters[i].text.data = portal->texts.data + offsets[i];
    if (portal->texts.has_failed)
        outcome_fail(failure, "53200", "out of memory");
    return !portal->texts.has_failed;
}

/* What a portal has of its statement. */
static bool portal_begin(struct prepared *portal, const struct prepared *statement,
                         struct console_outcome *failure)
{
    portal->is_empty = statement->is_empty;
    portal->command = statement->command;
    portal->form = statement->form;
    memcpy(portal->types, statement->types, sizeof portal->types);
    return keep_sql(portal, failure);
}

static enum extended_result take_bind(struct extended *extended, struct reader *reader, struct buffer *out,
                                      struct console_outcome *failure)
{
    struct bytes portal_name = reader_string(reader);
    struct bytes statement_name = reader_string(reader);
    struct query_formats formats = { 0 };
    bool is_sound = read_formats(reader, &formats);
    uint16_t parameter_count = reader_int16(reader);
    if (!is_sound || reader->has_failed)
        return malformed(failure);
    const struct prepared *statement = find_or_fail(extended, PREPARED_STATEMENT, statement_name, failure);
    if (statement == NULL)
        return EXTENDED_REFUSED;
    if (parameter_count > 0 && !is_query(statement)) {
        outcome_fail(failure, protocol_violation, "commands of the console have no parameters");
        return EXTENDED_REFUSED;
    }
    if (parameter_count > PARAMETERS_MOST) {
        outcome_fail(failure, "54000", "a query has at most %d parameters", PARAMETERS_MOST);
        return EXTENDED_REFUSED;
    }
    struct prepared *portal = prepared_add(&extended->names, PREPARED_PORTAL, portal_name, failure);
    if (portal == NULL)
        return EXTENDED_REFUSED;
    portal->parameter_count = parameter_count;
    if (!portal_begin(portal, statement, failure) || !take_values(reader, &formats, portal, failure)) {
        prepared_forget(&extended->names, portal);
        return EXTENDED_REFUSED;
    }
    is_sound = read_formats(reader, &portal->form.formats) && reader_is_done(reader) &&
               choose_formats(portal, column_count_of(portal));
    if (is_sound)
        return complete(out, SERVER_BIND_COMPLETE);
    prepared_forget(&extended->names, portal);
    return malformed(failure);
}

/* 'S' or 'P', and a name. */
static bool read_target(struct reader *reader, enum prepared_kind *kind, struct bytes *name)
{
    uint8_t letter = reader_byte(reader);
    *kind = letter == 'S' ? PREPARED_STATEMENT : PREPARED_PORTAL;
    *name = reader_string(reader);
    return reader_is_done(reader) && (letter == 'S' || letter == 'P');
}

static void describe_parameters(const struct prepared *prepared, size_t count, struct buffer *out)
{
    enum { TEXT_OID = 25 };
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_PARAMETER_DESCRIPTION);
    writer_int16(&writer, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        writer_int32(&writer, i < PARAMETERS_MOST && prepared->types[i] != 0 ? prepared->types[i] : TEXT_OID);
    writer_end(&writer);
}

/* From here on the columns are of these types. */
static void fix_columns(struct prepared *statement, const struct query_rows *rows)
{
    statement->form.has_fixed = true;
    statement->form.fixed_count = rows->column_count;
    for (size_t i = 0; i < rows->column_count; i++)
        statement->form.fixed[i] = query_rows_type(rows, i);
}

void extended_describe(struct prepared *prepared, struct console_reply *reply, struct buffer *out)
{
    if (prepared->kind == PREPARED_STATEMENT) {
        size_t count = reply->parameter_count > prepared->parameter_count ? reply->parameter_count
                                                                          : prepared->parameter_count;
        describe_parameters(prepared, count, out);
        fix_columns(prepared, reply->rows);
        question_describe(reply->rows, &prepared->form, out);
        return;
    }
    if (!prepared->form.has_fixed)
        fix_columns(prepared, reply->rows);
    question_describe(reply->rows, &prepared->form, out);
    prepared->rows = reply->rows;
    reply->rows = NULL;
}

static enum extended_result take_describe(const struct extended *extended, struct reader *reader,
                                          struct buffer *out, struct prepared **run,
                                          struct console_outcome *failure)
{
    enum prepared_kind kind;
    struct bytes name;
    if (!read_target(reader, &kind, &name))
        return malformed(failure);
    struct prepared *prepared = find_or_fail(extended, kind, name, failure);
    if (prepared == NULL)
        return EXTENDED_REFUSED;
    *run = prepared;
    if (is_query(prepared) && prepared->rows == NULL)
        return EXTENDED_DESCRIBE;
    if (is_query(prepared)) {
        question_describe(prepared->rows, &prepared->form, out);
        return EXTENDED_DONE;
    }
    if (kind == PREPARED_STATEMENT)
        describe_parameters(prepared, 0, out);
    size_t column_count = column_count_of(prepared);
    if (column_count == 0)
        return complete(out, SERVER_NO_DATA);
    struct result result = result_of(out, prepared->binary_columns);
    result_describe(&result, command_forms[prepared->command.kind].show->columns, column_count);
    return EXTENDED_DONE;
}

/* A portal that has run gives the rows that are left; what has none to give cannot be run twice. */
static enum extended_result go_on(struct prepared *portal, struct buffer *out,
                                  struct console_outcome *failure)
{
    if (!is_query(portal) && column_count_of(portal) == 0) {
        outcome_fail(failure, "55000", "portal \"%s\" cannot be run", portal->name);
        return EXTENDED_REFUSED;
    }
    if (portion_next(&portal->portion, portal->rows_most, out))
        return EXTENDED_DONE;
    outcome_fail(failure, "54000", "the answer is too long");
    return EXTENDED_REFUSED;
}

static enum extended_result take_execute(const struct extended *extended, struct reader *reader,
                                         struct buffer *out, struct prepared **run,
                                         struct console_outcome *failure)
{
    struct bytes name = reader_string(reader);
    uint32_t most = reader_int32(reader);
    if (!reader_is_done(reader))
        return malformed(failure);
    struct prepared *portal = find_or_fail(extended, PREPARED_PORTAL, name, failure);
    if (portal == NULL)
        return EXTENDED_REFUSED;
    portal->rows_most = most <= INT32_MAX ? most : 0; /* a negative one is no limit, as to the server */
    *run = portal;
    if (portal->portion.is_begun)
        return go_on(portal, out, failure);
    return portal->is_empty ? complete(out, SERVER_EMPTY_QUERY_RESPONSE) : EXTENDED_RUN;
}

void extended_keep_rest(const struct extended *extended, struct prepared *portal, struct buffer *out,
                        size_t at, struct console_outcome *failure)
{
    if (portion_begin(&portal->portion, portal->rows_most, prepared_room(&extended->names), out, at))
        return;
    outcome_fail(failure, "54000", "the portals of a connection keep at most %d MB of answers for later",
                 PREPARED_REST_MOST >> 20);
    outcome_hint(failure, "Those that are closed keep nothing, and LIMIT shortens an answer.");
}

static enum extended_result take_close(struct extended *extended, struct reader *reader, struct buffer *out,
                                       struct console_outcome *failure)
{
    enum prepared_kind kind;
    struct bytes name;
    if (!read_target(reader, &kind, &name))
        return malformed(failure);
    prepared_forget(&extended->names, prepared_find(&extended->names, kind, name));
    return complete(out, SERVER_CLOSE_COMPLETE);
}

enum extended_result extended_take(struct extended *extended, const struct inbox_message *message,
                                   struct buffer *out, struct prepared **run, struct console_outcome *failure)
{
    struct reader reader = reader_of(message->body);
    switch (message->type) {
    case CLIENT_PARSE:
        return take_parse(extended, &reader, out, failure);
    case CLIENT_BIND:
        return take_bind(extended, &reader, out, failure);
    case CLIENT_DESCRIBE:
        return take_describe(extended, &reader, out, run, failure);
    case CLIENT_EXECUTE:
        return take_execute(extended, &reader, out, run, failure);
    case CLIENT_CLOSE:
        return take_close(extended, &reader, out, failure);
    default:
        return malformed(failure);
    }
}
