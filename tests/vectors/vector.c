/* SPDX-License-Identifier: PostgreSQL */
#include "vectors/vector.h"

#include "vectors/field.h"
#include "wire/framer.h"

#include <stdio.h>

/* Where the reading of a text stands. */
struct parser {
    struct vector *vector;
    const char *name;
    struct problems *problems;
    struct bytes rest; /* of the line */
    unsigned line;
    size_t start;             /* of the open step's bytes in the storage */
    struct vector_step *open; /* takes further fields; NULL when nothing does */
};

/* Packets that open a connection: a length, but no type byte. */
static const char *const preamble_names[] = { "StartupMessage", "SSLRequest", "GSSENCRequest",
                                              "CancelRequest" };

#define REFUSE(parser, ...) problems_add((parser)->problems, (parser)->name, (parser)->line, 0, __VA_ARGS__)

static bool is_preamble_name(struct bytes name)
{
    for (size_t i = 0; i < COUNT_OF(preamble_names); i++)
        if (bytes_equal_text(name, preamble_names[i]))
            return true;
    return false;
}

/* The type byte of the message of this name that `from` sends, or -1. */
static int find_type(enum side from, struct bytes name)
{
    for (int type = 0; type < 256; type++) {
        const struct message_form *form = message_form(from, (uint8_t)type);
        if (form != NULL && bytes_equal_text(name, form->name))
            return type;
    }
    return -1;
}

static struct vector_step *add_step(struct parser *parser, enum vector_step_kind kind)
{
    struct vector *vector = parser->vector;
    if (vector->count == VECTOR_STEPS_MOST) {
        REFUSE(parser, "more than %d steps", VECTOR_STEPS_MOST);
        return NULL;
    }
    struct vector_step *step = &vector->steps[vector->count++];
    *step = (struct vector_step){ .kind = kind, .line = parser->line };
    return step;
}

/* Sets the open step's length word and bytes. The bytes are an offset until the whole text is read, because
 * the storage may move. */
static void close_step(struct parser *parser)
{
    struct vector_step *step = parser->open;
    struct buffer *storage = &parser->vector->storage;
    parser->open = NULL;
    if (step == NULL || storage->has_failed)
        return;
    step->bytes.size = storage->size - parser->start;
    if (step->form == NULL && !step->is_preamble)
        return;
    uint32_t length = (uint32_t)(step->bytes.size - (step->is_preamble ? 0 : 1));
    uint8_t *at = storage->data + parser->start + (step->is_preamble ? 0 : 1);
    for (int i = 0; i < MESSAGE_LENGTH_SIZE; i++)
        at[i] = (uint8_t)(length >> (24 - 8 * i));
    if (step->form != NULL && !step->is_open_ended &&
        (length < step->form->least || length > step->form->most))
        problems_add(parser->problems, parser->name, step->line, 0,
                     "a %s has a length of %u to %u, not %u; write malformed bytes with '!'",
                     step->form->name, step->form->least, step->form->most, length);
}

/* Only an expected message can leave its end open. */
static bool may_end_open(const struct vector_step *step)
{
    return step->kind == VECTOR_RECEIVE && step->form != NULL;
}

static void read_fields(struct parser *parser)
{
    for (;;) {
        field_skip_blanks(&parser->rest);
        if (parser->rest.size == 0 || parser->rest.data[0] == '#')
            return;
        if (bytes_equal_text(parser->rest, "...") && may_end_open(parser->open)) {
            parser->open->is_open_ended = true;
            return;
        }
        const char *fault = field_read(&parser->rest, &parser->vector->storage);
        if (fault != NULL) {
            REFUSE(parser, "%s", fault);
            return;
        }
    }
}

/* The name of a message, which says its header. */
static void begin_message(struct parser *parser, struct vector_step *step, enum side from)
{
    field_skip_blanks(&parser->rest);
    struct bytes name = field_word(&parser->rest);
    int type = find_type(from, name);
    uint8_t header[MESSAGE_HEADER_SIZE] = { (uint8_t)type };

    step->is_preamble = from == SIDE_CLIENT && is_preamble_name(name);
    if (step->is_preamble) {
        buffer_append(&parser->vector->storage, bytes_of(header, MESSAGE_LENGTH_SIZE));
    } else if (type >= 0) {
        step->form = message_form(from, (uint8_t)type);
        buffer_append(&parser->vector->storage, bytes_of(header, sizeof header));
    } else {
        REFUSE(parser, "the %s sends no message named '%.*s'", from == SIDE_CLIENT ? "client" : "server",
               (int)name.size, (const char *)name.data);
    }
}

/* "client:", "server:", "client!" or "server!" and what follows. */
static void read_bytes_step(struct parser *parser, enum vector_step_kind kind)
{
    struct bytes side = field_word(&parser->rest);
    bool is_raw = side.size > 0 && side.data[side.size - 1] == '!';
    bool is_client = bytes_equal_text(side, "client:") || bytes_equal_text(side, "client!");

    if (!is_client && !bytes_equal_text(side, "server:") && !bytes_equal_text(side, "server!")) {
        REFUSE(parser, "a line starts with client, server, ->, = passed, event or #");
        return;
    }
    struct vector_step *step = add_step(parser, kind);
    if (step == NULL)
        return;
    step->side = is_client ? SIDE_CLIENT : SIDE_SERVER;
    step->bytes = BYTES_NONE;
    parser->open = step;
    parser->start = parser->vector->storage.size;
    if (!is_raw)
        begin_message(parser, step, kind == VECTOR_SENDS ? step->side : side_other(step->side));
    read_fields(parser);
}

