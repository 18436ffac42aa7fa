/* SPDX-License-Identifier: PostgreSQL */
/* The guard's word on a statement: on its own text, and on what it runs by SQL EXECUTE. */
#include "session/state.h"
#include "sql/mask.h"

/* What is judged. */
struct judged {
    const struct verdict *verdict;
    struct statement *statement;         /* NULL where there is none */
    const struct guard_passage *passage; /* see guard_matter */
};

static struct judged judged_of(struct statement *statement, const struct guard_passage *passage)
{
    return (struct judged){ &statement->verdict, statement, passage };
}

/* The subject views the address. */
static struct guard_subject subject_of(const struct session *session, struct address *address)
{
    session_client(session, address);
    return (struct guard_subject){
        .service = session_service(session),
        .user = shared_text_bytes(session->user),
        .database = shared_text_bytes(session->database),
        .address = address,
    };
}

enum guard_mode session_guard_mode(const struct session *session)
{
    struct address address;
    struct guard_subject subject = subject_of(session, &address);
    return guard_mode_for(session->world->policy, &subject);
}

/* ── Telling ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void copy_text(const char *from, char *to, size_t capacity)
{
    (void)bytes_copy_text(bytes_text(from), to, capacity);
}

static void fill_decision(struct event *event, const struct decision *decision)
{
    copy_text(statement_class_name(decision->class), event->class, sizeof(event->class));
    copy_text(guard_ground_words(decision->ground), event->reason, sizeof(event->reason));
    event->level = (uint8_t)decision->level;
    event->ground = guard_ground_name(decision->ground);
    if (decision->span != NULL)
        copy_text(decision->span->name, event->window, sizeof(event->window));
    if (decision->rule != NULL)
        copy_text(decision->rule->name, event->rule, sizeof(event->rule));
}

static void fill_judged(struct event *event, const struct judged *judged, const struct object_names *objects)
{
    struct text shown;
    copy_text(judged->verdict->command, event->command, sizeof(event->command));
    if (objects != NULL) {
        text_init(&shown, event->objects, sizeof(event->objects));
        objects_describe(objects, &shown);
    }
    struct statement *statement = judged->statement;
    if (statement == NULL || statement->text_size == 0)
        return;
    text_init(&shown, event->violation.statement, sizeof(event->violation.statement));
    mask_sql(bytes_of(statement->text, statement->text_size), statement->reading, &shown);
    copy_text(statement_fingerprint(statement), event->violation.fingerprint,
              sizeof(event->violation.fingerprint));
}

static void tell_refused(struct session *session, struct event *event, bool is_guarded)
{
    struct counters *counters = session->world->counters;
    event->kind = is_guarded ? EVENT_DDL_REFUSED : EVENT_STATEMENT_REFUSED;
    counter_add(is_guarded ? &counters->ddl_refused : &counters->statements_refused, 1);
}

static void tell_would_refuse(struct session *session, struct event *event, bool is_guarded)
{
    struct counters *counters = session->world->counters;
    event->kind = is_guarded ? EVENT_DDL_WOULD_REFUSE : EVENT_STATEMENT_WOULD_REFUSE;
    counter_add(is_guarded ? &counters->ddl_would_refuse : &counters->statements_would_refuse, 1);
    docket_record(session->world->docket, event);
}

/* Counts what was decided and tells the control thread. `change` is the number of a change that goes on its
 * way; 0: it does not. */
static void tell_decision(struct session *session, const struct judged *judged,
                          const struct object_names *objects, const struct decision *decision,
                          uint32_t change)
{
    struct event event;
    tell_fill(session, EVENT_DDL_PASSED, &event);
    event.change = change;
    fill_decision(&event, decision);
    fill_judged(&event, judged, objects);
    bool is_guarded = judged->verdict->is_guarded;
    if (decision->action == ACTION_REFUSE)
        tell_refused(session, &event, is_guarded);
    else if (decision->action == ACTION_WOULD_REFUSE)
        tell_would_refuse(session, &event, is_guarded);
    else
        counter_add(&session->world->counters->ddl_passed, 1);
    tell_copy(session, &event);
}

/* ── Judging ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void take_turn(struct session *session, const struct guard_subject *subject, struct decision *decision)
{
    const struct policy *policy = session->world->policy;
    struct turnstile_claim claim = {
        .session = changes_session_key(session),
        .upstream = bytes_text(session->upstream),
        .database = subject->database,
        .service = subject->service,
        .user = subject->user,
    };
    (void)guard_take_turn(policy, session->world->turnstile, &claim, guard_mode_for(policy, subject),
                          session->world->now_us, decision);
}

static bool refuse(struct session *session, const struct judged *judged, const struct object_names *objects,
                   const struct decision *decision, struct ruling *ruling)
{
    tell_decision(session, judged, objects, decision, 0);
    ruling->refusal = refusal_create(session, judged->verdict, decision);
    return false;
}

/* A schema change that passes is told with its number, and what would be refused; the rest has no place in
 * the record. */
