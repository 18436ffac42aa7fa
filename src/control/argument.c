/* SPDX-License-Identifier: PostgreSQL */
#include "control/argument.h"

#include "base/utf8.h"
#include "control/duration.h"

static const char invalid_parameter_value[] = "22023";

static bool has_control(struct bytes text)
{
    while (text.size > 0) {
        uint32_t code_point = 0;
        size_t size = utf8_decode(text, &code_point);
        if (size == 0 || utf8_is_control(code_point))
            return true;
        bytes_take(&text, size);
    }
    return false;
}

/* Copies what the word means; it must be one line of at least one byte that fits. */
static enum argument_result take_text(const struct word *word, const char *what, char *field, size_t capacity,
                                      struct console_outcome *failure)
{
    struct text text;
    text_init(&text, field, capacity);
    word_append_value(word, &text);
    if (text.size == 0)
        outcome_fail(failure, invalid_parameter_value, "%s must not be empty", what);
    else if (text.is_truncated)
        outcome_fail(failure, invalid_parameter_value, "%s has at most %zu bytes", what, capacity - 1);
    else if (has_control(text_bytes(&text)))
        outcome_fail(failure, invalid_parameter_value, "%s must not hold control characters", what);
    return outcome_has_failed(failure) ? ARGUMENT_WRONG : ARGUMENT_TAKEN;
}

static enum argument_result take_name(const struct command_reader *reader, const struct word *word,
                                      struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    if (word->kind != WORD_PLAIN && word->kind != WORD_QUOTED && word->kind != WORD_STRING)
        return ARGUMENT_FOREIGN;
    return take_text(word, "a name", command->name, sizeof command->name, failure);
}

static enum argument_result take_pattern(const struct word *word, char pattern[SERVICE_PATTERN_SIZE],
                                         struct console_outcome *failure)
{
    if (word->kind != WORD_PLAIN && word->kind != WORD_QUOTED && word->kind != WORD_STRING)
        return ARGUMENT_FOREIGN;
    return take_text(word, "a pattern", pattern, SERVICE_PATTERN_SIZE, failure);
}

static enum argument_result take_service(const struct command_reader *reader, const struct word *word,
                                         struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    return take_pattern(word, command->scope.service, failure);
}

static enum argument_result take_user(const struct command_reader *reader, const struct word *word,
                                      struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    return take_pattern(word, command->scope.user, failure);
}

static enum argument_result take_database(const struct command_reader *reader, const struct word *word,
                                          struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    return take_pattern(word, command->scope.database, failure);
}

static enum argument_result take_like(const struct command_reader *reader, const struct word *word,
                                      struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    if (word->kind != WORD_STRING)
        return ARGUMENT_FOREIGN;
    return take_text(word, "a pattern", command->pattern, sizeof command->pattern, failure);
}

static enum argument_result take_reason(const struct command_reader *reader, const struct word *word,
                                        struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    if (word->kind != WORD_STRING)
        return ARGUMENT_FOREIGN;
    return take_text(word, "a reason", command->reason, sizeof command->reason, failure);
}

static enum argument_result take_count(const struct command_reader *reader, const struct word *word,
                                       struct console_command *command, struct console_outcome *failure)
{
    enum { COUNT_MOST = 1000000 };
    (void)reader;
    uint32_t count = 0;
    for (size_t i = 0; i < word->text.size; i++) {
        uint8_t digit = (uint8_t)(word->text.data[i] - '0');
        if (digit > 9)
            return ARGUMENT_FOREIGN;
        count = count > COUNT_MOST ? count : count * 10 + digit;
    }
    if (word->kind != WORD_PLAIN)
        return ARGUMENT_FOREIGN;
    command->count = count;
    if (count >= 1 && count <= COUNT_MOST)
        return ARGUMENT_TAKEN;
    outcome_fail(failure, invalid_parameter_value, "a count is from 1 to %d", COUNT_MOST);
    return ARGUMENT_WRONG;
}

