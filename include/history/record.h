/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_RECORD_H
#define HISTORY_RECORD_H

#include "base/attributes.h"
#include "history/value.h"

enum { RECORD_SIZE = 8192 };

/* Values in a row, as bytes: how rows wait in memory. The tag says what they are for. Texts may hold any
 * bytes.
 */
struct record {
    size_t size;
    uint8_t bytes[RECORD_SIZE]; /* tag, number of values, then each: type, payload */
};

void record_begin(struct record *record, uint8_t tag);
void record_null(struct record *record);
void record_integer(struct record *record, int64_t integer);
void record_real(struct record *record, double real);
/* A text that does not fit any more is cut; a number that does not fit is NULL, and NULL is left out: keep
 * rows well below RECORD_SIZE. */
void record_text(struct record *record, struct bytes text);
/* The text in a NUL-terminated field of up to `capacity` bytes. */
void record_field(struct record *record, const char *field, size_t capacity);

static inline struct bytes record_bytes(const struct record *record)
{
    return bytes_of(record->bytes, record->size);
}

/* Where a reader stands in bytes made of records one after another. */
struct record_reader {
    struct bytes rest;
    uint8_t tag;
    uint8_t values_left; /* of the record that was begun */
};

static inline struct record_reader record_reader_of(struct bytes bytes)
{
    return (struct record_reader){ .rest = bytes };
}

/* Begins the next record, passing over what is left of this one; false at the end. The bytes are our own, so
 * only asserts look at their form. */
MUST_USE bool record_next(struct record_reader *reader);
/* The next value of the record; false where it has no more. The text is a view of the reader's bytes. */
MUST_USE bool record_value(struct record_reader *reader, struct history_value *value);

#endif
