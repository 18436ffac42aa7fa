/* SPDX-License-Identifier: PostgreSQL */
#include "config/value.h"

/* Numbers, alone and with a unit. */
struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000 }, { "d", 86400000000 },
};

static const struct unit size_units[] = {
    { "B", 1 },
    { "KiB", 1024 },
    { "MiB", 1048576 },
    { "GiB", 1073741824 },
};

/* Returns what follows the digits, or NULL when there are none or the number is not below 10^18. */
static const char *read_number(const char *text, uint64_t *out)
{
    const char *at = text;
    *out = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (at - text >= 18)
            return NULL;
        *out = *out * 10 + (uint64_t)(*at - '0');
    }
    return at > text ? at : NULL;
}

static bool read_quantity(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
    const char *rest = read_number(text, out);
    for (size_t i = 0; rest != NULL && i < count; i++) {
        if (strcmp(rest, units[i].name) == 0)
            return !__builtin_mul_overflow(*out, units[i].factor, out);
    }
    return false;
}

bool value_read_digits(const char *text, uint64_t *out)
{
    const char *rest = read_number(text, out);
    return rest != NULL && *rest == '\0';
}

static bool read_duration(const char *text, uint64_t *out)
{
    return read_quantity(text, duration_units, COUNT_OF(duration_units), out);
}

static bool read_size(const char *text, uint64_t *out)
{
    return read_quantity(text, size_units, COUNT_OF(size_units), out);
}

enum value_result value_read_integer(const struct schema_row *row, const char *text, void *field,
                                     struct text *why)
{
    (void)why;
    uint64_t value = 0;
    if (!value_read_digits(text, &value))
        return VALUE_HAS_WRONG_FORM;
    *(uint32_t *)field = (uint32_t)value;
    return value_is_within(row, value, value_read_digits) ? VALUE_READ : VALUE_OUT_OF_BOUNDS;
}

enum value_result value_read_duration(const struct schema_row *row, const char *text, void *field,
                                      struct text *why)
{
    (void)why;
    uint64_t value = 0;
    if (!read_duration(text, &value))
        return VALUE_HAS_WRONG_FORM;
    *(int64_t *)field = (int64_t)value;
    return value_is_within(row, value, read_duration) ? VALUE_READ : VALUE_OUT_OF_BOUNDS;
}

enum value_result value_read_size(const struct schema_row *row, const char *text, void *field,
                                  struct text *why)
{
    (void)why;
    uint64_t value = 0;
    if (!read_size(text, &value))
        return VALUE_HAS_WRONG_FORM;
    *(uint64_t *)field = value;
    return value_is_within(row, value, read_size) ? VALUE_READ : VALUE_OUT_OF_BOUNDS;
}