static enum argument_result take_level(const struct command_reader *reader, const struct word *word,
                                       struct console_command *command, struct console_outcome *failure)
{
    static const enum safety_level levels[] = { LEVEL_ADDITIVE, LEVEL_MODIFYING };
    (void)reader;
    (void)failure;
    for (size_t i = 0; word->kind == WORD_PLAIN && i < COUNT_OF(levels); i++) {
        command->level = levels[i];
        if (bytes_equal_folded(word->text, safety_level_name(levels[i])))
            return ARGUMENT_TAKEN;
    }
    return ARGUMENT_FOREIGN;
}

static enum argument_result take_order(const struct command_reader *reader, const struct word *word,
                                       struct console_command *command, struct console_outcome *failure)
{
    static const char *const orders[] = {
        [STATEMENTS_BY_CALLS] = "calls", [STATEMENTS_BY_TIME] = "time", [STATEMENTS_BY_ERRORS] = "errors"
    };
    (void)reader;
    (void)failure;
    for (size_t i = 0; word->kind == WORD_PLAIN && i < COUNT_OF(orders); i++) {
        command->order = (enum statements_order)i;
        if (bytes_equal_folded(word->text, orders[i]))
            return ARGUMENT_TAKEN;
    }
    return ARGUMENT_FOREIGN;
}

/* A text that begins a query, or is a driver's courtesy, is read as such before the syntax is asked. */
static enum argument_result take_nothing(const struct command_reader *reader, const struct word *word,
                                         struct console_command *command, struct console_outcome *failure)
{
    (void)reader;
    (void)word;
    (void)command;
    (void)failure;
    return ARGUMENT_FOREIGN;
}

static int64_t duration_most(const struct command_reader *reader, const struct console_command *command)
{
    static const int64_t day_us = INT64_C(86400000000);
    return command->kind == COMMAND_SET_READONLY_ON ? READONLY_DAYS_MOST * day_us : reader->duration_most_us;
}

static enum argument_result take_duration(const struct command_reader *reader, const struct word *word,
                                          struct console_command *command, struct console_outcome *failure)
{
    char storage[64];
    struct text text;
    if (word->kind != WORD_STRING)
        return ARGUMENT_FOREIGN;
    text_init(&text, storage, sizeof storage);
    word_append_value(word, &text);
    if (text.is_truncated || !duration_parse(text_bytes(&text), &command->duration_us)) {
        outcome_fail(failure, invalid_parameter_value, "not a span of time");
        outcome_hint(failure, "Write it as '30m', '1h30m' or '90 minutes'.");
        return ARGUMENT_WRONG;
    }
    int64_t most_us = duration_most(reader, command);
    if (command->duration_us <= most_us)
        return ARGUMENT_TAKEN;
    text_init(&text, storage, sizeof storage);
    text_append_duration(&text, most_us);
    outcome_fail(failure, invalid_parameter_value, "longer than the longest allowed, %s", storage);
    return ARGUMENT_WRONG;
}

static const struct argument_kind argument_kinds[] = {
    { "name", "a name", take_name },
    { "service", "a service", take_service },
    { "user", "a user", take_user },
    { "database", "a database", take_database },
    { "count", "a whole number", take_count },
    { "order", "CALLS, TIME or ERRORS", take_order },
    { "query", "a query", take_nothing },
    { "setting", "READONLY or a setting that drivers make", take_nothing },
    { "level", "ADDITIVE or MODIFYING", take_level },
    { "'duration'", "a span of time in single quotes", take_duration },
    { "'pattern'", "a pattern in single quotes", take_like },
    { "'reason'", "a text in single quotes", take_reason },
};

const struct argument_kind *argument_kind_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(argument_kinds); i++)
        if (strcmp(argument_kinds[i].name, name) == 0)
            return &argument_kinds[i];
    return NULL;
}
