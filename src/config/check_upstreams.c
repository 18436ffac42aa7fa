/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"

static const struct upstream_settings *find_upstream(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->upstreams.count; i++) {
        if (strcmp(settings->upstreams.items[i].name, name) == 0)
            return &settings->upstreams.items[i];
    }
    return NULL;
}

static void check_reference(const struct findings *findings, struct setting_path path, const char *name)
{
    const struct settings *settings = findings->settings;
    if (name[0] != '\0' && settings->upstreams.count > 0 && find_upstream(settings, name) == NULL)
        findings_fault(findings, path.text,
                       "there is no upstream \"%s\": write the name of an entry of upstreams, such as %s",
                       name, settings->upstreams.items[0].name);
}

static void check_references(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct listen_settings *listen = &settings->listen.items[i];
        check_reference(findings, setting_path("listen[%zu].upstream", i), listen->upstream);
        for (size_t j = 0; j < listen->routes.count; j++)
            check_reference(findings, setting_path("listen[%zu].routes[%zu].upstream", i, j),
                            listen->routes.items[j].upstream);
    }
}

/* Whether every database that the second pattern holds for is one of the first, as far as that is plain. */
static bool hides(const char *first, const char *second)
{
    bool is_for_all = first[0] != '\0' && first[strspn(first, "*")] == '\0';
    return second[0] != '\0' && (is_for_all || strcmp(first, second) == 0);
}

static bool check_route(const struct findings *findings, size_t listen_index, size_t index)
{
    const struct route_settings *routes = findings->settings->listen.items[listen_index].routes.items;
    for (size_t i = 0; i < index; i++) {
        if (!hides(routes[i].database, routes[index].database))
            continue;
        findings_warn(findings, setting_path("listen[%zu].routes[%zu].database", listen_index, index).text,
                      "is never reached: routes[%zu] before it (\"%s\") holds for the same databases; put "
                      "this route before that one, or take it out",
                      i, routes[i].database);
        return false;
    }
    return true;
}

/* One word about each listener is enough. */
static void check_routes(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        bool is_reached = true;
        for (size_t j = 1; j < settings->listen.items[i].routes.count && is_reached; j++)
            is_reached = check_route(findings, i, j);
    }
}

bool listen_leads_to(const struct listen_settings *listen, const char *upstream)
{
    bool is_named = strcmp(listen->upstream, upstream) == 0;
    for (size_t i = 0; i < listen->routes.count && !is_named; i++)
        is_named = strcmp(listen->routes.items[i].upstream, upstream) == 0;
    return is_named;
}

static void check_use(const struct findings *findings, size_t index)
{
    const struct settings *settings = findings->settings;
    const char *name = settings->upstreams.items[index].name;
    bool is_used = false;
    for (size_t i = 0; i < settings->listen.count && !is_used; i++)
        is_used = listen_leads_to(&settings->listen.items[i], name);
    if (!is_used)
        findings_warn(findings, setting_path("upstreams[%zu].name", index).text,
                      "no entry of listen and no route leads to \"%s\": name it there, or take it out", name);
}

static void check_probe(const struct findings *findings, size_t index)
{
    static const char *const names[] = { "probe", "probe_interval" };
    struct setting_path target = setting_path("upstreams[%zu].target", index);
    if (findings->settings->upstreams.items[index].target != TARGET_ANY ||
        findings_has_error(findings, target.text))
        return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct setting_path path = setting_path("upstreams[%zu].%s", index, names[i]);
        if (findings_is_changed(findings, path.text) && !findings_has_error(findings, path.text))
            findings_warn(findings, path.text,
                          "has no effect with target: any, for which no host is asked: write target: "
                          "read-write, or leave it out");
    }
}

/* The sessions take the system's authorities, which libpq does not look for by itself. */
static void check_probe_trust(const struct findings *findings, size_t index)
{
    const struct upstream_settings *upstream = &findings->settings->upstreams.items[index];
    bool is_verified =
        upstream->tls.mode == SERVER_TLS_VERIFY_CA || upstream->tls.mode == SERVER_TLS_VERIFY_FULL;
    bool is_told = upstream->tls.ca[0] != '\0' || strstr(upstream->probe, "sslrootcert") != NULL;
    if (upstream->target == TARGET_READ_WRITE && is_verified && !is_told)
        findings_warn(findings, setting_path("upstreams[%zu].probe", index).text,
                      "libpq, by which the hosts are asked, takes no server for verified without tls.ca: "
                      "write that, or sslrootcert=FILE here");
}

void upstreams_check(const struct findings *findings)
{
    check_references(findings);
    check_routes(findings);
    for (size_t i = 0; i < findings->settings->upstreams.count; i++) {
        check_probe(findings, i);
        /* Where something could not be read, what is looked at here may be among it. */
        if (findings->problems->error_count > 0)
            continue;
        check_probe_trust(findings, i);
        check_use(findings, i);
    }
}
