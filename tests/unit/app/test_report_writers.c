/* SPDX-License-Identifier: PostgreSQL */
#include "app/report_writer.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VALUES_MOST = 32, OUT_MOST = 1 << 20 };

typedef void report_write(const struct report *report, struct buffer *out);

static const struct {
    const char *bytes;
    size_t size;
} hostile[] = {
    { "a|b`c`*d*_e_[f](g)<h>&amp;#", 27 },
    { "\x1b[2J\x07\r\n# x\t", 11 },
    { "\xff\xfe\xc3", 3 },
    { "\xe2\x80\xae\xe2\x80\xa8\xc2\x9b", 8 },
    { "\0\"\\\\|'", 6 },
    { "``` | \\| ~~~", 12 },
    { "|", 1 },
    { "2026-11-21 12:00:00<", 20 },
};

/* A row of each section whose texts are all the same bytes. */
static void fill(struct report *report, struct bytes text)
{
    report_init(report);
    report->until_us = 3600 * INT64_C(1000000);
    for (size_t section = 0; section < REPORT_SECTION_COUNT; section++) {
        struct history_value values[VALUES_MOST];
        assert_true(report_sections[section].column_count <= VALUES_MOST);
        for (size_t i = 0; i < report_sections[section].column_count; i++) {
            enum report_kind kind = report_sections[section].columns[i].kind;
            bool is_text = kind == KIND_WORD || kind == KIND_TEXT || kind == KIND_TIME;
            values[i] =
                is_text ? (struct history_value){ .type = HISTORY_TEXT, .text = text } : history_integer(1);
        }
        assert_true(report_table_add(&report->tables[section], values));
    }
}

static char *written(report_write *write, struct bytes text)
{
    struct report report;
    struct buffer out;
    fill(&report, text);
    buffer_init(&out, OUT_MOST);
    write(&report, &out);
    buffer_append(&out, bytes_of("", 1));
    assert_false(out.has_failed);
    assert_int_equal(strlen((char *)out.data) + 1, out.size);
    report_release(&report);
    return (char *)out.data;
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == wanted;
    return count;
}

static void assert_harmless(const char *said)
{
    for (const char *at = said; *at != '\0'; at++)
        assert_true(*at == '\n' || ((unsigned char)*at >= 0x20 && *at != 0x7f));
    assert_null(strstr(said, "\xe2\x80\xae"));
    assert_null(strstr(said, "\xe2\x80\xa8"));
    assert_null(strstr(said, "\xc2\x9b"));
    assert_null(strchr(said, '\xff'));
}

static void no_value_gets_out_of_its_line(void **state)
{
    (void)state;
    static report_write *const writers[] = { report_write_text, report_write_markdown };
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        char *calm = written(writers[i], bytes_text("calm"));
        for (size_t at = 0; at < COUNT_OF(hostile); at++) {
            char *said = written(writers[i], bytes_of(hostile[at].bytes, hostile[at].size));
            assert_harmless(said);
            assert_int_equal(count_of(said, '\n'), count_of(calm, '\n'));
            free(said);
        }
        free(calm);
    }
}

/* Takes away what stands between two `, where nothing else means anything. */
static void code_drop(char *said)
{
    char *kept = said;
    bool is_code = false;
    for (; *said != '\0'; said++) {
        is_code = is_code != (*said == '`');
        if (!is_code && *said != '`')
            *kept++ = *said;
    }
    assert_false(is_code);
    *kept = '\0';
}

static void no_value_is_mark_up(void **state)
{
    (void)state;
    char *calm = written(report_write_markdown, bytes_text("calm"));
    for (size_t at = 0; at < COUNT_OF(hostile); at++) {
        char *said = written(report_write_markdown, bytes_of(hostile[at].bytes, hostile[at].size));
        assert_int_equal(count_of(said, '|'), count_of(calm, '|'));
        code_drop(said);
        assert_null(strpbrk(said, "<*[]_~\\"));
        free(said);
    }
    free(calm);
}

static void names_are_code_and_numbers_are_plain(void **state)
{
    (void)state;
    char *said = written(report_write_markdown, bytes_text("orders_status_check"));
    assert_non_null(strstr(said, "- violations: 1\n"));
    assert_non_null(strstr(said, "service `orders_status_check`"));
    free(said);
    said = written(report_write_markdown, bytes_text("2026-11-21 12:00:00.123456"));
    assert_non_null(strstr(said, "from 2026-11-21 12:00:00Z"));
    free(said);
    said = written(report_write_markdown, bytes_text("word: 0.5 a minute"));
    assert_non_null(strstr(said, "  - seen: word: 0.5 a minute\n"));
    free(said);
}

static void strings_of_json_hold_any_bytes(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "\"service\": \"a|b`c`*d*_e_[f](g)<h>&amp;#\"",
        "\"service\": \"\\u001b[2J\\u0007\\u000d\\u000a# x\\u0009\"",
        "\"service\": \"\\ufffd\\ufffd\\ufffd\"",
        "\"service\": \"\\u202e\\u2028\\u009b\"",
        "\"service\": \"\\u0000\\\"\\\\\\\\|'\"",
    };
    for (size_t at = 0; at < COUNT_OF(expected); at++) {
        char *said = written(report_write_json, bytes_of(hostile[at].bytes, hostile[at].size));
        assert_harmless(said);
        assert_non_null(strstr(said, expected[at]));
        free(said);
    }
    char *said = written(report_write_json, bytes_text("2026-11-21 12:00:00"));
    assert_non_null(strstr(said, "\"started\": \"2026-11-21T12:00:00Z\""));
    assert_non_null(strstr(said, "\"is_first\": true"));
    free(said);
}

static void a_suspect_stands_below_its_own_incident(void **state)
{
    (void)state;
    struct report report;
    struct buffer out;
    struct history_value values[VALUES_MOST];
    report_init(&report);
    for (size_t i = 0; i < VALUES_MOST; i++)
        values[i] = (struct history_value){ .type = HISTORY_NULL };
    values[0] = history_integer(1);
    for (int incident = 1; incident <= 2; incident++) {
        values[1] = history_integer(incident);
        values[2] = history_text(incident == 1 ? "first" : "second");
        assert_true(report_table_add(&report.tables[REPORT_INCIDENTS], values));
    }
    values[2] = history_integer(1);
    assert_true(report_table_add(&report.tables[REPORT_SUSPECTS], values));
    buffer_init(&out, OUT_MOST);
    report_write_text(&report, &out);
    buffer_append(&out, bytes_of("", 1));
    assert_non_null(strstr((char *)out.data, "\n- first\n- second\n    suspect 1\n"));
    buffer_release(&out);
    report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_gets_out_of_its_line),
        cmocka_unit_test(no_value_is_mark_up),
        cmocka_unit_test(names_are_code_and_numbers_are_plain),
        cmocka_unit_test(strings_of_json_hold_any_bytes),
        cmocka_unit_test(a_suspect_stands_below_its_own_incident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
