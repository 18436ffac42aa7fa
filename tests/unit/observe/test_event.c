/* SPDX-License-Identifier: PostgreSQL */
#include "observe/event.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

/* An event with every field set to its own name. */
static struct event event_full(enum event_kind kind)
{
    return (struct event){
        .kind = kind,
        .worker = 2,
        .session = 77,
        .time_us = 1795262400123456,
        .duration_us = 1500,
        .address = "10.0.0.1:5000",
        .application_name = "app",
        .reason = "why",
        .violation = { .kind = VIOLATION_CHECK,
                       .phase = PHASE_COMMIT,
                       .sqlstate = "23514",
                       .schema = "public",
                       .table = "orders",
                       .column = "status",
                       .constraint = "orders_status_check",
                       .datatype = "mood",
                       .service = "kds",
                       .database = "shop",
                       .user = "anna",
                       .fingerprint = "f00d",
                       .key_columns = "a, b",
                       .statement = "UPDATE orders SET status = ?",
                       .route = "/orders",
                       .trace_id = "0af7651916cd43dd8448eb211c80319c" },
        .change = 4,
        .change_last = 6,
        .command = "ALTER TABLE",
        .class = "modifying",
        .level = 3,
        .ground = "window",
        .window = "sunday",
        .rule = "strict",
        .objects = "public.orders, orders_id_seq",
    };
}

static void assert_line(const struct event *event, enum log_format format, const char *expected)
{
    static struct log_line line;
    struct bytes bytes = event_log(event, format, &line);
    char text[LOG_LINE_SIZE + 1];
    assert_true(bytes_copy_text(bytes, text, sizeof text));
    assert_string_equal(text, expected);
}

static void a_violation_has_all_its_fields_in_order(void **state)
{
    (void)state;
    struct event event = event_full(EVENT_VIOLATION);
    assert_line(
        &event, LOG_LOGFMT,
        "time=2026-11-21T12:00:00.123456Z level=warning event=violation session=77 worker=2 service=kds "
        "user=anna database=shop application_name=app address=10.0.0.1:5000 kind=check phase=commit "
        "sqlstate=23514 schema=public table=orders column=status constraint=orders_status_check "
        "datatype=mood key_columns=\"a, b\" reason=why fingerprint=f00d "
        "statement=\"UPDATE orders SET status = ?\" route=/orders trace_id=0af7651916cd43dd8448eb211c80319c "
        "duration_us=1500\n");
    assert_line(&event, LOG_JSON,
                "{\"time\":\"2026-11-21T12:00:00.123456Z\",\"level\":\"warning\",\"event\":\"violation\","
                "\"session\":77,\"worker\":2,\"service\":\"kds\",\"user\":\"anna\",\"database\":\"shop\","
                "\"application_name\":\"app\",\"address\":\"10.0.0.1:5000\",\"kind\":\"check\","
                "\"phase\":\"commit\",\"sqlstate\":\"23514\",\"schema\":\"public\",\"table\":\"orders\","
                "\"column\":\"status\",\"constraint\":\"orders_status_check\",\"datatype\":\"mood\","
                "\"key_columns\":\"a, b\",\"reason\":\"why\",\"fingerprint\":\"f00d\","
                "\"statement\":\"UPDATE orders SET status = ?\",\"route\":\"/orders\","
                "\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"duration_us\":1500}\n");
}

/* What stands in a line between the address and the duration. */
static void assert_middle(enum event_kind kind, const char *middle)
{
    struct event event = event_full(kind);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "time=2026-11-21T12:00:00.123456Z level=%s event=%s session=77 worker=2 service=kds user=anna "
             "database=shop application_name=app address=10.0.0.1:5000 %s duration_us=1500\n",
             log_level_name(event_kind_level(kind)), event_kind_name(kind), middle);
    assert_line(&event, LOG_LOGFMT, expected);
}

#define JUDGED                                                                                               \
    "command=\"ALTER TABLE\" class=modifying safety_level=3 ground=window window=sunday rule=strict "        \
    "objects=\"public.orders, orders_id_seq\" reason=why fingerprint=f00d "                                  \
    "statement=\"UPDATE orders SET status = ?\""

static void schema_changes_and_refusals_have_their_own_fields(void **state)
{
    (void)state;
    static const enum event_kind judged[] = { EVENT_DDL_PASSED, EVENT_DDL_REFUSED, EVENT_DDL_WOULD_REFUSE,
                                              EVENT_STATEMENT_REFUSED, EVENT_STATEMENT_WOULD_REFUSE };
    for (size_t i = 0; i < COUNT_OF(judged); i++)
        assert_middle(judged[i], "change=4 " JUDGED);
}

static void outcomes_name_the_changes_they_are_about(void **state)
{
    (void)state;
    assert_middle(EVENT_DDL_COMPLETED, "change=4 " JUDGED);
    assert_middle(EVENT_DDL_FAILED, "sqlstate=23514 change=4 " JUDGED);
    assert_middle(EVENT_DDL_COMMITTED, "change=4 change_last=6 " JUDGED);
    assert_middle(EVENT_DDL_UNDONE, "change=4 change_last=6 " JUDGED);
    assert_middle(EVENT_DDL_UNKNOWN, "change=4 change_last=6 " JUDGED);
    assert_middle(EVENT_DDL_OUTLIVED, "change=4 change_last=6 " JUDGED);
}

