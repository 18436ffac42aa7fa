/* SPDX-License-Identifier: PostgreSQL */
#include "history/record.h"

#include <assert.h>

enum {
    HEAD_SIZE = 2,
    COUNT_AT = 1,
    TEXT_HEAD_SIZE = 1 + sizeof(uint32_t),
    NUMBER_SIZE = 1 + sizeof(int64_t)
};

void record_begin(struct record *record, uint8_t tag)
{
    record->bytes[0] = tag;
    record->bytes[COUNT_AT] = 0;
    record->size = HEAD_SIZE;
}

static size_t record_room(const struct record *record)
{
    return sizeof record->bytes - record->size;
}

static void record_add(struct record *record, enum history_type type, const void *payload, size_t size)
{
    assert(record->bytes[COUNT_AT] < UINT8_MAX);
    record->bytes[COUNT_AT]++;
    record->bytes[record->size++] = (uint8_t)type;
    if (size > 0)
        memcpy(record->bytes + record->size, payload, size);
    record->size += size;
}

void record_null(struct record *record)
{
    if (record_room(record) > 0)
        record_add(record, HISTORY_NULL, NULL, 0);
}

void record_integer(struct record *record, int64_t integer)
{
    if (record_room(record) < NUMBER_SIZE)
        record_null(record);
    else
        record_add(record, HISTORY_INTEGER, &integer, sizeof integer);
}

void record_real(struct record *record, double real)
{
    if (record_room(record) < NUMBER_SIZE)
        record_null(record);
    else
        record_add(record, HISTORY_REAL, &real, sizeof real);
}

void record_text(struct record *record, struct bytes text)
{
    size_t room = record_room(record);
    if (room < TEXT_HEAD_SIZE) {
        record_null(record);
        return;
    }
    uint32_t size = (uint32_t)(text.size < room - TEXT_HEAD_SIZE ? text.size : room - TEXT_HEAD_SIZE);
    record_add(record, HISTORY_TEXT, &size, sizeof size);
    if (size > 0)
        memcpy(record->bytes + record->size, text.data, size);
    record->size += size;
}

void record_field(struct record *record, const char *field, size_t capacity)
{
    record_text(record, bytes_of(field, strnlen(field, capacity)));
}

bool record_next(struct record_reader *reader)
{
    struct history_value passed;
    while (record_value(reader, &passed)) {
    }
    if (reader->rest.size == 0)
        return false;
    struct bytes head = bytes_take(&reader->rest, HEAD_SIZE);
    reader->tag = head.data[0];
    reader->values_left = head.data[COUNT_AT];
    return true;
}

static void take(struct record_reader *reader, void *into, size_t size)
{
    assert(size <= reader->rest.size);
    memcpy(into, bytes_take(&reader->rest, size).data, size);
}

bool record_value(struct record_reader *reader, struct history_value *value)
{
    if (reader->values_left == 0)
        return false;
    reader->values_left--;
    uint8_t type;
    uint32_t size;
    take(reader, &type, sizeof type);
    *value = (struct history_value){ .type = (enum history_type)type };
    switch (value->type) {
    case HISTORY_NULL:
        break;
    case HISTORY_INTEGER:
        take(reader, &value->integer, sizeof value->integer);
        break;
    case HISTORY_REAL:
        take(reader, &value->real, sizeof value->real);
        break;
    case HISTORY_TEXT:
        take(reader, &size, sizeof size);
        assert(size <= reader->rest.size);
        value->text = bytes_take(&reader->rest, size);
        break;
    }
    return true;
}
