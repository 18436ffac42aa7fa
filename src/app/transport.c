/* SPDX-License-Identifier: PostgreSQL */
#include "app/transport.h"

#include "app/place.h"
#include "probe/probe.h"

#include <stdlib.h>

enum { MICROSECONDS_PER_MILLISECOND = 1000, TEXT_SIZE = PROBLEM_TEXT_SIZE };

static const char listen_list[] = "listen";
static const char upstream_list[] = "upstreams";

/* ── Certificates ──────────────────────────────────────────────────────────────────────────────────────────
 */

static enum tls_version version_of(enum setting_tls_version version)
{
    return version == SETTING_TLS_1_3 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
}

static struct tls_plan listen_tls_plan(const struct listen_tls_settings *from)
{
    return (struct tls_plan){
        .role = TLS_SERVER,
        .certificate = from->certificate,
        .key = from->key,
        .ca = from->client_ca,
        .needs_certificate = from->mode == CLIENT_TLS_VERIFY,
        .version_least = version_of(from->version_least),
    };
}

static enum tls_verification verification_of(enum setting_server_tls mode)
{
    switch (mode) {
    case SERVER_TLS_VERIFY_CA:
        return TLS_VERIFY_CA;
    case SERVER_TLS_VERIFY_FULL:
        return TLS_VERIFY_FULL;
    default:
        return TLS_VERIFY_NONE;
    }
}

static struct tls_plan upstream_tls_plan(const struct upstream_tls_settings *from)
{
    return (struct tls_plan){
        .role = TLS_CLIENT,
        .certificate = from->certificate,
        .key = from->key,
        .ca = from->ca,
        .verification = verification_of(from->mode),
        .version_least = version_of(from->version_least),
    };
}

