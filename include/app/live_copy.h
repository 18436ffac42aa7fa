/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_LIVE_COPY_H
#define APP_LIVE_COPY_H

#include "control/show.h"
#include "history/query.h"

/* Tables that queries see beside those of the history: what SHOW commands show, copied on the control thread
 * before the query begins. */
struct live_copies;

/* A live table and whose rows it has. */
struct live_form {
    const char *name;
    enum command_kind command;
};

const struct live_form *live_forms(size_t *count);
/* Whether a text holds the name of a table, in whatever case. */
bool live_form_occurs(const struct live_form *form, struct bytes text);

/* NULL when memory is short. */
struct live_copies *live_copies_create(void);
void live_copies_destroy(struct live_copies *copies); /* NULL is allowed */
/* Copies what the command would show of the world. False when memory is short. */
MUST_USE bool live_copies_add(struct live_copies *copies, const struct live_form *form,
                              const struct console_world *world, const char *version);
/* They live as long as the copies. The table of all live tables is one of them. */
const struct history_live_table *live_copies_tables(const struct live_copies *copies);
size_t live_copies_count(const struct live_copies *copies);

#endif
