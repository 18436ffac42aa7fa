/* SPDX-License-Identifier: PostgreSQL */
#include "control/command.h"

#include "base/utf8.h"
#include "control/argument.h"
#include "control/distance.h"
#include "control/show.h"
#include "control/syntax.h"

#include <assert.h>

const struct command_form command_forms[COMMAND_COUNT] = {
#define COMMAND(symbol, syntax, role, needs, show, about)                                                    \
    [COMMAND_##symbol] = { syntax, ROLE_##role, COMMAND_NEEDS_##needs, &show_##show, about },
#include "control/commands.def"
#undef COMMAND
};

enum { SHOWN_WORD_SIZE = 64, NEAR_MOST = 2, KEYWORDS_SIZE = DISTANCE_TEXT_MOST + 1 };

static const char syntax_error[] = "42601";

const char *console_role_name(enum console_role role)
{
    return role == ROLE_OPERATOR ? "operator" : "viewer";
}

struct command_reader command_reader_of(struct bytes query, int64_t duration_most_us)
{
    return (struct command_reader){ .words = { .query = query }, .duration_most_us = duration_most_us };
}

static struct word peek(const struct command_reader *reader)
{
    struct word_reader ahead = reader->words;
    return word_next(&ahead);
}

static bool is_keyword(const struct word *word, const char *keyword)
{
    return word->kind == WORD_PLAIN && bytes_equal_folded(word->text, keyword);
}

/* Appends the next words, as many as `pattern` has, folded into one line with one space between them. */
static void append_words(struct word_reader words, const char *pattern, struct text *out)
{
    struct syntax_element element;
    while (syntax_next(&pattern, &element)) {
        struct word word = word_next(&words);
        if (word.kind == WORD_END || word.kind == WORD_SEMICOLON)
            return;
        text_append_string(out, out->size > 0 ? " " : "");
        text_append(out, word.text);
    }
}

/* How far the next words are from the keywords of a form; 0: it is this command. */
static size_t distance_to(const struct command_reader *reader, const struct command_form *form)
{
    char keywords_storage[KEYWORDS_SIZE];
    char words_storage[KEYWORDS_SIZE + 1];
    struct text keywords;
    struct text words;
    text_init(&keywords, keywords_storage, sizeof keywords_storage);
    text_init(&words, words_storage, sizeof words_storage);
    syntax_skip_keywords(form->syntax, &keywords);
    append_words(reader->words, keywords_storage, &words);
    return distance_between(text_bytes(&words), text_bytes(&keywords));
}

/* The form whose keywords the next words come nearest to. */
static const struct command_form *find_form(const struct command_reader *reader, size_t *distance)
{
    const struct command_form *best = NULL;
    *distance = SIZE_MAX;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t candidate = distance_to(reader, &command_forms[i]);
        if (candidate < *distance) {
            *distance = candidate;
            best = &command_forms[i];
        }
    }
    return best;
}

static void append_shown(const struct word *word, struct text *out)
{
    struct bytes shown = word->text;
    shown.size = shown.size < SHOWN_WORD_SIZE ? shown.size : SHOWN_WORD_SIZE;
    if (word->kind == WORD_END)
        text_append_string(out, "at the end");
    else
        text_append_format(out, "at or near \"%.*s\"", (int)shown.size, (const char *)shown.data);
}

static void fail_unknown(const struct command_reader *reader, const struct command_form *nearest,
                         size_t distance, struct console_outcome *failure)
{
    char storage[SHOWN_WORD_SIZE + 32];
    struct text shown;
    struct word word = peek(reader);
    text_init(&shown, storage, sizeof storage);
    append_shown(&word, &shown);
    outcome_fail(failure, syntax_error, "unknown command %s", storage);
    failure->position = word_position(&reader->words, &word);
    if (distance > NEAR_MOST) {
        outcome_hint(failure, "HELP lists the commands.");
        return;
    }
    text_init(&shown, storage, sizeof storage);
    syntax_skip_keywords(nearest->syntax, &shown);
    outcome_hint(failure, "Did you mean %s? HELP lists the commands.", storage);
}

static void fail_expected(const struct command_reader *reader, const struct command_form *form,
                          const struct word *word, const char *expected, struct console_outcome *failure)
{
    char storage[SHOWN_WORD_SIZE + 32];
    struct text shown;
    text_init(&shown, storage, sizeof storage);
    append_shown(word, &shown);
    outcome_fail(failure, syntax_error, "expected %s %s", expected, storage);
    outcome_hint(failure, "The command is: %s", form->syntax);
    failure->position = word_position(&reader->words, word);
}

/* Whether the next word begins the group that `first` opens. A plain word that is the keyword behind a group
 * is that keyword, never a name. */
static bool has_group(const struct command_reader *reader, const struct syntax_element *first,
                      const char *behind)
{
    struct word word = peek(reader);
    struct syntax_element next;
    if (first->is_keyword)
        return is_keyword(&word, first->text);
    bool is_next = syntax_next(&behind, &next) && next.is_keyword && is_keyword(&word, next.text);
    return !is_next && word.kind != WORD_END && word.kind != WORD_SEMICOLON;
}

static void skip_group(const char **syntax, struct syntax_element element)
{
    while (!element.closes && syntax_next(syntax, &element))
        continue;
}