/* What is wrong with a file, at the settings that name it. */
static void certificate_problem(struct problems *problems, const struct settings *settings, const char *list,
                                size_t index, const struct problem *problem)
{
    char storage[TEXT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    if (problem->file[0] != '\0')
        text_append_format(&text, "%s: ", problem->file);
    text_append_string(&text, problem->text);
    problem_at(problems, settings, list, index, "tls", false, storage);
}

static void certificate_warn(struct problems *problems, const struct settings *settings, const char *list,
                             size_t index, struct tls_context *context, int64_t now_us)
{
    char storage[TEXT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    if (context != NULL && tls_context_warning(context, now_us, &text))
        problem_at(problems, settings, list, index, "tls.certificate", true, storage);
}

static struct tls_context *certificate_read(const struct tls_plan *plan, const struct settings *settings,
                                            const char *list, size_t index, struct problems *problems)
{
    struct tls_context *context = NULL;
    struct problem problem = { .line = 0 };
    if (!tls_context_create(plan, &context, &problem))
        certificate_problem(problems, settings, list, index, &problem);
    return context;
}

static void certificate_reread(struct tls_context *context, const struct settings *settings, const char *list,
                               size_t index, struct problems *problems)
{
    struct problem problem = { .line = 0 };
    if (context != NULL && !tls_context_reload(context, &problem))
        certificate_problem(problems, settings, list, index, &problem);
}

/* ── Making it ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static enum upstream_security security_of(enum setting_server_tls mode)
{
    switch (mode) {
    case SERVER_TLS_DISABLE:
        return UPSTREAM_PLAIN;
    case SERVER_TLS_PREFER:
        return UPSTREAM_PREFER;
    default:
        return UPSTREAM_REQUIRE;
    }
}

/* Where hosts are asked, whether the words they are asked with can be read. */
static void probe_check(const struct settings *settings, size_t index, struct problems *problems)
{
    char storage[TEXT_SIZE];
    struct text why;
    const struct upstream_settings *from = &settings->upstreams.items[index];
    text_init(&why, storage, sizeof(storage));
    if (from->target == TARGET_READ_WRITE && !probe_conninfo_check(from->probe, &why))
        problem_at(problems, settings, upstream_list, index, "probe", false, storage);
}

static void upstream_read(struct transport *transport, size_t index, struct problems *problems)
{
    const struct settings *settings = transport->settings;
    const struct upstream_settings *from = &settings->upstreams.items[index];
    struct upstream *upstream = &transport->upstreams[index];
    *upstream = (struct upstream){
        .name = from->name,
        .hosts = from->hosts.items,
        .host_count = from->hosts.count,
        .connect_timeout_ms = (uint64_t)from->connect_timeout / MICROSECONDS_PER_MILLISECOND,
        .security = security_of(from->tls.mode),
        .is_direct = from->tls.direct,
        .fitness = from->target == TARGET_READ_WRITE ? &transport->fitness[index] : NULL,
    };
    probe_check(settings, index, problems);
    if (upstream->security == UPSTREAM_PLAIN)
        return;
    struct tls_plan plan = upstream_tls_plan(&from->tls);
    upstream->tls = certificate_read(&plan, settings, upstream_list, index, problems);
}

static const struct upstream *upstream_named(const struct transport *transport, const char *name)
{
    size_t index = 0;
    while (strcmp(transport->settings->upstreams.items[index].name, name) != 0)
        index++; /* the settings were checked: it is there */
    return &transport->upstreams[index];
}

static enum session_security client_security_of(enum setting_client_tls mode)
{
    switch (mode) {
    case CLIENT_TLS_DISABLE:
        return SECURITY_NONE;
    case CLIENT_TLS_ALLOW:
        return SECURITY_ALLOWED;
    default:
        return SECURITY_REQUIRED;
    }
}

static void upstream_add(struct listener_plan *plan, const struct upstream **upstreams,
                         const struct upstream *upstream)
{
    for (size_t index = 0; index < plan->upstream_count; index++)
        if (upstreams[index] == upstream)
            return;
    upstreams[plan->upstream_count++] = upstream;
}

/* The routes of a listener, and all the upstreams they lead to. False when memory is short. */
static bool routes_read(const struct transport *transport, const struct listen_settings *from,
                        struct listener_plan *plan)
{
    struct route *routes = calloc(from->routes.count + 1, sizeof(*routes));
    const struct upstream **upstreams = calloc(from->routes.count + 1, sizeof(struct upstream *));
    plan->routes = routes;
    plan->upstreams = upstreams;
    if (routes == NULL || upstreams == NULL)
        return false;
    upstream_add(plan, upstreams, plan->upstream);
    for (size_t index = 0; index < from->routes.count; index++) {
        const struct route_settings *route = &from->routes.items[index];
        routes[index] = (struct route){ route->database, upstream_named(transport, route->upstream) };
        upstream_add(plan, upstreams, routes[index].upstream);
    }
    plan->route_count = from->routes.count;
    return true;
}

static void listener_read(struct transport *transport, size_t index, struct problems *problems)
{
    const struct settings *settings = transport->settings;
    const struct listen_settings *from = &settings->listen.items[index];
    struct listener_plan *plan = &transport->listeners[index];
    if (from->tls.mode != CLIENT_TLS_DISABLE) {
        struct tls_plan tls = listen_tls_plan(&from->tls);
        transport->listen_tls[index] = certificate_read(&tls, settings, listen_list, index, problems);
    }
    *plan = (struct listener_plan){
        .address = &from->address,
        .upstream = upstream_named(transport, from->upstream),
        .security = client_security_of(from->tls.mode),
        .tls = transport->listen_tls[index],
        .balancers = from->proxy_protocol.from.items,
        .balancer_count = from->proxy_protocol.from.count,
        .admission = transport->admission,
    };
    if (!routes_read(transport, from, plan))
        problems_add(problems, "", 0, 0, "out of memory");
}

static void warn_all(const struct transport *transport, int64_t now_us, struct problems *problems)
{
    const struct settings *settings = transport->settings;
    for (size_t index = 0; index < settings->listen.count; index++)
        certificate_warn(problems, settings, listen_list, index, transport->listen_tls[index], now_us);
    for (size_t index = 0; index < settings->upstreams.count; index++)
        certificate_warn(problems, settings, upstream_list, index, transport->upstreams[index].tls, now_us);
}

static bool transport_allocate(struct transport *transport, const struct hash_key *key)
{
    const struct settings *settings = transport->settings;
    const struct census_limits limits = {
        .sessions = settings->limits.sessions,
        .per_service = settings->limits.sessions_per_service,
        .per_address = settings->limits.sessions_per_address,
    };
    transport->upstreams = calloc(settings->upstreams.count, sizeof(*transport->upstreams));
    transport->fitness = calloc(settings->upstreams.count, sizeof(*transport->fitness));
    transport->listen_tls = calloc(settings->listen.count, sizeof(struct tls_context *));
    transport->listeners = calloc(settings->listen.count, sizeof(*transport->listeners));
    transport->admission = admission_create(key, &limits);
    return transport->upstreams != NULL && transport->fitness != NULL && transport->listen_tls != NULL &&
           transport->listeners != NULL && transport->admission != NULL;
}

bool transport_create(struct transport *transport, const struct settings *settings,
                      const struct hash_key *key, int64_t now_us, struct problems *problems)
{
    size_t errors_before = problems->error_count;
    *transport = (struct transport){ .settings = settings };
    if (!transport_allocate(transport, key)) {
        problems_add(problems, "", 0, 0, "out of memory");
        transport_release(transport);
        return false;
    }
    for (size_t index = 0; index < settings->upstreams.count; index++)
        upstream_read(transport, index, problems);
    for (size_t index = 0; index < settings->listen.count; index++)
        listener_read(transport, index, problems);
    warn_all(transport, now_us, problems);
    if (problems->error_count == errors_before)
        return true;
    transport_release(transport);
    return false;
}

static void listener_release(const struct listener_plan *plan, struct tls_context *tls)
{
    tls_context_release(tls);
    free((void *)(uintptr_t)plan->routes);
    free((void *)(uintptr_t)plan->upstreams);
}

void transport_release(struct transport *transport)
{
    const struct settings *settings = transport->settings;
    for (size_t index = 0; transport->upstreams != NULL && index < settings->upstreams.count; index++)
        tls_context_release(transport->upstreams[index].tls);
    bool has_listeners = transport->listeners != NULL && transport->listen_tls != NULL;
    for (size_t index = 0; has_listeners && index < settings->listen.count; index++)
        listener_release(&transport->listeners[index], transport->listen_tls[index]);
    free(transport->upstreams);
    free(transport->fitness);
    free(transport->listen_tls);
    free(transport->listeners);
    admission_destroy(transport->admission);
    *transport = (struct transport){ .settings = NULL };
}

void transport_reload(struct transport *transport, int64_t now_us, struct problems *problems)
{
    const struct settings *settings = transport->settings;
    for (size_t index = 0; index < settings->upstreams.count; index++)
        certificate_reread(transport->upstreams[index].tls, settings, upstream_list, index, problems);
    for (size_t index = 0; index < settings->listen.count; index++)
        certificate_reread(transport->listen_tls[index], settings, listen_list, index, problems);
    warn_all(transport, now_us, problems);
}
