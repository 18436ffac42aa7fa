/* SPDX-License-Identifier: PostgreSQL */
#include "probe/connection.h"

void connection_init(struct connection *connection)
{
    *connection = (struct connection){ .wish = PROBE_TO_WRITE };
    text_init(&connection->reason, connection->reason_storage, sizeof connection->reason_storage);
}

void connection_close(struct connection *connection)
{
    PQfinish(connection->handle);
    connection->handle = NULL;
}

/* libpq tries the addresses of a name in turn and says of each what happened, each in a paragraph of its own:
 * the last is where it got furthest. */
static struct bytes telling_line(const char *message)
{
    struct bytes rest = bytes_text(message);
    struct bytes told = BYTES_NONE;
    while (rest.size > 0) {
        struct bytes line = bytes_take(&rest, bytes_find(rest, '\n'));
        if (told.data == NULL || bytes_start_with(line, "connection to server "))
            told = line;
        (void)bytes_take(&rest, rest.size > 0 ? 1 : 0);
    }
    return told;
}

void connection_fail(struct connection *connection, const char *message)
{
    struct bytes line = telling_line(message);
    text_append_printable(&connection->reason, line.size > 0 ? line : bytes_text("libpq gives no reason"));
}

/* Notices would go to the standard error. */
static void on_notice(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice;
}

/* Whether an address from elsewhere, a service file or the environment, stands in place of the host's own. */
static bool is_led_astray(PGconn *handle)
{
    PQconninfoOption *options = PQconninfo(handle);
    const PQconninfoOption *option = options;
    while (option != NULL && option->keyword != NULL && strcmp(option->keyword, "hostaddr") != 0)
        option++;
    bool has_address = option != NULL && option->val != NULL && option->val[0] != '\0';
    PQconninfoFree(options);
    return has_address;
}

static bool connection_refuse(struct connection *connection, const char *message)
{
    connection_fail(connection, message);
    return false;
}

bool connection_open(struct connection *connection, const struct parameters *parameters)
{
    bool may_be_elsewhere = parameters->is_ip || parameters->is_in_string;
    connection->handle = PQconnectStartParams(parameters->keywords, parameters->values, 0);
    if (connection->handle == NULL)
        return connection_refuse(connection, "memory is short");
    PQsetNoticeReceiver(connection->handle, on_notice, NULL);
    PQsetErrorVerbosity(connection->handle, PQERRORS_VERBOSE); /* with SQLSTATE, in the first line */
    if (PQstatus(connection->handle) == CONNECTION_BAD)
        return connection_refuse(connection, PQerrorMessage(connection->handle));
    if (!may_be_elsewhere && is_led_astray(connection->handle))
        return connection_refuse(connection, "hostaddr is set by the environment or a service file");
    return true;
}

enum connection_progress connection_poll(struct connection *connection)
{
    switch (PQconnectPoll(connection->handle)) {
    case PGRES_POLLING_READING:
        connection->wish = PROBE_TO_READ;
        return CONNECTION_UNDER_WAY;
    case PGRES_POLLING_WRITING:
        connection->wish = PROBE_TO_WRITE;
        return CONNECTION_UNDER_WAY;
    case PGRES_POLLING_OK:
        return CONNECTION_OPEN;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        break;
    }
    connection_fail(connection, PQerrorMessage(connection->handle));
    return CONNECTION_FAILED;
}

bool connection_ask(struct connection *connection, const char *sql)
{
    return (PQsetnonblocking(connection->handle, 1) == 0 && PQsendQuery(connection->handle, sql) != 0) ||
           connection_refuse(connection, PQerrorMessage(connection->handle));
}

bool connection_exchange(struct connection *connection)
{
    int unsent = PQflush(connection->handle);
    if (unsent < 0 || PQconsumeInput(connection->handle) == 0)
        return connection_refuse(connection, PQerrorMessage(connection->handle));
    connection->wish = unsent > 0 ? PROBE_TO_READ_OR_WRITE : PROBE_TO_READ;
    return true;
}
