/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "observe/object_text.h"
#include "observe/suspects.h"

static const int64_t tolerance_us = 3000000; /* clocks, and the order in which things are told */

const char *suspect_ground_name(enum suspect_ground ground)
{
    static const char *const names[] = {
#define GROUND(symbol, name, about) [SUSPECT_BY_##symbol] = (name),
#include "observe/suspect_grounds.def"
#undef GROUND
    };
    return names[ground];
}

/* The query without NULLs. */
static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static struct suspect_query query_whole(const struct suspect_query *query)
{
    return (struct suspect_query){ .database = or_empty(query->database),
                                   .schema = or_empty(query->schema),
                                   .table = or_empty(query->table),
                                   .datatype = or_empty(query->datatype),
                                   .constraint = or_empty(query->constraint),
                                   .root_schema = or_empty(query->root_schema),
                                   .root = or_empty(query->root),
                                   .statement = or_empty(query->statement),
                                   .started_us = query->started_us,
                                   .is_first = query->is_first };
}

/* What was hit, and where a change touches it. */
struct touch {
    const struct suspect_query *query;
    bool has_object; /* what was hit is known */
    bool is_hit;
    enum suspect_ground ground;
    struct object_reference by;
};

static bool reference_hits(const struct suspect_query *query, const struct object_reference *reference)
{
    return (query->table[0] != '\0' && object_reference_fits(reference, query->schema, query->table)) ||
           (query->datatype[0] != '\0' && object_reference_fits(reference, query->schema, query->datatype)) ||
           (query->root[0] != '\0' && object_reference_fits(reference, query->root_schema, query->root));
}

static void touch_raise(struct touch *touch, enum suspect_ground ground,
                        const struct object_reference *reference)
{
    if (touch->is_hit && touch->ground >= ground)
        return;
    touch->is_hit = true;
    touch->ground = ground;
    touch->by = *reference;
}

static void touch_reference(struct touch *touch, const struct suspect_change *change,
                            const struct object_reference *reference)
{
    const struct suspect_query *query = touch->query;
    bool is_object = touch->has_object ? reference_hits(query, reference)
                                       : object_text_names(query->statement, reference->name);
    if (!is_object)
        return;
    bool is_named = object_text_names(change->suspect.statement, query->constraint);
    touch_raise(touch, is_named ? SUSPECT_BY_CONSTRAINT : SUSPECT_BY_TABLE, reference);
}

static void touch_difference(struct touch *touch, const struct suspect_change *change)
{
    struct object_reference reference = { .is_schema = false };
    if (change->constraint[0] == '\0')
        return;
    memcpy(reference.schema, change->schema, sizeof reference.schema);
    memcpy(reference.name, change->table, sizeof reference.name);
    bool is_same = strcmp(change->constraint, touch->query->constraint) == 0;
    touch_reference(touch, change, &reference);
    if (is_same && touch->is_hit)
        touch_raise(touch, SUSPECT_BY_CONSTRAINT, &reference);
}

/* A domain's constraint: the error's statement does not name what it is of. */
static void touch_constraint(struct touch *touch, const struct suspect_change *change)
{
    struct bytes list = bytes_text(change->objects);
    struct object_reference first;
    if (!touch->has_object && object_text_next(&list, &first) &&
        object_text_names(change->suspect.statement, touch->query->constraint))
        touch_raise(touch, SUSPECT_BY_CONSTRAINT, &first);
}

static struct touch touch_of(const struct suspect_query *query, const struct suspect_change *change)
{
    struct touch touch = { .query = query };
    struct bytes list = bytes_text(change->objects);
    struct object_reference reference;
    touch.has_object = query->table[0] != '\0' || query->datatype[0] != '\0';
    while (object_text_next(&list, &reference))
        touch_reference(&touch, change, &reference);
    touch_difference(&touch, change);
    touch_constraint(&touch, change);
    if (!touch.is_hit && (!touch.has_object || !change->is_complete))
        touch.is_hit = true; /* by the database, the weakest of grounds */
    return touch;
}

static bool is_recent(const struct suspects *suspects, const struct suspect_query *query,
                      const struct suspect_change *change)
{
    return query->started_us - change->suspect.time_us <= suspects->look_back_us;
}

