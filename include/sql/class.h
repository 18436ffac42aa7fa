/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_CLASS_H
#define SQL_CLASS_H

#include <stdbool.h>

enum statement_class {
#define CLASS(symbol, name, level, is_guarded, about) CLASS_##symbol,
#include "sql/classes.def"
#undef CLASS
    CLASS_COUNT
};

enum safety_level { LEVEL_NONE = 1, LEVEL_ADDITIVE = 2, LEVEL_MODIFYING = 3 };

const char *statement_class_name(enum statement_class class);
const char *statement_class_about(enum statement_class class);
enum safety_level statement_class_level(enum statement_class class);
bool statement_class_is_guarded(enum statement_class class);
/* The order of risk, here once: by level, of which what is not guarded has the lowest; then, from the least
 * to the most, none, lock, write, copy-program, opaque, additive, maintenance, dcl, modifying, destructive,
 * unknown (what cannot be taken back, or is not even known, outweighs). Whether the first is riskier than the
 * second. */
bool class_is_riskier(enum statement_class class, enum safety_level level, enum statement_class than,
                      enum safety_level than_level);
/* "none", "additive", "modifying". */
const char *safety_level_name(enum safety_level level);

#endif
