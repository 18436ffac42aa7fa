/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/schema.h"

/* What a reader made of a text; the last has said why itself. */
enum value_result { VALUE_READ, VALUE_HAS_WRONG_FORM, VALUE_OUT_OF_BOUNDS, VALUE_REFUSED };

/* Reads the text of one value into `field`, whose type is that of the row's kind or choice. Texts are not
 * copied: `text` must live as long as the field. False when it is wrong, and the field is then as value_clear
 * leaves it; `why` continues a sentence that begins with the value: "is not a duration: write ...". */
MUST_USE bool value_read(const struct schema_row *row, const char *text, void *field, struct text *why);
/* Sets a field to nothing: "", 0, ADDRESS_NONE. */
void value_clear(const struct schema_row *row, void *field);
/* Whether the number lies within the row's bounds, which `read` reads as it does values. */
MUST_USE bool value_is_within(const struct schema_row *row, uint64_t value,
                              bool (*read)(const char *text, uint64_t *out));
/* Reads digits as a number: no sign, no blank, nothing after it. */
MUST_USE bool value_read_digits(const char *text, uint64_t *out);

/* The readers of kinds.def. */
#define KIND(kind, type, reader, noun, form, measure)                                                        \
    enum value_result reader(const struct schema_row *row, const char *text, void *field, struct text *why);
#include "config/kinds.def"

#endif
