/* SPDX-License-Identifier: PostgreSQL */
#include "sql/object_reader.h"

#include "sql/object_clause.h"

typedef void (*reader_function)(struct object_walk *walk, enum object_kind kind);

static const struct {
    const char *words;
    enum object_kind kind;
} kinds[] = {
#define OBJECT_KIND(kind, words) { words, KIND_##kind },
#include "sql/objects.def"
#undef OBJECT_KIND
};

static void expect_end(struct object_walk *walk)
{
    if (walk->token.kind != TOKEN_NONE)
        object_walk_give_up(walk);
}

/* One name of the kind. False when none is to be had. */
static bool take_name(struct object_walk *walk, enum object_kind kind)
{
    if (kind == KIND_NOTHING)
        return false;
    bool is_member = kind == KIND_MEMBER || kind == KIND_CONSTRAINT;
    if (kind == KIND_UNKNOWN || (is_member && !object_walk_seek(walk, "on"))) {
        object_walk_give_up(walk);
        return false;
    }
    if (is_member) {
        object_walk_next(walk);
        if (kind == KIND_CONSTRAINT)
            (void)object_walk_take_before_name(walk, "domain");
        kind = KIND_OBJECT;
    }
    return object_walk_name(walk, kind, false);
}

/* Names with commas between them, functions' with their arguments. */
static void take_names(struct object_walk *walk, enum object_kind kind)
{
    do {
        if (!take_name(walk, kind))
            return;
        object_walk_skip_parentheses(walk);
    } while (object_walk_take_kind(walk, TOKEN_COMMA));
}

static void read_one(struct object_walk *walk, enum object_kind kind)
{
    (void)take_name(walk, kind);
    object_clause_rest(walk);
}

static void read_dropped(struct object_walk *walk, enum object_kind kind)
{
    take_names(walk, kind);
    if (kind == KIND_NOTHING)
        object_clause_rest(walk);
    (void)(object_walk_take(walk, "restart identity") || object_walk_take(walk, "continue identity"));
    (void)object_walk_take(walk, "restrict");
    expect_end(walk);
}

static void read_table(struct object_walk *walk, enum object_kind kind)
{
    if (take_name(walk, kind))
        object_clause_table(walk);
}

static void read_sequence(struct object_walk *walk, enum object_kind kind)
{
    if (take_name(walk, kind))
        object_clause_sequence(walk);
}

static void read_options(struct object_walk *walk, enum object_kind kind)
{
    if (!take_name(walk, kind))
        return;
    object_walk_skip_parentheses(walk);
    object_clause_options(walk);
}

static void read_actions(struct object_walk *walk, enum object_kind kind)
{
    if (take_name(walk, kind))
        object_clause_actions(walk);
}

/* CREATE INDEX [name] ON table: it is in the table's schema. */
static void read_index(struct object_walk *walk, enum object_kind kind)
{
    struct object_name index = { .name = "" };
    (void)object_walk_take(walk, "concurrently");
    if (!object_walk_is(walk, "on") && object_walk_read(walk, KIND_OBJECT))
        index = walk->subject;
    if (!object_walk_take(walk, "on") || !object_walk_read(walk, kind)) {
        object_walk_give_up(walk);
        return;
    }
    struct object_name table = walk->subject;
    memcpy(index.schema, table.schema, sizeof(index.schema));
    if (index.name[0] != '\0')
        object_walk_add(walk, &index);
    object_walk_add(walk, &table);
}

static void read_statistics(struct object_walk *walk, enum object_kind kind)
{
    bool has_name = !object_walk_is(walk, "on") && walk->token.kind != TOKEN_OPEN;
    if (has_name && !take_name(walk, kind))
        return;
    if (object_walk_seek(walk, "from"))
        object_walk_next(walk);
    (void)take_name(walk, KIND_OBJECT);
    expect_end(walk);
}

/* The elements that may follow are not read. */
static void read_schema(struct object_walk *walk, enum object_kind kind)
{
    struct object_walk ahead = *walk;
    (void)object_walk_take(&ahead, "if not exists");
    bool has_name = !object_walk_is(&ahead, "authorization");
    if (!has_name) {
        object_walk_next(&ahead);
        *walk = ahead;
    }
    (void)take_name(walk, kind);
    if (has_name && object_walk_take(walk, "authorization"))
        object_walk_next(walk);
    expect_end(walk);
}

static void read_trigger(struct object_walk *walk, enum object_kind kind)
{
    if (take_name(walk, kind) && object_walk_take(walk, "from"))
        (void)object_walk_name(walk, KIND_OBJECT, true);
}

static void read_rule(struct object_walk *walk, enum object_kind kind)
{
    if (object_walk_seek(walk, "to"))
        object_walk_next(walk);
    (void)take_name(walk, kind);
}

static void read_publication(struct object_walk *walk, enum object_kind kind)
{
    (void)kind;
    if (object_walk_read(walk, KIND_SCHEMA))
        object_clause_publication(walk);
}

/* ALTER DEFAULT PRIVILEGES [IN SCHEMA ...]: of objects to come. */
static void read_defaults(struct object_walk *walk, enum object_kind kind)
{
    while (walk->token.kind != TOKEN_NONE && !object_walk_take(walk, "in schema")) {
        if (object_walk_is(walk, "grant") || object_walk_is(walk, "revoke"))
            break;
        object_walk_next(walk);
    }
    if (!object_walk_is(walk, "grant") && !object_walk_is(walk, "revoke"))
        take_names(walk, kind);
    object_clause_rest(walk);
}

static enum object_kind take_kind(struct object_walk *walk, enum object_kind otherwise)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (object_walk_take_before_name(walk, kinds[i].words))
            return kinds[i].kind;
    }
    return otherwise;
}

