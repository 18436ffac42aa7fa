/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include "control/outcome.h"
#include "control/word.h"
#include "observe/statements.h"
#include "policy/window.h"

enum command_kind {
#define COMMAND(symbol, syntax, role, needs, show, about) COMMAND_##symbol,
#include "control/commands.def"
#undef COMMAND
    COMMAND_COUNT
};

/* In rising order of what they may do. */
enum console_role { ROLE_VIEWER, ROLE_OPERATOR };

const char *console_role_name(enum console_role role);

enum command_needs {
    COMMAND_NEEDS_NOTHING, /* the console answers by itself */
    COMMAND_NEEDS_SNAPSHOT,
    COMMAND_NEEDS_TOTALS, /* with a snapshot, which says which workers are silent */
    COMMAND_NEEDS_JOURNAL,
    COMMAND_NEEDS_CATALOG,
    COMMAND_NEEDS_WINDOWS,
    COMMAND_NEEDS_RULES,
    COMMAND_NEEDS_ORDERS,
    COMMAND_NEEDS_WORKERS,
    COMMAND_NEEDS_SETTINGS,
    COMMAND_NEEDS_HISTORY,
    COMMAND_NEEDS_QUERY,  /* the answer may come later */
    COMMAND_NEEDS_EFFECT, /* the owner does what is asked and says how it ended */
};

struct show_form;

/* A row of the table of commands. */
struct command_form {
    const char *syntax;
    enum console_role role;
    enum command_needs needs;
    const struct show_form *show; /* what its rows are; no columns for a command that answers none */
    const char *about;
};

extern const struct command_form command_forms[COMMAND_COUNT];

enum { PATTERN_SIZE = 256 };

/* A command as it was given; all it says is copied, but for `sql`. */
struct console_command {
    enum command_kind kind;
    uint32_t count;                  /* LIMIT; 0 when not given */
    char name[POLICY_NAME_SIZE];     /* empty when not given */
    int64_t duration_us;             /* FOR, within the command's bound; 0 when not given */
    enum safety_level level;         /* additive or modifying */
    char pattern[PATTERN_SIZE];      /* LIKE; empty when not given */
    struct scope scope;              /* empty where not given */
    char reason[POLICY_REASON_SIZE]; /* empty when not given */
    enum statements_order order;     /* BY; calls when not given */
    struct bytes sql;                /* of SELECT and the like: a view of the text that was read */
    uint32_t sql_position;           /* characters before it in that text */
};

enum { READONLY_DAYS_MOST = 31 }; /* the longest SET READONLY ON FOR */

/* Walks the commands of one query text. */
struct command_reader {
    struct word_reader words;
    int64_t duration_most_us; /* the longest OPEN WINDOW */
};

enum command_result { COMMAND_READY, COMMAND_END, COMMAND_REFUSED };

/* The text must outlive the reader. */
struct command_reader command_reader_of(struct bytes query, int64_t duration_most_us);
/* Takes the next command; empty ones are skipped. REFUSED: *failure says what and where (42601, or 22023 for
 * a value out of bounds), with a hint; the reader is then done. */
MUST_USE enum command_result command_next(struct command_reader *reader, struct console_command *out,
                                          struct console_outcome *failure);
/* Reads all commands of a text, which must be UTF-8 (22021), before the first one runs: END and how many
 * there are, or REFUSED as above. */
MUST_USE enum command_result command_check(struct bytes query, int64_t duration_most_us, size_t *count,
                                           struct console_outcome *failure);

#endif
