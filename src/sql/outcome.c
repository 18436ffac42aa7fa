/* SPDX-License-Identifier: PostgreSQL */
#include "sql/outcome.h"

struct outcome outcome_of(enum statement_class class, enum safety_level level, const struct command *command)
{
    struct outcome outcome = { .class = class, .level = level, .command = command };
    outcome.levels[class] = (uint8_t)level;
    return outcome;
}

static void note_level(struct outcome *outcome, enum statement_class class, uint8_t level)
{
    if (level > outcome->levels[class])
        outcome->levels[class] = level;
}

void outcome_add(struct outcome *outcome, enum statement_class class, enum safety_level level)
{
    outcome->levels[CLASS_NONE] = 0;
    note_level(outcome, class, (uint8_t)level);
    if (class_is_riskier(class, level, outcome->class, outcome->level)) {
        outcome->class = class;
        outcome->level = level;
    }
}

void outcome_unite(struct outcome *outcome, const struct outcome *other)
{
    bool is_riskier = class_is_riskier(other->class, other->level, outcome->class, outcome->level);
    if (is_riskier || outcome->command == NULL)
        outcome->command = other->command;
    if (is_riskier) {
        outcome->class = other->class;
        outcome->level = other->level;
    }
    for (size_t class = 0; class < CLASS_COUNT; class ++)
        note_level(outcome, (enum statement_class) class, other->levels[class]);
}
