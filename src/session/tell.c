/* SPDX-License-Identifier: PostgreSQL */
#include "session/state.h"

static bool is_service_known(const struct session *session)
{
    return session->service != NULL && session->service_policy == session->world->policies;
}

struct bytes session_service(const struct session *session)
{
    if (is_service_known(session))
        return bytes_text(session->service);
    const struct policy *policy = session->world->policy;
    struct identity identity = {
        .application_name = bytes_text(session->application_name != NULL ? session->application_name : ""),
        .user = bytes_text(session->user != NULL ? session->user : ""),
        .database = bytes_text(session->database != NULL ? session->database : ""),
        .address = &session->address,
    };
    return service_resolve(policy->rules, policy->rule_count, &identity);
}

const char *session_service_name(struct session *session)
{
    if (!is_service_known(session)) {
        session->service = NULL;
        struct bytes service = session_service(session);
        session->service = service.size > 0 ? (const char *)service.data : "";
        session->service_policy = session->world->policies;
    }
    return session->service;
}

static void copy_field(struct bytes from, char *to, size_t capacity)
{
    (void)bytes_copy_text(from, to, capacity);
}

void tell_fill(const struct session *session, enum event_kind kind, struct event *event)
{
    memset(event, 0, sizeof(*event));
    event->kind = kind;
    event->worker = session->world->worker;
    event->session = session->id;
    event->time_us = session->world->now_us;
    struct text address;
    text_init(&address, event->address, sizeof(event->address));
    address_describe(&session->address, &address);
    if (session->user != NULL) {
        copy_field(bytes_text(session->user), event->violation.user, NAME_SIZE);
        copy_field(bytes_text(session->database), event->violation.database, NAME_SIZE);
        copy_field(session_service(session), event->violation.service, NAME_SIZE);
    }
    if (session->application_name != NULL)
        copy_field(bytes_text(session->application_name), event->application_name, NAME_SIZE);
}

static struct event *reserve(struct session *session)
{
    struct event *event = ring_reserve(session->world->events);
    if (event == NULL)
        counter_add(&session->world->counters->events_dropped, 1);
    return event;
}

struct event *tell_begin(struct session *session, enum event_kind kind)
{
    struct event *event = reserve(session);
    if (event != NULL)
        tell_fill(session, kind, event);
    return event;
}

void tell_copy(struct session *session, const struct event *event)
{
    struct event *place = reserve(session);
    if (place == NULL)
        return;
    *place = *event;
    tell_publish(session);
}

void tell_publish(struct session *session)
{
    ring_publish(session->world->events);
}
