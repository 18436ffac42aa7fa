/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"

struct check {
    const struct settings *settings;
    const struct origins *origins;
    struct problems *problems;
};

enum { PATH_SIZE = 128 };

/* An error at the place of a path. */
PRINTF_LIKE(3, 4)
static void fault(const struct check *check, const char *path, const char *format, ...)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct text text;
    struct settings_place place = origins_place(check->origins, path);
    text_init(&text, storage, sizeof storage);
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    problems_add(check->problems, place.file, place.line, place.column, "%s: %s", path, storage);
}

static void warn(const struct check *check, const char *path, const char *warning)
{
    struct settings_place place = origins_place(check->origins, path);
    problems_warn(check->problems, place.file, place.line, place.column, "%s: %s", path, warning);
}

/* "list[index].name" */
static const char *path_of(char *storage, const char *list, size_t index, const char *name)
{
    struct text text;
    text_init(&text, storage, PATH_SIZE);
    text_append_format(&text, "%s[%zu].%s", list, index, name);
    return storage;
}

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

static void check_name(const struct check *check, const struct names *names, size_t index)
{
    char path[PATH_SIZE];
    const char *name = name_at(names, index);
    for (size_t i = 0; i < index && name[0] != '\0'; i++) {
        if (strcmp(name, name_at(names, i)) != 0)
            continue;
        fault(check, path_of(path, names->list, index, "name"),
              "\"%s\" is also the name of %s[%zu]: give each a name of its own", name, names->list, i);
        return;
    }
}

static void check_names(const struct check *check)
{
    const struct settings *settings = check->settings;
    const struct names lists[] = {
        NAMES_OF("upstreams", &settings->upstreams, upstream_settings),
        NAMES_OF("guard.windows", &settings->guard.windows, window_settings),
        NAMES_OF("guard.freezes", &settings->guard.freezes, freeze_settings),
    };
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        for (size_t j = 0; j < lists[i].count; j++)
            check_name(check, &lists[i], j);
    }
}

static bool has_upstream(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->upstreams.count; i++) {
        if (strcmp(settings->upstreams.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_references(const struct check *check)
{
    char path[PATH_SIZE];
    const struct settings *settings = check->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        const char *name = settings->listen.items[i].upstream;
        if (name[0] != '\0' && settings->upstreams.count > 0 && !has_upstream(settings, name))
            fault(check, path_of(path, "listen", i, "upstream"),
                  "there is no upstream \"%s\": write the name of an entry of upstreams, such as %s", name,
                  settings->upstreams.items[0].name);
    }
}

static bool addresses_equal(const struct address *a, const struct address *b)
{
    return a->family != ADDRESS_NONE && a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0 && strcmp(a->text, b->text) == 0;
}

static void check_addresses(const struct check *check)
{
    char path[PATH_SIZE];
    const struct settings *settings = check->settings;
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct address *address = &settings->listen.items[i].address;
        if (addresses_equal(address, &settings->console.address))
            fault(check, path_of(path, "listen", i, "address"),
                  "the console listens there too: give each an address of its own");
        for (size_t j = 0; j < i; j++) {
            if (addresses_equal(address, &settings->listen.items[j].address))
                fault(check, path_of(path, "listen", i, "address"),
                      "listen[%zu] has it already: give each an address of its own", j);
        }
    }
}

static void check_console(const struct check *check)
{
    const struct console_settings *console = &check->settings->console;
    if (console->address.family != ADDRESS_NONE && !address_is_loopback(&console->address) &&
        console->password[0] == '\0')
        fault(check, "console.address",
              "other machines can reach it: set console.password, or use a loopback address such as "
              "127.0.0.1:6433 or the path of a socket");
}

static bool has_condition(const struct when_settings *when)
{
    return when->application_name[0] != '\0' || when->user[0] != '\0' || when->database[0] != '\0' ||
           when->address.family != ADDRESS_NONE;
}

static void check_services(const struct check *check)
{
    char path[PATH_SIZE];
    const struct settings *settings = check->settings;
    for (size_t i = 0; i + 1 < settings->services.count; i++) {
        if (has_condition(&settings->services.items[i].when))
            continue;
        warn(check, path_of(path, "services", i, "name"),
             "the rule has no condition, so the rules after it are never reached: put it last");
        return;
    }
}

static void check_windows(const struct check *check)
{
    char path[PATH_SIZE];
    const struct guard_settings *guard = &check->settings->guard;
    for (size_t i = 0; i < guard->windows.count; i++) {
        const struct window_settings *window = &guard->windows.items[i];
        if (window->from[0] != '\0' && strcmp(window->from, window->to) == 0)
            fault(check, path_of(path, "guard.windows", i, "to"),
                  "it closes when it opens: write a time at least a minute later, or from \"00:00\" to "
                  "\"24:00\" for whole days");
    }
    /* Where something could not be read a window may be among it. */
    if (check->problems->error_count == 0 && guard->mode == MODE_ENFORCE && guard->windows.count == 0)
        warn(check, "guard.windows",
             "there is no window, so the gate stays closed: schema changes pass only when an operator opens "
             "it on the console");
}

void settings_check(const struct settings *settings, const struct origins *origins, struct problems *problems)
{
    const struct check check = { settings, origins, problems };
    check_names(&check);
    check_references(&check);
    check_addresses(&check);
    check_console(&check);
    check_services(&check);
    check_windows(&check);
}
