/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_SLUICE_H
#define APP_SLUICE_H

#include "app/gatekeeper.h"
#include "app/log_file.h"
#include "app/worker.h"
#include "control/console.h"
#include "net/responder.h"
#include "observe/journal.h"

/* The running program: the control thread with its loop, and the workers. The composition root: here
 * everything meets, and nothing else knows all of it. */
struct sluice {
    const char *path;         /* of the settings */
    struct settings *started; /* the settings of the start: addresses and limits stay theirs */
    struct settings *current; /* the settings in force; may be `started` */
    struct gatekeeper keeper;
    struct log_file log;
    struct journal journal; /* of schema changes */
    struct worker **workers;
    uint32_t worker_count;
    struct hash_key hash_key;
    uv_loop_t loop;
    uv_async_t on_events;
    uv_timer_t tick;
    uv_signal_t signals[3];
    struct chunk chunk; /* of the console's connections */
    struct responder *responder;
    struct console_options console;
    char gate_shown[2 * POLICY_NAME_SIZE]; /* the state of the gate that the log told last */
    bool is_draining;
};

/* Runs until it is told to stop: SIGTERM or SIGINT drains, a second one ends at once; SIGHUP reloads. Returns
 * the exit status. */
int sluice_run(const char *path);

/* ── For the console ───────────────────────────────────────────────────────────────────────────────────────
 */
/* Reads the settings again. A bad file is refused with its first problem in *outcome and changes nothing. */
void sluice_reload(struct sluice *sluice, struct console_outcome *outcome);
/* Hands the keeper's policy to all workers and tells the log if the gate moved. */
void sluice_publish_policy(struct sluice *sluice);
/* Puts together what the workers know. The caller releases it. */
void sluice_snapshot(struct sluice *sluice, struct snapshot *out);

/* ── console_host.c ────────────────────────────────────────────────────────────────────────────────────────
 */
/* Takes what the settings say about the console. False when memory or randomness is short. */
MUST_USE bool console_host_configure(struct sluice *sluice, const struct settings *settings);
MUST_USE bool console_host_open(struct sluice *sluice, struct problem *problem);

#endif
