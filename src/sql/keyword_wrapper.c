/* SPDX-License-Identifier: PostgreSQL */
#include "sql/keyword_wrapper.h"

static bool is(struct bytes word, const char *text)
{
    return bytes_equal_text(word, text);
}

/* Where a string began, its end can be told by counting quotes: what is in it has twice as many. */
static void begin(struct keyword_wrapper *wrapper, enum keyword_wrapper_state state)
{
    wrapper->state = state;
    wrapper->hidden_by = 0;
    wrapper->has_escapes = wrapper->last == '\'' && wrapper->has_newline; /* it may end a comment */
    wrapper->begins_string = wrapper->last == '\'' || wrapper->last == '$';
    wrapper->quotes_outside = wrapper->last == '\'' ? wrapper->quotes_before : 0;
    wrapper->quotes = 0;
}

static void begin_wrapped(struct keyword_wrapper *wrapper)
{
    wrapper->is_wrapped = true;
    wrapper->is_start = true;
}

static enum keyword_wrapper_state state_of(struct bytes word, bool may_begin_statement, bool may_begin_query)
{
    if (may_begin_query && is(word, "explain"))
        return WRAPPER_EXPLAIN;
    if (may_begin_statement && is(word, "prepare"))
        return WRAPPER_PREPARE;
    return may_begin_statement && is(word, "do") ? WRAPPER_DO : WRAPPER_NONE;
}

/* Behind a DO's body and its quote, perhaps with a comment between: not where a column or a label stands. */
static bool is_language_behind(const struct keyword_wrapper *wrapper, struct bytes word,
                               bool may_begin_statement)
{
    bool is_list =
        !wrapper->has_comment && (wrapper->last == ',' || wrapper->last == '(' || wrapper->last == ';');
    return wrapper->has_do_body && wrapper->state != WRAPPER_DO && may_begin_statement && !is_list &&
           is(word, "language");
}

static bool awaits_language(const struct keyword_wrapper *wrapper)
{
    return wrapper->state == WRAPPER_DO_LANGUAGE || wrapper->state == WRAPPER_DO_LANGUAGE_BEHIND;
}

static void note_language(struct keyword_wrapper *wrapper, struct bytes word)
{
    bool is_foreign = !is(word, "plpgsql");
    wrapper->is_foreign |= is_foreign;
    wrapper->is_foreign_body_past |= is_foreign && wrapper->state == WRAPPER_DO_LANGUAGE_BEHIND;
}

static enum keyword_wrapper_state take_option(struct keyword_wrapper *wrapper, struct bytes word)
{
    wrapper->is_wrapped |= is(word, "analyze") || is(word, "analyse");
    return is(word, "select") || is(word, "with") ? WRAPPER_NONE : WRAPPER_EXPLAIN_OPTIONS;
}

static enum keyword_wrapper_state state_behind(struct keyword_wrapper *wrapper, struct bytes word)
{
    switch (wrapper->state) {
    case WRAPPER_EXPLAIN:
        if (is(word, "analyze") || is(word, "analyse"))
            begin_wrapped(wrapper);
        return WRAPPER_NONE;
    case WRAPPER_EXPLAIN_OPTIONS:
        return take_option(wrapper, word);
    case WRAPPER_PREPARE:
        return WRAPPER_PREPARE_NAME;
    case WRAPPER_PREPARE_NAME:
        if (is(word, "as"))
            begin_wrapped(wrapper);
        return is(word, "uescape") ? WRAPPER_PREPARE_NAME : WRAPPER_NONE;
    case WRAPPER_PREPARE_TYPES:
        return WRAPPER_PREPARE_TYPES;
    case WRAPPER_DO:
        if (word.size == 1) /* E'...' and the like */
            return WRAPPER_DO;
        return is(word, "language") ? WRAPPER_DO_LANGUAGE : WRAPPER_NONE;
    case WRAPPER_DO_LANGUAGE:
    case WRAPPER_DO_LANGUAGE_BEHIND:
        note_language(wrapper, word);
        return WRAPPER_NONE;
    default:
        return WRAPPER_NONE;
    }
}

/* Of a command of which something was read already. */
static bool is_in_comment(const struct keyword_wrapper *wrapper)
{
    return wrapper->state != WRAPPER_NONE && (wrapper->hidden_by == '-' || wrapper->hidden_by == '*');
}

void keyword_wrapper_take_word(struct keyword_wrapper *wrapper, struct bytes word, bool may_begin_statement,
                               bool may_begin_query)
{
    enum keyword_wrapper_state begun = state_of(word, may_begin_statement, may_begin_query);
    bool is_language = is_language_behind(wrapper, word, may_begin_statement);
    wrapper->is_start = false;
    if (is_language) {
        wrapper->hidden_by = 0;
        wrapper->state = WRAPPER_DO_LANGUAGE_BEHIND;
    } else if (begun != WRAPPER_NONE && is_in_comment(wrapper)) {
        wrapper->is_wrapped = true; /* one or the other is what counts */
    } else if (begun != WRAPPER_NONE && !wrapper->is_wrapped) {
        begin(wrapper, begun);
    } else if (wrapper->hidden_by == 0) {
        wrapper->has_escapes |= begun != WRAPPER_NONE; /* one in another: whose string ends where? */
        wrapper->state = state_behind(wrapper, word);
    }
    wrapper->last = 0;
    wrapper->has_opened = wrapper->has_newline = false;
}

