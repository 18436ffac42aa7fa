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
    assert_true(journal_init(&showing->journal, 4));
    showing->world = (struct console_world){ .snapshot = &showing->snapshot, .journal = &showing->journal };
    buffer_init(&showing->heard, CONVERSATION_MOST);
    return showing;
}

static void showing_destroy(struct showing *showing)
{
    snapshot_release(&showing->snapshot);
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
                                   .statement = "INSERT INTO orders VALUES (?)" };
    (void)snprintf(violation.constraint, sizeof violation.constraint, "%s", constraint);
    for (unsigned i = 0; i < times; i++)
        ledger_record(&showing->snapshot.ledger, &violation, 100 * SECOND + i * SECOND);
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
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b\n"
        "D unique|23505|public|orders|~|rare|~|kds|shop|app|1|1970-01-01T00:01:40Z|1970-01-01T00:01:40Z|"
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b\n"
        "D other|~|~|~|~|~|~|~|~|~|3|~|~|~|~|~|~\n");
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
        "commit|00ff|INSERT INTO orders VALUES (?)|a, b\n");
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

static void record_event(struct showing *showing, enum event_kind kind, const char *command, uint8_t level)
{
    struct event event = { .kind = kind,
                           .time_us = SECOND,
                           .address = "10.2.0.1:4",
                           .reason = "closed",
                           .class = "modifying",
                           .level = level,
                           .window = "sunday" };
    (void)snprintf(event.command, sizeof event.command, "%s", command);
    (void)snprintf(event.violation.service, sizeof event.violation.service, "kds");
    (void)snprintf(event.violation.user, sizeof event.violation.user, "app");
    (void)snprintf(event.violation.database, sizeof event.violation.database, "shop");
    (void)snprintf(event.violation.statement, sizeof event.violation.statement, "DROP TABLE x");
    journal_record(&showing->journal, &event);
}

static void schema_changes_come_newest_first(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    record_event(showing, EVENT_DDL_PASSED, "ONE", LEVEL_ADDITIVE);
    record_event(showing, EVENT_DDL_REFUSED, "TWO", LEVEL_MODIFYING);
    record_event(showing, EVENT_VIOLATION, "NOT SHOWN", 0);
    record_event(showing, EVENT_DDL_UNSEEN, "THREE", 0);
    assert_shown(
        showing, &show_ddl,
        "D 1970-01-01T00:00:01Z|unseen|THREE|modifying|~|kds|app|shop|10.2.0.1:4|sunday|closed|DROP TABLE x\n"
        "D 1970-01-01T00:00:01Z|refused|TWO|modifying|modifying|kds|app|shop|10.2.0.1:4|sunday|closed|DROP "
        "TABLE x\n"
        "D 1970-01-01T00:00:01Z|passed|ONE|modifying|additive|kds|app|shop|10.2.0.1:4|sunday|closed|DROP "
        "TABLE x\n");
    showing->command.count = 1;
    assert_shown(showing, &show_ddl,
                 "D 1970-01-01T00:00:01Z|unseen|THREE|modifying|~|kds|app|shop|10.2.0.1:4|sunday|closed|DROP "
                 "TABLE x\n");
    assert_string_equal(showing->notice.message, "1 of 3 rows are shown; add LIMIT for more.");
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
        cmocka_unit_test(windows_of_every_kind_are_shown),
        cmocka_unit_test(an_unset_secret_is_not_hidden),
        cmocka_unit_test(help_is_the_table_of_commands),
        cmocka_unit_test(times_before_and_long_after_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
