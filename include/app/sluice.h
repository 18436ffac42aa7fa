/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_SLUICE_H
#define APP_SLUICE_H

#include "alert/alert.h"
#include "app/audit.h"
#include "app/gatekeeper.h"
#include "app/log_file.h"
#include "app/observer.h"
#include "app/prober.h"
#include "app/stand_in.h"
#include "app/surveyor.h"
#include "app/transport.h"
#include "app/worker.h"
#include "control/console.h"
#include "net/responder.h"
#include "observe/attempts.h"
#include "observe/journal.h"

/* The running program: the control thread with its loop, and the workers. The composition root: here
 * everything meets, and nothing else knows all of it. */
struct sluice {
    const char *path;           /* of the settings */
    struct settings *started;   /* the settings of the start: addresses and limits stay theirs */
    struct settings *current;   /* the settings in force; may be `started` */
    struct transport transport; /* made of `started` */
    struct prober *prober;
    struct surveyor *surveyor; /* of constraints */
    struct gatekeeper keeper;
    struct log_file log;
    struct audit audit;
    struct journal journal; /* of schema changes */
    struct observer observer;
    struct alert *alert;       /* NULL: nobody is alerted */
    struct attempts *attempts; /* NULL where values are not to be seen */
    struct turnstile *turnstile;
    struct roster *roster;     /* of the workers */
    struct stand_in *stand_in; /* for those that stand still */
    struct worker **workers;
    uint32_t worker_count;
    struct hash_key hash_key;
    uv_loop_t loop;
    bool has_loop;
    struct bell bell;
    uv_timer_t tick;
    uv_signal_t signals[3];
    struct chunk chunk; /* of the console's connections, and their set of sockets */
    struct responder *responder;
    struct console_options console;
    struct list visits; /* of the console */
    uint32_t visits_made;
    uint64_t door_shut_until_ms; /* of the console, by the loop's clock */
    unsigned queries_running;
    char gate_shown[2 * POLICY_NAME_SIZE]; /* the state of the gate that the log told last */
    bool is_draining;
    bool is_abandoning;   /* workers that stand still are not waited for any more */
    uint64_t patience_ms; /* draining, until when they are, by the loop's clock */
};

/* Runs until it is told to stop: SIGTERM or SIGINT drains, a second one ends at once; SIGHUP reloads. Returns
 * the exit status. */
int sluice_run(const char *path);

/* ── reload.c
 * ──────────────────────────────────────────────────────────────────────────────────────────────── */
/* Reads the settings to start with into `started`, with the certificates they name, and opens their log; what
 * they warn of is written as they say. False with problems, which are logged; else *plan is the caller's. */
MUST_USE bool sluice_begin(struct sluice *sluice, struct plan *plan, struct problems *problems);
/* Puts settings in force as far as they can change while running, and takes them and the plan over. False
 * with a problem: the old ones stay in force, and both are the caller's. */
MUST_USE bool sluice_apply(struct sluice *sluice, struct settings *settings, struct plan *plan,
                           struct problem *problem);
/* Reads the settings again. A bad file is refused with its first problem in *outcome and changes nothing. */
void sluice_reload(struct sluice *sluice, struct console_outcome *outcome);
/* Hands the keeper's policy to all workers: all that comes from now on is judged by it. */
void sluice_hand_policy(struct sluice *sluice);

/* ── gathering.c
 * ───────────────────────────────────────────────────────────────────────────────────────────── */
/* Logs what the workers have told since, and keeps the schema changes among it, in the audit too; takes in
 * what they have counted. */
void sluice_take_events(struct sluice *sluice);
/* Asks the workers for what they have counted; it comes with their events. */
void sluice_ask_harvests(struct sluice *sluice);
/* Puts together what the workers know; what they have counted is in the observer then. The caller releases
 * it. */
void sluice_snapshot(struct sluice *sluice, struct snapshot *out);
/* How the workers do, without asking them: worker_count rows, which the caller frees; NULL when memory is
 * short.
 */
MUST_USE struct worker_row *sluice_worker_rows(const struct sluice *sluice);

/* ── abandon.c
 * ─────────────────────────────────────────────────────────────────────────────────────────────── */
/* Draining, and nothing is left but workers that stand still, and their time is over: stops the loop, for
 * sluice_abandon. */
void sluice_abandon_if_due(struct sluice *sluice);
/* Ends the program beside their threads: what was recorded is written, nothing is freed that they may touch.
 */
_Noreturn void sluice_abandon(struct sluice *sluice);

/* ── sluice_log.c
 * ──────────────────────────────────────────────────────────────────────────────────────────── */
void sluice_log_problem(struct sluice *sluice, const struct problem *problem);
void sluice_log_problems(struct sluice *sluice, const struct problems *problems);
/* A notice without keys. */
void sluice_log_notice(struct sluice *sluice, enum notice notice);
void sluice_log_start(struct sluice *sluice);
/* What an operator did to the gate, and why: NOTICE_OPENING_MADE or _ENDED. */
void sluice_log_opening(struct sluice *sluice, enum notice notice, const struct opening *opening,
                        const char *operator_name);
/* What an operator ordered or took back, and why (may be empty): NOTICE_READONLY_ORDERED or _ENDED. */
void sluice_log_readonly(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const char *operator_name, const char *reason);
/* That a worker stands still, lives again, or is not waited for: NOTICE_WORKER_STALLED, _RECOVERED,
 * _ABANDONED.
 */
void sluice_log_stall(struct sluice *sluice, enum notice notice, const struct stall *stall);
/* What became of a host. */
void sluice_log_host(struct sluice *sluice, const struct host_change *change);
/* What became of the readings of a database. */
void sluice_log_survey(struct sluice *sluice, const struct survey_news *news);
/* What was changed of a constraint; in the audit too. */
void sluice_log_constraint(struct sluice *sluice, const struct constraint_change *change);
/* That lines of the audit could not be written: nothing while none was lost. */
void sluice_log_audit(struct sluice *sluice);
/* What is to be said of the history that was not said yet: that it cannot be written, or can again; a file
 * set aside, a gap, losses. */
void sluice_log_history(struct sluice *sluice);
/* That a service is worse off after a deploy. */
void sluice_log_deploy(struct sluice *sluice, const struct deploy_verdict *verdict);
/* Says when the gate opens, closes or freezes: nothing while it is as it was. */
void sluice_log_gate(struct sluice *sluice, int64_t now_us);

/* ── telling.c
 * ─────────────────────────────────────────────────────────────────────────────────────────────── */
/* Begins to tell of incidents. False with a problem. */
MUST_USE bool sluice_open_telling(struct sluice *sluice, struct problem *problem);
/* Logs what became of alerts. */
void sluice_log_alerts(struct sluice *sluice);
/* Adds what became of alerts since the start. */
void sluice_count_alerts(struct sluice *sluice, struct counters *out);
/* Ends it; alerts that wait are lost, which the log says. Harmless where it was not begun. */
void sluice_close_telling(struct sluice *sluice);

/* ── console_host.c
 * ────────────────────────────────────────────────────────────────────────────────────────── */
MUST_USE bool console_host_open(struct sluice *sluice, struct problem *problem);

#endif
