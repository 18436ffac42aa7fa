/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_SHOW_H
#define CONTROL_SHOW_H

#include "control/command.h"
#include "control/result.h"
#include "control/world.h"

/* What SHOW commands answer: their columns, and a function that writes their rows. */

struct show_source {
    const struct console_command *command;
    const struct console_world *world; /* NULL when the command needs nothing */
    const char *version;
};

struct show_form {
    const struct result_column *columns;
    size_t column_count; /* 0: the command answers no rows */
    /* Writes the rows. `notice` may be given a message about them. False when memory is short. */
    bool (*fill)(const struct show_source *source, struct result *result, struct console_outcome *notice);
};

enum { SHOW_ROWS_DEFAULT = 1000 }; /* without LIMIT */

/* How many rows are wanted. */
size_t show_rows_most(const struct console_command *command);
/* Says in the notice that there are more than were shown, if so. */
void show_note_rows_left(size_t shown, size_t all, struct console_outcome *notice);

/* Each show_... that the table of commands names. */
#define COMMAND(symbol, syntax, role, needs, show, about) extern const struct show_form show_##show;
#include "control/commands.def"
#undef COMMAND

#endif
