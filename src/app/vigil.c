/* SPDX-License-Identifier: PostgreSQL */
#include "app/vigil.h"

#include <stdlib.h>

enum { TICK_US = 1000000, LATE_US = 1000000, MINUTE_US = 60 * 1000000, ENDED_KEPT = 200 };

/* ── News ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* The history knows only violations: another family is not new for being seen first since the start. */
static bool is_hardly_known(const struct vigil *vigil, const struct incident *incident)
{
    return incident->key.subject == INCIDENT_FAMILY && incident->state == INCIDENT_FIRST &&
           incident->started_us - vigil->begun_us < vigil->learn_us &&
           strcmp(incident->key.name, error_family_name(FAMILY_VIOLATION)) != 0;
}

static void on_news(void *owner, enum incident_news news, const struct incident *incident)
{
    struct vigil *vigil = owner;
    const struct incident_note *before = incident_book_find(&vigil->book, incident->number);
    if (before == NULL && (news == INCIDENT_ENDED || is_hardly_known(vigil, incident)))
        return;
    vigil->note = before != NULL ? *before : (struct incident_note){ .news = news };
    incident_note_fill(&vigil->note, before != NULL ? news : INCIDENT_STARTED, incident, vigil->totals);
    if (vigil->hooks.complete != NULL)
        vigil->hooks.complete(vigil->hooks.owner, &vigil->note);
    incident_book_put(&vigil->book, &vigil->note);
    if (vigil->history != NULL)
        history_record_incident(vigil->history, &vigil->note);
    if (vigil->hooks.tell != NULL)
        vigil->hooks.tell(vigil->hooks.owner, &vigil->note);
}

/* ── What is fed ───────────────────────────────────────────────────────────────────────────────────────────
 */

static void field_copy(char out[static NAME_SIZE], const char *text)
{
    (void)bytes_copy_text(bytes_text(text), out, NAME_SIZE);
}

static struct incident_key family_key(const char *service, enum error_family family)
{
    struct incident_key key = { .subject = INCIDENT_FAMILY };
    field_copy(key.service, service);
    field_copy(key.name, error_family_name(family));
    return key;
}

static struct incident_key violation_key(const struct violation *violation)
{
    struct incident_key key = { .subject = INCIDENT_CONSTRAINT };
    field_copy(key.service, violation->service);
    field_copy(key.schema, violation->schema);
    field_copy(key.table, violation->table);
    field_copy(key.name, violation_subject(violation));
    return key;
}

/* What a worker gave late is no clock set back. */
static int64_t heard(const struct vigil *vigil, int64_t time_us)
{
    return time_us > vigil->heard_from_us ? time_us : vigil->heard_from_us;
}

/* One at its first moment, so that an incident starts when it did and not when it was heard of. */
static bool feed(struct vigil *vigil, const struct incident_key *key, const struct tally_entry *entry)
{
    int64_t first_us = heard(vigil, entry->first_us);
    int64_t last_us = heard(vigil, entry->last_us);
    bool is_spread = entry->count > 1 && first_us < last_us;
    if (is_spread)
        (void)incident_watch_feed(&vigil->watch, key, first_us, 1);
    return incident_watch_feed(&vigil->watch, key, last_us, entry->count - (is_spread ? 1 : 0));
}

/* What names neither table nor constraint counts by its family only. */
static bool has_subject(const struct incident_key *key)
{
    return key->table[0] != '\0' || key->name[0] != '\0';
}

static void take_violation(struct vigil *vigil, const struct ledger_entry *entry)
{
    struct incident_key key = violation_key(&entry->violation);
    if (has_subject(&key) && feed(vigil, &key, &entry->entry))
        return;
    key = family_key(entry->violation.service, FAMILY_VIOLATION);
    (void)feed(vigil, &key, &entry->entry);
}

static void take_error(struct vigil *vigil, const struct error_entry *entry)
{
    enum error_family family = sqlstate_family(bytes_text(entry->sqlstate));
    if (family == FAMILY_VIOLATION)
        return;
    struct incident_key key = family_key(entry->service, family);
    (void)feed(vigil, &key, &entry->entry);
}

/* What was counted until `now_us`, by constraint and by family. */
static void take_counts(struct vigil *vigil, const struct ledger *violations, const struct errors *errors,
                        int64_t now_us)
{
    vigil->heard_from_us = now_us - LATE_US;
    LIST_EACH(list, &violations->tally.recent)
    {
        struct tally_entry *head = CONTAINER_OF(list, struct tally_entry, recent);
        take_violation(vigil, CONTAINER_OF(head, struct ledger_entry, entry));
    }
    LIST_EACH(list, &errors->tally.recent)
    {
        struct tally_entry *head = CONTAINER_OF(list, struct tally_entry, recent);
        take_error(vigil, CONTAINER_OF(head, struct error_entry, entry));
    }
}

/* ── What is counted while it sleeps ───────────────────────────────────────────────────────────────────────
 */

/* Where there are too many seconds the last goes on, and counts as of its end. */
static struct vigil_held *held_now(struct vigil *vigil, int64_t now_us)
{
    size_t count = vigil->held_count;
    struct vigil_held *last = count > 0 ? vigil->held[count - 1] : NULL;
    if (count == VIGIL_HELD_MOST || (last != NULL && now_us - last->begun_us < TICK_US))
        return last;
    struct vigil_held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return last;
    held->begun_us = now_us;
    ledger_init(&held->violations, &vigil->key, vigil->bounds.violations);
    errors_init(&held->errors, &vigil->key, vigil->bounds.errors);
    vigil->held[vigil->held_count++] = held;
    return held;
}

