/* SPDX-License-Identifier: PostgreSQL */
#include "wire/writer.h"

#include "wire/message.h"

struct writer writer_of(struct buffer *buffer)
{
    return (struct writer){ buffer, 0 };
}

static void put_int32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

void writer_begin(struct writer *writer, uint8_t type)
{
    writer_byte(writer, type);
    writer->length_at = writer->buffer->size;
    writer_int32(writer, 0);
}

void writer_byte(struct writer *writer, uint8_t value)
{
    buffer_append(writer->buffer, bytes_of(&value, 1));
}

void writer_int16(struct writer *writer, uint16_t value)
{
    writer_byte(writer, (uint8_t)(value >> 8));
    writer_byte(writer, (uint8_t)value);
}

void writer_int32(struct writer *writer, uint32_t value)
{
    uint8_t *at = buffer_extend(writer->buffer, 4);
    if (at != NULL)
        put_int32(at, value);
}

void writer_bytes(struct writer *writer, struct bytes bytes)
{
    buffer_append(writer->buffer, bytes);
}

void writer_string(struct writer *writer, struct bytes text)
{
    writer_bytes(writer, bytes_take(&text, bytes_find(text, '\0')));
    writer_byte(writer, '\0');
}

void writer_end(struct writer *writer)
{
    struct buffer *buffer = writer->buffer;
    if (!buffer->has_failed)
        put_int32(buffer->data + writer->length_at, (uint32_t)(buffer->size - writer->length_at));
}

static void writer_field(struct writer *writer, char code, struct bytes text)
{
    writer_byte(writer, (uint8_t)code);
    writer_string(writer, text);
}

void writer_error(struct writer *writer, const struct error_notice *notice)
{
    writer_begin(writer, SERVER_ERROR_RESPONSE);
    writer_field(writer, 'S', bytes_text(notice->severity));
    writer_field(writer, 'V', bytes_text(notice->severity));
    writer_field(writer, 'C', bytes_text(notice->sqlstate));
    writer_field(writer, 'M', notice->message);
    if (notice->detail.size > 0)
        writer_field(writer, 'D', notice->detail);
    if (notice->hint.size > 0)
        writer_field(writer, 'H', notice->hint);
    writer_field(writer, 'R', bytes_text(notice->routine));
    writer_byte(writer, '\0');
    writer_end(writer);
}

void writer_ready(struct writer *writer, uint8_t transaction_status)
{
    writer_begin(writer, SERVER_READY_FOR_QUERY);
    writer_byte(writer, transaction_status);
    writer_end(writer);
}

void writer_command_complete(struct writer *writer, const char *tag)
{
    writer_begin(writer, SERVER_COMMAND_COMPLETE);
    writer_string(writer, bytes_text(tag));
    writer_end(writer);
}
