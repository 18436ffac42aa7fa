/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_CONSOLE_STATE_H
#define CONTROL_CONSOLE_STATE_H

#include "control/console.h"
#include "control/extended.h"

/* The inside of a console: for src/control/console*.c only. */

/*     LOGIN --> IDLE --Query--> RUNNING --> ASKING --console_answer--> RUNNING --> IDLE
 *                `--Execute--> ASKING --console_answer--> IDLE, or with an error SKIPPING --Sync--> IDLE
 *     and from any of them to OVER
 */
enum console_phase {
    CONSOLE_LOGIN,
    CONSOLE_IDLE,
    CONSOLE_RUNNING,
    CONSOLE_ASKING,
    CONSOLE_SKIPPING,
    CONSOLE_OVER
};

struct console {
    const struct console_options *settings;
    enum console_phase phase;
    bool has_logged_in;
    bool is_in_transaction; /* as drivers see it: BEGIN was said, and their portals stay */
    struct login login;
    struct inbox inbox;
    struct extended extended;
    bool is_extended; /* what runs came by Execute: its rows are not described, its error skips to Sync */
    uint32_t binary_columns;        /* of what runs */
    struct prepared *asked;         /* of the extended protocol, what is to be executed or described */
    bool is_description;            /* only to be described */
    struct buffer query;            /* the text that is running, unless is_extended */
    struct command_reader reader;   /* in it */
    struct console_command command; /* asked last */
    struct history_value name;      /* of that command */
};

#define CONSOLE_LIMIT_EXCEEDED "54000" /* program_limit_exceeded */

/* What came is dealt with: says so and waits for the next. */
void console_ready(struct console *console, struct buffer *out);
/* What runs is over with this error. */
void console_fail(struct console *console, const struct console_outcome *failure, struct buffer *out);
/* The command asked last needs an answer of the console's owner. */
void console_begin_asking(struct console *console);
/* Runs the command asked last, if it may. */
void console_run_command(struct console *console, struct buffer *out);
/* Runs the next command of the text. */
void console_run_next(struct console *console, struct buffer *out);

#endif
