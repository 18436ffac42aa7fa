/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"
#include "unit/control/conversation.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

/* What there is to show, and how it was shown. */
struct showing {
    struct snapshot snapshot;
    struct totals totals;
    struct journal journal;
    struct hash_key key;
    struct console_world world;
    struct console_command command;
    struct console_outcome notice;
    struct buffer heard;
    char storage[TRANSCRIPT_SIZE];
};

static struct showing *showing_create(void)
{
    struct showing *showing = calloc(1, sizeof *showing);
    snapshot_init(&showing->snapshot, &showing->key, 2);
    totals_init(&showing->totals, &showing->key, &(struct harvest_bounds){ 2, 2, 2 });
    assert_true(journal_init(&showing->journal, 4));
    showing->world = (struct console_world){ .snapshot = &showing->snapshot,
                                             .totals = &showing->totals,
                                             .journal = &showing->journal };
    buffer_init(&showing->heard, CONVERSATION_MOST);
    return showing;
}

static void showing_destroy(struct showing *showing)
{
    snapshot_release(&showing->snapshot);
    totals_release(&showing->totals);
    journal_release(&showing->journal);
    buffer_release(&showing->heard);
    free(showing);
}

static void assert_shown(struct showing *showing, const struct show_form *show, const char *expected)
{
    struct show_source source = { &showing->command, &showing->world, "1.2.3" };
    struct result result = result_of(&showing->heard, 0);
    struct text text;
    buffer_clear(&showing->heard);
    showing->notice = (struct console_outcome){ 0 };
    assert_true(show->fill(&source, &result, &showing->notice));
    text_init(&text, showing->storage, sizeof showing->storage);
    hear(buffer_bytes(&showing->heard), &text);
    assert_string_equal(showing->storage, expected);
}

static void record(struct showing *showing, const char *constraint, unsigned times)
{
    struct violation violation = { .kind = VIOLATION_UNIQUE,
                                   .phase = PHASE_COMMIT,
                                   .sqlstate = "23505",
                                   .schema = "public",
                                   .table = "orders",
                                   .service = "kds",
                                   .database = "shop",
                                   .user = "app",
                                   .fingerprint = "00ff",
                                   .key_columns = "a, b",
                                   .statement = "INSERT INTO orders VALUES (?)",
                                   .route = "/orders" };
    (void)snprintf(violation.constraint, sizeof violation.constraint, "%s", constraint);
    for (unsigned i = 0; i < times; i++)
        ledger_record(&showing->totals.violations, &violation, 100 * SECOND + i * SECOND);
}

static void violations_come_by_frequency_and_what_no_entry_holds_last(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    assert_shown(showing, &show_violations, "");
    record(showing, "forgotten", 3);
    record(showing, "rare", 1);
    record(showing, "frequent", 2);
    assert_shown(
        showing, &show_violations,
        "D unique|23505|public|orders|~|frequent|~|kds|shop|app|2|1970-01-01T00:01:40Z|1970-01-01T00:01:41Z|"
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b|/orders|~|~|~|~|~\n"
        "D unique|23505|public|orders|~|rare|~|kds|shop|app|1|1970-01-01T00:01:40Z|1970-01-01T00:01:40Z|"
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b|/orders|~|~|~|~|~\n"
        "D other|~|~|~|~|~|~|~|~|~|3|~|~|~|~|~|~|~|~|~|~|~|~\n");
    assert_string_equal(showing->notice.message, "");
    showing_destroy(showing);
}

