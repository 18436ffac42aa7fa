/* SPDX-License-Identifier: PostgreSQL */
#include "app/attempts.h"

#include "catalog/attempted.h"
#include "catalog/nearness.h"

static const struct constraint *constraint_of(const struct catalog *catalog,
                                              const struct violation *violation)
{
    const struct catalog_names names = {
        bytes_text(violation->database), bytes_text(violation->schema),     bytes_text(violation->table),
        bytes_text(violation->column),   bytes_text(violation->constraint), bytes_text(violation->datatype),
    };
    return catalog != NULL ? catalog_find(catalog, &names) : NULL;
}

/* The columns of a partition may stand in another order than its table's. */
static bool is_of_its_own(const struct constraint *constraint, const struct violation *violation)
{
    return bytes_equal_text(constraint->newest->row.table, violation->table) &&
           bytes_equal_text(constraint->newest->row.schema, violation->schema);
}

static void near_miss_fill(const struct definition *definition, struct bytes value, struct event *event)
{
    struct nearness nearness = nearness_of(value, definition->values);
    struct text near_miss;
    text_init(&near_miss, event->near_miss, sizeof(event->near_miss));
    if (nearness.kind != NEARNESS_SAME)
        nearness_describe(&nearness, value, &near_miss);
}

void attempt_read(const struct catalog *catalog, struct event *event)
{
    struct bytes value;
    struct violation *violation = &event->violation;
    const struct constraint *constraint = event->row[0] != '\0' ? constraint_of(catalog, violation) : NULL;
    if (constraint != NULL && is_of_its_own(constraint, violation) &&
        attempted_pick(&constraint->newest->row, bytes_text(event->row), &value)) {
        struct text shown;
        text_init(&shown, violation->attempted, sizeof(violation->attempted));
        text_append_printable(&shown, value);
        if (constraint->newest->definition.has_list)
            near_miss_fill(&constraint->newest->definition, value, event);
    }
    memset(event->row, 0, sizeof(event->row));
}
