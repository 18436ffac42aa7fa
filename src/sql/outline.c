/* SPDX-License-Identifier: PostgreSQL */
#include "sql/outline_phase.h"

typedef bool (*phase_function)(struct outline *outline, const struct token *token);

void outline_begin(struct outline *outline)
{
    *outline = (struct outline){ .worst = { .class = CLASS_NONE, .level = LEVEL_NONE } };
}

static bool names_temporary_schema(const struct token *token)
{
    return token_is_name(token) && !token->is_unicode && strcmp(token->word, "pg_temp") == 0;
}

void outline_begin_part(struct outline *outline)
{
    outline->phase = OUTLINE_BEGIN;
    outline->depth = 0;
    outline->queries = 0;
    outline->command = NULL;
    outline->is_temporary = outline->names_temporary = outline->names_permanent = false;
    outline->is_replacing = outline->is_concurrent = outline->has_values = outline->has_target = false;
    outline->is_partition = outline->is_full = outline->is_selecting_into = false;
}

static void end_part(struct outline *outline)
{
    struct outcome outcome = outline_judge(outline);
    outcome_unite(&outline->worst, &outcome);
}

static bool phase_begin(struct outline *outline, const struct token *token)
{
    if (token->kind == TOKEN_OPEN)
        return true;
    outline->phase = OUTLINE_HEAD;
    outline->depth = 0;
    outline->is_do = token_is_word(token, "do");
    if (token->kind == TOKEN_WORD && command_path_begin(&outline->path, token_word(token)))
        return true;
    outline->is_unknown = true;
    outline->is_return = token_is_word(token, "return");
    outline->phase = OUTLINE_BODY;
    return true;
}

/* Words that may stand between CREATE and the kind of object. */
static bool take_modifier(struct outline *outline, const struct token *token)
{
    outline->is_temporary |= token_is_word(token, "temp") || token_is_word(token, "temporary");
    outline->is_replacing |= token_is_word(token, "replace");
    return command_is_modifier(token_word(token));
}

static enum outline_phase phase_behind_head(struct outline *outline)
{
    switch (outline->command->shape) {
    case SHAPE_EXPLAIN:
        outline->is_dry = true;
        outline->wrapper = outline->command;
        return OUTLINE_EXPLAIN;
    case SHAPE_PREPARE:
        outline->has_prepare = true;
        outline->wrapper = outline->command;
        return OUTLINE_NAME;
    case SHAPE_EXECUTE:
        outline->has_execute = true;
        return OUTLINE_NAME;
    case SHAPE_ALTER_TABLE:
        alteration_begin(&outline->alteration, ALTERATION_TABLE);
        return OUTLINE_TARGET;
    case SHAPE_ALTER_TYPE:
        alteration_begin(&outline->alteration, ALTERATION_TYPE);
        return OUTLINE_TARGET;
    case SHAPE_ALTER_STATISTICS:
        alteration_begin(&outline->alteration, ALTERATION_STATISTICS);
        return OUTLINE_TARGET;
    case SHAPE_CREATE_TABLE:
        row_change_begin(&outline->change, ROW_CHANGE_TABLE);
        return OUTLINE_TARGET;
    case SHAPE_CREATE:
    case SHAPE_DROP:
    case SHAPE_ALTER:
        return OUTLINE_TARGET;
    case SHAPE_WITH:
        row_change_begin(&outline->change, ROW_CHANGE_LIST);
        return OUTLINE_BODY;
    case SHAPE_COPY:
        row_change_begin(&outline->change, ROW_CHANGE_COPY);
        return OUTLINE_BODY;
    default:
        outline->is_schema |= outline->command->shape == SHAPE_CREATE_SCHEMA;
        return OUTLINE_BODY;
    }
}

