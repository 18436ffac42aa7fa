/* SPDX-License-Identifier: PostgreSQL */
#include "wire/framer.h"

void framer_init(struct framer *framer, enum side from)
{
    *framer = (struct framer){ .from = (uint8_t)from };
}

static inline uint32_t length_word(const uint8_t *header)
{
    return (uint32_t)header[1] << 24 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 8 | header[4];
}

static inline bool is_within_bounds(const struct message_form *form, uint32_t length)
{
    return length >= form->least && length <= form->most;
}

/* Gives out the first fragment; `input` stands behind the header. */
static enum framer_result begin_message(struct framer *framer, struct bytes header, struct bytes *input,
                                        const struct message_form *form, struct fragment *out)
{
    uint32_t body_size = length_word(header.data) - MESSAGE_LENGTH_SIZE;
    size_t size = input->size < body_size ? input->size : body_size;

    framer->type = header.data[0];
    framer->body_size = body_size;
    framer->body_left = body_size - (uint32_t)size;
    framer->is_inside = framer->body_left > 0;
    *out = (struct fragment){
        form, body_size, framer->type, true, !framer->is_inside, header, bytes_take(input, size)
    };
    return FRAMER_FRAGMENT;
}

static enum framer_result continue_message(struct framer *framer, struct bytes *input, struct fragment *out)
{
    if (input->size == 0)
        return FRAMER_STARVED;
    size_t size = input->size < framer->body_left ? input->size : framer->body_left;

    framer->body_left -= (uint32_t)size;
    framer->is_inside = framer->body_left > 0;
    *out = (struct fragment){ .form = message_form(framer->from, framer->type),
                              .body_size = framer->body_size,
                              .type = framer->type,
                              .is_last = !framer->is_inside,
                              .body = bytes_take(input, size) };
    return FRAMER_FRAGMENT;
}

/* Moves bytes into the kept header until it holds `size`; false when the input ends before. */
static bool keep_header(struct framer *framer, struct bytes *input, uint8_t size)
{
    while (framer->header_size < size && input->size > 0)
        framer->header[framer->header_size++] = *bytes_take(input, 1).data;
    return framer->header_size == size;
}

/* The way of a header that is cut or wrong. The type is judged as soon as it is there, as the server does. A
 * header that is refused stays kept, and so is refused again by every later call. */
static enum framer_result collect_header(struct framer *framer, struct bytes *input, struct fragment *out)
{
    if (framer->header_size == 0 && !keep_header(framer, input, 1))
        return FRAMER_STARVED;
    framer->type = framer->header[0];
    const struct message_form *form = message_form(framer->from, framer->type);
    if (form == NULL)
        return FRAMER_UNKNOWN_TYPE;
    if (!keep_header(framer, input, MESSAGE_HEADER_SIZE))
        return FRAMER_STARVED;
    if (!is_within_bounds(form, length_word(framer->header)))
        return FRAMER_BAD_LENGTH;
    framer->header_size = 0;
    return begin_message(framer, bytes_of(framer->header, MESSAGE_HEADER_SIZE), input, form, out);
}

/* The way of a message that lies whole in the input comes first and touches neither the framer nor its bytes
 * twice. */
enum framer_result framer_next(struct framer *framer, struct bytes *input, struct fragment *out)
{
    if (framer->is_inside)
        return continue_message(framer, input, out);
    if (framer->header_size > 0 || input->size < MESSAGE_HEADER_SIZE)
        return collect_header(framer, input, out);

    const uint8_t *at = input->data;
    const struct message_form *form = message_form(framer->from, at[0]);
    uint32_t length = length_word(at);
    if (form == NULL || !is_within_bounds(form, length))
        return collect_header(framer, input, out);
    if (input->size - 1 < length)
        return begin_message(framer, bytes_take(input, MESSAGE_HEADER_SIZE), input, form, out);

    uint32_t body_size = length - MESSAGE_LENGTH_SIZE;
    *input = bytes_of(at + 1 + length, input->size - 1 - length);
    *out = (struct fragment){ form,
                              body_size,
                              at[0],
                              true,
                              true,
                              bytes_of(at, MESSAGE_HEADER_SIZE),
                              bytes_of(at + MESSAGE_HEADER_SIZE, body_size) };
    return FRAMER_FRAGMENT;
}

struct bytes framer_run(const struct framer *framer, struct bytes *input, struct bytes *next)
{
    const struct message_form *forms = message_forms[framer->from];
    size_t size = 0;
    *next = BYTES_NONE;
    if (framer->is_inside || framer->header_size > 0)
        return BYTES_NONE;
    while (input->size - size >= MESSAGE_HEADER_SIZE) {
        const uint8_t *at = input->data + size;
        const struct message_form *form = &forms[at[0]];
        uint32_t length = length_word(at);
        if (form->name == NULL || !is_within_bounds(form, length) || length > input->size - size - 1)
            break;
        if (form->disposition != DISPOSITION_PASS) {
            struct bytes run = bytes_take(input, size);
            *next = bytes_take(input, 1 + (size_t)length);
            return run;
        }
        size += 1 + (size_t)length;
    }
    return bytes_take(input, size);
}
