/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include "base/attributes.h"
#include "base/bytes.h"

/* A cursor over one message body. A read past the end makes it fail for good and returns zero or nothing:
 * read all fields, check once. Integers are big-endian. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool has_failed;
};

struct reader reader_of(struct bytes bytes);
uint8_t reader_byte(struct reader *reader);
uint16_t reader_int16(struct reader *reader);
uint32_t reader_int32(struct reader *reader);
struct bytes reader_bytes(struct reader *reader, size_t size);
/* Up to a NUL, which is consumed and not part of the result. Fails when there is none. */
struct bytes reader_string(struct reader *reader);
size_t reader_left(const struct reader *reader);
/* Nothing failed and nothing is left over. */
bool reader_is_done(const struct reader *reader);

#endif
