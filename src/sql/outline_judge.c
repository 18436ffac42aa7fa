/* SPDX-License-Identifier: PostgreSQL */
#include "sql/outline.h"

/* Whether nothing of it stays when the session ends. */
static bool is_temporary(const struct outline *outline)
{
    bool is_name_open = outline->phase == OUTLINE_TARGET || outline->phase == OUTLINE_TARGET_BEHIND;
    bool has_permanent = outline->names_permanent || is_name_open;
    return outline->is_temporary || (outline->names_temporary && !has_permanent);
}

static void set_outcome(struct outcome *outcome, enum statement_class class, enum safety_level level)
{
    *outcome = outcome_of(class, level, outcome->command);
}

static void judge_reindex(const struct outline *outline, struct outcome *outcome)
{
    if (outline->is_concurrent && !outline->has_values)
        set_outcome(outcome, outcome->class, LEVEL_ADDITIVE);
}

static void judge_alteration(struct outline *outline, struct outcome *outcome)
{
    enum safety_level level = alteration_end(&outline->alteration);
    if (level == LEVEL_ADDITIVE)
        set_outcome(outcome, CLASS_ADDITIVE, level);
}

static void judge_create(const struct outline *outline, struct outcome *outcome)
{
    if (outline->is_replacing || outline->is_partition)
        set_outcome(outcome, CLASS_MODIFYING, LEVEL_MODIFYING);
}

static void judge_shape(struct outline *outline, struct outcome *outcome)
{
    switch (outcome->command->shape) {
    case SHAPE_SELECT:
    case SHAPE_WITH:
        if (outline->is_selecting_into)
            *outcome = outcome_of(CLASS_ADDITIVE, LEVEL_ADDITIVE, command_select_into());
        break;
    case SHAPE_CREATE:
    case SHAPE_CREATE_TABLE:
    case SHAPE_CREATE_SCHEMA:
        judge_create(outline, outcome);
        break;
    case SHAPE_ALTER_TABLE:
    case SHAPE_ALTER_TYPE:
    case SHAPE_ALTER_STATISTICS:
        judge_alteration(outline, outcome);
        break;
    case SHAPE_VACUUM:
        if (outline->is_full)
            set_outcome(outcome, CLASS_MAINTENANCE, LEVEL_MODIFYING);
        break;
    case SHAPE_REINDEX:
        judge_reindex(outline, outcome);
        break;
    default:
        break;
    }
}

struct outcome outline_judge(struct outline *outline)
{
    struct outcome outcome = outcome_of(CLASS_NONE, LEVEL_NONE, outline->command);
    if (outline->command == NULL)
        return outcome;
    if (outline->phase >= OUTLINE_INTO && outline->phase <= OUTLINE_INTO_SCHEMA)
        outline->is_selecting_into = true;
    set_outcome(&outcome, outline->command->class, outline->command->level);
    judge_shape(outline, &outcome);
    if (is_temporary(outline) && !command_is_query(outline->command))
        set_outcome(&outcome, CLASS_NONE, LEVEL_NONE);
    if (outline->change.is_write)
        outcome_add(&outcome, CLASS_WRITE, LEVEL_NONE);
    if (outline->change.is_outside)
        outcome_add(&outcome, CLASS_COPY_PROGRAM, LEVEL_NONE);
    return outcome;
}
