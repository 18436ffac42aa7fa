/* SPDX-License-Identifier: PostgreSQL */
#include "control/extended.h"

#include "control/show.h"
#include "wire/reader.h"

#include <stdlib.h>

static const char protocol_violation[] = "08P01";

void extended_init(struct extended *extended)
{
    *extended = (struct extended){ 0 };
    list_init(&extended->names);
}

static void forget(struct extended *extended, struct prepared *prepared)
{
    if (prepared == NULL)
        return;
    list_remove(&prepared->node);
    extended->name_count--;
    free(prepared);
}

static struct prepared *of_node(struct list *node)
{
    return CONTAINER_OF(node, struct prepared, node);
}

void extended_release(struct extended *extended)
{
    while (!list_is_empty(&extended->names))
        forget(extended, of_node(extended->names.next));
}

void extended_end_portals(struct extended *extended)
{
    struct list *next;
    for (struct list *node = extended->names.next; node != &extended->names; node = next) {
        next = node->next;
        if (of_node(node)->kind == PREPARED_PORTAL)
            forget(extended, of_node(node));
    }
}

static struct prepared *find(const struct extended *extended, enum prepared_kind kind, struct bytes name)
{
    LIST_EACH(node, &extended->names)
    {
        struct prepared *prepared = of_node(node);
        if (prepared->kind == kind && bytes_equal_text(name, prepared->name))
            return prepared;
    }
    return NULL;
}

static struct prepared *find_or_fail(const struct extended *extended, enum prepared_kind kind,
                                     struct bytes name, struct console_outcome *failure)
{
    struct prepared *found = find(extended, kind, name);
    if (found == NULL && kind == PREPARED_STATEMENT)
        outcome_fail(failure, "26000", "prepared statement does not exist");
    else if (found == NULL)
        outcome_fail(failure, "34000", "portal does not exist");
    return found;
}

static struct prepared *refuse(struct console_outcome *failure, const char *sqlstate, const char *message)
{
    outcome_fail(failure, sqlstate, "%s", message);
    return NULL;
}

/* Makes a name; the unnamed one takes the place of its forerunner. NULL and *failure when that may not be. */
static struct prepared *add(struct extended *extended, enum prepared_kind kind, struct bytes name,
                            struct console_outcome *failure)
{
    struct prepared *earlier = find(extended, kind, name);
    if (earlier != NULL && name.size > 0)
        return refuse(failure, kind == PREPARED_STATEMENT ? "42P05" : "42P03", "the name is in use");
    if (name.size >= sizeof earlier->name)
        return refuse(failure, "42622", "a name has at most 63 bytes");
    forget(extended, earlier);
    if (extended->name_count >= EXTENDED_NAMES_MOST)
        return refuse(failure, "54000", "too many prepared statements and portals");
    struct prepared *prepared = calloc(1, sizeof *prepared);
    if (prepared == NULL)
        return refuse(failure, "53200", "out of memory");
    prepared->kind = kind;
    bytes_copy_text(name, prepared->name, sizeof prepared->name);
    list_append(&extended->names, &prepared->node);
    extended->name_count++;
    return prepared;
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

static enum extended_result take_parse(struct extended *extended, struct reader *reader, struct buffer *out,
                                       struct console_outcome *failure)
{
    struct bytes name = reader_string(reader);
    struct bytes query = reader_string(reader);
    size_t count;
    /* types that the client foretells of parameters are passed over, as there are none */
    (void)reader_bytes(reader, (size_t)reader_int16(reader) * sizeof(uint32_t));
    if (!reader_is_done(reader))
        return malformed(failure);
    if (command_check(query, extended->duration_most_us, &count, failure) == COMMAND_REFUSED)
        return EXTENDED_REFUSED;
    if (count > 1) {
        outcome_fail(failure, "42601", "a prepared statement holds one command");
        return EXTENDED_REFUSED;
    }
    struct prepared *statement = add(extended, PREPARED_STATEMENT, name, failure);
    if (statement == NULL)
        return EXTENDED_REFUSED;
    struct command_reader commands = command_reader_of(query, extended->duration_most_us);
    statement->is_empty = command_next(&commands, &statement->command, failure) != COMMAND_READY;
    return complete(out, SERVER_PARSE_COMPLETE);
}

/* One format for all columns, or one for each: 0 text, 1 binary. */
static bool read_formats(struct reader *reader, size_t column_count, uint32_t *binary_columns)
{
    uint16_t count = reader_int16(reader);
    bool is_sound = count <= 1 || count == column_count;
    *binary_columns = 0;
    for (uint16_t i = 0; i < count && is_sound; i++) {
        uint16_t format = reader_int16(reader);
        is_sound = format <= 1;
        *binary_columns |= (uint32_t)format << i;
    }
    if (count == 1 && *binary_columns != 0)
        *binary_columns = UINT32_MAX;
    return is_sound;
}

static size_t column_count_of(const struct prepared *prepared)
{
    return prepared->is_empty ? 0 : command_forms[prepared->command.kind].show->column_count;
}

static enum extended_result take_bind(struct extended *extended, struct reader *reader, struct buffer *out,
                                      struct console_outcome *failure)
{
    struct bytes portal_name = reader_string(reader);
    struct bytes statement_name = reader_string(reader);
    (void)reader_bytes(reader, (size_t)reader_int16(reader) * sizeof(uint16_t)); /* formats of parameters */
    uint16_t parameter_count = reader_int16(reader);
    uint32_t binary_columns;
    if (reader->has_failed)
        return malformed(failure);
    const struct prepared *statement = find_or_fail(extended, PREPARED_STATEMENT, statement_name, failure);
    if (statement == NULL)
        return EXTENDED_REFUSED;
    if (parameter_count > 0) {
        outcome_fail(failure, protocol_violation, "commands of the console have no parameters");
        return EXTENDED_REFUSED;
    }
    if (!read_formats(reader, column_count_of(statement), &binary_columns) || !reader_is_done(reader))
        return malformed(failure);
    struct prepared *portal = add(extended, PREPARED_PORTAL, portal_name, failure);
    if (portal == NULL)
        return EXTENDED_REFUSED;
    portal->is_empty = statement->is_empty;
    portal->command = statement->command;
    portal->binary_columns = binary_columns;
    return complete(out, SERVER_BIND_COMPLETE);
}

/* 'S' or 'P', and a name. */
static bool read_target(struct reader *reader, enum prepared_kind *kind, struct bytes *name)
{
    uint8_t letter = reader_byte(reader);
    *kind = letter == 'S' ? PREPARED_STATEMENT : PREPARED_PORTAL;
    *name = reader_string(reader);
    return reader_is_done(reader) && (letter == 'S' || letter == 'P');
}

static void describe_parameters(struct buffer *out)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_PARAMETER_DESCRIPTION);
    writer_int16(&writer, 0);
    writer_end(&writer);
}

