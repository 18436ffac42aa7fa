/* SPDX-License-Identifier: PostgreSQL */
#include "app/classify.h"

#include "app/clock.h"
#include "app/complaint.h"
#include "app/plan.h"
#include "base/buffer.h"
#include "policy/guard.h"
#include "sql/advice.h"
#include "sql/classifier.h"
#include "sql/objects.h"
#include "sql/split.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_UNTOLD = 2,
    SCRIPT_MOST = 256 * 1024 * 1024,
    PIECE_SIZE = 64 * 1024,
    WORDS_SIZE = 1024,
    OBJECTS_SIZE = 20 * 1024
};

static const struct lexer_reading reading = { .has_standard_strings = true, .has_vertical_tab = true };

/* One look at one script. */
struct report {
    const struct classify_request *request;
    const struct policy *policy; /* NULL: no windows are asked */
    int64_t at_us;
    uint64_t line; /* of `counted` */
    const uint8_t *counted;
    bool has_refusal;
};

/* What there is to be said of one statement. */
struct entry {
    uint64_t line;
    struct bytes statement;
    struct verdict verdict;
    const struct advice *advice; /* or NULL */
    struct object_names objects;
    bool is_refused;
    char words[WORDS_SIZE]; /* why it is refused and when it would pass; empty without settings */
};

static bool read_script(const char *path, struct buffer *script)
{
    bool is_standard = strcmp(path, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return false;
    size_t taken = PIECE_SIZE;
    while (taken == PIECE_SIZE) {
        uint8_t *piece = buffer_extend(script, PIECE_SIZE);
        taken = piece != NULL ? fread(piece, 1, PIECE_SIZE, file) : 0;
        if (piece != NULL)
            script->size -= PIECE_SIZE - taken;
    }
    bool is_good = !script->has_failed && ferror(file) == 0;
    if (!is_standard)
        (void)fclose(file);
    return is_good;
}

static void count_lines(struct report *report, const uint8_t *until)
{
    for (; report->counted < until; report->counted++)
        report->line += *report->counted == '\n';
}

/* Who runs it: what is not said matches no rule and no opening that asks for it. */
static struct guard_subject subject_of(const struct classify_request *request)
{
    return (struct guard_subject){ .service = bytes_text(request->service),
                                   .user = bytes_text(request->user),
                                   .database = bytes_text(request->database) };
}

static void judge_gate(struct report *report, struct entry *entry)
{
    char detail_storage[WORDS_SIZE];
    char hint_storage[WORDS_SIZE];
    struct text message;
    struct text detail;
    struct text hint;
    struct decision decision;
    const struct guard_subject subject = subject_of(report->request);
    const struct guard_matter matter = { .verdict = &entry->verdict,
                                         .objects = entry->verdict.is_guarded ? &entry->objects : NULL,
                                         .is_run = true };
    guard_decide(report->policy, &subject, &matter, report->at_us, &decision);
    entry->is_refused = decision.action != ACTION_PASS;
    text_init(&message, entry->words, sizeof(entry->words));
    if (!entry->is_refused) {
        if (decision.span != NULL)
            text_append_format(&message, "passes: \"%s\" is open", decision.span->name);
        else if (decision.rule != NULL)
            text_append_format(&message, "passes: the rule \"%s\" allows it", decision.rule->name);
        return;
    }
    text_init(&detail, detail_storage, sizeof(detail_storage));
    text_init(&hint, hint_storage, sizeof(hint_storage));
    guard_describe(&entry->verdict, &decision, report->at_us, &message, &detail, &hint);
    text_append_string(&message, ". ");
    text_append(&message, text_bytes(&hint));
}

static void judge(struct report *report, struct bytes statement, struct entry *entry)
{
    count_lines(report, statement.data);
    entry->line = report->line;
    entry->statement = statement;
    entry->words[0] = '\0';
    classify(statement, reading, &entry->verdict);
    entry->advice = advice_of(statement, reading, &entry->verdict);
    entry->objects.count = 0;
    if (entry->verdict.is_guarded)
        objects_named(statement, false, reading, &entry->objects);
    entry->is_refused = entry->verdict.is_guarded;
    if (report->policy != NULL)
        judge_gate(report, entry);
    report->has_refusal |= entry->is_refused;
}

static void write_objects(const struct object_names *objects)
{
    char storage[OBJECTS_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    objects_describe(objects, &text);
    (void)printf(", on %s", storage);
}

static void write_text(const struct report *report, const struct entry *entry)
{
    (void)printf("%s:%llu: %s: %s, level %d", report->request->path, (unsigned long long)entry->line,
                 entry->verdict.command[0] != '\0' ? entry->verdict.command : "?",
                 statement_class_name(entry->verdict.class), (int)entry->verdict.level);
    if (entry->objects.count > 0)
        write_objects(&entry->objects);
    (void)fputc('\n', stdout);
    if (entry->advice != NULL)
        (void)printf("    lock: %s\n    why: %s\n", entry->advice->lock, entry->advice->why);
    if (entry->advice != NULL && entry->advice->instead[0] != '\0')
        (void)printf("    instead: %s\n", entry->advice->instead);
    if (entry->words[0] != '\0')
        (void)printf("    gate: %s\n", entry->words);
}

/* A JSON string of what is one harmless line already. */
static void write_line(struct bytes line)
{
    (void)fputc('"', stdout);
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] == '"' || line.data[i] == '\\')
            (void)fputc('\\', stdout);
        (void)fputc(line.data[i], stdout);
    }
    (void)fputc('"', stdout);
}

