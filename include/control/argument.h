/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_ARGUMENT_H
#define CONTROL_ARGUMENT_H

#include "control/command.h"

/* The values that a command's syntax may ask for. */

enum argument_result {
    ARGUMENT_TAKEN,
    ARGUMENT_FOREIGN, /* the word is not of this kind */
    ARGUMENT_WRONG,   /* it is, but out of bounds: *failure says how */
};

struct argument_kind {
    const char *name;  /* as in commands.def */
    const char *about; /* for "expected ..." */
    /* Sets the argument's member of the command. */
    enum argument_result (*take)(const struct command_reader *reader, const struct word *word,
                                 struct console_command *command, struct console_outcome *failure);
};

/* NULL where commands.def knows no such value. */
const struct argument_kind *argument_kind_find(const char *name);

#endif
