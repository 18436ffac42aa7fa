/* SPDX-License-Identifier: PostgreSQL */
#include "history/entry.h"
#include "history/entry_fields.h"

#include <inttypes.h>
#include <stdio.h>

/* As fingerprints of shapes are written elsewhere; empty where there is none. */
static void add_shape(struct record *out, uint64_t shape)
{
    char text[FINGERPRINT_TEXT_SIZE] = "";
    if (shape != 0)
        (void)snprintf(text, sizeof text, "m:%016" PRIx64, shape);
    FIELD(out, text);
}

static const char *condition_of(struct bytes sqlstate)
{
    const struct sqlstate *found = sqlstate_find(sqlstate);
    return found != NULL ? found->name : "";
}

void entry_of_error_count(const struct error_entry *error, int64_t minute_us, struct record *out)
{
    struct bytes sqlstate = bytes_text(error->sqlstate);
    record_begin(out, STATEMENT_ERROR_COUNT_ADD);
    field_minute(out, minute_us);
    FIELD(out, error->service);
    FIELD(out, error->database);
    FIELD(out, error->user);
    FIELD(out, error->sqlstate);
    field_constant(out, condition_of(sqlstate));
    field_constant(out, error_family_name(sqlstate_family(sqlstate)));
    add_shape(out, error->shape);
}

void entry_of_error_text(const struct error_entry *error, struct record *out)
{
    record_begin(out, STATEMENT_TEXT_ADD);
    add_shape(out, error->shape);
    FIELD(out, error->text);
}

enum { TEXTS_BEFORE_FAMILY = 5 };

static void add_unnamed(struct record *out, int64_t minute_us, const char *family)
{
    record_begin(out, STATEMENT_ERROR_COUNT_ADD);
    field_minute(out, minute_us);
    for (unsigned i = 0; i < TEXTS_BEFORE_FAMILY; i++)
        field_constant(out, "");
    field_constant(out, family);
    field_constant(out, "");
}

void entry_of_family_count(enum error_family family, int64_t minute_us, struct record *out)
{
    add_unnamed(out, minute_us, error_family_name(family));
}

void entry_of_unnamed_error(int64_t minute_us, struct record *out)
{
    add_unnamed(out, minute_us, "");
}
