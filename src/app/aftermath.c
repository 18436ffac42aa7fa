/* SPDX-License-Identifier: PostgreSQL */
#include "app/aftermath.h"

#include "app/clock.h"

enum { CHANGES_KEPT = 1024 };

static const int64_t second_us = 1000000;

bool aftermath_init(struct aftermath *aftermath, const struct settings *settings, const struct hash_key *key,
                    deploy_function on_worse, void *owner)
{
    const struct deploy_settings *given = &settings->deploys;
    struct deploys_settings watch = deploys_settings_default();
    watch.watch_us = given->watch;
    watch.group_us = given->together;
    watch.settle_us = given->settle;
    aftermath->on_worse = on_worse;
    aftermath->owner = owner;
    aftermath->is_ready = true;
    bool has_suspects = suspects_init(&aftermath->suspects, CHANGES_KEPT, given->look_back);
    bool has_deploys = deploys_init(&aftermath->deploys, &watch, key, clock_now());
    return has_suspects && has_deploys;
}

void aftermath_release(struct aftermath *aftermath)
{
    if (!aftermath->is_ready)
        return;
    suspects_release(&aftermath->suspects);
    deploys_release(&aftermath->deploys);
    aftermath->is_ready = false;
}

void aftermath_event(struct aftermath *aftermath, const struct event *event)
{
    const struct suspect_change *change;
    if (!aftermath->is_ready)
        return;
    suspects_record(&aftermath->suspects, event);
    bool may_end_one = event->kind == EVENT_DDL_COMMITTED || event->kind == EVENT_DDL_UNKNOWN ||
                       event->kind == EVENT_DDL_UNSEEN;
    while (may_end_one && (change = suspects_next_carried_out(&aftermath->suspects)) != NULL)
        deploys_change(&aftermath->deploys, change);
}

void aftermath_restore(struct aftermath *aftermath, const struct event *event, enum change_state state)
{
    if (aftermath->is_ready)
        suspects_restore(&aftermath->suspects, event, state);
}

void aftermath_learn(struct aftermath *aftermath, const struct suspect_difference *difference)
{
    if (aftermath->is_ready)
        suspects_learn(&aftermath->suspects, difference);
}

void aftermath_harvest(struct aftermath *aftermath, const struct harvest *harvest, int64_t now_us)
{
    if (aftermath->is_ready)
        deploys_take(&aftermath->deploys, harvest, now_us);
}

void aftermath_tick(struct aftermath *aftermath, int64_t now_us)
{
    struct deploy_verdict verdict;
    int64_t since_us = now_us - aftermath->ticked_us;
    if (since_us >= 0 && since_us < second_us) /* a clock set back counts as time that passed */
        return;
    aftermath->ticked_us = now_us;
    while (aftermath->is_ready && deploys_tick(&aftermath->deploys, now_us, &verdict))
        aftermath->on_worse(aftermath->owner, &verdict);
}

void aftermath_complete(const struct aftermath *aftermath, struct incident_note *note)
{
    const struct incident *incident = &note->incident;
    const struct suspect_query query = {
        .database = note->database,
        .schema = incident->key.schema,
        .table = incident->key.table,
        .constraint = incident->key.subject == INCIDENT_CONSTRAINT ? incident->key.name : "",
        .statement = note->statement,
        .started_us = incident->started_us,
        .is_first = incident->is_first,
    };
    note->suspect_count = 0;
    if (aftermath->is_ready)
        note->suspect_count = suspects_find(&aftermath->suspects, &query, note->suspects);
}
