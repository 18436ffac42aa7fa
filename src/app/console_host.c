/* SPDX-License-Identifier: PostgreSQL */
/* Hosts the console: does what a command asks, and lets the console put the answer into words. */
#include "app/clock.h"
#include "app/visit.h"
#include "console_world.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    CONSOLE_CONNECTIONS_MOST = 32,
    CONSOLE_ANSWER_MOST = 64 * 1024 * 1024,
    QUERIES_MOST = 3 /* of the four threads of libuv's pool: names of servers are looked up there, too */
};

static void *visit_create(void *context, const struct address *peer, struct responder_connection *connection)
{
    struct sluice *sluice = context;
    struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL)
        return NULL;
    visit->sluice = sluice;
    visit->connection = connection;
    visit->peer = *peer;
    visit->console = console_create(&sluice->console, peer);
    if (visit->console == NULL ||
        getrandom(&visit->secret, sizeof(visit->secret), 0) != (ssize_t)sizeof(visit->secret)) {
        console_destroy(visit->console);
        free(visit);
        return NULL;
    }
    visit->number = ++sluice->visits_made;
    console_set_key(visit->console, visit->number, visit->secret);
    list_append(&sluice->visits, &visit->node);
    console_door_meet(visit);
    return visit;
}

static void visit_destroy(void *state)
{
    struct visit *visit = state;
    if (visit->job != NULL)
        query_job_abandon(visit->job);
    query_rows_destroy(visit->reply.rows);
    list_remove(&visit->node);
    console_destroy(visit->console);
    free(visit);
}

static void visit_cancel(struct sluice *sluice, uint32_t number, uint32_t secret)
{
    LIST_EACH(node, &sluice->visits)
    {
        struct visit *visit = CONTAINER_OF(node, struct visit, node);
        if (visit->number == number && visit->secret == secret && visit->job != NULL)
            query_job_cancel(visit->job);
    }
}

/* ── What commands do ──────────────────────────────────────────────────────────────────────────────────────
 */

static void gate_moved(struct sluice *sluice, enum notice notice, const struct opening *opening,
                       const char *who)
{
    sluice_hand_policy(sluice);
    sluice_log_opening(sluice, notice, opening, who);
    sluice_log_gate(sluice, clock_now());
}

static void writes_moved(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const struct console_command *command, const char *who)
{
    sluice_hand_policy(sluice);
    sluice_log_readonly(sluice, notice, order, who, command->reason);
    sluice_log_gate(sluice, clock_now());
}

static void do_effect(struct sluice *sluice, const struct console_command *command, const char *who,
                      struct console_world *world)
{
    struct gatekeeper *keeper = &sluice->keeper;
    struct console_outcome *outcome = &world->outcome;
    struct opening opening;
    struct readonly_order order;
    switch (command->kind) {
    case COMMAND_RELOAD:
        sluice_reload(sluice, outcome);
        break;
    case COMMAND_OPEN_WINDOW:
        if (gatekeeper_open(keeper, command, who, world->now_us, outcome, &opening))
            gate_moved(sluice, NOTICE_OPENING_MADE, &opening, who);
        break;
    case COMMAND_CLOSE_WINDOW:
        if (gatekeeper_close(keeper, command->name, world->now_us, outcome, &opening))
            gate_moved(sluice, NOTICE_OPENING_ENDED, &opening, who);
        break;
    case COMMAND_SET_READONLY_ON:
        if (gatekeeper_set_readonly(keeper, command, who, world->now_us, outcome, &order))
            writes_moved(sluice, NOTICE_READONLY_ORDERED, &order, command, who);
        break;
    case COMMAND_SET_READONLY_OFF:
        if (gatekeeper_clear_readonly(keeper, command, world->now_us, outcome, &order))
            writes_moved(sluice, NOTICE_READONLY_ENDED, &order, command, who);
        break;
    default:
        break; /* what only shows has no effect */
    }
}

/* ── Queries ───────────────────────────────────────────────────────────────────────────────────────────────
 */

struct copying {
    struct visit *visit;
    struct live_copies *copies;
    const struct live_form *form;
    bool has_failed;
};

static void copy_live(void *context, const struct console_world *world)
{
    struct copying *copying = context;
    if (!live_copies_add(copying->copies, copying->form, world, PGSLUICE_VERSION))
        copying->has_failed = true;
}

static bool is_named(const struct live_form *form, const struct console_question *question)
{
    bool is_there = live_form_occurs(form, question->sql);
    for (size_t i = 0; i < question->parameter_count && !is_there; i++)
        is_there = question->parameters[i].type == HISTORY_TEXT &&
                   live_form_occurs(form, question->parameters[i].text);
    return is_there;
}