static void expect_line_end(struct parser *parser)
{
    field_skip_blanks(&parser->rest);
    if (parser->rest.size > 0 && parser->rest.data[0] != '#')
        REFUSE(parser, "nothing is expected here");
}

static void read_passed(struct parser *parser)
{
    field_skip_blanks(&parser->rest);
    if (!bytes_equal_text(field_word(&parser->rest), "passed"))
        REFUSE(parser, "'=' is followed by 'passed'");
    expect_line_end(parser);
    add_step(parser, VECTOR_PASSED);
}

static void read_event(struct parser *parser)
{
    field_skip_blanks(&parser->rest);
    struct bytes name = field_word(&parser->rest);
    struct vector_step *step = add_step(parser, VECTOR_EVENT);
    if (name.size == 0 || (step != NULL && !bytes_copy_text(name, step->event, sizeof step->event)))
        REFUSE(parser, "an event has a name of less than %d characters", VECTOR_EVENT_SIZE);
    expect_line_end(parser);
}

static void read_step(struct parser *parser)
{
    struct bytes whole = parser->rest;
    struct bytes word = field_word(&parser->rest);
    if (bytes_equal_text(word, "=")) {
        read_passed(parser);
    } else if (bytes_equal_text(word, "event")) {
        read_event(parser);
    } else if (bytes_equal_text(word, "->")) {
        field_skip_blanks(&parser->rest);
        read_bytes_step(parser, VECTOR_RECEIVE);
    } else {
        parser->rest = whole;
        read_bytes_step(parser, VECTOR_SENDS);
    }
}

/* A line that is indented goes on with the fields of the step above. */
static void read_line(struct parser *parser)
{
    struct bytes whole = parser->rest;
    field_skip_blanks(&parser->rest);
    if (parser->rest.size == 0 || parser->rest.data[0] == '#')
        return;
    if (parser->rest.size == whole.size) {
        close_step(parser);
        read_step(parser);
    } else if (parser->open != NULL) {
        read_fields(parser);
    } else {
        REFUSE(parser, "an indented line goes on with a step that has fields");
    }
}

/* Turns offsets into views, now that the storage does not move any more. */
static void resolve_bytes(struct vector *vector)
{
    const uint8_t *at = vector->storage.data;
    for (size_t i = 0; i < vector->count; i++) {
        struct bytes *bytes = &vector->steps[i].bytes;
        *bytes = bytes_of(at, bytes->size);
        at = bytes->size > 0 ? at + bytes->size : at;
    }
}

bool vector_parse(struct vector *vector, const char *name, struct bytes text, struct problems *problems)
{
    struct parser parser = { .vector = vector, .name = name, .problems = problems };
    size_t errors_before = problems->error_count;
    vector->count = 0;
    buffer_init(&vector->storage, VECTOR_BYTES_MOST);
    while (text.size > 0) {
        parser.line++;
        parser.rest = bytes_take(&text, bytes_find(text, '\n'));
        if (text.size > 0)
            bytes_take(&text, 1);
        read_line(&parser);
    }
    close_step(&parser);
    if (vector->storage.has_failed)
        REFUSE(&parser, "more than %d bytes", VECTOR_BYTES_MOST);
    resolve_bytes(vector);
    return problems->error_count == errors_before;
}

static bool read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    uint8_t piece[4096];
    size_t size;
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        buffer_append(out, bytes_of(piece, size));
    bool is_read = !ferror(file) && !out->has_failed;
    fclose(file);
    return is_read;
}

bool vector_load(struct vector *vector, const char *path, struct problems *problems)
{
    struct buffer text;
    bool is_sound = false;
    vector->count = 0;
    buffer_init(&vector->storage, VECTOR_BYTES_MOST);
    buffer_init(&text, VECTOR_BYTES_MOST);
    if (read_file(path, &text))
        is_sound = vector_parse(vector, path, buffer_bytes(&text), problems);
    else
        problems_add(problems, path, 0, 0, "cannot be read");
    buffer_release(&text);
    return is_sound;
}

void vector_release(struct vector *vector)
{
    buffer_release(&vector->storage);
}

static bool match_open_ended(const struct vector_step *step, struct bytes *came_out)
{
    struct framer framer;
    struct fragment fragment;
    struct bytes rest = *came_out;
    struct bytes start = step->bytes;
    framer_init(&framer, side_other(step->side));
    if (framer_next(&framer, &rest, &fragment) != FRAMER_FRAGMENT || !fragment.is_last)
        return false;
    uint8_t type = bytes_take(&start, MESSAGE_HEADER_SIZE).data[0];
    if (type != fragment.type || fragment.body.size < start.size)
        return false;
    *came_out = rest;
    return bytes_equal(start, bytes_take(&fragment.body, start.size));
}

bool vector_step_match(const struct vector_step *step, struct bytes *came_out)
{
    if (step->is_open_ended)
        return match_open_ended(step, came_out);
    if (came_out->size < step->bytes.size)
        return false;
    return bytes_equal(step->bytes, bytes_take(came_out, step->bytes.size));
}

size_t vector_collect(const struct vector *vector, enum side from, struct buffer *out)
{
    size_t count = 0;
    for (size_t i = 0; i < vector->count; i++) {
        const struct vector_step *step = &vector->steps[i];
        if (step->kind != VECTOR_SENDS || step->side != from || step->form == NULL)
            continue;
        buffer_append(out, step->bytes);
        count++;
    }
    return count;
}
