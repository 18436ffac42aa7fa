/* SPDX-License-Identifier: PostgreSQL */
#ifndef WIRE_WRITER_H
#define WIRE_WRITER_H

#include "base/buffer.h"

/* Writes typed messages into a buffer; the length word is set by writer_end. Whether all of it fitted is the
 * buffer's has_failed. Messages do not nest. */
struct writer {
    struct buffer *buffer;
    size_t length_at; /* offset of the open message's length word */
};

struct writer writer_of(struct buffer *buffer);
void writer_begin(struct writer *writer, uint8_t type);
void writer_byte(struct writer *writer, uint8_t value);
void writer_int16(struct writer *writer, uint16_t value);
void writer_int32(struct writer *writer, uint32_t value);
void writer_bytes(struct writer *writer, struct bytes bytes);
/* The text and a NUL; a NUL inside ends it there. */
void writer_string(struct writer *writer, struct bytes text);
void writer_end(struct writer *writer);

/* What an ErrorResponse of our own says. Views; detail and hint may be empty, the rest may not. */
struct error_notice {
    const char *severity; /* "ERROR" or "FATAL" */
    const char *sqlstate; /* five characters */
    struct bytes message;
    struct bytes detail;
    struct bytes hint;
    const char *routine; /* the R field; names the part of the program that speaks */
};

/* A whole ErrorResponse: S V C M, D and H where given, R (manual: "Error and Notice Message Fields"). */
void writer_error(struct writer *writer, const struct error_notice *notice);
void writer_ready(struct writer *writer, uint8_t transaction_status);
void writer_command_complete(struct writer *writer, const char *tag);

#endif
