/* SPDX-License-Identifier: PostgreSQL */
#include "observe/snapshot.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

void snapshot_init(struct snapshot *snapshot, const struct hash_key *key, size_t entries)
{
    *snapshot = (struct snapshot){ 0 };
    docket_init(&snapshot->docket, key, entries);
}

void snapshot_release(struct snapshot *snapshot)
{
    docket_release(&snapshot->docket);
    free(snapshot->sessions);
    snapshot->sessions = NULL;
    snapshot->session_count = snapshot->session_capacity = 0;
}

static bool snapshot_grow(struct snapshot *snapshot)
{
    size_t capacity = snapshot->session_capacity > 0 ? snapshot->session_capacity * 2 : FIRST_CAPACITY;
    struct session_row *sessions = reallocarray(snapshot->sessions, capacity, sizeof *sessions);
    if (sessions == NULL)
        return false;
    snapshot->sessions = sessions;
    snapshot->session_capacity = capacity;
    return true;
}

struct session_row *snapshot_add_session(struct snapshot *snapshot)
{
    if (snapshot->session_count == snapshot->session_capacity && !snapshot_grow(snapshot))
        return NULL;
    struct session_row *row = &snapshot->sessions[snapshot->session_count++];
    *row = (struct session_row){ 0 };
    return row;
}

void snapshot_merge(struct snapshot *into, const struct snapshot *from)
{
    counters_merge(&into->counters, &from->counters);
    docket_merge(&into->docket, &from->docket);
    into->workers += from->workers;
    into->workers_silent += from->workers_silent;
    for (size_t i = 0; i < from->session_count; i++) {
        struct session_row *row = snapshot_add_session(into);
        if (row != NULL)
            *row = from->sessions[i];
    }
}