static bool take_element(struct command_reader *reader, const struct command_form *form,
                         const struct syntax_element *element, struct console_command *out,
                         struct console_outcome *failure)
{
    struct word word = word_next(&reader->words);
    if (element->is_keyword) {
        if (is_keyword(&word, element->text))
            return true;
        fail_expected(reader, form, &word, element->text, failure);
        return false;
    }
    const struct argument_kind *kind = argument_kind_find(element->text);
    assert(kind != NULL);
    enum argument_result result = kind->take(reader, &word, out, failure);
    if (result == ARGUMENT_FOREIGN)
        fail_expected(reader, form, &word, kind->about, failure);
    else if (result == ARGUMENT_WRONG)
        failure->position = word_position(&reader->words, &word);
    return result == ARGUMENT_TAKEN;
}

static bool take_elements(struct command_reader *reader, const struct command_form *form,
                          struct console_command *out, struct console_outcome *failure)
{
    const char *syntax = form->syntax;
    struct syntax_element element;
    while (syntax_next(&syntax, &element)) {
        if (element.opens && !has_group(reader, &element, syntax))
            skip_group(&syntax, element);
        else if (!take_element(reader, form, &element, out, failure))
            return false;
    }
    struct word word = word_next(&reader->words);
    if (word.kind == WORD_END || word.kind == WORD_SEMICOLON)
        return true;
    fail_expected(reader, form, &word, "the end of the command", failure);
    return false;
}

static bool begins_query(const struct word *word)
{
    static const char *const beginnings[] = { "select", "with", "values", "explain" };
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (is_keyword(word, beginnings[i]))
            return true;
    return false;
}

/* All up to a semicolon or the end. */
static void take_query(struct command_reader *reader, struct console_command *out)
{
    struct word first = word_next(&reader->words);
    struct word word = first;
    while (word.kind != WORD_END && word.kind != WORD_SEMICOLON)
        word = word_next(&reader->words);
    *out = (struct console_command){ .kind = COMMAND_SELECT };
    out->sql = bytes_of(reader->words.query.data + first.offset, word.offset - first.offset);
    out->sql_position = word_position(&reader->words, &first) - 1;
}

/* What drivers say of their own accord: it is taken with all that stands behind it, and changes nothing. */
static bool take_courtesy(struct command_reader *reader, struct console_command *out)
{
    static const struct {
        const char *first;
        const char *second; /* NULL: any */
        enum command_kind kind;
    } courtesies[] = {
        { "begin", NULL, COMMAND_BEGIN },
        { "start", "transaction", COMMAND_BEGIN },
        { "commit", NULL, COMMAND_COMMIT },
        { "end", NULL, COMMAND_COMMIT },
        { "rollback", "to", COMMAND_ROLLBACK_TO },
        { "rollback", NULL, COMMAND_ROLLBACK },
        { "abort", NULL, COMMAND_ROLLBACK },
        { "savepoint", NULL, COMMAND_SAVEPOINT },
        { "release", NULL, COMMAND_RELEASE },
        { "set", "application_name", COMMAND_SET },
        { "set", "client_encoding", COMMAND_SET },
        { "set", "client_min_messages", COMMAND_SET },
        { "set", "datestyle", COMMAND_SET },
        { "set", "extra_float_digits", COMMAND_SET },
        { "set", "intervalstyle", COMMAND_SET },
        { "set", "session", COMMAND_SET }, /* ... characteristics */
        { "set", "statement_timeout", COMMAND_SET },
        { "set", "timezone", COMMAND_SET },
    };
    struct word_reader ahead = reader->words;
    struct word first = word_next(&ahead);
    struct word second = word_next(&ahead);
    for (size_t i = 0; i < COUNT_OF(courtesies); i++) {
        if (!is_keyword(&first, courtesies[i].first) ||
            (courtesies[i].second != NULL && !is_keyword(&second, courtesies[i].second)))
            continue;
        take_query(reader, out);
        out->kind = courtesies[i].kind;
        return true;
    }
    return false;
}

static bool take_command(struct command_reader *reader, struct console_command *out,
                         struct console_outcome *failure)
{
    size_t distance;
    struct word first = peek(reader);
    if (begins_query(&first)) {
        take_query(reader, out);
        return true;
    }
    if (take_courtesy(reader, out))
        return true;
    const struct command_form *form = find_form(reader, &distance);
    if (distance > 0) {
        fail_unknown(reader, form, distance, failure);
        return false;
    }
    *out = (struct console_command){ .kind = (enum command_kind)(form - command_forms) };
    return take_elements(reader, form, out, failure);
}

enum command_result command_next(struct command_reader *reader, struct console_command *out,
                                 struct console_outcome *failure)
{
    *failure = (struct console_outcome){ 0 };
    while (peek(reader).kind == WORD_SEMICOLON)
        (void)word_next(&reader->words);
    if (peek(reader).kind == WORD_END)
        return COMMAND_END;
    if (take_command(reader, out, failure))
        return COMMAND_READY;
    reader->words.at = reader->words.query.size;
    return COMMAND_REFUSED;
}

static bool is_utf8(struct bytes text)
{
    uint32_t code_point;
    size_t size = 1;
    while (text.size > 0 && size > 0) {
        size = utf8_decode(text, &code_point);
        bytes_take(&text, size);
    }
    return size > 0;
}

enum command_result command_check(struct bytes query, int64_t duration_most_us, size_t *count,
                                  struct console_outcome *failure)
{
    struct console_command command;
    struct command_reader reader = command_reader_of(query, duration_most_us);
    enum command_result result;
    *count = 0;
    if (!is_utf8(query)) {
        outcome_fail(failure, "22021", "invalid byte sequence for encoding \"UTF8\"");
        return COMMAND_REFUSED;
    }
    while ((result = command_next(&reader, &command, failure)) == COMMAND_READY)
        ++*count;
    return result;
}
