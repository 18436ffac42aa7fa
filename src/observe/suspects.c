/* SPDX-License-Identifier: PostgreSQL */
#include "observe/suspects.h"

#include "observe/object_text.h"

#include <assert.h>
#include <stdlib.h>

/* Readings and events are told by different clocks and arrive in any order. */
static const int64_t slack_us = 3000000;

bool suspects_init(struct suspects *suspects, size_t capacity, int64_t look_back_us)
{
    assert(capacity > 0);
    *suspects = (struct suspects){ .capacity = capacity, .look_back_us = look_back_us };
    suspects->changes = calloc(capacity, sizeof *suspects->changes);
    return suspects->changes != NULL;
}

void suspects_release(struct suspects *suspects)
{
    free(suspects->changes);
    *suspects = (struct suspects){ .capacity = 0 };
}

/* The `age`-th newest, or NULL. */
static struct suspect_change *change_at(const struct suspects *suspects, size_t age)
{
    if (age >= suspects->count)
        return NULL;
    return &suspects->changes[(suspects->next + suspects->capacity - 1 - age) % suspects->capacity];
}

static struct suspect_change *change_add(struct suspects *suspects)
{
    struct suspect_change *change = &suspects->changes[suspects->next];
    suspects->next = (suspects->next + 1) % suspects->capacity;
    suspects->count += suspects->count < suspects->capacity ? 1 : 0;
    return change;
}

static bool is_carried_out(const struct suspect_change *change)
{
    return change->state == CHANGE_COMMITTED || change->state == CHANGE_UNKNOWN;
}

static bool may_be_carried_out(const struct suspect_change *change)
{
    return is_carried_out(change) || change->state == CHANGE_PASSED || change->state == CHANGE_COMPLETED;
}

/* ---- of events ---- */

/* Whether the list is whole and there is a list: a statement that names nothing may touch anything. */
static bool are_objects_complete(const struct event *event)
{
    struct bytes list = bytes_text(event->objects);
    struct object_reference reference;
    bool is_cut = list.size == sizeof event->objects - 1;
    bool is_any = list.size > 0;
    while (object_text_next(&list, &reference))
        continue;
    return is_any && !is_cut && list.size == 0 && !object_text_names(event->violation.statement, "cascade");
}

#define COPY(to, from) (void)bytes_copy_text(bytes_text(from), to, sizeof(to))

static void change_file(struct suspects *suspects, const struct event *event, enum change_state state)
{
    struct suspect_change *change = change_add(suspects);
    struct suspect *suspect = &change->suspect;
    *change = (struct suspect_change){ .worker = event->worker,
                                       .session = event->session,
                                       .change = event->change,
                                       .state = state,
                                       .is_complete = are_objects_complete(event) };
    *suspect = (struct suspect){ .time_us = event->time_us,
                                 .not_before_us = event->time_us,
                                 .was_seen = true,
                                 .is_certain = state == CHANGE_COMMITTED };
    COPY(suspect->service, event->violation.service);
    COPY(suspect->user, event->violation.user);
    COPY(suspect->application_name, event->application_name);
    COPY(suspect->address, event->address);
    COPY(suspect->command, event->command);
    COPY(suspect->rule, event->rule);
    COPY(suspect->window, event->window);
    COPY(suspect->statement, event->violation.statement);
    COPY(change->database, event->violation.database);
    COPY(change->objects, event->objects);
}

static bool fits_table(const struct suspect_change *change, const char *schema, const char *table)
{
    struct bytes list = bytes_text(change->objects);
    struct object_reference reference;
    while (table[0] != '\0' && object_text_next(&list, &reference)) {
        if (object_reference_fits(&reference, schema, table))
            return true;
    }
    return false;
}

static bool explains(const struct suspect_change *change, const struct suspect_change *found)
{
    int64_t time_us = change->suspect.time_us;
    return change->suspect.was_seen && strcmp(change->database, found->database) == 0 &&
           time_us >= found->suspect.not_before_us - slack_us &&
           time_us <= found->suspect.time_us + slack_us && fits_table(change, found->schema, found->table);
}

static void difference_move(struct suspect_change *to, const struct suspect_change *from)
{
    memcpy(to->schema, from->schema, sizeof to->schema);
    memcpy(to->table, from->table, sizeof to->table);
    memcpy(to->constraint, from->constraint, sizeof to->constraint);
    memcpy(to->suspect.difference, from->suspect.difference, sizeof to->suspect.difference);
}

/* A reading may have been quicker than the news of the end of the transaction. */
static void change_explain(struct suspects *suspects, struct suspect_change *change)
{
    struct suspect_change *found;
    for (size_t age = 0; (found = change_at(suspects, age)) != NULL; age++) {
        bool is_unexplained = !found->suspect.was_seen && found->state == CHANGE_COMMITTED;
        if (!is_unexplained || change->constraint[0] != '\0' || !explains(change, found))
            continue;
        difference_move(change, found);
        change->suspect.is_certain = true;
        found->state = CHANGE_NONE;
    }
}

