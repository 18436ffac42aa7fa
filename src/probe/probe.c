/* SPDX-License-Identifier: PostgreSQL */
#include "probe/probe.h"

#include "probe/connection.h"

#include <stdlib.h>

/*   start ──► connecting ──► reported by the server (14 and later) ──► result
 *                  │
 *                  └───────► asking: SHOW transaction_read_only ─────► result   */
struct probe {
    struct connection connection;
    enum probe_result result;
    bool is_asking;
};

static void probe_fail(struct probe *probe, const char *message)
{
    connection_fail(&probe->connection, message);
    probe->result = PROBE_FAILED;
}

struct probe *probe_start(const struct probe_plan *plan)
{
    struct parameters parameters;
    struct probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL)
        return NULL;
    connection_init(&probe->connection);
    if (!parameters_init(&parameters, plan, &probe->connection.reason)) {
        probe->result = PROBE_FAILED;
        return probe;
    }
    if (!connection_open(&probe->connection, &parameters))
        probe->result = PROBE_FAILED;
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
    if (!connection_exchange(&probe->connection))
        probe->result = PROBE_FAILED;
    else if (PQisBusy(probe->connection.handle) == 0)
        answer_read(probe, PQgetResult(probe->connection.handle));
}

/* A server of 14 or later reports all that decides (manual: "Asynchronous Operations" of the protocol); older
 * ones are asked. */
static void step_connected(struct probe *probe)
{
    const char *standby = PQparameterStatus(probe->connection.handle, "in_hot_standby");
    const char *read_only = PQparameterStatus(probe->connection.handle, "default_transaction_read_only");
    if (standby != NULL && read_only != NULL) {
        probe_judge(probe, strcmp(standby, "off") == 0 && strcmp(read_only, "off") == 0);
        return;
    }
    probe->is_asking = true;
    if (!connection_ask(&probe->connection, "SHOW transaction_read_only"))
        probe->result = PROBE_FAILED;
    else
        step_asking(probe);
}

static void step_connecting(struct probe *probe)
{
    switch (connection_poll(&probe->connection)) {
    case CONNECTION_UNDER_WAY:
        break;
    case CONNECTION_OPEN:
        step_connected(probe);
        break;
    case CONNECTION_FAILED:
        probe->result = PROBE_FAILED;
        break;
    }
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
    return PQsocket(probe->connection.handle);
}

enum probe_wish probe_wants(const struct probe *probe)
{
    return probe->connection.wish;
}

const char *probe_reason(const struct probe *probe)
{
    return probe->connection.reason_storage;
}

void probe_cancel(struct probe *probe)
{
    if (probe == NULL)
        return;
    connection_close(&probe->connection);
    free(probe);
}
