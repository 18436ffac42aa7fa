/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_VALUE_H
#define CONTROL_VALUE_H

#include "control/command.h"

/* The values that a command's syntax may have. */

enum value_result {
    VALUE_TAKEN,
    VALUE_FOREIGN, /* the word is not of this kind */
    VALUE_WRONG,   /* it is, but out of bounds: *failure says how */
};

struct value_kind {
    const char *name;  /* as in commands.def */
    const char *about; /* for "expected ..." */
    /* Sets the value's member of the command. */
    enum value_result (*take)(const struct command_reader *reader, const struct word *word,
                              struct command *command, struct outcome *failure);
};

/* NULL where commands.def knows no such value. */
const struct value_kind *value_kind_find(const char *name);

#endif
