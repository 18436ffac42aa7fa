/* SPDX-License-Identifier: PostgreSQL */
#include "sql/alteration.h"

enum alteration_shape { SHAPE_PLAIN, SHAPE_COLUMN, SHAPE_CONSTRAINT, SHAPE_DETACH };

struct alteration_row {
    enum alteration_object object;
    enum safety_level level;
    enum alteration_shape shape;
    const char *words;
};

static const struct alteration_row rows[] = {
#define ALTERATION(object, level, shape, words)                                                              \
    { ALTERATION_##object, (enum safety_level)level, SHAPE_##shape, words },
#include "sql/alterations.def"
#undef ALTERATION
};

void alteration_begin(struct alteration *alteration, enum alteration_object object)
{
    *alteration = (struct alteration){ .object = object, .level = LEVEL_NONE };
}

static bool is_one_of(const struct token *token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (token_is_word(token, words[i]))
            return true;
    }
    return false;
}

/* Whether the row's text, from `at` on, has the word (in lower case; NULL for what is no word and only _
 * stands for). */
static bool has_word_at(const char *words, size_t at, const char *word)
{
    if (words[at] == '_')
        return true;
    size_t size = word != NULL ? strlen(word) : 0;
    for (size_t i = 0; i < size; i++) {
        char byte = words[at + i];
        if (byte == '\0' || (byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte) != word[i])
            return false;
    }
    return size > 0 && (words[at + size] == '\0' || words[at + size] == ' ');
}

static size_t next_space(const char *words, size_t at)
{
    while (words[at] != '\0' && words[at] != ' ')
        at++;
    return at;
}

/* Adds one word to those the subcommand begins with, if some row goes on with it. */
static bool extend(struct alteration *alteration, const char *word)
{
    size_t size = alteration->words_size;
    size_t at = size > 0 ? size + 1 : 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *words = rows[i].words;
        if (rows[i].object != alteration->object || strncmp(words, alteration->words, size) != 0 ||
            (size > 0 && words[size] != ' ') || !has_word_at(words, at, word))
            continue;
        alteration->words_size = (uint8_t)next_space(words, at);
        memcpy(alteration->words, words, alteration->words_size);
        alteration->words[alteration->words_size] = '\0';
        return true;
    }
    return false;
}

static const struct alteration_row *find_row(const struct alteration *alteration)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].object == alteration->object && strcmp(rows[i].words, alteration->words) == 0)
            return &rows[i];
    }
    return NULL;
}

/* ADD and ALTER mean a column where no other object is named. */
static bool extend_column(struct alteration *alteration, const struct token *token, const char *word)
{
    bool is_add = strcmp(alteration->words, "ADD") == 0;
    bool is_alter = strcmp(alteration->words, "ALTER") == 0;
    if (is_alter && !token_is_word(token, "constraint"))
        return extend(alteration, "column") && extend(alteration, word);
    return is_add && extend(alteration, "column");
}

static bool take_lead(struct alteration *alteration, const struct token *token)
{
    const char *word = token->kind == TOKEN_WORD ? token->word : token->kind == TOKEN_OPEN ? "(" : NULL;
    if (extend(alteration, word))
        return true;
    bool is_implied = extend_column(alteration, token, word);
    alteration->are_words_complete = !is_implied || strcmp(alteration->words, "ADD COLUMN") == 0;
    return is_implied && !alteration->are_words_complete;
}

/* Words that may follow a column's default and end it. */
static const char *const column_words[] = { "not",        "null",       "check",      "unique",
                                            "primary",    "references", "default",    "generated",
                                            "constraint", "collate",    "deferrable", "initially" };
static const char *const constant_words[] = { "true",         "false",
                                              "null",         "current_timestamp",
                                              "current_date", "current_time",
                                              "localtime",    "localtimestamp" };
static const char *const literal_types[] = { "date", "interval", "time", "timestamp", "timestamptz" };
/* What a type's name may go on with: no word of these carries an expression on. */
static const char *const type_words[] = { "varying",   "precision", "with", "without", "time", "zone",
                                          "character", "char",      "year", "month",   "day",  "hour",
                                          "minute",    "second",    "to",   "array" };
static const char *const heavy_words[] = { "check",      "unique",    "primary",
                                           "references", "generated", "constraint" };
static const char *const serial_types[] = { "serial",  "bigserial", "smallserial",
                                            "serial2", "serial4",   "serial8" };

static bool is_operator(const struct token *token, const char *text)
{
    return token->kind == TOKEN_OPERATOR && strcmp(token->word, text) == 0;
}