static void hold(struct vigil *vigil, const struct harvest *harvest, int64_t now_us)
{
    if (harvest_is_empty(harvest))
        return;
    struct vigil_held *held = held_now(vigil, now_us);
    if (held == NULL)
        return; /* memory is short; it is counted elsewhere */
    held->taken_us = now_us;
    ledger_merge(&held->violations, &harvest->violations);
    errors_merge(&held->errors, &harvest->errors);
}

static void held_free(struct vigil_held *held)
{
    ledger_release(&held->violations);
    errors_release(&held->errors);
    free(held);
}

static void take_held(struct vigil *vigil)
{
    for (size_t i = 0; i < vigil->held_count; i++) {
        struct vigil_held *held = vigil->held[i];
        take_counts(vigil, &held->violations, &held->errors, held->taken_us);
        held_free(held);
    }
    vigil->held_count = 0;
}

/* ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* What is under way, as it stands: whoever reads the history is not told less than the console. */
static void write_down(struct vigil *vigil)
{
    const struct incident *active[VIGIL_OPEN_MOST];
    size_t count = incident_watch_active(&vigil->watch, active, COUNT_OF(active));
    for (size_t index = 0; index < count; index++) {
        const struct incident_note *note = incident_book_find(&vigil->book, active[index]->number);
        if (note == NULL || note->incident.count == active[index]->count)
            continue;
        incident_book_update(&vigil->book, active[index]);
        if (vigil->history != NULL)
            history_record_incident(vigil->history, note);
    }
}

void vigil_take(struct vigil *vigil, const struct harvest *harvest, int64_t now_us)
{
    if (!vigil->is_on)
        return;
    if (vigil->is_asleep) {
        hold(vigil, harvest, now_us);
        return;
    }
    take_counts(vigil, &harvest->violations, &harvest->errors, now_us);
    vigil_tick(vigil, now_us);
}

void vigil_tick(struct vigil *vigil, int64_t now_us)
{
    int64_t passed_us = now_us - vigil->ticked_us;
    if (!vigil->is_on || vigil->is_asleep || (passed_us >= 0 && passed_us < TICK_US))
        return;
    vigil->ticked_us = now_us;
    incident_watch_tick(&vigil->watch, now_us - LATE_US); /* harvests of this second may be yet to come */
    write_down(vigil);
}

/* ── Start and end ─────────────────────────────────────────────────────────────────────────────────────────
 */

static uint32_t minutes_of(int64_t duration_us)
{
    return (uint32_t)((duration_us + MINUTE_US - 1) / MINUTE_US);
}

static struct incident_settings watch_settings(const struct incidents_settings *settings)
{
    struct incident_settings watch = incident_settings_default();
    watch.has_first = settings->first;
    watch.keys_most = settings->keys;
    watch.calm_minutes = minutes_of(settings->calm);
    watch.incidents_most = VIGIL_OPEN_MOST;
    watch.spike.least = settings->least;
    watch.spike.learn_minutes = minutes_of(settings->learning);
    return watch;
}

void vigil_init(struct vigil *vigil, const struct incidents_settings *settings, const struct hash_key *key,
                const struct harvest_bounds *bounds, const struct totals *totals, struct history *history,
                int64_t now_us)
{
    struct incident_settings watch = watch_settings(settings);
    *vigil = (struct vigil){ .is_on = settings->record, .totals = totals, .history = history };
    if (!vigil->is_on)
        return;
    vigil->is_asleep = history != NULL;
    vigil->bounds = *bounds;
    vigil->key = *key;
    vigil->learn_us = settings->learning;
    vigil->begun_us = now_us;
    incident_book_init(&vigil->book, ENDED_KEPT);
    incident_watch_init(&vigil->watch, &watch, key, now_us, on_news, vigil);
}

/* Who made it what it is may be known again; what was known of the constraint stays. */
static void complete_again(struct vigil *vigil, const struct incident_note *before)
{
    struct incident_note *note = &vigil->note;
    if (vigil->hooks.complete == NULL)
        return;
    vigil->hooks.complete(vigil->hooks.owner, note);
    if (note->definition[0] == '\0') {
        memcpy(note->definition, before->definition, sizeof note->definition);
        memcpy(note->difference, before->difference, sizeof note->difference);
    }
}

static void go_on(struct vigil *vigil, const struct vigil_open *open)
{
    if (!incident_watch_resume(&vigil->watch, &open->note.incident, vigil->begun_us))
        return;
    vigil->note = open->note;
    vigil->note.news = INCIDENT_STARTED;
    vigil->note.incident.ended_us = 0;
    complete_again(vigil, &open->note);
    incident_book_put(&vigil->book, &vigil->note);
    if (vigil->history != NULL)
        history_take_incident(vigil->history, open->run, open->note.incident.number);
}

void vigil_awake(struct vigil *vigil, const struct vigil_past *past)
{
    vigil->is_asleep = false;
    vigil->watch.incidents = past->highest_number;
    for (size_t i = 0; i < past->incident_count; i++)
        go_on(vigil, &past->incidents[i]);
    if (vigil->history != NULL)
        history_cut_incidents(vigil->history);
    take_held(vigil);
}

void vigil_release(struct vigil *vigil)
{
    if (!vigil->is_on)
        return;
    for (size_t i = 0; i < vigil->held_count; i++)
        held_free(vigil->held[i]);
    incident_watch_release(&vigil->watch);
    incident_book_release(&vigil->book);
    vigil->is_on = false;
}

void vigil_set_hooks(struct vigil *vigil, const struct vigil_hooks *hooks)
{
    vigil->hooks = *hooks;
}

const struct incident_book *vigil_book(struct vigil *vigil)
{
    if (!vigil->is_on)
        return NULL;
    if (!vigil->is_asleep)
        write_down(vigil);
    return &vigil->book;
}
