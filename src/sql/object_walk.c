/* SPDX-License-Identifier: PostgreSQL */
#include "sql/object_walk.h"

enum { PARTS_MOST = 4 };

static const char *const reserved[] = {
#define RESERVED(word) word,
#include "sql/reserved.def"
#undef RESERVED
};

bool object_word_is_name(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (strcmp(reserved[i], word) == 0)
            return false;
    }
    return true;
}

static bool is_bracket(const struct token *token, const char *bracket)
{
    return token->kind == TOKEN_OPERATOR && strcmp(token->word, bracket) == 0;
}

void object_walk_give_up(struct object_walk *walk)
{
    walk->out->is_complete = false;
}

static void read_token(struct object_walk *walk)
{
    if (!token_walk_next_word(&walk->tokens, &walk->token))
        walk->token = (struct token){ .kind = TOKEN_NONE };
    if (walk->token.kind == TOKEN_UNTERMINATED)
        object_walk_give_up(walk);
}

void object_walk_begin(struct object_walk *walk, struct bytes statement, struct lexer_reading reading,
                       struct object_names *out)
{
    *walk = (struct object_walk){ .last = TOKEN_NONE, .out = out };
    walk->has_foreign_letters = reading.has_foreign_letters;
    token_walk_begin(&walk->tokens, statement, reading);
    read_token(walk);
}

void object_walk_next(struct object_walk *walk)
{
    const struct token *token = &walk->token;
    if (token->kind == TOKEN_OPEN || is_bracket(token, "["))
        walk->depth++;
    else if ((token->kind == TOKEN_CLOSE || is_bracket(token, "]")) && walk->depth > 0)
        walk->depth--;
    walk->last = token->kind;
    read_token(walk);
}

bool object_walk_is(const struct object_walk *walk, const char *word)
{
    return token_is_word(&walk->token, word);
}

/* A quick look that spares most copies of the walk. */
static bool may_be_next(const struct object_walk *walk, const char *words)
{
    return walk->token.kind == TOKEN_WORD && walk->token.word[0] == words[0];
}

bool object_walk_take(struct object_walk *walk, const char *words)
{
    if (!may_be_next(walk, words))
        return false;
    struct object_walk ahead = *walk;
    while (words[0] != '\0') {
        size_t size = strcspn(words, " ");
        const struct token *token = &ahead.token;
        if (token->kind != TOKEN_WORD ||
            !bytes_equal(bytes_of(token->word, token->word_size), bytes_of(words, size)))
            return false;
        object_walk_next(&ahead);
        words += words[size] == ' ' ? size + 1 : size;
    }
    *walk = ahead;
    return true;
}

bool object_walk_take_before_name(struct object_walk *walk, const char *words)
{
    if (!may_be_next(walk, words))
        return false;
    struct object_walk ahead = *walk;
    bool is_taken =
        object_walk_take(&ahead, words) && (object_walk_is_name(&ahead) || ahead.token.kind == TOKEN_NUMBER);
    if (is_taken)
        *walk = ahead;
    return is_taken;
}

bool object_walk_take_kind(struct object_walk *walk, enum token_kind kind)
{
    bool is_taken = walk->token.kind == kind;
    if (is_taken)
        object_walk_next(walk);
    return is_taken;
}

bool object_walk_seek(struct object_walk *walk, const char *word)
{
    while (walk->token.kind != TOKEN_NONE && (walk->depth > 0 || !object_walk_is(walk, word)))
        object_walk_next(walk);
    return walk->token.kind != TOKEN_NONE;
}

void object_walk_skip_parentheses(struct object_walk *walk)
{
    uint32_t outer = walk->depth;
    if (walk->token.kind != TOKEN_OPEN)
        return;
    do
        object_walk_next(walk);
    while (walk->depth > outer && walk->token.kind != TOKEN_NONE);
}

bool object_walk_is_name(const struct object_walk *walk)
{
    const struct token *token = &walk->token;
    return token->kind == TOKEN_QUOTED_NAME ||
           (token->kind == TOKEN_WORD && object_word_is_name(token->word));
}

/* What the server would cut inside of a character, if it counts characters so, is not known; nor are letters
 * that it converts or folds. */
