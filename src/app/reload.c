/* SPDX-License-Identifier: PostgreSQL */
/* Settings and policy, at the start and again while running. */
#include "app/clock.h"
#include "app/sluice.h"

#include <stdlib.h>

void sluice_hand_policy(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_set_policy(sluice->workers[index], sluice->keeper.policy);
}

static struct log_plan log_plan_of(const struct settings *settings)
{
    return (struct log_plan){
        .format = settings->log.format,
        .level = settings->log.level,
        .path = settings->log.file,
        .what = "log file",
        .violations_most = settings->violations.log_per_second,
    };
}

/* Reads and checks the file with all that is known: its form, then its calendar. */
static struct settings *settings_read(const char *path, struct plan *plan, struct problems *problems)
{
    struct settings *settings = NULL;
    problems_init(problems);
    if (!settings_load(path, &settings, problems))
        return NULL;
    if (!surveyor_check(settings, problems) || !plan_create(plan, settings, clock_now(), problems)) {
        settings_release(settings);
        return NULL;
    }
    return settings;
}

bool sluice_begin(struct sluice *sluice, struct plan *plan, struct problems *problems)
{
    struct problem problem = { .line = 0 };
    bool is_ready = true;
    sluice->started = settings_read(sluice->path, plan, problems);
    sluice->current = sluice->started;
    if (sluice->started != NULL) {
        struct log_plan log_plan = log_plan_of(sluice->started);
        is_ready =
            log_file_open(&sluice->log, &log_plan, &problem) &&
            transport_create(&sluice->transport, sluice->started, &sluice->hash_key, clock_now(), problems);
    }
    sluice_log_problems(sluice, problems);
    if (!is_ready && problem.text[0] != '\0')
        sluice_log_problem(sluice, &problem);
    return is_ready && sluice->started != NULL;
}

static bool console_prepare(const struct settings *settings, struct console_options *out)
{
    const char *password = settings->console.password;
    *out = (struct console_options){
        .version = PGSLUICE_VERSION,
        .opening_most_us = settings->guard.opening_longest,
        .has_password = password[0] != '\0',
    };
    return !out->has_password || scram_secret_create(&out->secret, bytes_text(password));
}

/* All that can fail of taking settings up, made before any of it is. */
struct change {
    struct log_plan log_plan;
    struct log_output log;
    struct log_output audit;
    struct console_options console;
};

static bool change_open(struct change *change, const struct settings *settings, struct problem *problem)
{
    *change = (struct change){ .log_plan = log_plan_of(settings) };
    if (!log_output_open(&change->log_plan, &change->log, problem))
        return false;
    if (audit_open(settings->audit.file, &change->audit, problem))
        return true;
    log_output_close(change->log);
    return false;
}

static void change_discard(struct change *change)
{
    log_output_close(change->log);
    log_output_close(change->audit);
    scram_secret_wipe(&change->console.secret);
}

static void change_take(struct change *change, struct sluice *sluice)
{
    log_file_use(&sluice->log, &change->log_plan, change->log);
    audit_use(&sluice->audit, change->audit);
    scram_secret_wipe(&sluice->console.secret);
    sluice->console = change->console;
    scram_secret_wipe(&change->console.secret);
}

bool sluice_apply(struct sluice *sluice, struct settings *settings, struct plan *plan,
                  struct problem *problem)
{
    struct change change;
    if (!change_open(&change, settings, problem))
        return false;
    if (!console_prepare(settings, &change.console) ||
        !gatekeeper_set_plan(&sluice->keeper, plan, clock_now())) {
        change_discard(&change);
        *problem = (struct problem){ .text = "out of memory" };
        return false;
    }
    change_take(&change, sluice);
    if (sluice->current != sluice->started)
        settings_release(sluice->current);
    sluice->current = settings;
    return true;
}

/* ── What only a start takes up ────────────────────────────────────────────────────────────────────────────
 */

static bool connections_differ(const struct settings *started, const struct settings *now)
{
    size_t count = started->catalog.count < now->catalog.count ? started->catalog.count : now->catalog.count;
    for (size_t index = 0; index < count; index++)
        if (strcmp(started->catalog.items[index].connection, now->catalog.items[index].connection) != 0)
            return true;
    return false;
}

static bool probes_differ(const struct settings *started, const struct settings *now)
{
    size_t count =
        started->upstreams.count < now->upstreams.count ? started->upstreams.count : now->upstreams.count;
    for (size_t index = 0; index < count; index++)
        if (strcmp(started->upstreams.items[index].probe, now->upstreams.items[index].probe) != 0)
            return true;
    return false;
}

/* Of the address of a webhook and of its headers. */
static bool alerts_differ(const struct settings *started, const struct settings *now)
{
    size_t count = started->alerts.webhook.headers.count;
    bool is_other = strcmp(started->alerts.webhook.url, now->alerts.webhook.url) != 0 ||
                    count != now->alerts.webhook.headers.count;
    for (size_t index = 0; !is_other && index < count; index++)
        is_other = strcmp(started->alerts.webhook.headers.items[index],
                          now->alerts.webhook.headers.items[index]) != 0;
    return is_other;
}

