/* SPDX-License-Identifier: PostgreSQL */
#include "sql/advice.h"

#include "sql/token_walk.h"

struct advice_row {
    const char *command;
    uint8_t level; /* 0: any */
    const char *words;
    struct advice advice;
};

static const struct advice_row rows[] = {
#define ADVICE(command, level, words, lock, why, instead) { command, level, words, { lock, why, instead } },
#include "sql/advice.def"
#undef ADVICE
};

/* What stands before the name of the object, other than directly behind the command. */
struct place {
    const char *command;
    const char *word;
};

static const struct place places[] = {
    { "CREATE INDEX", "on" },   { "CREATE TRIGGER", "on" },
    { "CREATE POLICY", "on" },  { "ALTER POLICY", "on" },
    { "DROP POLICY", "on" },    { "ALTER TRIGGER", "on" },
    { "DROP TRIGGER", "on" },   { "ALTER RULE", "on" },
    { "DROP RULE", "on" },      { "CREATE STATISTICS", "from" },
    { "CREATE RULE", "to" },    { "GRANT", "on" },
    { "REVOKE", "on" },         { "COMMENT", "on" },
    { "SECURITY LABEL", "on" },
};

/* Words that may stand before a name without being one. */
static const char *const fillers[] = {
    "if",         "not",      "exists",       "only",       "concurrently", "table",     "temp",
    "temporary",  "unlogged", "column",       "sequence",   "function",     "procedure", "routine",
    "view",       "index",    "materialized", "schema",     "database",     "type",      "domain",
    "constraint", "foreign",  "role",         "all",        "tables",       "sequences", "functions",
    "in",         "full",     "freeze",       "verbose",    "analyze",      "system",    "for",
    "user",       "mapping",  "server",       "data",       "wrapper",      "extension", "language",
    "tablespace", "trigger",  "event",        "publication"
};

static bool begins_with(const char *name, const char *words)
{
    size_t size = strlen(words);
    return strncmp(name, words, size) == 0 && (name[size] == '\0' || name[size] == ' ');
}

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED_NAME;
}

/* Takes the next of some words in capitals; true when the token is that word. */
static bool take_word(const char **words, const struct token *token)
{
    const char *end = strchr(*words, ' ');
    size_t size = end != NULL ? (size_t)(end - *words) : strlen(*words);
    struct bytes word = bytes_of(*words, size);
    bool is_any = bytes_equal_text(word, "_");
    bool is_open = bytes_equal_text(word, "(") && token->kind == TOKEN_OPEN;
    bool is_same = token->kind == TOKEN_WORD && bytes_equal_folded(word, token->word);
    if (is_any || is_open || is_same)
        *words += end != NULL ? size + 1 : size;
    return is_any || is_open || is_same;
}

/* Moves the walk behind the words of the command, whatever stands between them. */
static void skip_command(struct token_walk *walk, const char *command)
{
    struct token token;
    while (command[0] != '\0' && token_walk_next_word(walk, &token))
        (void)take_word(&command, &token);
}

static bool has_words_here(struct token_walk walk, const char *words)
{
    struct token token;
    while (words[0] != '\0') {
        if (!token_walk_next_word(&walk, &token) || !take_word(&words, &token))
            return false;
    }
    return true;
}

static bool has_words(struct token_walk walk, const char *words)
{
    struct token token;
    do {
        if (has_words_here(walk, words))
            return true;
    } while (token_walk_next_word(&walk, &token));
    return false;
}

const struct advice *advice_of(struct bytes statement, struct lexer_reading reading,
                               const struct verdict *verdict)
{
    struct token_walk walk;
    token_walk_begin(&walk, statement, reading);
    skip_command(&walk, verdict->command);
    bool is_locking = verdict->class == CLASS_LOCK || verdict->class == CLASS_OPAQUE;
    if (verdict->level == LEVEL_NONE && !is_locking)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool fits = rows[i].level == 0 || rows[i].level == (uint8_t)verdict->level;
        if (fits && begins_with(verdict->command, rows[i].command) && has_words(walk, rows[i].words))
            return &rows[i].advice;
    }
    return NULL;
}

static bool skip_to_place(struct token_walk *walk, const char *command)
{
    struct token token;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (!begins_with(command, places[i].command))
            continue;
        while (token_walk_next_word(walk, &token)) {
            if (token_is_word(&token, places[i].word))
                return true;
        }
        return false;
    }
    return true;
}

static bool is_filler(const struct token *token)
{
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        if (token_is_word(token, fillers[i]))
            return true;
    }
    return false;
}

/* To the first token of a name: a filler is one itself where no name follows. */
static bool find_name(struct token_walk *walk, struct token *token)
{
    if (!token_walk_next_word(walk, token))
        return false;
    while (is_filler(token)) {
        struct token_walk ahead = *walk;
        struct token next;
        if (!token_walk_next_word(&ahead, &next) || !is_name(&next))
            return true;
        *walk = ahead;
        *token = next;
    }
    return is_name(token);
}

/* The name that begins with *token; *token becomes what stands behind it and behind its arguments. */
static struct bytes take_name(struct token_walk *walk, struct token *token)
{
    uint64_t start = token->start;
    uint64_t end = token->end;
    bool has_more;
    while ((has_more = token_walk_next_word(walk, token)) && token->kind == TOKEN_DOT) {
        if (token_walk_next_word(walk, token))
            end = token->end;
    }
    for (uint32_t depth = 0; has_more && (depth > 0 || token->kind == TOKEN_OPEN);
         has_more = token_walk_next_word(walk, token))
        depth = depth + (token->kind == TOKEN_OPEN) - (token->kind == TOKEN_CLOSE);
    if (!has_more)
        token->kind = TOKEN_NONE;
    return bytes_of(walk->text.data + start, (size_t)(end - start));
}

static void add_name(struct object_list *list, struct bytes name)
{
    if (list->count < OBJECTS_MOST)
        list->names[list->count++] = name;
}

static bool takes_list(const char *command)
{
    return begins_with(command, "DROP") || begins_with(command, "TRUNCATE") ||
           begins_with(command, "VACUUM") || begins_with(command, "GRANT") || begins_with(command, "REVOKE");
}

static void add_references(struct token_walk walk, struct object_list *out)
{
    struct token token;
    while (token_walk_next_word(&walk, &token)) {
        if (token_is_word(&token, "references") && find_name(&walk, &token))
            add_name(out, take_name(&walk, &token));
    }
}

void advice_objects(struct bytes statement, struct lexer_reading reading, const struct verdict *verdict,
                    struct object_list *out)
{
    struct token_walk walk;
    struct token token;
    out->count = 0;
    if (!verdict->is_guarded || verdict->class == CLASS_UNKNOWN || begins_with(verdict->command, "DO"))
        return;
    token_walk_begin(&walk, statement, reading);
    skip_command(&walk, verdict->command);
    bool is_table =
        begins_with(verdict->command, "ALTER TABLE") || begins_with(verdict->command, "CREATE TABLE");
    struct token_walk behind = walk;
    do {
        if (!(out->count == 0 ? skip_to_place(&walk, verdict->command) : true) || !find_name(&walk, &token))
            break;
        add_name(out, take_name(&walk, &token));
    } while (takes_list(verdict->command) && token.kind == TOKEN_COMMA);
    if (is_table)
        add_references(behind, out);
}
