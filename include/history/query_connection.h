/* SPDX-License-Identifier: PostgreSQL */
#ifndef HISTORY_QUERY_CONNECTION_H
#define HISTORY_QUERY_CONNECTION_H

#include "history/live_table.h"

struct sqlite3;

/* A connection that shows a view and can do nothing but read. */
struct query_connection {
    struct sqlite3 *connection;
    struct live_table *live; /* one for each live table of the question */
    bool has_denied;         /* something that a query wanted to do */
};

/* Looks at a question's limits; not 0 stops what SQLite is at. */
struct query_look {
    int (*at_limits)(void *context);
    void *context; /* lives as long as the connection */
};

/* Opens it; `failure` says whether it is partial, and why it is or cannot be opened. It looks at the limits
 * from then on, and while what waits is laid over the file. Released in any case. */
MUST_USE enum history_answer query_connection_open(struct query_connection *query,
                                                   const struct history_view *view,
                                                   const struct history_question *question,
                                                   const struct query_look *look,
                                                   struct history_failure *failure);
void query_connection_release(struct query_connection *query);

#endif
