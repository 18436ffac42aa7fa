/* SPDX-License-Identifier: PostgreSQL */
#include "wire/preamble.h"

#include "wire/reader.h"

enum {
    LENGTH_SIZE = 4,
    HEADER_SIZE = LENGTH_SIZE + 4, /* with the code */
    CANCEL_HEADER_SIZE = HEADER_SIZE + 4,
    PROTOCOL_MAJOR = 3,
    REQUEST_MAJOR = 1234, /* marks what is a request, not a protocol */
    REQUEST_CANCEL = 5678,
    REQUEST_TLS = 5679,
    REQUEST_GSS = 5680,
};

static bool find_kind(uint16_t major, uint16_t minor, enum preamble_kind *kind)
{
    if (major == PROTOCOL_MAJOR)
        *kind = PREAMBLE_STARTUP;
    else if (major == REQUEST_MAJOR && minor == REQUEST_CANCEL)
        *kind = PREAMBLE_CANCEL;
    else if (major == REQUEST_MAJOR && minor == REQUEST_TLS)
        *kind = PREAMBLE_TLS_REQUEST;
    else if (major == REQUEST_MAJOR && minor == REQUEST_GSS)
        *kind = PREAMBLE_GSS_REQUEST;
    else
        return false;
    return true;
}

static bool is_size_of_kind(enum preamble_kind kind, size_t size)
{
    switch (kind) {
    case PREAMBLE_STARTUP:
        return true;
    case PREAMBLE_TLS_REQUEST:
    case PREAMBLE_GSS_REQUEST:
        return size == HEADER_SIZE;
    case PREAMBLE_CANCEL:
        return size > CANCEL_HEADER_SIZE && size <= CANCEL_HEADER_SIZE + PREAMBLE_CANCEL_KEY_MOST;
    }
    return false;
}

/* Whether pairs of strings, the names not empty, fill `bytes` up to one last NUL, and `user` has a value. */
static bool has_sound_parameters(struct bytes bytes)
{
    struct reader reader = reader_of(bytes);
    while (reader_string(&reader).size > 0)
        reader_string(&reader);
    if (!reader_is_done(&reader))
        return false;
    return startup_parameter_find(bytes, "user").size > 0;
}

static enum preamble_result read_body(struct reader *reader, struct preamble *out)
{
    if (out->kind == PREAMBLE_CANCEL) {
        out->process_id = reader_int32(reader);
        out->cancel_key = reader_bytes(reader, reader_left(reader));
    }
    if (out->kind != PREAMBLE_STARTUP)
        return PREAMBLE_READY;
    struct bytes pairs = reader_bytes(reader, reader_left(reader));
    if (!has_sound_parameters(pairs))
        return PREAMBLE_MALFORMED;
    out->parameters = bytes_of(pairs.data, pairs.size - 1);
    return PREAMBLE_READY;
}

enum preamble_result preamble_read(struct bytes bytes, struct preamble *out)
{
    *out = (struct preamble){ .size = LENGTH_SIZE };
    if (bytes.size > 0 && preamble_begins_tls(bytes.data[0]))
        return PREAMBLE_DIRECT_TLS;
    if (bytes.size < LENGTH_SIZE)
        return PREAMBLE_STARVED;
    struct reader reader = reader_of(bytes);
    out->size = reader_int32(&reader);
    if (out->size < HEADER_SIZE || out->size > PREAMBLE_MOST)
        return PREAMBLE_BAD_LENGTH;
    if (bytes.size < HEADER_SIZE)
        return PREAMBLE_STARVED;
    out->major = reader_int16(&reader);
    out->minor = reader_int16(&reader);
    if (!find_kind(out->major, out->minor, &out->kind))
        return PREAMBLE_BAD_CODE;
    if (!is_size_of_kind(out->kind, out->size))
        return PREAMBLE_BAD_LENGTH;
    if (bytes.size < out->size)
        return PREAMBLE_STARVED;
    reader = reader_of(bytes_of(bytes.data + HEADER_SIZE, out->size - HEADER_SIZE));
    return read_body(&reader, out);
}

bool startup_parameter_next(struct bytes *parameters, struct startup_parameter *out)
{
    struct reader reader = reader_of(*parameters);
    out->name = reader_string(&reader);
    out->value = reader_string(&reader);
    *parameters = bytes_of(reader.at, reader_left(&reader));
    return !reader.has_failed;
}

struct bytes startup_parameter_find(struct bytes parameters, const char *name)
{
    struct bytes found = BYTES_NONE;
    struct startup_parameter parameter;
    while (startup_parameter_next(&parameters, &parameter))
        if (bytes_equal_text(parameter.name, name))
            found = parameter.value;
    return found;
}
