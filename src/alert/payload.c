/* SPDX-License-Identifier: PostgreSQL */
#include "alert/payload.h"

#include "base/json.h"

static void write_subject(struct json *json, const struct incident_key *key)
{
    bool is_family = key->subject == INCIDENT_FAMILY;
    json_string(json, "subject", incident_subject_name(key->subject));
    json_text(json, "service", key->service);
    json_text(json, "schema", key->schema);
    json_text(json, "table", key->table);
    json_text(json, "constraint", is_family ? "" : key->name);
    json_text(json, "family", is_family ? key->name : "");
}

static void write_course(struct json *json, const struct incident_note *note)
{
    const struct incident *incident = &note->incident;
    bool is_over = note->news == INCIDENT_ENDED;
    json_time(json, "started", incident->started_us);
    json_time(json, "detected", incident->detected_us);
    json_time(json, "ended", is_over ? incident->ended_us : 0);
    json_boolean(json, "is_first", incident->is_first);
    json_boolean(json, "is_usual_now", is_over && incident->is_adopted);
    json_integer(json, "count", (int64_t)incident->count);
    json_real(json, "rate_per_minute", incident->rate);
    json_real(json, "baseline_per_minute", incident->baseline);
    json_integer(json, "peak_per_minute", (int64_t)incident->peak);
}

static void write_cause(struct json *json, const struct incident_note *note)
{
    json_text(json, "kind", note->kind);
    json_text(json, "sqlstate", note->sqlstate);
    json_text(json, "database", note->database);
    json_text(json, "route", note->route);
    json_text(json, "fingerprint", note->fingerprint);
    json_text(json, "statement", note->statement);
    json_text(json, "definition", note->definition);
    json_text(json, "difference", note->difference);
    json_text(json, "near_miss", note->near_miss);
}

static void write_suspect(struct json *json, const struct suspect *suspect)
{
    json_object_begin(json, NULL);
    json_time(json, "time", suspect->time_us);
    json_time(json, "not_before", suspect->not_before_us);
    json_boolean(json, "was_seen", suspect->was_seen);
    json_text(json, "service", suspect->service);
    json_text(json, "user", suspect->user);
    json_text(json, "application_name", suspect->application_name);
    json_text(json, "address", suspect->address);
    json_text(json, "command", suspect->command);
    json_text(json, "rule", suspect->rule);
    json_text(json, "window", suspect->window);
    json_text(json, "object", suspect->object);
    json_text(json, "statement", suspect->statement);
    json_text(json, "difference", suspect->difference);
    json_object_end(json);
}

void payload_write(const struct incident_note *note, struct buffer *out)
{
    struct json json = json_of(out);
    json_object_begin(&json, NULL);
    json_integer(&json, "version", PAYLOAD_VERSION);
    json_integer(&json, "incident", (int64_t)note->incident.number);
    json_string(&json, "news", incident_news_name(note->news));
    write_subject(&json, &note->incident.key);
    write_course(&json, note);
    write_cause(&json, note);
    json_array_begin(&json, "suspects");
    for (size_t index = 0; index < note->suspect_count; index++)
        write_suspect(&json, &note->suspects[index]);
    json_array_end(&json);
    json_object_end(&json);
    buffer_append(out, bytes_text("\n"));
}
