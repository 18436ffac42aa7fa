/* SPDX-License-Identifier: PostgreSQL */
#include "sql/verdict.h"

static void add_level(struct verdict *verdict, enum statement_class class, enum safety_level level)
{
    verdict->classes |= (uint16_t)(1u << class);
    if (verdict->levels[class] < level)
        verdict->levels[class] = (uint8_t)level;
}

void verdict_unite(struct verdict *verdict, const struct verdict *other)
{
    if (class_is_riskier(other->class, other->level, verdict->class, verdict->level)) {
        verdict->class = other->class;
        verdict->level = other->level;
        verdict->command = other->command;
    }
    verdict->is_guarded |= other->is_guarded;
    verdict->has_temporary |= other->has_temporary;
    verdict->statement_count += other->statement_count;
    for (size_t class = 0; class < CLASS_COUNT; class ++)
        if ((other->classes >> class & 1) != 0)
            add_level(verdict, (enum statement_class) class, (enum safety_level)other->levels[class]);
    bool has_executes = name_list_add_all(&verdict->executes, &other->executes);
    bool has_prepares = name_list_add_all(&verdict->prepares, &other->prepares);
    if (has_executes && has_prepares)
        return;
    verdict->class = CLASS_UNKNOWN;
    verdict->level = LEVEL_MODIFYING;
    verdict->is_guarded = true;
    add_level(verdict, CLASS_UNKNOWN, LEVEL_MODIFYING);
}

bool verdict_covers(const struct verdict *verdict, const struct verdict *other)
{
    for (size_t class = 0; class < CLASS_COUNT; class ++)
        if (class != CLASS_NONE && (other->classes >> class & 1) != 0 &&
            ((verdict->classes >> class & 1) == 0 || verdict->levels[class] < other->levels[class]))
            return false;
    for (const char *name = NULL; (name = name_list_next(&other->executes, name)) != NULL;)
        if (!name_list_holds(&verdict->executes, name))
            return false;
    return verdict->is_guarded || !other->is_guarded;
}
