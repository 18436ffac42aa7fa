/* SPDX-License-Identifier: PostgreSQL */
#include "wire/reader.h"

struct reader reader_of(struct bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *start = bytes.size > 0 ? bytes.data : nothing;
    return (struct reader){ start, start + bytes.size, false };
}

struct bytes reader_bytes(struct reader *reader, size_t size)
{
    if (size > reader_left(reader)) {
        reader->has_failed = true;
        reader->at = reader->end;
    }
    if (reader->has_failed)
        return BYTES_NONE;
    struct bytes taken = bytes_of(reader->at, size);
    reader->at += size;
    return taken;
}

static uint32_t reader_integer(struct reader *reader, size_t size)
{
    struct bytes bytes = reader_bytes(reader, size);
    uint32_t value = 0;
    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t reader_byte(struct reader *reader)
{
    return (uint8_t)reader_integer(reader, 1);
}

uint16_t reader_int16(struct reader *reader)
{
    return (uint16_t)reader_integer(reader, 2);
}

uint32_t reader_int32(struct reader *reader)
{
    return reader_integer(reader, 4);
}

struct bytes reader_string(struct reader *reader)
{
    size_t size = bytes_find(bytes_of(reader->at, reader_left(reader)), '\0');
    struct bytes text = reader_bytes(reader, size + 1);
    return reader->has_failed ? BYTES_NONE : bytes_of(text.data, size);
}

size_t reader_left(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

bool reader_is_done(const struct reader *reader)
{
    return !reader->has_failed && reader->at == reader->end;
}