/* Those that the query may be about. NULL when memory is short. */
static struct live_copies *copy_named(struct visit *visit, const struct console_question *question)
{
    size_t count;
    const struct live_form *forms = live_forms(&count);
    struct copying copying = { .visit = visit, .copies = live_copies_create() };
    struct world_gathering gathering = { visit->sluice, copy_live, &copying };
    copying.has_failed = copying.copies == NULL;
    for (size_t i = 0; i < count && !copying.has_failed; i++) {
        copying.form = &forms[i];
        if (is_named(copying.form, question))
            console_world_gather(&gathering, command_forms[copying.form->command].needs);
    }
    if (!copying.has_failed)
        return copying.copies;
    live_copies_destroy(copying.copies);
    return NULL;
}

static void on_query_done(void *owner, struct console_reply *reply)
{
    struct visit *visit = owner;
    visit->job = NULL;
    visit->reply = *reply;
    visit->is_replied = true;
    reply->rows = NULL;
    responder_resume(visit->connection);
}

static void query_refuse(struct visit *visit, const char *sqlstate, const char *why, struct buffer *out)
{
    struct console_reply reply = { .rows = NULL };
    outcome_fail(&reply.outcome, sqlstate, "%s", why);
    console_reply(visit->console, &reply, out);
}

/* Whether the answer comes later. */
static bool query_begin(struct visit *visit, struct buffer *out)
{
    struct sluice *sluice = visit->sluice;
    if (sluice->queries_running >= QUERIES_MOST) {
        query_refuse(visit, "53300", "as many queries as are answered at a time are under way", out);
        return false;
    }
    struct snapshot snapshot;
    sluice_snapshot(sluice, &snapshot); /* so that the history knows all that was counted before */
    snapshot_release(&snapshot);
    recording_tell(&sluice->observer.recording);
    struct query_plan plan = {
        .history = sluice->observer.recording.history,
        .question = console_question(visit->console),
        .time_us = sluice->current->console.query_time,
        .running = &sluice->queries_running,
        .on_done = on_query_done,
        .owner = visit,
    };
    plan.copies = copy_named(visit, &plan.question);
    if (plan.copies != NULL)
        visit->job = query_job_start(&sluice->loop, &plan);
    if (visit->job == NULL)
        query_refuse(visit, "53200", "out of memory", out);
    return visit->job != NULL;
}

/* ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────
 */

struct answering {
    struct visit *visit;
    struct buffer *out;
};

static void answer(void *context, const struct console_world *world)
{
    struct answering *answering = context;
    console_answer(answering->visit->console, world, answering->out);
}

static void answer_effect(struct visit *visit, struct buffer *out)
{
    struct console_world world = console_world_now(visit->sluice);
    do_effect(visit->sluice, console_command(visit->console), console_user(visit->console), &world);
    console_answer(visit->console, &world, out);
}

/* Whether the answer comes later. */
static bool command_answer(struct visit *visit, struct buffer *out)
{
    struct answering answering = { visit, out };
    struct world_gathering gathering = { visit->sluice, answer, &answering };
    enum command_needs needs = command_forms[console_command(visit->console)->kind].needs;
    if (needs == COMMAND_NEEDS_QUERY)
        return query_begin(visit, out);
    if (needs == COMMAND_NEEDS_EFFECT)
        answer_effect(visit, out);
    else
        console_world_gather(&gathering, needs);
    return false;
}

static enum answer visit_close(struct visit *visit)
{
    uint32_t number;
    uint32_t secret;
    if (console_has_wrong_password(visit->console))
        console_door_shut(visit);
    else if (console_is_cancel(visit->console, &number, &secret))
        visit_cancel(visit->sluice, number, secret);
    return ANSWER_CLOSE;
}

static enum answer visit_take(void *state, struct bytes *bytes, struct buffer *out)
{
    struct visit *visit = state;
    if (visit->began_ms == 0)
        return ANSWER_LATER;
    if (visit->is_late)
        console_expire(visit->console, out);
    if (visit->is_replied)
        console_reply(visit->console, &visit->reply, out);
    visit->is_replied = false;
    for (;;) {
        switch (console_step(visit->console, bytes, out)) {
        case CONSOLE_STARVED:
            return ANSWER_MORE;
        case CONSOLE_CLOSE:
            return visit_close(visit);
        case CONSOLE_ASK:
            if (command_answer(visit, out))
                return ANSWER_LATER;
            break;
        }
    }
}

static void make_room(void *context)
{
    console_door_make_room(context);
}

bool console_host_open(struct sluice *sluice, struct problem *problem)
{
    const struct answerer answerer = {
        .create = visit_create,
        .take = visit_take,
        .destroy = visit_destroy,
        .make_room = make_room,
        .context = sluice,
        .connections_most = CONSOLE_CONNECTIONS_MOST,
        .answer_most = CONSOLE_ANSWER_MOST,
    };
    list_init(&sluice->visits);
    if (sluice->started->console.address.family == ADDRESS_NONE)
        return true;
    return responder_open(&sluice->loop, &sluice->started->console.address, &answerer, &sluice->chunk,
                          &sluice->responder, problem);
}