static void write_string(struct bytes bytes)
{
    char storage[2 * WORDS_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    text_append_printable(&text, bytes);
    write_line(text_bytes(&text));
}

static void write_object(const struct object_name *name)
{
    char storage[WORDS_SIZE];
    struct text text;
    text_init(&text, storage, sizeof(storage));
    object_name_describe(name, &text);
    write_line(text_bytes(&text));
}

static void write_pair(const char *key, const char *value)
{
    (void)printf(",\"%s\":", key);
    write_string(bytes_text(value));
}

static void write_json(const struct entry *entry)
{
    (void)printf("{\"line\":%llu", (unsigned long long)entry->line);
    write_pair("command", entry->verdict.command);
    write_pair("class", statement_class_name(entry->verdict.class));
    (void)printf(",\"level\":%d,\"objects\":[", (int)entry->verdict.level);
    for (size_t i = 0; i < entry->objects.count; i++) {
        (void)fputs(i == 0 ? "" : ",", stdout);
        write_object(&entry->objects.names[i]);
    }
    (void)fputc(']', stdout);
    if (entry->advice != NULL) {
        write_pair("lock", entry->advice->lock);
        write_pair("why", entry->advice->why);
        write_pair("instead", entry->advice->instead);
    }
    if (entry->words[0] != '\0')
        write_pair("gate", entry->words);
    (void)printf(",\"passes\":%s}\n", entry->is_refused ? "false" : "true");
}

static struct bytes behind_line(struct bytes text)
{
    bytes_take(&text, bytes_find(text, '\n'));
    bytes_take(&text, text.size > 0 ? 1 : 0);
    return text;
}

/* Behind COPY's data: the lines up to the one that ends them. */
static struct bytes behind_data(struct bytes text)
{
    do
        text = behind_line(text);
    while (text.size > 0 && !bytes_start_with(text, "\\."));
    return behind_line(text);
}

static bool is_copy_in(const struct entry *entry)
{
    static const char wanted[] = "stdin";
    if (strcmp(entry->verdict.command, "COPY") != 0)
        return false;
    for (size_t i = 0; i + sizeof(wanted) <= entry->statement.size + 1; i++) {
        if (bytes_equal_folded(bytes_of(entry->statement.data + i, sizeof(wanted) - 1), wanted))
            return true;
    }
    return false;
}

/* psql's own commands and the data of COPY are no statements. */
static void report_script(struct report *report, struct bytes script)
{
    struct bytes rest = script;
    struct bytes statement;
    while ((statement = split_statement(rest, reading, 0)).size > 0) {
        struct entry entry;
        bytes_take(&rest, (size_t)(statement.data - rest.data));
        if (statement.data[0] == '\\') {
            rest = behind_line(rest);
            continue;
        }
        judge(report, statement, &entry);
        if (report->request->wants_json)
            write_json(&entry);
        else
            write_text(report, &entry);
        bytes_take(&rest, statement.size);
        if (is_copy_in(&entry))
            rest = behind_data(rest);
    }
}

static int report_with(struct report *report, const struct settings *settings, struct problems *problems)
{
    struct buffer script;
    struct plan plan = { .windows = NULL };
    struct policy *policy = NULL;
    int status = EXIT_UNTOLD;
    buffer_init(&script, SCRIPT_MOST);
    if (settings != NULL) {
        if (!plan_create(&plan, settings, report->at_us, problems))
            goto release;
        plan.policy.mode = GUARD_ENFORCE;
        plan.policy.mode_count = 0;
        policy = policy_create(&plan.policy, report->at_us);
        if (policy == NULL)
            goto release;
    }
    if (!read_script(report->request->path, &script)) {
        (void)fprintf(stderr, "pgsluice: cannot read %s\n", report->request->path);
        goto release;
    }
    report->policy = policy;
    report->counted = script.data;
    report_script(report, buffer_bytes(&script));
    status = report->has_refusal ? EXIT_FAILURE : EXIT_SUCCESS;
release:
    policy_release(policy);
    plan_release(&plan);
    buffer_release(&script);
    return status;
}

int classify_run(const struct classify_request *request)
{
    struct report report = { .request = request, .at_us = clock_now(), .line = 1 };
    if (request->at != NULL && !instant_parse(request->at, &report.at_us)) {
        (void)fprintf(stderr, "pgsluice: not a time such as 2026-11-22T02:30:00+01:00: %s\n", request->at);
        return EXIT_UNTOLD;
    }
    struct problems *problems = malloc(sizeof(*problems));
    struct settings *settings = NULL;
    if (problems == NULL)
        return EXIT_UNTOLD;
    problems_init(problems);
    int status = EXIT_UNTOLD;
    if (request->config == NULL || settings_load(request->config, &settings, problems))
        status = report_with(&report, settings, problems);
    complain(problems);
    settings_release(settings);
    free(problems);
    return status;
}