static void change_settle(struct suspects *suspects, struct suspect_change *change, const struct event *event,
                          enum change_state state)
{
    bool was_learned = change->constraint[0] != '\0';
    bool is_open = change->state == CHANGE_PASSED || change->state == CHANGE_COMPLETED;
    if (!is_open)
        return;
    change->state = was_learned && state == CHANGE_UNKNOWN ? CHANGE_COMMITTED : state;
    if (!is_carried_out(change))
        return;
    change->suspect.time_us = event->time_us;
    change->suspect.not_before_us = event->time_us;
    bool has_doubt = event->reason[0] != '\0'; /* a part of its transaction may have been undone */
    change->suspect.is_certain = change->state == CHANGE_COMMITTED && (was_learned || !has_doubt);
    change_explain(suspects, change);
}

static void changes_settle(struct suspects *suspects, const struct event *event, enum change_state state)
{
    uint32_t first = event->change;
    uint32_t last = event->change_last > first ? event->change_last : first;
    struct suspect_change *change;
    for (size_t age = 0; first > 0 && (change = change_at(suspects, age)) != NULL; age++) {
        if (change->change >= first && change->change <= last && change->session == event->session &&
            change->worker == event->worker)
            change_settle(suspects, change, event, state);
    }
}

void suspects_record(struct suspects *suspects, const struct event *event)
{
    switch (event->kind) {
    case EVENT_DDL_PASSED:
    case EVENT_DDL_WOULD_REFUSE:
        if (event->change > 0)
            change_file(suspects, event, CHANGE_PASSED);
        break;
    case EVENT_DDL_UNSEEN:
        change_file(suspects, event, CHANGE_UNKNOWN);
        break;
    case EVENT_DDL_COMPLETED:
        changes_settle(suspects, event, CHANGE_COMPLETED);
        break;
    case EVENT_DDL_COMMITTED:
        changes_settle(suspects, event, CHANGE_COMMITTED);
        break;
    case EVENT_DDL_UNKNOWN:
        changes_settle(suspects, event, CHANGE_UNKNOWN);
        break;
    case EVENT_DDL_FAILED:
        changes_settle(suspects, event, CHANGE_FAILED);
        break;
    case EVENT_DDL_UNDONE:
        changes_settle(suspects, event, CHANGE_UNDONE);
        break;
    default:
        break; /* the others are about no change */
    }
}

void suspects_restore(struct suspects *suspects, const struct event *event, enum change_state state)
{
    struct event decision = *event;
    bool is_open = state == CHANGE_NONE || state == CHANGE_PASSED || state == CHANGE_COMPLETED;
    decision.worker = UINT32_MAX; /* its session is none of this run's */
    change_file(suspects, &decision, is_open ? CHANGE_UNKNOWN : state);
    struct suspect_change *change = change_at(suspects, 0);
    change->is_taken = true;
    change->suspect.is_certain = state == CHANGE_COMMITTED && event->reason[0] == '\0';
}

const struct suspect_change *suspects_next_carried_out(struct suspects *suspects)
{
    for (size_t age = suspects->count; age > 0; age--) {
        struct suspect_change *change = change_at(suspects, age - 1);
        if (change->is_taken || !change->suspect.was_seen || !is_carried_out(change))
            continue;
        change->is_taken = true;
        return change;
    }
    return NULL;
}

/* ---- of the catalogue ---- */

/* The newest change that explains it, rather one that names the constraint. */
static struct suspect_change *explanation_of(const struct suspects *suspects,
                                             const struct suspect_change *found)
{
    struct suspect_change *change;
    struct suspect_change *best = NULL;
    for (size_t age = 0; (change = change_at(suspects, age)) != NULL; age++) {
        if (!may_be_carried_out(change) || !explains(change, found))
            continue;
        if (object_text_names(change->suspect.statement, found->constraint))
            return change;
        best = best == NULL ? change : best;
    }
    return best;
}

/* One change may touch several constraints: then it stands once for each. */
static void change_learn(struct suspects *suspects, struct suspect_change *change,
                         const struct suspect_change *found)
{
    struct suspect_change copy = *change;
    bool is_same = strcmp(copy.constraint, found->constraint) == 0 && strcmp(copy.table, found->table) == 0;
    if (copy.constraint[0] != '\0' && !is_same) {
        change = change_add(suspects);
        copy.is_taken = true;
    }
    *change = copy;
    difference_move(change, found);
    change->state = change->state == CHANGE_UNKNOWN ? CHANGE_COMMITTED : change->state;
    change->suspect.is_certain = change->state == CHANGE_COMMITTED;
}

void suspects_learn(struct suspects *suspects, const struct suspect_difference *difference)
{
    struct suspect_change found = { .state = CHANGE_COMMITTED,
                                    .is_complete = true,
                                    .suspect = { .time_us = difference->seen_us,
                                                 .not_before_us = difference->not_before_us,
                                                 .is_certain = true } };
    COPY(found.database, difference->database);
    COPY(found.schema, difference->schema);
    COPY(found.table, difference->table);
    COPY(found.constraint, difference->constraint);
    COPY(found.suspect.difference, difference->text);
    struct suspect_change *change = explanation_of(suspects, &found);
    if (change != NULL)
        change_learn(suspects, change, &found);
    else
        *change_add(suspects) = found;
}
