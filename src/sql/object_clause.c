/* SPDX-License-Identifier: PostgreSQL */
#include "sql/object_clause.h"

enum action_effect { EFFECT_OTHER, EFFECT_RENAMED, EFFECT_MOVED, EFFECT_PLAIN };

static const struct {
    const char *words;
    enum action_effect effect;
} actions[] = {
#define ACTION(effect, words) { words, EFFECT_##effect },
#include "sql/objects.def"
#undef ACTION
};

/* Adds a name that stands alone and is one in the schema of an object that was read before. */
static void name_beside(struct object_walk *walk, const struct object_name *other)
{
    if (!object_walk_read(walk, other->is_schema ? KIND_SCHEMA : KIND_OBJECT))
        return;
    if (walk->subject.schema[0] == '\0')
        memcpy(walk->subject.schema, other->schema, sizeof(walk->subject.schema));
    object_walk_add(walk, &walk->subject);
}

static void name_moved(struct object_walk *walk)
{
    struct object_name moved = walk->subject;
    if (!object_walk_read(walk, KIND_SCHEMA))
        return;
    memcpy(moved.schema, walk->subject.name, sizeof(moved.schema));
    object_walk_add(walk, &moved);
}

/* Other objects that a constraint or a column names. `depth` is that of the options of an identity column at
 * least: elsewhere SEQUENCE NAME may be a column. Whether the token has been taken. */
static bool take_mention(struct object_walk *walk, uint32_t depth)
{
    if (object_walk_take(walk, "references"))
        return object_walk_name(walk, KIND_OBJECT, true);
    if (walk->depth >= depth && object_walk_take(walk, "sequence name"))
        return object_walk_name(walk, KIND_OBJECT, false);
    if (object_walk_take(walk, "on delete cascade") || object_walk_take(walk, "on update cascade"))
        return true;
    if (object_walk_is(walk, "cascade"))
        object_walk_give_up(walk);
    return false;
}

void object_clause_rest(struct object_walk *walk)
{
    while (walk->token.kind != TOKEN_NONE) {
        if (object_walk_is(walk, "cascade"))
            object_walk_give_up(walk);
        object_walk_next(walk);
    }
}

/* INHERITS (a, b): without the parenthesis it is no such clause. */
static bool take_parents(struct object_walk *walk)
{
    if (!object_walk_take(walk, "inherits") || !object_walk_take_kind(walk, TOKEN_OPEN))
        return false;
    do
        (void)object_walk_name(walk, KIND_OBJECT, false);
    while (object_walk_take_kind(walk, TOKEN_COMMA));
    return true;
}

static bool take_parent(struct object_walk *walk)
{
    if (walk->depth == 0 && object_walk_take(walk, "partition of"))
        return object_walk_name(walk, KIND_OBJECT, false);
    if (walk->depth == 0)
        return take_parents(walk);
    return walk->depth == 1 && object_walk_take(walk, "like") && object_walk_name(walk, KIND_OBJECT, true);
}

void object_clause_table(struct object_walk *walk)
{
    while (walk->token.kind != TOKEN_NONE && (walk->depth > 0 || !object_walk_is(walk, "as"))) {
        if (!take_parent(walk) && !take_mention(walk, 2))
            object_walk_next(walk);
    }
}

static void take_owner(struct object_walk *walk)
{
    struct object_walk ahead = *walk;
    if (object_walk_take(&ahead, "none") && ahead.token.kind != TOKEN_DOT)
        *walk = ahead;
    else
        (void)object_walk_name(walk, KIND_COLUMN, true);
}

/* Whether it gets another name or schema. */
static bool take_change_of_name(struct object_walk *walk)
{
    struct object_name subject = walk->subject;
    if (object_walk_take(walk, "rename to"))
        name_beside(walk, &subject);
    else if (object_walk_take(walk, "set schema"))
        name_moved(walk);
    else
        return false;
    return true;
}

void object_clause_sequence(struct object_walk *walk)
{
    if (take_change_of_name(walk))
        return;
    while (walk->token.kind != TOKEN_NONE) {
        if (object_walk_is(walk, "sequence"))
            object_walk_give_up(walk);
        if (object_walk_take(walk, "owned by"))
            take_owner(walk);
        else
            object_walk_next(walk);
    }
}

void object_clause_options(struct object_walk *walk)
{
    if (!take_change_of_name(walk))
        object_clause_rest(walk);
}

/* The index that becomes a constraint's. */
static bool take_index(struct object_walk *walk, const struct object_name *table)
{
    if (walk->depth > 0 || !object_walk_take(walk, "using index"))
        return false;
    if (!object_walk_take_before_name(walk, "tablespace"))
        name_beside(walk, table);
    return true;
}

static bool take_action_words(struct object_walk *walk, enum action_effect *effect)
{
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        if (object_walk_take(walk, actions[i].words)) {
            *effect = actions[i].effect;
            return true;
        }
    }
    return false;
}

static void take_action(struct object_walk *walk, const struct object_name *subject)
{
    enum action_effect effect = EFFECT_PLAIN;
    walk->subject = *subject;
    if (!take_action_words(walk, &effect))
        object_walk_give_up(walk);
    if (effect == EFFECT_OTHER)
        (void)object_walk_name(walk, KIND_OBJECT, false);
    else if (effect == EFFECT_RENAMED)
        name_beside(walk, subject);
    else if (effect == EFFECT_MOVED)
        name_moved(walk);
    while (walk->token.kind != TOKEN_NONE && (walk->depth > 0 || walk->token.kind != TOKEN_COMMA)) {
        if (!take_index(walk, subject) && !take_mention(walk, 1))
            object_walk_next(walk);
    }
}

void object_clause_actions(struct object_walk *walk)
{
    struct object_name subject = walk->subject;
    do
        take_action(walk, &subject);
    while (object_walk_take_kind(walk, TOKEN_COMMA));
}

/* TABLE a, b, TABLES IN SCHEMA c, d: names go on being of the kind that was said last. */
static void name_published(struct object_walk *walk)
{
    enum object_kind kind = KIND_UNKNOWN;
    do {
        if (object_walk_is(walk, "table"))
            kind = KIND_OBJECT;
        else if (object_walk_take(walk, "tables in schema"))
            kind = KIND_SCHEMA;
        if (kind == KIND_UNKNOWN)
            object_walk_give_up(walk);
        else
            (void)object_walk_name(walk, kind, false);
        object_walk_skip_parentheses(walk);
        if (object_walk_take(walk, "where"))
            object_walk_skip_parentheses(walk);
    } while (object_walk_take_kind(walk, TOKEN_COMMA));
}

void object_clause_publication(struct object_walk *walk)
{
    struct object_walk ahead = *walk;
    bool has_objects = object_walk_take(walk, "for") || object_walk_take(walk, "add") ||
                       object_walk_take(walk, "drop") ||
                       (object_walk_take(&ahead, "set") && ahead.token.kind != TOKEN_OPEN);
    if (!has_objects) {
        object_clause_rest(walk);
        return;
    }
    (void)object_walk_take(walk, "set");
    name_published(walk);
    if (walk->token.kind != TOKEN_NONE && !object_walk_is(walk, "with"))
        object_walk_give_up(walk);
}
