/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_SNAPSHOT_H
#define OBSERVE_SNAPSHOT_H

#include "base/address.h"
#include "observe/counters.h"
#include "observe/docket.h"
#include "observe/violation.h"

/* One session as the console shows it. */
struct session_row {
    uint64_t id;
    uint32_t worker;
    int64_t opened_us; /* wall clock */
    int64_t active_us; /* when the client last sent a message, or the server became ready for one */
    char address[ADDRESS_TEXT_SIZE];
    char upstream[NAME_SIZE];
    char user[NAME_SIZE];
    char database[NAME_SIZE];
    char application_name[NAME_SIZE];
    char service[NAME_SIZE];
    const char *phase; /* a constant: "starting", "authenticating", "idle", "active", "in transaction" ... */
    const char *client_tls; /* "TLSv1.3", or "" where the connection is not encrypted; constants */
    const char *server_tls;
    uint32_t in_flight;      /* requests not yet answered */
    uint64_t bytes_received; /* from the client */
    uint64_t bytes_sent;     /* to the client */
    uint64_t errors;
    uint64_t violations;
};

/* What the workers knew at one moment, put together. */
struct snapshot {
    struct counters counters;
    struct docket docket;
    struct session_row *sessions;
    size_t session_count;
    size_t session_capacity;
    uint32_t workers;        /* asked */
    uint32_t workers_silent; /* did not answer in time: what is shown lacks their part */
};

/* The docket holds up to `entries`. */
void snapshot_init(struct snapshot *snapshot, const struct hash_key *key, size_t entries);
void snapshot_release(struct snapshot *snapshot);
/* Adds all of `from` to `into`. Rows of sessions are left out when memory is short. */
void snapshot_merge(struct snapshot *into, const struct snapshot *from);
/* A zeroed row at the end, or NULL when memory is short. */
struct session_row *snapshot_add_session(struct snapshot *snapshot);

#endif
