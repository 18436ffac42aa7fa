/* SPDX-License-Identifier: PostgreSQL */
#include "probe/probe.h"

#include "probe/parameters.h"

#include <stdlib.h>

enum { REASON_SIZE = 512 };

/*   start ──► connecting ──► reported by the server (14 and later) ──► result
 *                  │
 *                  └───────► asking: SHOW transaction_read_only ─────► result   */
struct probe {
    PGconn *connection; /* NULL when it was not to be had */
    enum probe_result result;
    enum probe_wish wish;
    bool is_asking;
    struct text reason;
    char reason_storage[REASON_SIZE];
};

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

static void probe_fail(struct probe *probe, const char *message)
{
    struct bytes line = telling_line(message);
    probe->result = PROBE_FAILED;
    text_append_printable(&probe->reason, line.size > 0 ? line : bytes_text("libpq gives no reason"));
}

/* Notices would go to the standard error. */
static void on_notice(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice;
}

/* Whether an address from elsewhere, a service file or the environment, stands in place of the host's own. */
static bool is_led_astray(PGconn *connection)
{
    PQconninfoOption *options = PQconninfo(connection);
    const PQconninfoOption *option = options;
    while (option != NULL && option->keyword != NULL && strcmp(option->keyword, "hostaddr") != 0)
        option++;
    bool has_address = option != NULL && option->val != NULL && option->val[0] != '\0';
    PQconninfoFree(options);
    return has_address;
}

static void probe_connect(struct probe *probe, const struct parameters *parameters)
{
    probe->connection = PQconnectStartParams(parameters->keywords, parameters->values, 0);
    if (probe->connection == NULL) {
        probe_fail(probe, "memory is short");
        return;
    }
    PQsetNoticeReceiver(probe->connection, on_notice, NULL);
    PQsetErrorVerbosity(probe->connection, PQERRORS_VERBOSE); /* with SQLSTATE, in the first line */
    if (PQstatus(probe->connection) == CONNECTION_BAD)
        probe_fail(probe, PQerrorMessage(probe->connection));
    else if (!parameters->is_ip && is_led_astray(probe->connection))
        probe_fail(probe, "hostaddr is set by the environment or a service file");
}

struct probe *probe_start(const struct probe_plan *plan)
{
    struct parameters parameters;
    struct probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return NULL;
    probe->wish = PROBE_TO_WRITE;
    text_init(&probe->reason, probe->reason_storage, sizeof probe->reason_storage);
    if (!parameters_init(&parameters, plan, &probe->reason)) {
        probe->result = PROBE_FAILED;
        return probe;
    }
    probe_connect(probe, &parameters);
    parameters_release(&parameters);
    return probe;
}

static void probe_judge(struct probe *probe, bool may_write)
{
    probe->result = may_write ? PROBE_FIT : PROBE_UNFIT;
}

static void answer_read(struct probe *probe, PGresult *answer)
{
    bool is_value =
        PQresultStatus(answer) == PGRES_TUPLES_OK && PQntuples(answer) == 1 && PQnfields(answer) == 1;
    const char *value = is_value ? PQgetvalue(answer, 0, 0) : "";
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0)
        probe_judge(probe, strcmp(value, "off") == 0);
    else if (PQresultStatus(answer) == PGRES_FATAL_ERROR)
        probe_fail(probe, PQresultErrorMessage(answer));
    else
        probe_fail(probe, "the server's answer to SHOW transaction_read_only is neither on nor off");
    PQclear(answer);
}

static void step_asking(struct probe *probe)
{
    int unsent = PQflush(probe->connection);
    if (unsent < 0 || PQconsumeInput(probe->connection) == 0) {
        probe_fail(probe, PQerrorMessage(probe->connection));
        return;
    }
    probe->wish = unsent > 0 ? PROBE_TO_READ_OR_WRITE : PROBE_TO_READ;
    if (PQisBusy(probe->connection) == 0)
        answer_read(probe, PQgetResult(probe->connection));
}

/* A server of 14 or later reports all that decides (manual: "Asynchronous Operations" of the protocol); older
 * ones are asked. */
static void step_connected(struct probe *probe)
{
    const char *standby = PQparameterStatus(probe->connection, "in_hot_standby");
    const char *read_only = PQparameterStatus(probe->connection, "default_transaction_read_only");
    if (standby != NULL && read_only != NULL) {
        probe_judge(probe, strcmp(standby, "off") == 0 && strcmp(read_only, "off") == 0);
        return;
    }
    probe->is_asking = true;
    if (PQsetnonblocking(probe->connection, 1) != 0 ||
        PQsendQuery(probe->connection, "SHOW transaction_read_only") == 0)
        probe_fail(probe, PQerrorMessage(probe->connection));
    else
        step_asking(probe);
}

static void step_connecting(struct probe *probe)
{
    switch (PQconnectPoll(probe->connection)) {
    case PGRES_POLLING_READING:
        probe->wish = PROBE_TO_READ;
        return;
    case PGRES_POLLING_WRITING:
        probe->wish = PROBE_TO_WRITE;
        return;
    case PGRES_POLLING_OK:
        step_connected(probe);
        return;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        break;
    }
    probe_fail(probe, PQerrorMessage(probe->connection));
}

void probe_step(struct probe *probe)
{
    if (probe->result != PROBE_WAITING)
        return;
    if (probe->is_asking)
        step_asking(probe);
    else
        step_connecting(probe);
}

enum probe_result probe_result(const struct probe *probe)
{
    return probe->result;
}

int probe_socket(const struct probe *probe)
{
    return PQsocket(probe->connection);
}

enum probe_wish probe_wants(const struct probe *probe)
{
    return probe->wish;
}

const char *probe_reason(const struct probe *probe)
{
    return probe->reason_storage;
}

void probe_cancel(struct probe *probe)
{
    if (probe == NULL)
        return;
    PQfinish(probe->connection);
    free(probe);
}
