/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"

/* The names of a list: its structures are `size` bytes long. */
struct names {
    const char *list;
    const void *items;
    size_t count;
    size_t size;
    size_t offset;
};

#define NAMES_OF(path, of, tag)                                                                              \
    {                                                                                                        \
        path, (of)->items, (of)->count, sizeof(struct tag), offsetof(struct tag, name)                       \
    }

static const char *name_at(const struct names *names, size_t index)
{
    const char *name = NULL;
    memcpy(&name, (const char *)names->items + index * names->size + names->offset, sizeof name);
    return name;
}

static void check_name(const struct findings *findings, const struct names *names, size_t index)
{
    const char *name = name_at(names, index);
    for (size_t i = 0; i < index && name[0] != '\0'; i++) {
        if (strcmp(name, name_at(names, i)) != 0)
            continue;
        findings_fault(findings, setting_path("%s[%zu].name", names->list, index).text,
                       "\"%s\" is also the name of %s[%zu]: give each a name of its own", name, names->list,
                       i);
        return;
    }
}

static void check_names(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    const struct names lists[] = {
        NAMES_OF("upstreams", &settings->upstreams, upstream_settings),
        NAMES_OF("guard.windows", &settings->guard.windows, window_settings),
        NAMES_OF("guard.freezes", &settings->guard.freezes, freeze_settings),
        NAMES_OF("guard.rules", &settings->guard.rules, rule_settings),
    };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        for (size_t j = 0; j < lists[i].count; j++)
            check_name(findings, &lists[i], j);
    }
}

static bool addresses_equal(const struct address *a, const struct address *b)
{
    return a->family != ADDRESS_NONE && a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0 && strcmp(a->text, b->text) == 0;
}

static void check_addresses(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct address *address = &settings->listen.items[i].address;
        if (addresses_equal(address, &settings->console.address))
            findings_fault(findings, setting_path("listen[%zu].address", i).text,
                           "the console listens there too: give each an address of its own");
        for (size_t j = 0; j < i; j++) {
            if (addresses_equal(address, &settings->listen.items[j].address))
                findings_fault(findings, setting_path("listen[%zu].address", i).text,
                               "listen[%zu] has it already: give each an address of its own", j);
        }
    }
}

static void check_console(const struct findings *findings)
{
    const struct console_settings *console = &findings->settings->console;
    if (console->address.family != ADDRESS_NONE && !address_is_loopback(&console->address) &&
        console->password[0] == '\0')
        findings_fault(findings, "console.address",
                       "other machines can reach it: set console.password, or use a loopback address such as "
                       "127.0.0.1:6433 or the path of a socket");
}

static bool has_condition(const struct when_settings *when)
{
    return when->application_name[0] != '\0' || when->user[0] != '\0' || when->database[0] != '\0' ||
           when->address.family != ADDRESS_NONE;
}

static void check_services(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i + 1 < settings->services.count; i++) {
        if (has_condition(&settings->services.items[i].when))
            continue;
        findings_warn(findings, setting_path("services[%zu].name", i).text,
                      "the rule has no condition, so the rules after it are never reached: put it last");
        return;
    }
}

/* Bounds that a wider one hides. */
static void check_limits(const struct findings *findings)
{
    const struct limits_settings *limits = &findings->settings->limits;
    const struct {
        const char *path;
        uint32_t bound;
    } parts[] = {
        { "limits.sessions_per_service", limits->sessions_per_service },
        { "limits.sessions_per_address", limits->sessions_per_address },
    };
    for (size_t i = 0; i < COUNT_OF(parts) && limits->sessions != 0; i++) {
        if (parts[i].bound > limits->sessions)
            findings_warn(findings, parts[i].path,
                          "is never reached: limits.sessions allows no more than %u in all; write a smaller "
                          "number, or 0 for no bound",
                          (unsigned)limits->sessions);
    }
}

/* A list that is left out is no mistake; one that was written and is empty may be. */
static void check_balancers(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        struct setting_path path = setting_path("listen[%zu].proxy_protocol.from", i);
        if (settings->listen.items[i].proxy_protocol.from.count == 0 &&
            origins_find(findings->origins, path.text) != NULL && !findings_has_error(findings, path.text))
            findings_warn(findings, path.text,
                          "is empty, so nobody may send PROXY headers: write the networks of the load "
                          "balancers, such as from: [10.0.0.0/8], or leave it out");
    }
}

/* Two readings of one database would each take the other's for changes. */
static void check_catalog(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    for (size_t i = 0; i < settings->catalog.count; i++) {
        const char *database = settings->catalog.items[i].database;
        for (size_t j = 0; j < i && database[0] != '\0'; j++) {
            if (strcmp(database, settings->catalog.items[j].database) == 0)
                findings_fault(findings, setting_path("catalog[%zu].database", i).text,
                               "catalog[%zu] reads \"%s\" already: take one of them out", j, database);
        }
    }
}

/* Both are appended to, each in its own form. */
static void check_audit(const struct findings *findings)
{
    const char *audit = findings->settings->audit.file;
    const char *log = findings->settings->log.file;
    const struct origin *origin = origins_find(findings->origins, "audit.file");
    if (audit[0] == '\0' || origin == NULL)
        return;
    if (strcmp(origin->value, "-") == 0)
        findings_fault(findings, "audit.file",
                       "\"-\" is no file: write the path of one, such as /var/log/pgsluice/audit.jsonl; what "
                       "goes to standard error is the log");
    else if (strcmp(audit, log) == 0 || strcmp(origin->value, log) == 0)
        findings_fault(findings, "audit.file", "\"%s\" is also log.file: give each a file of its own", log);
}

void settings_check(const struct settings *settings, const struct origins *origins, struct problems *problems)
{
    const struct findings findings = { settings, origins, problems, problems_kept_count(problems) };
    check_names(&findings);
    check_addresses(&findings);
    check_balancers(&findings);
    check_console(&findings);
    check_services(&findings);
    windows_check(&findings);
    guard_check(&findings);
    check_audit(&findings);
    alerts_check(&findings);
    check_catalog(&findings);
    check_limits(&findings);
    upstreams_check(&findings);
    tls_check(&findings);
}
