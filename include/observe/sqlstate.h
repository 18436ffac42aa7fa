/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SQLSTATE_H
#define OBSERVE_SQLSTATE_H

#include "base/bytes.h"

enum error_family {
#define FAMILY(symbol, name, about) FAMILY_##symbol,
#include "observe/families.def"
#undef FAMILY
    FAMILY_COUNT
};

enum { FAMILIES_ALL = (1 << FAMILY_COUNT) - 1 };

const char *error_family_name(enum error_family family);
const char *error_family_about(enum error_family family);

enum { SQLSTATE_SIZE = 6 }; /* five characters and a NUL */

struct sqlstate {
    char code[SQLSTATE_SIZE];
    uint8_t family;   /* enum error_family */
    const char *name; /* of the condition: "unique_violation" */
};

/* The row of a code, or NULL where no server has it: such codes come from functions. */
const struct sqlstate *sqlstate_find(struct bytes code);
/* The family of any code; of one that is unknown, its class's (23ABC: violation). */
enum error_family sqlstate_family(struct bytes code);

#endif