static enum extended_result take_describe(const struct extended *extended, struct reader *reader,
                                          struct buffer *out, struct console_outcome *failure)
{
    enum prepared_kind kind;
    struct bytes name;
    if (!read_target(reader, &kind, &name))
        return malformed(failure);
    const struct prepared *prepared = find_or_fail(extended, kind, name, failure);
    if (prepared == NULL)
        return EXTENDED_REFUSED;
    if (kind == PREPARED_STATEMENT)
        describe_parameters(out);
    size_t column_count = column_count_of(prepared);
    if (column_count == 0)
        return complete(out, SERVER_NO_DATA);
    struct result result = result_of(out, prepared->binary_columns);
    result_describe(&result, command_forms[prepared->command.kind].show->columns, column_count);
    return EXTENDED_DONE;
}

static enum extended_result take_execute(const struct extended *extended, struct reader *reader,
                                         struct buffer *out, const struct prepared **run,
                                         struct console_outcome *failure)
{
    struct bytes name = reader_string(reader);
    (void)reader_int32(reader); /* the most rows that the client wants at a time */
    if (!reader_is_done(reader))
        return malformed(failure);
    *run = find_or_fail(extended, PREPARED_PORTAL, name, failure);
    if (*run == NULL)
        return EXTENDED_REFUSED;
    return (*run)->is_empty ? complete(out, SERVER_EMPTY_QUERY_RESPONSE) : EXTENDED_RUN;
}

static enum extended_result take_close(struct extended *extended, struct reader *reader, struct buffer *out,
                                       struct console_outcome *failure)
{
    enum prepared_kind kind;
    struct bytes name;
    if (!read_target(reader, &kind, &name))
        return malformed(failure);
    forget(extended, find(extended, kind, name));
    return complete(out, SERVER_CLOSE_COMPLETE);
}

enum extended_result extended_take(struct extended *extended, const struct inbox_message *message,
                                   struct buffer *out, const struct prepared **run,
                                   struct console_outcome *failure)
{
    struct reader reader = reader_of(message->body);
    switch (message->type) {
    case CLIENT_PARSE:
        return take_parse(extended, &reader, out, failure);
    case CLIENT_BIND:
        return take_bind(extended, &reader, out, failure);
    case CLIENT_DESCRIBE:
        return take_describe(extended, &reader, out, failure);
    case CLIENT_EXECUTE:
        return take_execute(extended, &reader, out, run, failure);
    case CLIENT_CLOSE:
        return take_close(extended, &reader, out, failure);
    default:
        return malformed(failure);
    }
}