/* Where a role is granted, TO or FROM comes before any ON. */
static bool seek_objects(struct object_walk *walk)
{
    while (walk->token.kind != TOKEN_NONE) {
        bool is_outside = walk->depth == 0;
        if (is_outside && object_walk_take(walk, "on"))
            return true;
        if (is_outside && (object_walk_is(walk, "to") || object_walk_is(walk, "from")))
            return false;
        object_walk_next(walk);
    }
    object_walk_give_up(walk);
    return false;
}

static void read_kinds(struct object_walk *walk, enum object_kind kind)
{
    if (seek_objects(walk)) {
        kind = take_kind(walk, kind);
        take_names(walk, kind);
        bool is_end =
            object_walk_is(walk, "to") || object_walk_is(walk, "from") || object_walk_is(walk, "is");
        if (kind != KIND_NOTHING && !is_end)
            object_walk_give_up(walk);
    }
    object_clause_rest(walk);
}

static void read_vacuum(struct object_walk *walk, enum object_kind kind)
{
    object_walk_skip_parentheses(walk);
    (void)object_walk_take(walk, "full");
    (void)object_walk_take(walk, "freeze");
    (void)object_walk_take(walk, "verbose");
    (void)(object_walk_take(walk, "analyze") || object_walk_take(walk, "analyse"));
    take_names(walk, kind);
    expect_end(walk);
}

/* Before servers 8.3 the index came first: CLUSTER index ON table. */
static void read_cluster(struct object_walk *walk, enum object_kind kind)
{
    object_walk_skip_parentheses(walk);
    (void)object_walk_take(walk, "verbose");
    take_names(walk, kind);
    if (object_walk_take(walk, "on"))
        take_names(walk, kind);
    if (!object_walk_take(walk, "using"))
        expect_end(walk);
}

static void read_reindex(struct object_walk *walk, enum object_kind kind)
{
    object_walk_skip_parentheses(walk);
    if (object_walk_take(walk, "index"))
        kind = KIND_PART;
    else if (object_walk_take(walk, "schema"))
        kind = KIND_SCHEMA;
    else if (!object_walk_is(walk, "table"))
        kind = KIND_UNKNOWN;
    (void)object_walk_take(walk, "concurrently");
    (void)take_name(walk, kind);
    expect_end(walk);
}

static void take_into(struct object_walk *walk, enum object_kind kind)
{
    static const char *const modifiers[] = { "local", "global", "temporary", "temp", "unlogged" };
    struct object_walk ahead;
    for (size_t i = 0; i < COUNT_OF(modifiers); i++) {
        ahead = *walk;
        if (object_walk_take(&ahead, modifiers[i]) && object_walk_is(&ahead, "table"))
            *walk = ahead;
        (void)object_walk_take_before_name(walk, modifiers[i]);
    }
    (void)take_name(walk, kind);
}

/* What data changes behind WITH write to is named as well. */
static void read_select(struct object_walk *walk, enum object_kind kind)
{
    bool has_into = false;
    while (walk->token.kind != TOKEN_NONE) {
        if (walk->last != TOKEN_DOT && object_walk_take(walk, "into")) {
            has_into = true;
            take_into(walk, kind);
        } else {
            object_walk_next(walk);
        }
    }
    if (!has_into)
        object_walk_give_up(walk);
}

static const struct {
    const char *command;
    reader_function read;
    enum object_kind kind;
} rows[] = {
#define OBJECTS(reader, kind, command) { command, read_##reader, KIND_##kind },
#include "sql/objects.def"
#undef OBJECTS
};

/* EXPLAIN's options; what PREPARE names. */
static void skip_wrapper(struct object_walk *walk)
{
    struct object_walk ahead = *walk;
    if (object_walk_take(walk, "prepare")) {
        if (object_walk_seek(walk, "as"))
            object_walk_next(walk);
        return;
    }
    if (!object_walk_take(walk, "explain"))
        return;
    ahead = *walk;
    object_walk_skip_parentheses(&ahead);
    if (ahead.token.kind != TOKEN_NONE)
        *walk = ahead;
    while (object_walk_take(walk, "analyze") || object_walk_take(walk, "analyse") ||
           object_walk_take(walk, "verbose"))
        continue;
}

static bool take_word(struct object_walk *walk, struct command_path *path)
{
    struct bytes word = bytes_of(walk->token.word, walk->token.word_size);
    bool is_taken = walk->token.kind == TOKEN_WORD && command_path_extend(path, word);
    if (is_taken)
        object_walk_next(walk);
    return is_taken;
}

/* Moves behind the words of the command; NULL where they are those of none. */
static const struct command *take_command(struct object_walk *walk)
{
    struct command_path path;
    while (object_walk_take_kind(walk, TOKEN_OPEN))
        continue;
    struct bytes first = bytes_of(walk->token.word, walk->token.word_size);
    if (walk->token.kind != TOKEN_WORD || !command_path_begin(&path, first))
        return NULL;
    bool is_create = object_walk_is(walk, "create");
    object_walk_next(walk);
    while (!take_word(walk, &path) && is_create && walk->token.kind == TOKEN_WORD &&
           command_is_modifier(bytes_of(walk->token.word, walk->token.word_size)))
        object_walk_next(walk);
    while (take_word(walk, &path))
        continue;
    const struct command *command = command_path_end(&path);
    return command != NULL && strlen(command->name) == path.length ? command : NULL;
}

void object_read(struct object_walk *walk)
{
    skip_wrapper(walk);
    const struct command *command = take_command(walk);
    for (size_t i = 0; command != NULL && i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].command, command->name) == 0) {
            rows[i].read(walk, rows[i].kind);
            return;
        }
    }
    object_walk_give_up(walk);
}
