/* SPDX-License-Identifier: PostgreSQL */
#include "control/parameter.h"

#include <errno.h>
#include <stdlib.h>

enum class { CLASS_TEXT, CLASS_BOOLEAN, CLASS_INTEGER, CLASS_REAL };

/* Of pg_type; all others are texts, which have a binary form only where `size` says so. */
static const struct type {
    uint32_t oid;
    enum class class;
    uint8_t size; /* in binary, bytes; 0: any */
} types[] = {
    { 0, CLASS_TEXT, 0 },     { 16, CLASS_BOOLEAN, 1 }, { 18, CLASS_TEXT, 0 },    { 19, CLASS_TEXT, 0 },
    { 20, CLASS_INTEGER, 8 }, { 21, CLASS_INTEGER, 2 }, { 23, CLASS_INTEGER, 4 }, { 25, CLASS_TEXT, 0 },
    { 26, CLASS_INTEGER, 4 }, { 700, CLASS_REAL, 4 },   { 701, CLASS_REAL, 8 },   { 705, CLASS_TEXT, 0 },
    { 1042, CLASS_TEXT, 0 },  { 1043, CLASS_TEXT, 0 },
};

enum { NUMERIC_OID = 1700, NUMBER_SIZE = 64 };

static const struct type *type_find(uint32_t oid)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].oid == oid)
            return &types[i];
    return NULL;
}

static uint64_t read_bits(struct bytes bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.size; i++)
        bits = bits << 8 | bytes.data[i];
    return bits;
}

static double real_of(uint64_t bits, size_t size)
{
    double real = 0;
    float half = 0;
    uint32_t half_bits = (uint32_t)bits;
    if (size == sizeof real) {
        memcpy(&real, &bits, sizeof real);
        return real;
    }
    memcpy(&half, &half_bits, sizeof half);
    return (double)half;
}

static int64_t integer_of(uint64_t bits, size_t size, bool is_signed)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
}

static bool read_binary(struct bytes bytes, const struct type *type, struct history_value *out)
{
    enum { OID_OID = 26 };
    if (type->size != bytes.size)
        return false;
    uint64_t bits = read_bits(bytes);
    if (type->class == CLASS_REAL)
        *out = history_real(real_of(bits, bytes.size));
    else
        *out = history_integer(integer_of(bits, bytes.size, type->oid != OID_OID));
    return true;
}

static bool read_boolean(const char *word, struct history_value *out)
{
    static const char *const truths[] = { "t", "true", "1", "on", "yes" };
    static const char *const lies[] = { "f", "false", "0", "off", "no" };
    for (size_t i = 0; i < COUNT_OF(truths); i++) {
        bool is_true = bytes_equal_folded(bytes_text(word), truths[i]);
        if (is_true || bytes_equal_folded(bytes_text(word), lies[i])) {
            *out = history_integer(is_true);
            return true;
        }
    }
    return false;
}

static bool read_text(struct bytes bytes, enum class class, struct history_value *out)
{
    char word[NUMBER_SIZE];
    char *end = word;
    if (bytes.size == 0 || bytes.size >= sizeof word || bytes_find(bytes, '\0') < bytes.size)
        return false;
    bytes_copy_text(bytes, word, sizeof word);
    errno = 0;
    if (class == CLASS_BOOLEAN)
        return read_boolean(word, out);
    if (class == CLASS_INTEGER)
        *out = history_integer(strtoll(word, &end, 10));
    else
        *out = history_real(strtod(word, &end));
    return *end == '\0' && end != word && errno == 0;
}

bool parameter_read(struct bytes bytes, uint32_t oid, bool is_in_binary, struct history_value *out,
                    struct console_outcome *failure)
{
    static const struct type numeric = { NUMERIC_OID, CLASS_REAL, 0 };
    const struct type *type = oid == NUMERIC_OID ? &numeric : type_find(oid);
    bool is_text = type == NULL || type->class == CLASS_TEXT;
    *out = (struct history_value){ .type = HISTORY_TEXT, .text = bytes };
    if (is_in_binary && (type == NULL || (!is_text && type->size == 0))) {
        outcome_fail(failure, "0A000", "a parameter of the type %u must be sent as text", oid);
        return false;
    }
    if (is_text)
        return true;
    bool is_read = is_in_binary ? read_binary(bytes, type, out) : read_text(bytes, type->class, out);
    if (!is_read)
        outcome_fail(failure, is_in_binary ? "22P03" : "22P02", "a parameter is not of its type, %u", oid);
    return is_read;
}
