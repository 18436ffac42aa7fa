/* SPDX-License-Identifier: PostgreSQL */
#include "observe/deploys.h"

#include "base/text.h"
#include "deploy_judge.h"

#include <stdlib.h>

static const int64_t second_us = 1000000;

struct deploys_settings deploys_settings_default(void)
{
    return (struct deploys_settings){
        .watch_us = 3600 * second_us,
        .group_us = 300 * second_us,
        .settle_us = 300 * second_us,
        .factor = 1.3,
        .probability = 1e-6,
        .burstiness = 1.2,
        .least = 5,
        .latency_factor = 1.5,
        .latency_least_us = 1000,
    };
}

bool deploys_init(struct deploys *deploys, const struct deploys_settings *settings,
                  const struct hash_key *key, int64_t now_us)
{
    *deploys = (struct deploys){ .settings = *settings };
    bool has_pulses = pulses_init(&deploys->pulses, key, now_us);
    deploys->deploys = calloc(DEPLOYS_MOST, sizeof *deploys->deploys);
    return has_pulses && deploys->deploys != NULL;
}

void deploys_release(struct deploys *deploys)
{
    for (size_t i = 0; i < deploys->count; i++)
        free(deploys->deploys[i].rows);
    free(deploys->deploys);
    deploys->deploys = NULL;
    deploys->count = 0;
    pulses_release(&deploys->pulses);
}

static struct deploy *deploy_at(const struct deploys *deploys, size_t age)
{
    if (age >= deploys->count)
        return NULL;
    return &deploys->deploys[(deploys->next + DEPLOYS_MOST - 1 - age) % DEPLOYS_MOST];
}

const struct deploy *deploys_newest(const struct deploys *deploys, size_t age)
{
    return deploy_at(deploys, age);
}

/* ---- rows ---- */

static struct deploy_row *row_of(const struct deploy *deploy, const char *service)
{
    for (size_t i = 0; i < deploy->row_count; i++) {
        if (strcmp(deploy->rows[i].service, service) == 0)
            return &deploy->rows[i];
    }
    return NULL;
}

/* NULL where there is no room. */
static struct deploy_row *row_touch(const struct deploys *deploys, struct deploy *deploy, const char *service,
                                    enum deploy_moment moment)
{
    struct deploy_row *row = row_of(deploy, service);
    if (row != NULL || deploy->row_count == PULSES_MOST)
        return row;
    struct deploy_row *rows = realloc(deploy->rows, (deploy->row_count + 1) * sizeof *rows);
    if (rows == NULL)
        return NULL;
    deploy->rows = rows;
    row = &rows[deploy->row_count++];
    *row = (struct deploy_row){ .minute = pulse_minute_of(deploy->started_us) };
    (void)bytes_copy_text(bytes_text(service), row->service, sizeof row->service);
    deploy_row_measure(row, deploys, deploy, moment);
    return row;
}

static void rows_begin(const struct deploys *deploys, struct deploy *deploy, enum deploy_moment moment)
{
    for (size_t i = 0; i < deploys->pulses.pulse_count; i++) {
        const struct pulse *pulse = deploys->pulses.pulses[i];
        if (strcmp(pulse->database, deploy->database) == 0)
            (void)row_touch(deploys, deploy, pulse->service, moment);
    }
}

/* ---- changes ---- */

static bool is_of_deploy(const struct deploys *deploys, const struct deploy *deploy,
                         const struct suspect_change *change)
{
    const struct suspect *suspect = &change->suspect;
    return !deploy->is_over && suspect->time_us - deploy->changed_us <= deploys->settings.group_us &&
           strcmp(deploy->database, change->database) == 0 &&
           strcmp(deploy->service, suspect->service) == 0 &&
           strcmp(deploy->application_name, suspect->application_name) == 0;
}

static struct deploy *deploy_find(const struct deploys *deploys, const struct suspect_change *change)
{
    struct deploy *deploy;
    for (size_t age = 0; (deploy = deploy_at(deploys, age)) != NULL; age++) {
        if (is_of_deploy(deploys, deploy, change))
            return deploy;
    }
    return NULL;
}

#define COPY(to, from) (void)bytes_copy_text(bytes_text(from), to, sizeof(to))

static struct deploy *deploy_begin(struct deploys *deploys, const struct suspect_change *change)
{
    struct deploy *deploy = &deploys->deploys[deploys->next];
    free(deploy->rows);
    *deploy = (struct deploy){ .number = ++deploys->started,
                               .started_us = change->suspect.time_us,
                               .watched_us = change->suspect.time_us };
    COPY(deploy->database, change->database);
    COPY(deploy->service, change->suspect.service);
    COPY(deploy->user, change->suspect.user);
    COPY(deploy->application_name, change->suspect.application_name);
    COPY(deploy->command, change->suspect.command);
    COPY(deploy->statement, change->suspect.statement);
    deploys->next = (deploys->next + 1) % DEPLOYS_MOST;
    deploys->count += deploys->count < DEPLOYS_MOST ? 1 : 0;
    return deploy;
}

static bool has_table(const struct deploy *deploy, const struct object_reference *reference)
{
    for (size_t i = 0; i < deploy->table_count; i++) {
        const struct object_reference *table = &deploy->tables[i];
        if (strcmp(table->schema, reference->schema) == 0 && strcmp(table->name, reference->name) == 0 &&
            table->is_schema == reference->is_schema)
            return true;
    }
    return false;
}