static void a_session_says_nothing_of_statements(void **state)
{
    (void)state;
    struct event event = event_full(EVENT_SESSION_CLOSED);
    assert_line(
        &event, LOG_LOGFMT,
        "time=2026-11-21T12:00:00.123456Z level=info event=session_closed session=77 worker=2 service=kds "
        "user=anna database=shop application_name=app address=10.0.0.1:5000 reason=why "
        "duration_us=1500\n");
}

static void what_is_empty_is_left_out_but_for_what_must_stand(void **state)
{
    (void)state;
    static const struct {
        enum event_kind kind;
        const char *expected;
    } rows[] = {
        { EVENT_SESSION_OPENED, "level=info event=session_opened session=0 worker=0\n" },
        { EVENT_SESSION_CLOSED,
          "level=info event=session_closed session=0 worker=0 reason=\"\" duration_us=0\n" },
        { EVENT_SESSION_REFUSED, "level=warning event=session_refused session=0 worker=0 reason=\"\"\n" },
        { EVENT_VIOLATION, "level=warning event=violation session=0 worker=0 service=\"\" kind=unique "
                           "phase=statement sqlstate=\"\"\n" },
        { EVENT_DDL_PASSED,
          "level=info event=ddl_passed session=0 worker=0 service=\"\" command=\"\" class=\"\" "
          "safety_level=0\n" },
        { EVENT_DDL_REFUSED, "level=warning event=ddl_refused session=0 worker=0 service=\"\" command=\"\" "
                             "class=\"\" safety_level=0\n" },
        { EVENT_DDL_WOULD_REFUSE, "level=warning event=ddl_would_refuse session=0 worker=0 service=\"\" "
                                  "command=\"\" class=\"\" safety_level=0\n" },
        { EVENT_DDL_COMPLETED,
          "level=info event=ddl_completed session=0 worker=0 service=\"\" change=0 duration_us=0\n" },
        { EVENT_DDL_FAILED,
          "level=info event=ddl_failed session=0 worker=0 service=\"\" change=0 duration_us=0\n" },
        { EVENT_DDL_COMMITTED,
          "level=info event=ddl_committed session=0 worker=0 service=\"\" change=0 change_last=0\n" },
        { EVENT_DDL_UNDONE,
          "level=info event=ddl_undone session=0 worker=0 service=\"\" change=0 change_last=0\n" },
        { EVENT_DDL_UNKNOWN,
          "level=warning event=ddl_unknown session=0 worker=0 service=\"\" change=0 change_last=0\n" },
        { EVENT_DDL_OUTLIVED, "level=warning event=ddl_outlived session=0 worker=0 service=\"\"\n" },
        { EVENT_STATEMENT_REFUSED, "level=warning event=statement_refused session=0 worker=0 service=\"\" "
                                   "command=\"\" class=\"\" safety_level=0\n" },
        { EVENT_STATEMENT_WOULD_REFUSE, "level=warning event=statement_would_refuse session=0 worker=0 "
                                        "service=\"\" command=\"\" class=\"\" safety_level=0\n" },
        { EVENT_DDL_UNSEEN, "level=error event=ddl_unseen session=0 worker=0 service=\"\" command=\"\"\n" },
        { EVENT_UNFOLLOWED, "level=error event=session_unfollowed session=0 worker=0 reason=\"\"\n" },
    };
    assert_int_equal(COUNT_OF(rows), EVENT_KIND_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct event event = { .kind = rows[i].kind };
        char expected[256];
        snprintf(expected, sizeof expected, "time=1970-01-01T00:00:00.000000Z %s", rows[i].expected);
        assert_line(&event, LOG_LOGFMT, expected);
    }
}

static void no_field_breaks_the_line(void **state)
{
    (void)state;
    struct event event = { .kind = EVENT_SESSION_OPENED, .application_name = "a\nb level=error\x1b[0m\"" };
    assert_line(&event, LOG_LOGFMT,
                "time=1970-01-01T00:00:00.000000Z level=info event=session_opened session=0 worker=0 "
                "application_name=\"a\\x0ab level=error\\x1b[0m\\\"\"\n");
}

static void a_full_event_is_one_whole_line(void **state)
{
    (void)state;
    static struct log_line line;
    struct event event = event_full(EVENT_VIOLATION);
    memset(event.application_name, 0x01, NAME_SIZE - 1);
    memset(event.reason, 0x02, REASON_SIZE - 1);
    memset(event.violation.statement, 0x03, SHOWN_TEXT_SIZE - 1);
    memset(event.violation.key_columns, 0x04, COLUMNS_SIZE - 1);
    struct bytes bytes = event_log(&event, LOG_JSON, &line);
    assert_int_equal(bytes_find(bytes, '\n'), bytes.size - 1);
    assert_null(strstr(line.storage, "is_cut"));
    assert_non_null(strstr(line.storage, "\"duration_us\":1500}"));
    event.kind = EVENT_DDL_FAILED;
    memset(event.objects, 0x05, OBJECTS_TEXT_SIZE - 1);
    bytes = event_log(&event, LOG_JSON, &line);
    assert_null(strstr(line.storage, "is_cut"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_violation_has_all_its_fields_in_order),
        cmocka_unit_test(schema_changes_and_refusals_have_their_own_fields),
        cmocka_unit_test(outcomes_name_the_changes_they_are_about),
        cmocka_unit_test(a_session_says_nothing_of_statements),
        cmocka_unit_test(what_is_empty_is_left_out_but_for_what_must_stand),
        cmocka_unit_test(no_field_breaks_the_line),
        cmocka_unit_test(a_full_event_is_one_whole_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
