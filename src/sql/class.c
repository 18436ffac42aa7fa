/* SPDX-License-Identifier: PostgreSQL */
#include "sql/class.h"

#include <stdint.h>

struct class_row {
    const char *name;
    enum safety_level level;
    bool is_guarded;
    const char *about;
};

static const struct class_row rows[CLASS_COUNT] = {
#define CLASS(symbol, name, level, is_guarded, about)                                                        \
    [CLASS_##symbol] = { name, (enum safety_level)level, is_guarded, about },
#include "sql/classes.def"
#undef CLASS
};

const char *statement_class_name(enum statement_class class)
{
    return rows[class].name;
}

const char *statement_class_about(enum statement_class class)
{
    return rows[class].about;
}

enum safety_level statement_class_level(enum statement_class class)
{
    return rows[class].level;
}

bool statement_class_is_guarded(enum statement_class class)
{
    return rows[class].is_guarded;
}

bool class_is_riskier(enum statement_class class, enum safety_level level, enum statement_class than,
                      enum safety_level than_level)
{
    static const uint8_t ranks[CLASS_COUNT] = {
        [CLASS_NONE] = 0,      [CLASS_LOCK] = 1,        [CLASS_WRITE] = 2,       [CLASS_COPY_PROGRAM] = 3,
        [CLASS_OPAQUE] = 4,    [CLASS_ADDITIVE] = 5,    [CLASS_MAINTENANCE] = 6, [CLASS_DCL] = 7,
        [CLASS_MODIFYING] = 8, [CLASS_DESTRUCTIVE] = 9, [CLASS_UNKNOWN] = 10,
    };
    return level != than_level ? level > than_level : ranks[class] > ranks[than];
}

const char *safety_level_name(enum safety_level level)
{
    static const char *const names[] = {
        [LEVEL_NONE] = "none", [LEVEL_ADDITIVE] = "additive", [LEVEL_MODIFYING] = "modifying"
    };
    return names[level];
}