static void object_add(struct deploy *deploy, const struct object_reference *reference, struct bytes words)
{
    if (deploy->table_count == DEPLOY_TABLES_MOST) {
        deploy->touches_all = true;
        return;
    }
    deploy->tables[deploy->table_count++] = *reference;
    struct text objects = { deploy->objects, strlen(deploy->objects), sizeof deploy->objects, false };
    text_append_string(&objects, objects.size > 0 ? ", " : "");
    text_append(&objects, words);
}

static void objects_add(struct deploy *deploy, const char *list)
{
    struct object_reference reference;
    struct bytes rest = bytes_text(list);
    struct bytes words = rest;
    while (object_text_next(&rest, &reference)) {
        size_t size = words.size - rest.size;
        size -= rest.size > 0 ? 2 : 0; /* the comma */
        if (!has_table(deploy, &reference))
            object_add(deploy, &reference, bytes_of(words.data, size));
        words = rest;
    }
}

void deploys_change(struct deploys *deploys, const struct suspect_change *change)
{
    struct deploy *deploy = deploy_find(deploys, change);
    size_t tables = deploy != NULL ? deploy->table_count : 0;
    bool is_new = deploy == NULL;
    if (deploy == NULL)
        deploy = deploy_begin(deploys, change);
    deploy->changes++;
    deploy->changed_us = change->suspect.time_us;
    deploy->touches_all |= !change->is_complete;
    objects_add(deploy, change->objects);
    rows_begin(deploys, deploy, is_new ? DEPLOY_BEGINS : DEPLOY_HAS_NEWCOMER);
    bool has_more = !is_new && tables != deploy->table_count;
    for (size_t i = 0; has_more && i < deploy->row_count; i++)
        deploy_row_measure(&deploy->rows[i], deploys, deploy, DEPLOY_GROWS);
}

/* ---- counts and time ---- */

static void take_pulse(const struct deploys *deploys, struct deploy *deploy, const struct pulse *pulse,
                       int64_t minute)
{
    struct deploy_row *row = row_touch(deploys, deploy, pulse->service, DEPLOY_HAS_NEWCOMER);
    if (row == NULL)
        return;
    deploy_row_end_minute(row, &deploys->settings, minute);
    row->after.calls += pulse->fresh.calls;
    row->after.errors += pulse->fresh.errors;
    histogram_merge(&row->latency, &pulse->fresh.latency);
    histogram_merge(&row->minute_latency, &pulse->fresh.latency);
}

static void take_hit(struct deploy *deploy, const struct pulse_hit *hit)
{
    struct deploy_row *row = deploy_is_hit(deploy, hit) ? row_of(deploy, hit->service) : NULL;
    if (row == NULL)
        return;
    row->after.violations += hit->fresh;
    memcpy(row->constraint, hit->constraint, sizeof row->constraint);
}

static void deploy_take(const struct deploys *deploys, struct deploy *deploy, int64_t now_us)
{
    const struct pulses *pulses = &deploys->pulses;
    const struct pulse_hit *hit;
    int64_t minute = pulse_minute_of(now_us);
    for (size_t i = 0; i < pulses->pulse_count; i++) {
        const struct pulse *pulse = pulses->pulses[i];
        if (pulse->is_fresh && strcmp(pulse->database, deploy->database) == 0)
            take_pulse(deploys, deploy, pulse, minute);
    }
    for (size_t age = 0; (hit = pulses_hit(pulses, age)) != NULL && hit->minute >= minute; age++) {
        if (hit->fresh > 0)
            take_hit(deploy, hit);
    }
}

void deploys_take(struct deploys *deploys, const struct harvest *harvest, int64_t now_us)
{
    struct deploy *deploy;
    pulses_take(&deploys->pulses, harvest, now_us);
    for (size_t age = 0; (deploy = deploy_at(deploys, age)) != NULL; age++) {
        if (!deploy->is_over)
            deploy_take(deploys, deploy, now_us);
    }
}

static void deploy_judge(const struct deploys *deploys, struct deploy *deploy, int64_t now_us)
{
    deploy->is_over = now_us - deploy->changed_us >= deploys->settings.watch_us;
    deploy->watched_us = now_us > deploy->watched_us ? now_us : deploy->watched_us;
    for (size_t i = 0; i < deploy->row_count; i++) {
        deploy_row_end_minute(&deploy->rows[i], &deploys->settings, pulse_minute_of(now_us));
        deploy_row_judge(&deploy->rows[i], deploys, deploy, now_us);
    }
}

static const struct deploy_row *first_worse(const struct deploy *deploy)
{
    const struct deploy_row *first = NULL;
    for (size_t i = 0; i < deploy->row_count; i++) {
        const struct deploy_row *row = &deploy->rows[i];
        if (row->outcome == DEPLOY_WORSE && (first == NULL || row->worse_us < first->worse_us))
            first = row;
    }
    return first;
}

bool deploys_tick(struct deploys *deploys, int64_t now_us, struct deploy_verdict *out)
{
    struct deploy *deploy;
    for (size_t age = 0; (deploy = deploy_at(deploys, age)) != NULL; age++) {
        if (!deploy->is_over)
            deploy_judge(deploys, deploy, now_us);
        const struct deploy_row *row = deploy->is_told ? NULL : first_worse(deploy);
        if (row == NULL)
            continue;
        deploy->is_told = true;
        *out = (struct deploy_verdict){ deploy, row };
        return true;
    }
    return false;
}
