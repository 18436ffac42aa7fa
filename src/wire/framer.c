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
static inline enum framer_result begin_message(struct framer *framer, struct bytes header,
                                               struct bytes *input, const struct message_form *form,
                                               struct fragment *out)
{
    uint32_t body_size = length_word(header.data) - MESSAGE_LENGTH_SIZE;
    bool is_whole = input->size >= body_size;
    size_t size = is_whole ? body_size : input->size;

    *out =
        (struct fragment){ form, body_size, header.data[0], true, is_whole, header, bytes_take(input, size) };
    if (!is_whole) {
        framer->type = out->type;
        framer->body_size = body_size;
        framer->body_left = body_size - (uint32_t)size;
        framer->is_inside = true;
    }
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

static enum framer_result fail(struct framer *framer, enum framer_result failure)
{
    framer->type = framer->header[0];
    framer->failure = (uint8_t)failure;
    return failure;
}

/* Moves bytes into the kept header until it holds `size`; false when the input ends before. */
static bool keep_header(struct framer *framer, struct bytes *input, uint8_t size)
{
    while (framer->header_size < size && input->size > 0)
        framer->header[framer->header_size++] = *bytes_take(input, 1).data;
    return framer->header_size == size;
}

/* The way of a header that is cut or wrong. The type is judged as soon as it is there, as the server does. */
static enum framer_result collect_header(struct framer *framer, struct bytes *input, struct fragment *out)
{
    if (framer->failure != FRAMER_FRAGMENT)
        return (enum framer_result)framer->failure;
    if (framer->header_size == 0 && !keep_header(framer, input, 1))
        return FRAMER_STARVED;
    const struct message_form *form = message_form(framer->from, framer->header[0]);
    if (form == NULL)
        return fail(framer, FRAMER_UNKNOWN_TYPE);
    if (!keep_header(framer, input, MESSAGE_HEADER_SIZE))
        return FRAMER_STARVED;
    if (!is_within_bounds(form, length_word(framer->header)))
        return fail(framer, FRAMER_BAD_LENGTH);
    framer->header_size = 0;
    return begin_message(framer, bytes_of(framer->header, MESSAGE_HEADER_SIZE), input, form, out);
}

enum framer_result framer_next(struct framer *framer, struct bytes *input, struct fragment *out)
{
    if (framer->is_inside)
        return continue_message(framer, input, out);
    if (framer->header_size > 0 || input->size < MESSAGE_HEADER_SIZE)
        return collect_header(framer, input, out);
    const struct message_form *form = message_form(framer->from, input->data[0]);
    if (form == NULL || !is_within_bounds(form, length_word(input->data)))
        return collect_header(framer, input, out);
    return begin_message(framer, bytes_take(input, MESSAGE_HEADER_SIZE), input, form, out);
}
