/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_WORKER_STATE_H
#define APP_WORKER_STATE_H

#include "app/exchange.h"
#include "app/inquiry.h"
#include "app/pace.h"
#include "app/worker.h"
#include "net/handover.h"
#include "net/poll_set.h"

#include <stdatomic.h>

/* The inside of a worker: for src/app/worker*.c only. */
enum { WORKER_URING_MISSING_SIZE = 160, WORKER_DOCKET_ENTRIES = 1000 };

/* What the control thread asks of the worker; taken out by the worker when it is woken. */
struct inbox {
    uv_mutex_t mutex;
    struct policy *policy;   /* a new one, or NULL */
    struct inquiry *inquiry; /* to be answered, or NULL */
    bool must_drain;
    uint64_t grace_ms;
};

struct worker {
    uint32_t index;
    uv_loop_t loop;
    uv_async_t wake;
    const char *io; /* as the settings name it */
    char uring_missing[WORKER_URING_MISSING_SIZE];
    int64_t slice_us; /* of the settings */
    struct pace pace;
    uv_thread_t thread;
    bool is_started;
    atomic_bool has_ended;
    atomic_int thread_id; /* the kernel's; 0 before it runs */
    struct inbox inbox;
    struct bell *bell;
    size_t events_told;
    struct chunk *chunk;
    struct session_world world;
    struct statement_pool statements;
    struct exchange exchange;
    struct docket docket;
    struct counters counters;
    struct ring events;
    struct relay_shared relays;
    struct handover handover;
    struct listener *listeners;
    size_t listener_count;
};

#endif