static const struct {
    const char *path;
    bool (*secrets_differ)(const struct settings *started, const struct settings *now);
} fixed[] = {
#define RESTART(path, secrets) { path, secrets },
#include "app/restart.def"
#undef RESTART
};

/* The path is the setting's, and ends there, or that of something in it. */
static bool is_within(const char *path, const char *setting)
{
    size_t size = strlen(setting);
    return strncmp(path, setting, size) == 0 && strchr(".[", path[size]) != NULL;
}

/* The first of the rows from `at` on that is within the setting, or NULL. */
static const struct settings_row *next_within(const struct settings_row *at, const struct settings_row *end,
                                              const char *setting)
{
    while (at < end && !is_within(at->path, setting))
        at++;
    return at < end ? at : NULL;
}

/* As SHOW SETTINGS shows it. */
static bool rows_differ(const struct settings *started, const struct settings *now, const char *setting)
{
    size_t left_count;
    size_t right_count;
    const struct settings_row *left = settings_rows(started, &left_count);
    const struct settings_row *right = settings_rows(now, &right_count);
    const struct settings_row *left_end = left + left_count;
    const struct settings_row *right_end = right + right_count;
    for (;; left++, right++) {
        left = next_within(left, left_end, setting);
        right = next_within(right, right_end, setting);
        if (left == NULL || right == NULL)
            return left != right;
        if (strcmp(left->path, right->path) != 0 || strcmp(left->value, right->value) != 0)
            return true;
    }
}

/* Those that were changed, after the lead, where there are any. */
static void append_waiting(struct text *text, const struct settings *started, const struct settings *now,
                           const char *lead)
{
    const char *before = lead;
    for (size_t index = 0; index < COUNT_OF(fixed); index++) {
        bool is_other = rows_differ(started, now, fixed[index].path) ||
                        (fixed[index].secrets_differ != NULL && fixed[index].secrets_differ(started, now));
        if (!is_other)
            continue;
        text_append_format(text, "%s%s", before, fixed[index].path);
        before = ", ";
    }
}

/* ── Reading them again ────────────────────────────────────────────────────────────────────────────────────
 */

/* The first that refuses: warnings may stand before it. */
static const struct problem *refusing_problem(const struct problems *problems)
{
    size_t index = 0;
    while (index + 1 < problems_kept_count(problems) && problems->kept[index].is_warning)
        index++;
    return &problems->kept[index];
}

static void reload_refused(struct sluice *sluice, const struct problem *problem,
                           struct console_outcome *outcome)
{
    struct text text;
    outcome_fail(outcome, "F0000", "the settings were not reloaded; the old ones stay in force");
    text_init(&text, outcome->detail, sizeof(outcome->detail));
    problem_describe(problem, &text);
    outcome_hint(outcome, "pgsluice check --config %s shows every problem.", sluice->path);
    sluice_log_notice(sluice, NOTICE_RELOAD_REFUSED);
}

static void log_reload(struct sluice *sluice)
{
    char storage[LOG_VALUE_SIZE];
    struct text waiting;
    struct log_line *line = log_file_begin(&sluice->log, clock_now(), NOTICE_RELOADED);
    if (line == NULL)
        return;
    text_init(&waiting, storage, sizeof storage);
    append_waiting(&waiting, sluice->started, sluice->current, "");
    if (waiting.size > 0)
        log_bytes(line, "restart", text_bytes(&waiting));
    log_file_write(&sluice->log);
}

static void reload_done(struct sluice *sluice, bool has_stale_certificates, struct console_outcome *outcome)
{
    struct text text;
    text_init(&text, outcome->message, sizeof(outcome->message));
    text_append_string(&text, "the settings were reloaded");
    if (has_stale_certificates)
        text_append_string(&text, ", but a certificate could not be read: the old one stays in use");
    append_waiting(&text, sluice->started, sluice->current, "; these take effect at the next start: ");
    sluice_hand_policy(sluice);
    log_reload(sluice);
    sluice_log_gate(sluice, clock_now());
}

void sluice_reload(struct sluice *sluice, struct console_outcome *outcome)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct plan plan = { .windows = NULL };
    struct problem problem = { .line = 0 };
    if (problems == NULL) {
        outcome_fail(outcome, "53200", "out of memory");
        return;
    }
    struct settings *settings = settings_read(sluice->path, &plan, problems);
    bool is_applied = settings != NULL && sluice_apply(sluice, settings, &plan, &problem);
    if (is_applied)
        transport_reload(&sluice->transport, clock_now(), problems);
    sluice_log_problems(sluice, problems);
    if (is_applied) {
        reload_done(sluice, problems->error_count > 0, outcome);
    } else if (settings == NULL) {
        reload_refused(sluice, refusing_problem(problems), outcome);
    } else {
        sluice_log_problem(sluice, &problem);
        reload_refused(sluice, &problem, outcome);
        plan_release(&plan);
        settings_release(settings);
    }
    free(problems);
}
