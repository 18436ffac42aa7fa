/* SPDX-License-Identifier: PostgreSQL */
/* Tells of incidents: the log, and whoever is to be alerted. */
#include "app/clock.h"
#include "app/sluice.h"

enum { NUMBER_SIZE = 32, SUSPECT_TEXT_SIZE = 1024 };

static void log_given(struct log_line *line, const char *key, const char *value)
{
    if (value[0] != '\0')
        log_string(line, key, value);
}

static void log_rate(struct log_line *line, const char *key, double rate)
{
    char storage[NUMBER_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, rate >= 1 ? "%.1f" : "%.4f", rate);
    log_string(line, key, storage);
}

static void log_subject(struct log_line *line, const struct incident_key *key)
{
    log_string(line, "service", key->service);
    log_given(line, "schema", key->schema);
    log_given(line, "table", key->table);
    log_given(line, key->subject == INCIDENT_FAMILY ? "family" : "constraint", key->name);
}

static void log_suspect(struct log_line *line, const struct incident_note *note)
{
    char storage[SUSPECT_TEXT_SIZE];
    struct text text;
    if (note->suspect_count == 0)
        return;
    text_init(&text, storage, sizeof storage);
    suspect_describe(&note->suspects[0], &text);
    log_bytes(line, "suspect", text_bytes(&text));
}

static void log_course(struct log_line *line, const struct incident *incident)
{
    log_time(line, "started", incident->started_us);
    log_boolean(line, "first_ever", incident->is_first);
    log_integer(line, "count", (int64_t)incident->count);
    log_rate(line, "rate", incident->rate);
    log_rate(line, "baseline", incident->baseline);
    log_integer(line, "peak", (int64_t)incident->peak);
}

static void log_incident(struct sluice *sluice, const struct incident_note *note)
{
    static const enum notice notices[] = {
        [INCIDENT_STARTED] = NOTICE_INCIDENT_STARTED,
        [INCIDENT_GREW] = NOTICE_INCIDENT_GREW,
        [INCIDENT_ENDED] = NOTICE_INCIDENT_ENDED,
    };
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notices[note->news]);
    if (line == NULL)
        return;
    log_integer(line, "incident", (int64_t)note->incident.number);
    log_subject(line, &note->incident.key);
    log_course(line, &note->incident);
    log_given(line, "sqlstate", note->sqlstate);
    log_given(line, "database", note->database);
    log_given(line, "fingerprint", note->fingerprint);
    log_given(line, "definition", note->definition);
    log_given(line, "difference", note->difference);
    log_given(line, "near_miss", note->near_miss);
    log_suspect(line, note);
    if (note->news == INCIDENT_ENDED)
        log_time(line, "ended", note->incident.ended_us);
    log_file_write(&sluice->log);
}

static void complete_near_miss(const struct sluice *sluice, struct incident_note *note)
{
    struct violation violation = { .kind = VIOLATION_CHECK };
    const struct incident_key *key = &note->incident.key;
    memcpy(violation.database, note->database, sizeof violation.database);
    memcpy(violation.schema, key->schema, sizeof violation.schema);
    memcpy(violation.table, key->table, sizeof violation.table);
    memcpy(violation.column, note->column, sizeof violation.column);
    memcpy(violation.constraint, note->constraint, sizeof violation.constraint);
    memcpy(violation.datatype, note->datatype, sizeof violation.datatype);
    memcpy(violation.service, key->service, sizeof violation.service);
    memcpy(violation.fingerprint, note->fingerprint, sizeof violation.fingerprint);
    const struct attempt *attempt = attempts_find(sluice->attempts, &violation);
    if (attempt != NULL)
        memcpy(note->near_miss, attempt->near_miss, sizeof attempt->near_miss);
}

/* What the catalogue has of the constraint. */
static void complete_definition(const struct catalog *catalog, struct incident_note *note)
{
    const struct incident_key *key = &note->incident.key;
    const struct catalog_names names = {
        .database = bytes_text(note->database),
        .schema = bytes_text(key->schema),
        .table = bytes_text(key->table),
        .column = bytes_text(note->column),
        .constraint = bytes_text(note->constraint),
        .datatype = bytes_text(note->datatype),
    };
    struct text definition;
    struct text difference;
    text_init(&definition, note->definition, sizeof note->definition);
    text_init(&difference, note->difference, sizeof note->difference);
    catalog_note(catalog, &names, &definition, &difference);
}