static enum default_state default_value(const struct token *token)
{
    if (token->kind == TOKEN_STRING || token->kind == TOKEN_NUMBER ||
        is_one_of(token, constant_words, COUNT_OF(constant_words)))
        return DEFAULT_BEHIND;
    if (is_operator(token, "-") || is_operator(token, "+") ||
        is_one_of(token, literal_types, COUNT_OF(literal_types)))
        return DEFAULT_VALUE;
    return token_is_word(token, "now") ? DEFAULT_CALL : DEFAULT_DOUBTFUL;
}

/* Behind the name of a type: its further words, a parenthesis, bounds, another type. */
static enum default_state default_type(enum default_state state, const struct token *token)
{
    if (is_one_of(token, type_words, COUNT_OF(type_words)))
        return state;
    if (is_operator(token, "["))
        return DEFAULT_BOUND;
    if (is_operator(token, "::"))
        return DEFAULT_TYPE;
    bool is_short = state == DEFAULT_TYPE_NAMED;
    if (is_short && token->kind == TOKEN_DOT)
        return DEFAULT_TYPE;
    return is_short && token->kind == TOKEN_OPEN ? DEFAULT_MODIFIER : DEFAULT_DOUBTFUL;
}

static enum default_state default_modifier(const struct token *token)
{
    if (token->kind == TOKEN_CLOSE)
        return DEFAULT_TYPE_SHAPED;
    bool is_constant = token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING || token_is_name(token);
    bool is_between = token->kind == TOKEN_COMMA || is_operator(token, "-") || is_operator(token, "+");
    return is_constant || is_between ? DEFAULT_MODIFIER : DEFAULT_DOUBTFUL;
}

static enum default_state default_bound(const struct token *token)
{
    if (is_operator(token, "]"))
        return DEFAULT_TYPE_SHAPED;
    return token->kind == TOKEN_NUMBER ? DEFAULT_BOUND : DEFAULT_DOUBTFUL;
}

static enum default_state default_next(enum default_state state, const struct token *token)
{
    switch (state) {
    case DEFAULT_VALUE:
        return default_value(token);
    case DEFAULT_CALL:
        if (token->kind == TOKEN_OPEN)
            return DEFAULT_CALL;
        return token->kind == TOKEN_CLOSE ? DEFAULT_BEHIND : DEFAULT_DOUBTFUL;
    case DEFAULT_BEHIND:
        return is_operator(token, "::") ? DEFAULT_TYPE : DEFAULT_DOUBTFUL;
    case DEFAULT_TYPE:
        return token_is_name(token) ? DEFAULT_TYPE_NAMED : DEFAULT_DOUBTFUL;
    case DEFAULT_TYPE_NAMED:
    case DEFAULT_TYPE_SHAPED:
        return default_type(state, token);
    case DEFAULT_MODIFIER:
        return default_modifier(token);
    case DEFAULT_BOUND:
        return default_bound(token);
    default:
        return state;
    }
}

/* Whether what was read of the default is a whole constant: only there the column's further words end it. */
static bool is_whole(enum default_state state)
{
    return state == DEFAULT_BEHIND || state == DEFAULT_TYPE_NAMED || state == DEFAULT_TYPE_SHAPED;
}

/* Whether the token belongs to the default's expression. */
static bool take_default(struct alteration *alteration, const struct token *token)
{
    enum default_state state = alteration->default_state;
    if (state == DEFAULT_NONE || state == DEFAULT_DOUBTFUL)
        return false;
    if (is_whole(state) && is_one_of(token, column_words, COUNT_OF(column_words))) {
        alteration->default_state = DEFAULT_NONE;
        return false;
    }
    alteration->default_state = default_next(state, token);
    alteration->is_heavy |= alteration->default_state == DEFAULT_DOUBTFUL;
    return true;
}

/* The server compares the type's name only, quoted or not; what U&"..." says is not known. */
static bool is_serial(const struct token *token)
{
    if (!token_is_name(token))
        return false;
    bool is_any = token->is_unicode;
    for (size_t i = 0; i < COUNT_OF(serial_types); i++)
        is_any |= strcmp(token->word, serial_types[i]) == 0;
    return is_any;
}

/* Of a column to be added; IF and EXISTS may also be its name, NOT never begins a type. */
static enum column_part column_next(enum column_part part, const struct token *token)
{
    switch (part) {
    case COLUMN_NAME:
        return COLUMN_TYPE;
    case COLUMN_TYPE:
        return token_is_word(token, "not") ? COLUMN_EXISTS : COLUMN_REST;
    case COLUMN_EXISTS:
        return COLUMN_NAME;
    default:
        return COLUMN_REST;
    }
}

