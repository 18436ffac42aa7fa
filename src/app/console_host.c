/* SPDX-License-Identifier: PostgreSQL */
/* Hosts the console: gathers what a command needs, does what it asks, and lets the console put the answer
 * into words. */
#include "app/clock.h"
#include "app/query_job.h"
#include "app/sluice.h"
#include "control/rule_rows.h"
#include "control/window_rows.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    CONSOLE_CONNECTIONS_MOST = 32,
    CONSOLE_ANSWER_MOST = 64 * 1024 * 1024,
    QUERIES_MOST = 3 /* of the four threads of libuv's pool: names of servers are looked up there, too */
};

/* One connection. */
struct visit {
    struct sluice *sluice;
    struct console *console;
    struct responder_connection *connection;
    struct list node; /* in sluice->visits */
    uint32_t number;  /* with the secret, what a request to cancel must say */
    uint32_t secret;
    struct query_job *job; /* under way; NULL: none */
    bool is_replied;
    struct console_reply reply;
};

static void *visit_create(void *context, const struct address *peer, struct responder_connection *connection)
{
    struct sluice *sluice = context;
    struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL)
        return NULL;
    visit->sluice = sluice;
    visit->connection = connection;
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

/* ── What commands ask for ─────────────────────────────────────────────────────────────────────────────────
 */

/* What is done with a world while it lasts. */
typedef void (*world_use)(void *context, const struct console_world *world);

struct gathering {
    struct sluice *sluice;
    world_use use;
    void *context;
};

static void with_snapshot(const struct gathering *gathering, struct console_world *world)
{
    struct snapshot snapshot;
    sluice_snapshot(gathering->sluice, &snapshot);
    world->snapshot = &snapshot;
    world->totals = &gathering->sluice->observer.totals;
    world->deploys = &gathering->sluice->observer.aftermath.deploys;
    world->incidents = vigil_book(&gathering->sluice->observer.vigil);
    gathering->use(gathering->context, world);
    world->snapshot = NULL;
    snapshot_release(&snapshot);
}

static void with_history(const struct gathering *gathering, struct console_world *world)
{
    struct history_state state;
    if (recording_state(&gathering->sluice->observer.recording, &state))
        world->history = &state;
    gathering->use(gathering->context, world);
    world->history = NULL;
}