static void on_completion(void *owner, struct incident_note *note)
{
    struct sluice *sluice = owner;
    const struct catalog *catalog = surveyor_catalog(sluice->surveyor);
    if (catalog != NULL && note->incident.key.subject == INCIDENT_CONSTRAINT)
        complete_definition(catalog, note);
    if (sluice->attempts != NULL)
        complete_near_miss(sluice, note);
    aftermath_complete(&sluice->observer.aftermath, note);
}

static void on_incident(void *owner, const struct incident_note *note)
{
    struct sluice *sluice = owner;
    log_incident(sluice, note);
    if (sluice->alert != NULL)
        alert_post(sluice->alert, note);
}

static void log_report(struct sluice *sluice, const struct alert_report *report)
{
    static const enum notice notices[] = {
        [ALERT_DELIVERED] = NOTICE_ALERT_DELIVERED,
        [ALERT_FAILED] = NOTICE_ALERT_FAILED,
        [ALERT_GIVEN_UP] = NOTICE_ALERT_GIVEN_UP,
    };
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), notices[report->outcome]);
    if (line == NULL)
        return;
    log_string(line, "to", report->to);
    log_integer(line, "incident", (int64_t)report->incident);
    log_string(line, "news", incident_news_name(report->news));
    log_integer(line, "attempts", report->attempts);
    log_given(line, "reason", report->reason);
    log_file_write(&sluice->log);
}

static void log_lost(struct sluice *sluice, uint64_t count)
{
    struct log_line *line = count > 0 ? log_file_begin(&sluice->log, clock_now(), NOTICE_ALERTS_LOST) : NULL;
    if (line == NULL)
        return;
    log_integer(line, "count", (int64_t)count);
    log_file_write(&sluice->log);
}

void sluice_log_alerts(struct sluice *sluice)
{
    struct alert_report report;
    if (sluice->alert == NULL)
        return;
    while (alert_report_take(sluice->alert, &report))
        log_report(sluice, &report);
    log_lost(sluice, alert_lost_take(sluice->alert));
}

void sluice_count_alerts(struct sluice *sluice, struct counters *out)
{
    struct alert_totals totals;
    if (sluice->alert == NULL)
        return;
    alert_count(sluice->alert, &totals);
    counter_add(&out->alerts_delivered, totals.outcomes[ALERT_DELIVERED]);
    counter_add(&out->alerts_failed, totals.outcomes[ALERT_FAILED]);
    counter_add(&out->alerts_given_up, totals.outcomes[ALERT_GIVEN_UP]);
    counter_add(&out->alerts_lost, totals.lost);
}

bool sluice_open_telling(struct sluice *sluice, struct problem *problem)
{
    const struct alerts_settings *settings = &sluice->started->alerts;
    const struct alert_options options = {
        .url = settings->webhook.url,
        .headers = settings->webhook.headers.items,
        .header_count = settings->webhook.headers.count,
        .timeout_us = settings->webhook.timeout,
        .command = settings->command.items,
        .command_count = settings->command.count,
        .command_timeout_us = settings->command_timeout,
        .queue_most = settings->queue,
        .give_up_us = settings->give_up,
        .news = settings->news,
    };
    const struct vigil_hooks hooks = { .complete = on_completion, .tell = on_incident, .owner = sluice };
    vigil_set_hooks(&sluice->observer.vigil, &hooks);
    if (options.url[0] == '\0' && options.command_count == 0)
        return true;
    sluice->alert = alert_create(&options);
    if (sluice->alert == NULL)
        *problem = (struct problem){ .text = "memory or threads for alerts are not to be had" };
    return sluice->alert != NULL;
}

void sluice_close_telling(struct sluice *sluice)
{
    sluice_log_alerts(sluice);
    log_lost(sluice, alert_destroy(sluice->alert));
    sluice->alert = NULL;
}
