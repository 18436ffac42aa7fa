/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_GATEKEEPER_H
#define APP_GATEKEEPER_H

#include "app/plan.h"
#include "control/command.h"
#include "control/outcome.h"

/* The plan in force, the windows opened by hand, the read-only orders, and the policy that is made of all
 * three for the workers. */
enum { OPENINGS_MOST = 32, ORDERS_MOST = 32 };

struct gatekeeper {
    struct plan plan;
    struct opening openings[OPENINGS_MOST];
    size_t opening_count;
    uint32_t unnamed_made;                     /* for their names */
    struct readonly_order orders[ORDERS_MOST]; /* no two for the same */
    size_t order_count;
    struct policy *policy; /* a reference */
    int64_t made_us;       /* when the policy was made */
};

void gatekeeper_init(struct gatekeeper *keeper);
void gatekeeper_release(struct gatekeeper *keeper);
/* Takes the plan over and makes its policy; openings and orders stay. False when memory is short: all stays
 * as it was, and the plan is the caller's. */
MUST_USE bool gatekeeper_set_plan(struct gatekeeper *keeper, struct plan *plan, int64_t now_us);
/* Opens the gate as the command says; what went wrong is in *outcome. Whether the policy
 * changed; then *made is what was opened. */
bool gatekeeper_open(struct gatekeeper *keeper, const struct console_command *command,
                     const char *operator_name, int64_t now_us, struct console_outcome *outcome,
                     struct opening *made);
/* Ends an opening before its time. Whether the policy changed; then *closed is what was ended. */
bool gatekeeper_close(struct gatekeeper *keeper, const char *name, int64_t now_us,
                      struct console_outcome *outcome, struct opening *closed);
/* Stops writes as the command says, in place of an order that is for the same; what went wrong is in
 * *outcome. Whether the policy changed; then *made is the order. */
bool gatekeeper_set_readonly(struct gatekeeper *keeper, const struct console_command *command,
                             const char *operator_name, int64_t now_us, struct console_outcome *outcome,
                             struct readonly_order *made);
/* Takes the order back that is for the same as the command. Whether the policy changed; then *ended is what
 * was taken back. */
bool gatekeeper_clear_readonly(struct gatekeeper *keeper, const struct console_command *command,
                               int64_t now_us, struct console_outcome *outcome, struct readonly_order *ended);
/* Forgets openings and orders that are over, and makes the policy anew when its line of time is getting
 * short. Whether the policy changed. */
bool gatekeeper_tick(struct gatekeeper *keeper, int64_t now_us);
/* The plan with the openings of now. */
struct gate_plan gatekeeper_gate_plan(const struct gatekeeper *keeper);

#endif