static void with_windows(const struct gathering *gathering, struct console_world *world)
{
    struct gate_plan plan = gatekeeper_gate_plan(&gathering->sluice->keeper);
    size_t most = window_rows_most(&plan);
    struct window_row *rows = calloc(most > 0 ? most : 1, sizeof(*rows));
    if (rows == NULL)
        outcome_fail(&world->outcome, "53200", "out of memory");
    else
        world->window_count = window_rows_fill(&plan, world->now_us, rows, most);
    world->windows = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_rules(const struct gathering *gathering, struct console_world *world)
{
    const struct policy_plan *plan = &gathering->sluice->keeper.plan.policy;
    size_t most = rule_rows_most(plan);
    struct rule_row *rows = calloc(most, sizeof(*rows));
    if (rows != NULL)
        world->rule_count = rule_rows_fill(plan, rows, most);
    world->rules = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_workers(const struct gathering *gathering, struct console_world *world)
{
    struct worker_row *rows = sluice_worker_rows(gathering->sluice);
    world->worker_count = rows != NULL ? gathering->sluice->worker_count : 0;
    world->workers = rows;
    gathering->use(gathering->context, world);
    free(rows);
}

static void with_settings(const struct gathering *gathering, struct console_world *world)
{
    size_t count;
    const struct settings_row *from = settings_rows(gathering->sluice->current, &count);
    struct setting_row *rows = calloc(count > 0 ? count : 1, sizeof(*rows));
    if (rows == NULL)
        count = 0;
    for (size_t index = 0; index < count; index++)
        rows[index] = (struct setting_row){ from[index].path, from[index].value, from[index].standard,
                                            from[index].about, false };
    world->settings = rows;
    world->setting_count = count;
    gathering->use(gathering->context, world);
    free(rows);
}

static void gate_moved(struct sluice *sluice, enum notice notice, const struct opening *opening,
                       const char *who)
{
    sluice_log_opening(sluice, notice, opening, who);
    sluice_publish_policy(sluice);
}

static void writes_moved(struct sluice *sluice, enum notice notice, const struct readonly_order *order,
                         const struct console_command *command, const char *who)
{
    sluice_log_readonly(sluice, notice, order, who, command->reason);
    sluice_publish_policy(sluice);
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

static struct console_world world_now(const struct sluice *sluice)
{
    return (struct console_world){ .now_us = clock_now(),
                                   .journal = &sluice->journal,
                                   .catalog = surveyor_catalog(sluice->surveyor),
                                   .constraint_changes = surveyor_changes(sluice->surveyor),
                                   .attempts = sluice->attempts,
                                   .orders = sluice->keeper.orders,
                                   .order_count = sluice->keeper.order_count };
}

/* Gathers what a command needs to be shown, for as long as it is used. */
static void world_gather(const struct gathering *gathering, enum command_needs needs)
{
    struct console_world world = world_now(gathering->sluice);
    switch (needs) {
    case COMMAND_NEEDS_SNAPSHOT:
    case COMMAND_NEEDS_TOTALS:
        with_snapshot(gathering, &world);
        break;
    case COMMAND_NEEDS_WINDOWS:
        with_windows(gathering, &world);
        break;
    case COMMAND_NEEDS_RULES:
        with_rules(gathering, &world);
        break;
    case COMMAND_NEEDS_WORKERS:
        with_workers(gathering, &world);
        break;
    case COMMAND_NEEDS_SETTINGS:
        with_settings(gathering, &world);
        break;
    case COMMAND_NEEDS_HISTORY:
        with_history(gathering, &world);
        break;
    case COMMAND_NEEDS_JOURNAL:
    case COMMAND_NEEDS_CATALOG:
    case COMMAND_NEEDS_ORDERS:
    case COMMAND_NEEDS_NOTHING:
    case COMMAND_NEEDS_QUERY:
    case COMMAND_NEEDS_EFFECT:
        gathering->use(gathering->context, &world);
        break;
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
    struct gathering gathering = { visit->sluice, copy_live, &copying };
    copying.has_failed = copying.copies == NULL;
    for (size_t i = 0; i < count && !copying.has_failed; i++) {
        copying.form = &forms[i];
        if (is_named(copying.form, question))
            world_gather(&gathering, command_forms[copying.form->command].needs);
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
    struct console_world world = world_now(visit->sluice);
    do_effect(visit->sluice, console_command(visit->console), console_user(visit->console), &world);
    console_answer(visit->console, &world, out);
}

/* Whether the answer comes later. */
static bool command_answer(struct visit *visit, struct buffer *out)
{
    struct answering answering = { visit, out };
    struct gathering gathering = { visit->sluice, answer, &answering };
    enum command_needs needs = command_forms[console_command(visit->console)->kind].needs;
    if (needs == COMMAND_NEEDS_QUERY)
        return query_begin(visit, out);
    if (needs == COMMAND_NEEDS_EFFECT)
        answer_effect(visit, out);
    else
        world_gather(&gathering, needs);
    return false;
}

static enum answer visit_close(const struct visit *visit)
{
    uint32_t number;
    uint32_t secret;
    if (console_is_cancel(visit->console, &number, &secret))
        visit_cancel(visit->sluice, number, secret);
    return ANSWER_CLOSE;
}

static enum answer visit_take(void *state, struct bytes *bytes, struct buffer *out)
{
    struct visit *visit = state;
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

bool console_host_open(struct sluice *sluice, struct problem *problem)
{
    const struct answerer answerer = {
        .create = visit_create,
        .take = visit_take,
        .destroy = visit_destroy,
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
