/* SPDX-License-Identifier: PostgreSQL */
#ifndef PROBE_CONNECTION_H
#define PROBE_CONNECTION_H

#include "probe/parameters.h"

/* One connection of libpq that never blocks, and why it failed. */

enum { CONNECTION_REASON_SIZE = 512 };

struct connection {
    PGconn *handle; /* NULL when it was not to be had */
    enum probe_wish wish;
    struct text reason;
    char reason_storage[CONNECTION_REASON_SIZE];
};

enum connection_progress { CONNECTION_UNDER_WAY, CONNECTION_OPEN, CONNECTION_FAILED };

/* The structure must stay where it is. */
void connection_init(struct connection *connection);
void connection_close(struct connection *connection);
/* Begins to connect. False when it cannot be, with a reason; so do the other functions fail. */
MUST_USE bool connection_open(struct connection *connection, const struct parameters *parameters);
MUST_USE enum connection_progress connection_poll(struct connection *connection);
/* Once it is open: sends a query, simple protocol. */
MUST_USE bool connection_ask(struct connection *connection, const char *sql);
/* Sends and receives what can be without blocking. */
MUST_USE bool connection_exchange(struct connection *connection);
/* Notes the line of libpq's message that tells most, made fit to show. */
void connection_fail(struct connection *connection, const char *message);

#endif