static bool ends_hidden(const struct keyword_wrapper *wrapper, uint8_t byte, uint8_t before)
{
    switch (wrapper->hidden_by) {
    case '-':
        return byte == '\n' || byte == '\r';
    case '*':
        return before == '*' && byte == '/';
    default:
        return byte == '"';
    }
}

static uint8_t begins_hidden(uint8_t byte, uint8_t before)
{
    bool begins_comment = (byte == '-' && before == '-') || (byte == '*' && before == '/');
    return begins_comment || byte == '"' ? byte : 0;
}

/* The name in quotes is the option ANALYZE, or what is prepared. */
static void take_quoted_name(struct keyword_wrapper *wrapper)
{
    wrapper->is_wrapped |= wrapper->state == WRAPPER_EXPLAIN_OPTIONS;
    if (wrapper->state == WRAPPER_PREPARE)
        wrapper->state = WRAPPER_PREPARE_NAME;
    if (awaits_language(wrapper))
        wrapper->hidden_by = 0; /* its word counts */
}

/* Whether the byte is in a comment or a quoted name, or one's first or last. */
static bool take_hidden(struct keyword_wrapper *wrapper, uint8_t byte, uint8_t before)
{
    if (wrapper->hidden_by != 0) {
        bool is_nested = wrapper->hidden_by == '*' && before == '/' && byte == '*';
        bool is_false_end = wrapper->has_opened && byte == '/';
        wrapper->is_wrapped |= is_nested || is_false_end;
        wrapper->has_opened = false;
        if (ends_hidden(wrapper, byte, before))
            wrapper->hidden_by = 0;
        return true;
    }
    wrapper->hidden_by = begins_hidden(byte, before);
    bool is_hidden = wrapper->hidden_by != 0;
    wrapper->has_opened = wrapper->hidden_by == '*';
    if (byte == '"')
        take_quoted_name(wrapper);
    return is_hidden;
}

/* A semicolon ends what is wrapped unless it may be in a string there. */
static void end_statement(struct keyword_wrapper *wrapper)
{
    uint32_t unit = wrapper->quotes_outside;
    bool may_be_string = unit > 0 ? wrapper->quotes / unit % 4 == 2 : wrapper->quotes > 0;
    if (!may_be_string && !wrapper->has_escapes)
        wrapper->is_wrapped = false;
    wrapper->state = WRAPPER_NONE;
}

static void take_open(struct keyword_wrapper *wrapper)
{
    if (wrapper->state == WRAPPER_EXPLAIN)
        wrapper->state = WRAPPER_EXPLAIN_OPTIONS;
    if (wrapper->state == WRAPPER_PREPARE_NAME) {
        wrapper->state = WRAPPER_PREPARE_TYPES;
        wrapper->depth = 0;
    }
    wrapper->depth++;
    wrapper->is_start = true;
}

static void take_close(struct keyword_wrapper *wrapper)
{
    wrapper->depth--;
    if (wrapper->state == WRAPPER_PREPARE_TYPES && wrapper->depth == 0)
        wrapper->state = WRAPPER_PREPARE_NAME;
    if (wrapper->state != WRAPPER_EXPLAIN_OPTIONS)
        return;
    wrapper->state = WRAPPER_NONE;
    wrapper->is_start = wrapper->is_wrapped;
}

static void take_string(struct keyword_wrapper *wrapper, uint8_t byte)
{
    bool is_continued = wrapper->last == '\'' && wrapper->has_newline;
    wrapper->quotes += byte == '\'';
    wrapper->has_escapes |= byte != '\'' || is_continued;
    if (byte == '$' && awaits_language(wrapper))
        note_language(wrapper, BYTES_NONE); /* a dollar quote's tag is no name */
    if (wrapper->state != WRAPPER_DO)
        return;
    wrapper->has_do_body = true;
    wrapper->state = WRAPPER_NONE;
}

static void take_visible_byte(struct keyword_wrapper *wrapper, uint8_t byte)
{
    switch (byte) {
    case '\'':
    case '$':
    case '\\':
        take_string(wrapper, byte);
        return;
    case '(':
        take_open(wrapper);
        return;
    case ')':
        take_close(wrapper);
        return;
    case ';':
        end_statement(wrapper);
        wrapper->is_start = true;
        return;
    default:
        return;
    }
}

/* What may stand before the language's name; else LANGUAGE was a column or a label. */
static bool may_precede_name(uint8_t byte)
{
    return byte == '\'' || byte == '"' || byte == '$' || byte == '/' || byte == '-';
}

void keyword_wrapper_take_byte(struct keyword_wrapper *wrapper, uint8_t byte, uint8_t before)
{
    bool is_open = wrapper->is_wrapped || wrapper->state != WRAPPER_NONE;
    bool is_hidden = is_open && take_hidden(wrapper, byte, before);
    wrapper->has_comment |= byte != '"' && begins_hidden(byte, before) != 0;
    wrapper->has_newline |= byte == '\n' || byte == '\r';
    if (keyword_is_blank(byte))
        return;
    wrapper->is_start = false;
    if (wrapper->state == WRAPPER_DO && !is_hidden && byte == '$' && (before == 'o' || before == 'O'))
        wrapper->state = WRAPPER_NONE; /* $do$ */
    if (!is_hidden)
        take_visible_byte(wrapper, byte);
    if (awaits_language(wrapper) && !is_hidden && !may_precede_name(byte))
        wrapper->state = WRAPPER_NONE;
    wrapper->quotes_before = byte != '\'' ? 0 : before == '\'' ? wrapper->quotes_before + 1 : 1;
    wrapper->last = byte;
    wrapper->has_newline = false;
}