static bool phase_head(struct outline *outline, const struct token *token)
{
    bool is_word_token = token->kind == TOKEN_WORD;
    if (is_word_token && command_path_extend(&outline->path, token_word(token)))
        return true;
    const struct command *command = command_path_end(&outline->path);
    if (is_word_token && command != NULL && strcmp(command->name, "CREATE") == 0 &&
        outline->path.length == strlen("CREATE") && take_modifier(outline, token))
        return true;
    outline->command = command;
    outline->is_unknown |= command == NULL;
    outline->phase = command != NULL ? phase_behind_head(outline) : OUTLINE_BODY;
    return false;
}

static bool phase_target(struct outline *outline, const struct token *token)
{
    static const char *const before[] = { "if", "not", "exists", "only", "table", "concurrently" };
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        if (token_is_word(token, before[i]))
            return true;
    }
    outline->is_temporary_schema = names_temporary_schema(token);
    outline->phase = OUTLINE_TARGET_BEHIND;
    return token_is_name(token);
}

static bool phase_target_behind(struct outline *outline, const struct token *token)
{
    bool is_dot = token->kind == TOKEN_DOT;
    bool is_temporary_name = is_dot && outline->is_temporary_schema;
    outline->names_temporary |= is_temporary_name;
    outline->names_permanent |= !is_temporary_name;
    outline->phase = is_dot ? OUTLINE_TARGET_PART : OUTLINE_TARGET_REST;
    return is_dot;
}

static bool phase_target_part(struct outline *outline, const struct token *token)
{
    (void)token;
    outline->phase = OUTLINE_TARGET_REST;
    return true;
}

static bool phase_target_rest(struct outline *outline, const struct token *token)
{
    bool is_star = token->kind == TOKEN_OPERATOR && strcmp(token->word, "*") == 0;
    if (is_star)
        return true;
    outline->phase = token->kind == TOKEN_DOT ? OUTLINE_TARGET_PART : OUTLINE_BODY;
    return token->kind == TOKEN_DOT;
}

/* Whether the next token is a name whatever word it is: behind AS or a dot. */
static bool is_label_next(const struct outline *outline)
{
    return outline->previous_kind == TOKEN_DOT || (outline_was_word(outline, "as") && !outline->was_label);
}

/* Deeper than can be told apart all is taken for a query. */
static bool is_query_here(const struct outline *outline)
{
    return outline->depth >= OUTLINE_DEPTH || (outline->queries >> outline->depth & 1) != 0;
}

/* INTO as a key word: not AS into, x.into, nor INSERT INTO and MERGE INTO. In a query the words before it may
 * themselves be names: AS as INTO, x.as INTO, a column called insert. */
static bool begins_into(const struct outline *outline, const struct token *token)
{
    if (!token_is_word(token, "into") || is_label_next(outline))
        return false;
    return is_query_here(outline) ||
           (!outline_was_word(outline, "insert") && !outline_was_word(outline, "merge"));
}

static void take_reindex(struct outline *outline, const struct token *token)
{
    bool is_value = token->kind == TOKEN_STRING || token->kind == TOKEN_NUMBER ||
                    token->kind == TOKEN_QUOTED_NAME || token_is_word(token, "false") ||
                    token_is_word(token, "off");
    outline->has_values |= is_value && outline->depth > 0;
    outline->is_concurrent |= token_is_word(token, "concurrently") && outline->previous_kind != TOKEN_DOT;
}

/* FULL may be quoted among the options in parentheses, which come before any table; there it may be false. */
static void take_vacuum(struct outline *outline, const struct token *token)
{
    static const char *const options[] = { "full", "freeze", "verbose", "analyze", "analyse" };
    bool is_option = !token_is_name(token) || outline->depth > 0;
    for (size_t i = 0; i < COUNT_OF(options); i++)
        is_option |= token_is_word(token, options[i]);
    outline->has_target |= !is_option;
    bool is_false = token_is_word(token, "false") || token_is_word(token, "off");
    if (outline->depth == 1 && outline_was_word(outline, "full") && is_false)
        outline->is_full = false;
    bool is_quoted = token->kind == TOKEN_QUOTED_NAME && outline->depth > 0 && !outline->has_target;
    outline->is_full |= token_is_word(token, "full") || is_quoted;
}