static void let_pass(struct session *session, const struct judged *judged, const struct object_names *objects,
                     const struct decision *decision, struct ruling *ruling)
{
    bool would_refuse = decision->action == ACTION_WOULD_REFUSE;
    bool is_change = judged->verdict->is_guarded && (would_refuse || decision->ground != GROUND_UNGUARDED);
    if (is_change && ruling->change == 0)
        ruling->change = changes_begin(session, decision);
    if (is_change || would_refuse)
        tell_decision(session, judged, objects, decision, is_change ? ruling->change : 0);
}

static bool judge(struct session *session, const struct judged *judged, enum judge_step step,
                  struct ruling *ruling)
{
    struct session_world *world = session->world;
    struct object_names objects;
    struct decision decision;
    struct address address;
    struct guard_subject subject = subject_of(session, &address);
    struct guard_matter matter = { .verdict = judged->verdict,
                                   .is_run = step != JUDGE_PARSE,
                                   .passage = judged->passage };
    if (judged->verdict->is_guarded) {
        const struct statement *statement = judged->statement;
        objects_named(bytes_of(statement->text, statement->text_size), statement->is_cut, statement->reading,
                      &objects);
        matter.objects = &objects;
    }
    guard_decide(world->policy, &subject, &matter, world->now_us, &decision);
    if (decision.action == ACTION_PASS && step == JUDGE_RUN)
        take_turn(session, &subject, &decision);
    if (decision.action == ACTION_REFUSE)
        return refuse(session, judged, matter.objects, &decision, ruling);
    if (step == JUDGE_RUN)
        let_pass(session, judged, matter.objects, &decision, ruling);
    return true;
}

static const struct verdict unknown_execute = { .class = CLASS_OPAQUE,
                                                .level = LEVEL_NONE,
                                                .classes = 1 << CLASS_OPAQUE,
                                                .levels = { [CLASS_OPAQUE] = LEVEL_NONE },
                                                .statement_count = 1,
                                                .command = "EXECUTE" };
static const struct verdict function_call = { .class = CLASS_OPAQUE,
                                              .level = LEVEL_NONE,
                                              .classes = 1 << CLASS_OPAQUE,
                                              .levels = { [CLASS_OPAQUE] = LEVEL_NONE },
                                              .statement_count = 1,
                                              .command = "FunctionCall" };

/* An EXECUTE of a name that nothing is known of. */
static struct judged judged_unknown(struct statement *statement)
{
    struct judged judged = judged_of(statement, NULL);
    judged.verdict = &unknown_execute;
    return judged;
}

/* What an SQL EXECUTE of the name in the judged text runs. */
static bool judge_executed(struct session *session, const struct judged *text, const char *name,
                           enum judge_step step, struct ruling *ruling)
{
    const struct session_world *world = session->world;
    struct names *names = &session->names->statements;
    struct statement *made = NULL;
    struct statement *executed =
        names_possible(names, &world->hash_key, bytes_text(name), world->statements, &made);
    if (names->is_short)
        session_lose(session, "out of memory");
    bool is_own = executed == text->statement || /* judged by itself */
                  (executed == NULL && name_list_holds(&text->verdict->prepares, name));
    struct judged judged =
        executed != NULL ? judged_of(executed, text->passage) : judged_unknown(text->statement);
    bool passes = is_own || /* the text itself has what it runs */
                  !guard_concerns(world->policy, judged.verdict) || judge(session, &judged, step, ruling);
    statement_release(world->statements, made);
    return passes;
}

static bool judge_all(struct session *session, struct statement *statement, enum judge_step step,
                      struct ruling *ruling)
{
    struct judged judged = judged_of(statement, passage_of(session, statement));
    for (const char *name = NULL; (name = name_list_next(&statement->verdict.executes, name)) != NULL;)
        if (!judge_executed(session, &judged, name, step, ruling))
            return false;
    return !guard_concerns(session->world->policy, &statement->verdict) ||
           judge(session, &judged, step, ruling);
}

bool judge_statement(struct session *session, struct statement *statement, enum judge_step step,
                     struct ruling *ruling)
{
    *ruling = (struct ruling){ .refusal = NULL };
    return judge_all(session, statement, step, ruling);
}

bool judge_function_call(struct session *session, struct ruling *ruling)
{
    struct judged judged = { .verdict = &function_call };
    *ruling = (struct ruling){ .refusal = NULL };
    return !guard_concerns(session->world->policy, &function_call) ||
           judge(session, &judged, JUDGE_RUN, ruling);
}
