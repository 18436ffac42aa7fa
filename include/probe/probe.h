/* SPDX-License-Identifier: PostgreSQL */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "base/address.h"

/* One question to one PostgreSQL host: whether a new session there may write, as libpq's
 * target_session_attrs=read-write sees it (manual: "Database Connection Control Functions"). It has no loop
 * and no clock of its own:
 *
 *   struct probe *probe = probe_start(&plan);
 *   while (probe_result(probe) == PROBE_WAITING) {
 *       ... wait until probe_socket(probe) is ready for what probe_wants(probe) says, or give up ...
 *       probe_step(probe);
 *   }
 *   probe_cancel(probe);
 *
 * Every step may close the socket and open another, also of the same number: stop watching it before a step,
 * and ask for socket and wish again after it. A host's name is looked up by probe_start, and may be by
 * probe_step, which then take as long as the system's resolver does. How long a host may take is the owner's
 * to bound: libpq has no time limit for connections that do not block. */
struct probe;

enum probe_result {
    PROBE_WAITING,
    PROBE_FIT,    /* accepts writes */
    PROBE_UNFIT,  /* a standby, or its sessions are read-only by default */
    PROBE_FAILED, /* could not be asked; probe_reason says why */
};

enum probe_wish { PROBE_TO_READ, PROBE_TO_WRITE, PROBE_TO_READ_OR_WRITE };

/* Whether `conninfo` is a libpq connection string (key=value pairs or a URI) that names no host, hostaddr and
 * port. False and `why` when not; `why` repeats nothing of the values. */
MUST_USE bool probe_conninfo_check(const char *conninfo, struct text *why);

/* Who is asked, and how. What `conninfo` says of encryption goes before what stands here; "" leaves it to
 * libpq. */
struct probe_plan {
    const struct address *host;
    const char *conninfo;
    const char *sslmode;
    const char *sslrootcert;
    const char *sslcert;
    const char *sslkey;
};

/* Begins to connect; nothing of the plan needs to outlive the call. NULL when memory is short; whatever else
 * goes wrong is a result. */
MUST_USE struct probe *probe_start(const struct probe_plan *plan);
/* Goes on; without effect once there is a result. */
void probe_step(struct probe *probe);
enum probe_result probe_result(const struct probe *probe);
/* What to wait for, while the result is PROBE_WAITING. */
int probe_socket(const struct probe *probe);
enum probe_wish probe_wants(const struct probe *probe);
/* Of a probe that failed: one short line without secrets. Of what a server said it holds SQLSTATE and first
 * line, made fit to show. Lives as long as the probe. */
const char *probe_reason(const struct probe *probe);
/* Closes the connection, in whatever state, and frees the probe. NULL is allowed. */
void probe_cancel(struct probe *probe);

#endif