/* Whether the token stands before the type. */
static bool take_column_name(struct alteration *alteration, const struct token *token)
{
    bool is_behind = alteration->column_part == COLUMN_TYPE || alteration->column_part == COLUMN_REST;
    alteration->is_heavy |= is_behind && is_serial(token);
    alteration->column_part = column_next(alteration->column_part, token);
    return alteration->column_part != COLUMN_REST;
}

static void take_column(struct alteration *alteration, const struct token *token, uint32_t depth)
{
    if (take_default(alteration, token) || depth > 0 || take_column_name(alteration, token))
        return;
    alteration->is_heavy |= is_one_of(token, heavy_words, COUNT_OF(heavy_words));
    alteration->has_not_null |= alteration->has_not && token_is_word(token, "null");
    if (token_is_word(token, "default")) {
        alteration->has_default = true;
        alteration->default_state = DEFAULT_VALUE;
    }
}

static void take_constraint(struct alteration *alteration, const struct token *token, uint32_t depth)
{
    if (depth > 0)
        return;
    alteration->has_columns |= token->kind == TOKEN_OPEN;
    alteration->is_primary |= token_is_word(token, "primary");
    alteration->is_unique |= token_is_word(token, "unique");
    alteration->has_index |= alteration->was_using && token_is_word(token, "index");
    alteration->is_unchecked |=
        alteration->has_not && (token_is_word(token, "valid") || token_is_word(token, "enforced"));
    alteration->was_using = token_is_word(token, "using");
}

static void take_detach(struct alteration *alteration, const struct token *token)
{
    alteration->is_concurrent |=
        alteration->was_name && (token_is_word(token, "concurrently") || token_is_word(token, "finalize"));
    alteration->was_name = token->kind != TOKEN_DOT;
}

static void take_rest(struct alteration *alteration, const struct token *token, uint32_t depth)
{
    const struct alteration_row *row = find_row(alteration);
    if (row != NULL && row->shape == SHAPE_COLUMN)
        take_column(alteration, token, depth);
    if (row != NULL && row->shape == SHAPE_CONSTRAINT)
        take_constraint(alteration, token, depth);
    if (row != NULL && row->shape == SHAPE_DETACH)
        take_detach(alteration, token);
    alteration->has_not = token_is_word(token, "not");
}

static enum safety_level column_level(const struct alteration *alteration)
{
    bool is_unfinished = alteration->default_state != DEFAULT_NONE && !is_whole(alteration->default_state);
    bool must_be_filled = alteration->has_not_null && !alteration->has_default;
    return alteration->is_heavy || is_unfinished || must_be_filled ? LEVEL_MODIFYING : LEVEL_ADDITIVE;
}

static enum safety_level constraint_level(const struct alteration *alteration)
{
    bool adopts_index =
        alteration->is_unique && alteration->has_index && !alteration->has_columns && !alteration->is_primary;
    return alteration->is_unchecked || adopts_index ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
}

static enum safety_level subcommand_level(const struct alteration *alteration)
{
    const struct alteration_row *row = find_row(alteration);
    if (row == NULL)
        return LEVEL_MODIFYING;
    switch (row->shape) {
    case SHAPE_COLUMN:
        return column_level(alteration);
    case SHAPE_CONSTRAINT:
        return constraint_level(alteration);
    case SHAPE_DETACH:
        return alteration->is_concurrent ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
    default:
        return row->level;
    }
}

static void end_subcommand(struct alteration *alteration)
{
    enum safety_level level = subcommand_level(alteration);
    enum safety_level most = level > alteration->level ? level : alteration->level;
    alteration_begin(alteration, alteration->object);
    alteration->level = most;
}

void alteration_take(struct alteration *alteration, const struct token *token, uint32_t depth)
{
    if (token->kind == TOKEN_COMMA && depth == 0) {
        end_subcommand(alteration);
        return;
    }
    if (!alteration->are_words_complete && take_lead(alteration, token)) {
        alteration->is_primary |= token_is_word(token, "primary");
        alteration->is_unique |= token_is_word(token, "unique");
        alteration->was_name = true;
        return;
    }
    take_rest(alteration, token, depth);
}

enum safety_level alteration_end(struct alteration *alteration)
{
    end_subcommand(alteration);
    return alteration->level;
}