static bool begins_element(const struct outline *outline, const struct token *token)
{
    return outline->is_schema && outline->depth == 0 &&
           (token_is_word(token, "create") || token_is_word(token, "grant"));
}

static bool is_alteration(enum command_shape shape)
{
    return shape == SHAPE_ALTER_TABLE || shape == SHAPE_ALTER_TYPE || shape == SHAPE_ALTER_STATISTICS;
}

static bool may_change_rows(enum command_shape shape)
{
    return shape == SHAPE_WITH || shape == SHAPE_COPY || shape == SHAPE_CREATE_TABLE;
}

/* AS EXECUTE: a prepared query, which may change rows itself. */
static void take_table(struct outline *outline, const struct token *token)
{
    outline->is_partition |= outline_was_word(outline, "partition") && token_is_word(token, "of");
    if (!outline_was_word(outline, "as") || !token_is_word(token, "execute") || outline->has_prepare)
        return;
    outline->has_execute = true;
    outline->phase = OUTLINE_NAME;
}

static void take_do(struct outline *outline, const struct token *token)
{
    bool is_string = token->kind == TOKEN_STRING;
    outline->is_do_unreadable |= is_string && token->is_unicode;
    if (!outline_awaits_language(outline))
        return;
    bool is_known = token_is_name(token) && !token->is_unicode && strcmp(token->word, "plpgsql") == 0;
    outline->is_do_quoted |= is_string;
    outline->is_do_foreign |= !is_string && !is_known;
}

static void take_body(struct outline *outline, const struct token *token)
{
    enum command_shape shape = outline->command->shape;
    if (may_change_rows(shape))
        row_change_take(&outline->change, token, outline->depth);
    if (command_is_query(outline->command) && begins_into(outline, token))
        outline->phase = OUTLINE_INTO;
    if (shape == SHAPE_CREATE_TABLE && outline->depth == 0)
        take_table(outline, token);
    if (shape == SHAPE_DROP && outline->depth == 0 && token->kind == TOKEN_COMMA)
        outline->phase = OUTLINE_TARGET;
    if (is_alteration(shape))
        alteration_take(&outline->alteration, token, outline->depth);
    if (shape == SHAPE_VACUUM)
        take_vacuum(outline, token);
    if (shape == SHAPE_REINDEX)
        take_reindex(outline, token);
    if (shape == SHAPE_DO)
        take_do(outline, token);
    /* What goes with a temporary object need not be one. */
    if (outline->names_temporary)
        outline->names_permanent |= token_is_word(token, "cascade");
}

static bool phase_body(struct outline *outline, const struct token *token)
{
    if (begins_element(outline, token)) {
        end_part(outline);
        outline_begin_part(outline);
        return false;
    }
    if (outline->command != NULL)
        take_body(outline, token);
    return true;
}

static bool phase_into(struct outline *outline, const struct token *token)
{
    if (token_is_word(token, "temp") || token_is_word(token, "temporary")) {
        outline->phase = OUTLINE_INTO_TEMP;
    } else if (token_is_word(token, "local") || token_is_word(token, "global")) {
        outline->phase = OUTLINE_INTO_LOCAL;
    } else if (names_temporary_schema(token)) {
        outline->phase = OUTLINE_INTO_SCHEMA;
    } else if (!token_is_word(token, "unlogged") && !token_is_word(token, "table")) {
        outline->is_selecting_into = true;
        outline->phase = OUTLINE_BODY;
    }
    return true;
}

static bool phase_into_local(struct outline *outline, const struct token *token)
{
    bool is_temp = token_is_word(token, "temp") || token_is_word(token, "temporary");
    outline->is_selecting_into |= !is_temp;
    outline->phase = is_temp ? OUTLINE_INTO_TEMP : OUTLINE_BODY;
    return is_temp;
}