static bool is_readable(const struct object_walk *walk)
{
    const struct token *token = &walk->token;
    bool is_ascii = true;
    for (size_t i = 0; i < token->word_size; i++)
        is_ascii &= (uint8_t)token->word[i] < 0x80;
    bool is_known = is_ascii || (!token->is_word_cut && !walk->has_foreign_letters);
    return !token->is_unicode && token->word_size > 0 && is_known;
}

static void note_part(struct object_walk *walk, char parts[PARTS_MOST][OBJECT_NAME_SIZE], size_t index)
{
    const struct token *token = &walk->token;
    if (index >= PARTS_MOST || !is_readable(walk))
        object_walk_give_up(walk);
    else
        bytes_copy_text(bytes_of(token->word, token->word_size), parts[index], OBJECT_NAME_SIZE);
}

/* The parts of a name; behind a dot every word is one. */
static size_t read_parts(struct object_walk *walk, char parts[PARTS_MOST][OBJECT_NAME_SIZE])
{
    size_t count = 0;
    bool has_dot = true;
    memset(parts, 0, sizeof(char[PARTS_MOST][OBJECT_NAME_SIZE]));
    while (has_dot && (walk->token.kind == TOKEN_WORD || walk->token.kind == TOKEN_QUOTED_NAME)) {
        note_part(walk, parts, count++);
        object_walk_next(walk);
        has_dot = object_walk_take_kind(walk, TOKEN_DOT);
    }
    return has_dot ? 0 : count;
}

static bool set_subject(struct object_walk *walk, enum object_kind kind)
{
    char parts[PARTS_MOST][OBJECT_NAME_SIZE];
    size_t count = read_parts(walk, parts);
    size_t behind = kind == KIND_COLUMN ? 1 : 0;
    size_t most = kind == KIND_SCHEMA ? 1 : 3;
    if (count <= behind || count - behind > most || count > PARTS_MOST)
        return false;
    count -= behind;
    struct object_name *subject = &walk->subject;
    *subject = (struct object_name){ .is_schema = kind == KIND_SCHEMA };
    memcpy(subject->name, parts[count - 1], sizeof(subject->name));
    if (count > 1)
        memcpy(subject->schema, parts[count - 2], sizeof(subject->schema));
    return subject->name[0] != '\0' && (count == 1 || subject->schema[0] != '\0');
}

bool object_walk_read(struct object_walk *walk, enum object_kind kind)
{
    (void)object_walk_take(walk, "table");
    (void)(object_walk_take(walk, "if exists") || object_walk_take(walk, "if not exists"));
    (void)object_walk_take(walk, "concurrently");
    bool is_only = object_walk_take(walk, "only");
    bool is_enclosed = is_only && object_walk_take_kind(walk, TOKEN_OPEN);
    bool is_read = object_walk_is_name(walk) && set_subject(walk, kind) &&
                   (!is_enclosed || object_walk_take_kind(walk, TOKEN_CLOSE));
    if (is_bracket(&walk->token, "*"))
        object_walk_next(walk);
    if (!is_read)
        object_walk_give_up(walk);
    return is_read;
}

bool object_walk_name(struct object_walk *walk, enum object_kind kind, bool is_referred)
{
    if (!object_walk_read(walk, kind))
        return false;
    if (kind == KIND_PART)
        object_walk_give_up(walk);
    struct object_name name = walk->subject;
    name.is_referred = is_referred;
    object_walk_add(walk, &name);
    return true;
}

static bool is_same(const struct object_name *a, const struct object_name *b)
{
    return a->is_schema == b->is_schema && strcmp(a->schema, b->schema) == 0 && strcmp(a->name, b->name) == 0;
}

void object_walk_add(struct object_walk *walk, const struct object_name *name)
{
    struct object_names *out = walk->out;
    if (strcmp(name->schema, "pg_temp") == 0)
        return;
    for (size_t i = 0; i < out->count; i++) {
        if (is_same(&out->names[i], name)) {
            out->names[i].is_referred &= name->is_referred;
            return;
        }
    }
    if (out->count == OBJECTS_NAMED_MOST)
        object_walk_give_up(walk);
    else
        out->names[out->count++] = *name;
}
