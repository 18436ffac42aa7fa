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
    struct address address;
    session_client(session, &address);
    struct identity identity = {
        .application_name = shared_text_bytes(session->application_name),
        .user = shared_text_bytes(session->user),
        .database = shared_text_bytes(session->database),
        .address = &address,
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
    struct address client;
    struct text address;
    session_client(session, &client);
    text_init(&address, event->address, sizeof(event->address));
    address_describe(&client, &address);
    if (session->user != NULL) {
        copy_field(shared_text_bytes(session->user), event->violation.user, NAME_SIZE);
        copy_field(shared_text_bytes(session->database), event->violation.database, NAME_SIZE);
        copy_field(session_service(session), event->violation.service, NAME_SIZE);
    }
    copy_field(shared_text_bytes(session->application_name), event->application_name, NAME_SIZE);
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