static void a_limit_is_kept_and_said(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    record(showing, "rare", 1);
    record(showing, "frequent", 2);
    showing->command.count = 1;
    assert_shown(
        showing, &show_violations,
        "D unique|23505|public|orders|~|frequent|~|kds|shop|app|2|1970-01-01T00:01:40Z|1970-01-01T00:01:41Z|"
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b|/orders|~|~|~|~|~\n");
    assert_string_equal(showing->notice.message, "1 of 2 rows are shown; add LIMIT for more.");
    showing_destroy(showing);
}

static void hostile_names_are_shown_as_one_harmless_line(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    struct session_row *row = snapshot_add_session(&showing->snapshot);
    assert_non_null(row);
    *row = (struct session_row){ .id = 7,
                                 .worker = 1,
                                 .opened_us = SECOND,
                                 .application_name = "a\r\n\x1b[2J\xff\xe2\x80\xae|",
                                 .user = "\\",
                                 .client_tls = "TLSv1.3",
                                 .server_tls = "",
                                 .phase = "idle",
                                 .bytes_received = 1,
                                 .bytes_sent = 2,
                                 .errors = 3,
                                 .violations = 4 };
    assert_shown(showing, &show_sessions,
                 "D 7|1|~|\\\\|~|a\\x0d\\x0a\\x1b[2J\\xff\\xe2\\x80\\xae||~|~|TLSv1.3|~|idle|0|"
                 "1970-01-01T00:00:01Z|~|1|2|3|4\n");
    showing_destroy(showing);
}

static void silent_workers_are_named(void **state)
{
    static const struct show_form *const shows[] = { &show_violations, &show_sessions, &show_stats };
    (void)state;
    struct showing *showing = showing_create();
    showing->snapshot.workers = 4;
    showing->snapshot.workers_silent = 1;
    for (size_t i = 0; i < COUNT_OF(shows); i++) {
        struct show_source source = { &showing->command, &showing->world, "1.2.3" };
        struct result result = result_of(&showing->heard, 0);
        showing->notice = (struct console_outcome){ 0 };
        assert_true(shows[i]->fill(&source, &result, &showing->notice));
        assert_string_equal(showing->notice.message,
                            "1 of 4 workers did not answer in time: their part is missing.");
    }
    showing_destroy(showing);
}

static void every_counter_is_shown(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    struct text expected;
    static char storage[TRANSCRIPT_SIZE];
    counter_add(&showing->snapshot.counters.violations, 42);
    text_init(&expected, storage, sizeof storage);
#define COUNTER(name, about)                                                                                 \
    text_append_format(&expected, "D " #name "|%d|" about "\n", strcmp(#name, "violations") == 0 ? 42 : 0);
#include "observe/counters.def"
#undef COUNTER
    assert_shown(showing, &show_stats, storage);
    showing_destroy(showing);
}

static struct event change_event(enum event_kind kind, uint32_t change)
{
    struct event event = { .kind = kind,
                           .session = 7,
                           .time_us = SECOND,
                           .address = "10.2.0.1:4",
                           .application_name = "psql",
                           .reason = "why",
                           .change = change,
                           .command = "DROP TABLE",
                           .class = "destructive",
                           .level = LEVEL_MODIFYING,
                           .ground = "rule",
                           .window = "sunday",
                           .rule = "scratch",
                           .objects = "public.x" };
    (void)snprintf(event.violation.service, sizeof event.violation.service, "kds");
    (void)snprintf(event.violation.user, sizeof event.violation.user, "app");
    (void)snprintf(event.violation.database, sizeof event.violation.database, "shop");
    (void)snprintf(event.violation.fingerprint, sizeof event.violation.fingerprint, "00ff");
    (void)snprintf(event.violation.statement, sizeof event.violation.statement, "DROP TABLE x");
    return event;
}

#define CHANGE_TAIL                                                                                          \
    "DROP TABLE|destructive|modifying|public.x|kds|app|shop|10.2.0.1:4|psql|rule|scratch|sunday|why|00ff|"   \
    "DROP TABLE x\n"

static void record_change(struct showing *showing, enum event_kind kind, uint32_t change)
{
    struct event event = change_event(kind, change);
    journal_record(&showing->journal, &event);
}

static void schema_changes_come_newest_first(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    record_change(showing, EVENT_DDL_PASSED, 1);
    record_change(showing, EVENT_DDL_REFUSED, 0);
    record_change(showing, EVENT_DDL_WOULD_REFUSE, 2);
    record_change(showing, EVENT_DDL_UNSEEN, 0);
    assert_shown(showing, &show_ddl,
                 "D 1970-01-01T00:00:01Z|unseen|~|~|~|~|" CHANGE_TAIL
                 "D 1970-01-01T00:00:01Z|would_refuse|~|~|~|~|" CHANGE_TAIL
                 "D 1970-01-01T00:00:01Z|refused|~|~|~|~|" CHANGE_TAIL
                 "D 1970-01-01T00:00:01Z|passed|~|~|~|~|" CHANGE_TAIL);
    showing->command.count = 1;
    assert_shown(showing, &show_ddl, "D 1970-01-01T00:00:01Z|unseen|~|~|~|~|" CHANGE_TAIL);
    assert_string_equal(showing->notice.message, "1 of 4 rows are shown; add LIMIT for more.");
    showing_destroy(showing);
}

static void the_end_of_a_change_is_shown_with_its_decision(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    record_change(showing, EVENT_DDL_PASSED, 1);
    record_change(showing, EVENT_DDL_PASSED, 2);
    struct event end = change_event(EVENT_DDL_COMPLETED, 1);
    end.duration_us = 1500;
    end.reason[0] = '\0';
    journal_record(&showing->journal, &end);
    assert_shown(showing, &show_ddl,
                 "D 1970-01-01T00:00:01Z|passed|~|~|~|~|" CHANGE_TAIL
                 "D 1970-01-01T00:00:01Z|passed|completed|~|~|1500|" CHANGE_TAIL);
    end = change_event(EVENT_DDL_COMMITTED, 1);
    end.change_last = 1;
    (void)snprintf(end.reason, sizeof end.reason, "note");
    journal_record(&showing->journal, &end);
    end = change_event(EVENT_DDL_FAILED, 2);
    end.duration_us = 20;
    (void)snprintf(end.reason, sizeof end.reason, "error");
    (void)snprintf(end.violation.sqlstate, sizeof end.violation.sqlstate, "55P03");
    journal_record(&showing->journal, &end);
    assert_shown(showing, &show_ddl,
                 "D 1970-01-01T00:00:01Z|passed|failed|error|55P03|20|" CHANGE_TAIL
                 "D 1970-01-01T00:00:01Z|passed|committed|note|~|1500|" CHANGE_TAIL);
    showing_destroy(showing);
}

static void count_refusal(struct showing *showing, const char *service, unsigned times)
{
    struct event event = change_event(EVENT_DDL_WOULD_REFUSE, 1);
    (void)snprintf(event.violation.service, sizeof event.violation.service, "%s", service);
    for (unsigned i = 0; i < times; i++, event.time_us += SECOND)
        docket_record(&showing->snapshot.docket, &event);
}

static void would_be_refusals_come_by_frequency_and_what_no_entry_holds_last(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    assert_shown(showing, &show_would_refuse, "");
    count_refusal(showing, "forgotten", 3);
    count_refusal(showing, "rare", 1);
    count_refusal(showing, "frequent", 2);
    assert_shown(showing, &show_would_refuse,
                 "D destructive|modifying|DROP TABLE|public.x|frequent|shop|app|2|1970-01-01T00:00:01Z|"
                 "1970-01-01T00:00:02Z|rule|scratch|sunday|why|00ff|DROP TABLE x\n"
                 "D destructive|modifying|DROP TABLE|public.x|rare|shop|app|1|1970-01-01T00:00:01Z|"
                 "1970-01-01T00:00:01Z|rule|scratch|sunday|why|00ff|DROP TABLE x\n"
                 "D other|~|~|~|~|~|~|3|~|~|~|~|~|~|~|~\n");
    showing->command.count = 1;
    showing->snapshot.workers = 2;
    showing->snapshot.workers_silent = 1;
    assert_shown(showing, &show_would_refuse,
                 "D destructive|modifying|DROP TABLE|public.x|frequent|shop|app|2|1970-01-01T00:00:01Z|"
                 "1970-01-01T00:00:02Z|rule|scratch|sunday|why|00ff|DROP TABLE x\n"
                 "D other|~|~|~|~|~|~|3|~|~|~|~|~|~|~|~\n");
    assert_string_equal(showing->notice.message,
                        "1 of 2 workers did not answer in time: their part is missing. "
                        "1 of 2 rows are shown; add LIMIT for more.");
    showing_destroy(showing);
}

static void rules_are_numbered_through_all_kinds(void **state)
{
    static const struct rule_row rows[] = {
        { .kind = RULE_KIND_MODE, .scope = { .user = "kds_*" }, .address = "10.2.0.0/16", .mode = "observe" },
        { .kind = RULE_KIND_PROTECTED, .object = "public.orders", .action = "refuse" },
        { .kind = RULE_KIND_RULE,
          .name = "r",
          .scope = { .service = "s", .database = "d" },
          .classes = "dcl",
          .action = "window",
          .most = "additive",
          .windows = "sunday" },
    };
    (void)state;
    struct showing *showing = showing_create();
    showing->world.rules = rows;
    showing->world.rule_count = COUNT_OF(rows);
    assert_shown(showing, &show_rules,
                 "D 1|mode|~|~|kds_*|~|10.2.0.0/16|~|~|~|~|~|observe\n"
                 "D 2|protected|~|~|~|~|~|public.orders|~|refuse|~|~|~\n"
                 "D 3|rule|r|s|~|d|~|~|dcl|window|additive|sunday|~\n");
    showing_destroy(showing);
}

static void a_worker_that_never_stood_still_has_no_longest_stall(void **state)
{
    static const struct worker_row rows[] = {
        { .state = "running", .io = "uring", .thread = 71, .connections = 12, .handed = 3, .cpu_us = 5000 },
        { .state = "stalled",
          .io = "uv",
          .thread = 72,
          .connections = 13,
          .stalls = 2,
          .longest_stall_us = 1500000 },
    };
    (void)state;
    struct showing *showing = showing_create();
    showing->world.workers = rows;
    showing->world.worker_count = COUNT_OF(rows);
    assert_shown(showing, &show_workers,
                 "D 0|running|uring|12|3|0|~|5000|71\n"
                 "D 1|stalled|uv|13|0|2|1500000|~|72\n");
    showing_destroy(showing);
}

static void rules_are_not_shown_in_part_when_memory_is_short(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    struct show_source source = { &showing->command, &showing->world, "1.2.3" };
    struct result result = result_of(&showing->heard, 0);
    assert_false(show_rules.fill(&source, &result, &showing->notice));
    showing_destroy(showing);
}

static void orders_that_are_over_are_not_shown(void **state)
{
    static const struct readonly_order orders[] = {
        { .from_us = SECOND, .until_us = INT64_MAX, .reason = "incident", .ordered_by = "alice" },
        { .from_us = SECOND, .until_us = 3 * SECOND, .reason = "over" },
        { .scope = { .service = "kds", .user = "app", .database = "shop" },
          .from_us = SECOND,
          .until_us = 4 * SECOND },
    };
    (void)state;
    struct showing *showing = showing_create();
    showing->world.now_us = 3 * SECOND;
    showing->world.orders = orders;
    showing->world.order_count = COUNT_OF(orders);
    assert_shown(showing, &show_readonly,
                 "D ~|~|~|1970-01-01T00:00:01Z|~|incident|alice\n"
                 "D kds|app|shop|1970-01-01T00:00:01Z|1970-01-01T00:00:04Z|~|~\n");
    showing_destroy(showing);
}

static void windows_of_every_kind_are_shown(void **state)
{
    static const struct window_row rows[] = {
        { "w", WINDOW_WEEKLY, LEVEL_ADDITIVE, WINDOW_OPEN, SECOND, 2 * SECOND, "UTC", NULL, NULL, NULL, NULL,
          NULL },
        { "o", WINDOW_OPENING, LEVEL_MODIFYING, WINDOW_CLOSED, 0, 0, NULL, "r", "alice", "kds", "", "shop" },
        { "f", WINDOW_FREEZE, LEVEL_NONE, WINDOW_FROZEN, SECOND, 2 * SECOND, "", "peak", "", NULL, NULL,
          NULL },
    };
    (void)state;
    struct showing *showing = showing_create();
    showing->world.windows = rows;
    showing->world.window_count = COUNT_OF(rows);
    assert_shown(showing, &show_windows,
                 "D w|weekly|additive|open|1970-01-01T00:00:01Z|1970-01-01T00:00:02Z|UTC|~|~|~|~|~\n"
                 "D o|opening|modifying|closed|~|~|~|r|alice|kds|~|shop\n"
                 "D f|freeze|~|frozen|1970-01-01T00:00:01Z|1970-01-01T00:00:02Z|~|peak|~|~|~|~\n");
    showing_destroy(showing);
}

static void an_unset_secret_is_not_hidden(void **state)
{
    static const struct setting_row rows[] = {
        { "unset", "", NULL, "a", true },
        { "absent", NULL, NULL, "a", true },
        { "set", "x", "", "a", true },
        { "plain", "x", "y", "a", false },
    };
    (void)state;
    struct showing *showing = showing_create();
    showing->world.settings = rows;
    showing->world.setting_count = COUNT_OF(rows);
    assert_shown(showing, &show_settings,
                 "D unset|~|~|a\nD absent|~|~|a\nD set|********|~|a\nD plain|x|y|a\n");
    showing_destroy(showing);
}

static void help_is_the_table_of_commands(void **state)
{
    (void)state;
    static char storage[TRANSCRIPT_SIZE];
    struct showing *showing = showing_create();
    struct text expected;
    text_init(&expected, storage, sizeof storage);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        text_append_format(&expected, "D %s|%s|%s\n", command_forms[i].syntax,
                           command_forms[i].role == ROLE_VIEWER ? "viewer" : "operator",
                           command_forms[i].about);
    assert_shown(showing, &show_help, storage);
    assert_shown(showing, &show_version, "D 1.2.3\n");
    showing_destroy(showing);
}

static void times_before_and_long_after_are_whole(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    struct result result = result_of(&showing->heard, 0);
    struct text text;
    result_row_begin(&result, 3);
    result_time(&result, -SECOND);
    result_time(&result, INT64_C(400000000000) * SECOND);
    result_integer(&result, INT64_MIN);
    result_row_end(&result);
    text_init(&text, showing->storage, sizeof showing->storage);
    hear(buffer_bytes(&showing->heard), &text);
    assert_string_equal(showing->storage,
                        "D 1969-12-31T23:59:59Z|14645-06-30T15:06:40Z|-9223372036854775808\n");
    assert_int_equal(result.rows, 1);
    showing_destroy(showing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(violations_come_by_frequency_and_what_no_entry_holds_last),
        cmocka_unit_test(a_limit_is_kept_and_said),
        cmocka_unit_test(hostile_names_are_shown_as_one_harmless_line),
        cmocka_unit_test(silent_workers_are_named),
        cmocka_unit_test(every_counter_is_shown),
        cmocka_unit_test(schema_changes_come_newest_first),
        cmocka_unit_test(the_end_of_a_change_is_shown_with_its_decision),
        cmocka_unit_test(would_be_refusals_come_by_frequency_and_what_no_entry_holds_last),
        cmocka_unit_test(rules_are_numbered_through_all_kinds),
        cmocka_unit_test(a_worker_that_never_stood_still_has_no_longest_stall),
        cmocka_unit_test(rules_are_not_shown_in_part_when_memory_is_short),
        cmocka_unit_test(orders_that_are_over_are_not_shown),
        cmocka_unit_test(windows_of_every_kind_are_shown),
        cmocka_unit_test(an_unset_secret_is_not_hidden),
        cmocka_unit_test(help_is_the_table_of_commands),
        cmocka_unit_test(times_before_and_long_after_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