/* TEMP may be the table's own name: then what follows is no name. */
static bool phase_into_temp(struct outline *outline, const struct token *token)
{
    static const char *const clauses[] = { "from",   "where",     "group",  "having", "window",
                                           "union",  "intersect", "except", "order",  "limit",
                                           "offset", "fetch",     "for" };
    bool is_table = token_is_name(token);
    for (size_t i = 0; i < COUNT_OF(clauses); i++)
        is_table &= !token_is_word(token, clauses[i]);
    outline->is_selecting_into |= !is_table;
    outline->phase = OUTLINE_BODY;
    return is_table;
}

static bool phase_into_schema(struct outline *outline, const struct token *token)
{
    outline->is_selecting_into |= token->kind != TOKEN_DOT;
    outline->phase = OUTLINE_BODY;
    return token->kind == TOKEN_DOT;
}

static const phase_function phases[] = {
    [OUTLINE_BEGIN] = phase_begin,
    [OUTLINE_HEAD] = phase_head,
    [OUTLINE_TARGET] = phase_target,
    [OUTLINE_TARGET_BEHIND] = phase_target_behind,
    [OUTLINE_TARGET_PART] = phase_target_part,
    [OUTLINE_TARGET_REST] = phase_target_rest,
    [OUTLINE_BODY] = phase_body,
    [OUTLINE_INTO] = phase_into,
    [OUTLINE_INTO_LOCAL] = phase_into_local,
    [OUTLINE_INTO_TEMP] = phase_into_temp,
    [OUTLINE_INTO_SCHEMA] = phase_into_schema,
    [OUTLINE_EXPLAIN] = outline_phase_explain,
    [OUTLINE_EXPLAIN_OPEN] = outline_phase_explain_open,
    [OUTLINE_EXPLAIN_OPTION] = outline_phase_explain_option,
    [OUTLINE_NAME] = outline_phase_name,
    [OUTLINE_PREPARE] = outline_phase_prepare,
};

static void note_queries(struct outline *outline, const struct token *token)
{
    if (token->kind == TOKEN_OPEN && outline->depth + 1 < OUTLINE_DEPTH)
        outline->queries &= ~(UINT64_C(2) << outline->depth);
    else if (outline->depth < OUTLINE_DEPTH && token_is_word(token, "select"))
        outline->queries |= UINT64_C(1) << outline->depth;
}

static void remember(struct outline *outline, const struct token *token)
{
    note_queries(outline, token);
    outline->was_label = is_label_next(outline);
    outline->has_tokens = true;
    outline->previous_kind = token->kind;
    bool is_short = token->kind == TOKEN_WORD && token->word_size < OUTLINE_WORD_SIZE;
    if (is_short)
        memcpy(outline->previous, token->word, sizeof(outline->previous)); /* with its NUL, and some */
    else
        outline->previous[0] = '\0';
}

void outline_take(struct outline *outline, const struct token *token)
{
    bool is_taken = outline->phase == OUTLINE_BODY && phase_body(outline, token);
    while (!is_taken)
        is_taken = phases[outline->phase](outline, token);
    remember(outline, token);
    if (token->kind == TOKEN_OPEN)
        outline->depth++;
    else if (token->kind == TOKEN_CLOSE && outline->depth > 0)
        outline->depth--;
}

struct outcome outline_end(struct outline *outline)
{
    if (outline->phase == OUTLINE_HEAD) {
        struct token end = { .kind = TOKEN_NONE };
        phase_head(outline, &end);
    }
    end_part(outline);
    struct outcome outcome = outline->worst;
    if (outline->is_dry) {
        outcome = outcome_of(CLASS_NONE, LEVEL_NONE, outline->wrapper);
        outline->has_execute = false;
    } else if (outline->wrapper != NULL && !statement_class_is_guarded(outcome.class)) {
        outcome.command = outline->wrapper;
    }
    return outcome;
}