static bool is_suspect(const struct suspect_query *query, const struct suspect_change *change)
{
    bool lasts = change->state == CHANGE_COMMITTED || change->state == CHANGE_UNKNOWN;
    bool is_there = query->database[0] == '\0' || change->database[0] == '\0' ||
                    strcmp(query->database, change->database) == 0;
    return lasts && is_there && change->suspect.not_before_us <= query->started_us + tolerance_us;
}

static void suspect_name(struct suspect *suspect, const struct touch *touch)
{
    struct text object;
    text_init(&object, suspect->object, sizeof suspect->object);
    if (touch->by.schema[0] != '\0') {
        text_append_string(&object, touch->by.schema);
        text_append_string(&object, ".");
    }
    text_append_string(&object, touch->by.name);
    suspect->ground = touch->ground;
}

/* Those found so far, best first. */
struct lineup {
    size_t count;
    const struct suspect_change *changes[SUSPECTS_MOST];
    struct touch touches[SUSPECTS_MOST];
};

static bool ranks_before(const struct lineup *lineup, size_t at, const struct touch *touch,
                         const struct suspect_change *change)
{
    if (lineup->touches[at].ground != touch->ground)
        return lineup->touches[at].ground > touch->ground;
    if (lineup->changes[at]->suspect.is_certain != change->suspect.is_certain)
        return lineup->changes[at]->suspect.is_certain;
    return lineup->changes[at]->suspect.time_us >= change->suspect.time_us;
}

static void lineup_remove(struct lineup *lineup, size_t at)
{
    lineup->count--;
    for (; at < lineup->count; at++) {
        lineup->changes[at] = lineup->changes[at + 1];
        lineup->touches[at] = lineup->touches[at + 1];
    }
}

/* The place of the same change, which stands for another constraint there. */
static size_t lineup_find(const struct lineup *lineup, const struct suspect_change *change)
{
    for (size_t at = 0; at < lineup->count; at++) {
        const struct suspect_change *other = lineup->changes[at];
        if (change->change > 0 && other->change == change->change && other->session == change->session &&
            other->worker == change->worker &&
            strcmp(other->suspect.statement, change->suspect.statement) == 0)
            return at;
    }
    return lineup->count;
}

static void lineup_add(struct lineup *lineup, const struct suspect_change *change, const struct touch *touch)
{
    size_t same = lineup_find(lineup, change);
    if (same < lineup->count && ranks_before(lineup, same, touch, change))
        return;
    if (same < lineup->count)
        lineup_remove(lineup, same);
    size_t place = 0;
    while (place < lineup->count && ranks_before(lineup, place, touch, change))
        place++;
    if (place == SUSPECTS_MOST)
        return;
    lineup->count += lineup->count < SUSPECTS_MOST ? 1 : 0;
    for (size_t at = lineup->count - 1; at > place; at--) {
        lineup->changes[at] = lineup->changes[at - 1];
        lineup->touches[at] = lineup->touches[at - 1];
    }
    lineup->changes[place] = change;
    lineup->touches[place] = *touch;
}

size_t suspects_find(const struct suspects *suspects, const struct suspect_query *asked,
                     struct suspect out[SUSPECTS_MOST])
{
    struct suspect_query query = query_whole(asked);
    struct lineup recent = { .count = 0 };
    struct lineup old = { .count = 0 };
    for (size_t i = 0; i < suspects->count; i++) {
        const struct suspect_change *change = &suspects->changes[i];
        struct touch touch = touch_of(&query, change);
        if (touch.is_hit && is_suspect(&query, change))
            lineup_add(is_recent(suspects, &query, change) ? &recent : &old, change, &touch);
    }
    const struct lineup *lineup = &recent;
    if (recent.count == 0 && query.is_first && old.count > 0) {
        old.count = 1;
        lineup = &old;
    }
    for (size_t i = 0; i < lineup->count; i++) {
        out[i] = lineup->changes[i]->suspect;
        suspect_name(&out[i], &lineup->touches[i]);
    }
    return lineup->count;
}
