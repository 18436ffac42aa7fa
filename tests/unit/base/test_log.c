/* SPDX-License-Identifier: PostgreSQL */
#include "base/log.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

enum { HUGE_SIZE = 10000 };

static const int64_t instant_us = 1795230245678901;

static void begin(struct log_line *line, enum log_format format)
{
    log_begin(line, format, instant_us, LOG_INFO, "violation");
}

static void assert_line(struct log_line *line, const char *expected)
{
    struct bytes whole = log_end(line);
    assert_int_equal(whole.size, strlen(expected));
    assert_memory_equal(whole.data, expected, whole.size);
}

/* How a value of `size` bytes comes out, without what surrounds it. */
static void assert_value(enum log_format format, const char *value, size_t size, const char *expected)
{
    static struct log_line line;
    char whole[1024];
    begin(&line, format);
    log_bytes(&line, "v", bytes_of(value, size));
    snprintf(whole, sizeof whole,
             format == LOG_JSON ? "{\"time\":\"2026-11-21T03:04:05.678901Z\",\"level\":\"info\",\"event\":"
                                  "\"violation\",\"v\":%s}\n"
                                : "time=2026-11-21T03:04:05.678901Z level=info event=violation v=%s\n",
             expected);
    assert_line(&line, whole);
}

static bool step_over(struct bytes *rest, const char *expected)
{
    if (!bytes_start_with(*rest, expected))
        return false;
    (void)bytes_take(rest, strlen(expected));
    return true;
}

static bool step_over_hex(struct bytes *rest, size_t count)
{
    for (; count > 0 && rest->size > 0; count--) {
        if (strchr("0123456789abcdef", bytes_take(rest, 1).data[0]) == NULL)
            return false;
    }
    return count == 0;
}

/* One character or escape inside the quotes. */
static bool step_over_character(struct bytes *rest, enum log_format format)
{
    uint32_t code_point = 0;
    if (step_over(rest, "\\"))
        return step_over(rest, "\\") || step_over(rest, "\"") ||
               (format == LOG_JSON ? step_over(rest, "u") && step_over_hex(rest, 4)
                                   : step_over(rest, "x") && step_over_hex(rest, 2));
    size_t size = utf8_decode(*rest, &code_point);
    (void)bytes_take(rest, size);
    return size > 0 && code_point != '"' && !utf8_is_control(code_point);
}

static bool may_stand_unquoted(uint8_t byte, enum log_format format)
{
    if (format == LOG_JSON)
        return byte != '\0' && strchr("-0123456789truefals", byte) != NULL;
    return byte > ' ' && byte < 0x7f && strchr("=\"\\", byte) == NULL;
}

static bool step_over_value(struct bytes *rest, enum log_format format)
{
    size_t start = rest->size;
    if (step_over(rest, "\"")) {
        while (!step_over(rest, "\"")) {
            if (!step_over_character(rest, format))
                return false;
        }
        return true;
    }
    while (rest->size > 0 && may_stand_unquoted(rest->data[0], format))
        (void)bytes_take(rest, 1);
    return rest->size < start;
}

static bool step_over_key(struct bytes *rest, enum log_format format)
{
    bool has_quote = format == LOG_LOGFMT || step_over(rest, "\"");
    while (rest->size > 0 && rest->data[0] != '\0' &&
           strchr("abcdefghijklmnopqrstuvwxyz_", rest->data[0]) != NULL)
        (void)bytes_take(rest, 1);
    return has_quote && step_over(rest, format == LOG_JSON ? "\":" : "=");
}

/* A second reading of the grammar, independent of the writer: returns how many pairs the line has, or 0. */
static size_t count_pairs(struct bytes rest, enum log_format format)
{
    size_t count = 0;
    if (format == LOG_JSON && !step_over(&rest, "{"))
        return 0;
    do {
        if (!step_over_key(&rest, format) || !step_over_value(&rest, format))
            return 0;
        count++;
    } while (step_over(&rest, format == LOG_JSON ? "," : " "));
    return step_over(&rest, format == LOG_JSON ? "}\n" : "\n") && rest.size == 0 ? count : 0;
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_ERROR), "error");
    assert_string_equal(log_level_name(LOG_WARNING), "warning");
    assert_string_equal(log_level_name(LOG_INFO), "info");
    assert_string_equal(log_level_name(LOG_DEBUG), "debug");
}

static void add_one_of_each(struct log_line *line)
{
    log_integer(line, "session", 42);
    log_integer(line, "least", INT64_MIN);
    log_boolean(line, "yes", true);
    log_boolean(line, "no", false);
    log_time(line, "until", 0);
    log_string(line, "service", "kds");
}

static void logfmt_lines_keep_the_order_of_calls(void **state)
{
    (void)state;
    struct log_line line;
    begin(&line, LOG_LOGFMT);
    add_one_of_each(&line);
    assert_line(
        &line,
        "time=2026-11-21T03:04:05.678901Z level=info event=violation session=42 "
        "least=-9223372036854775808 yes=true no=false until=1970-01-01T00:00:00.000000Z service=kds\n");
}

static void json_lines_keep_the_order_of_calls(void **state)
{
    (void)state;
    struct log_line line;
    begin(&line, LOG_JSON);
    add_one_of_each(&line);
    assert_line(&line, "{\"time\":\"2026-11-21T03:04:05.678901Z\",\"level\":\"info\",\"event\":\"violation\","
                       "\"session\":42,\"least\":-9223372036854775808,\"yes\":true,\"no\":false,"
                       "\"until\":\"1970-01-01T00:00:00.000000Z\",\"service\":\"kds\"}\n");
}

static void logfmt_values_are_quoted_where_needed(void **state)
{
    (void)state;
    assert_value(LOG_LOGFMT, "plain-1.2/x", 11, "plain-1.2/x");
    assert_value(LOG_LOGFMT, "", 0, "\"\"");
    assert_value(LOG_LOGFMT, "a b", 3, "\"a b\"");
    assert_value(LOG_LOGFMT, "a=b", 3, "\"a=b\"");
    assert_value(LOG_LOGFMT, "say \"hi\"", 8, "\"say \\\"hi\\\"\"");
    assert_value(LOG_LOGFMT, "a\\", 2, "\"a\\\\\"");
    assert_value(LOG_LOGFMT, "\\\"", 2, "\"\\\\\\\"\"");
    assert_value(LOG_LOGFMT, "\xc3\xa4", 2, "\"\xc3\xa4\"");
}

static void logfmt_values_cannot_break_the_line(void **state)
{
    (void)state;
    assert_value(LOG_LOGFMT, "a\nlevel=error", 13, "\"a\\x0alevel=error\"");
    assert_value(LOG_LOGFMT, "\0\r\x1b\x7f", 4, "\"\\x00\\x0d\\x1b\\x7f\"");
    assert_value(LOG_LOGFMT, "\xff\xc3", 2, "\"\\xff\\xc3\"");
    assert_value(LOG_LOGFMT, "\xe2\x80\xa8", 3, "\"\\xe2\\x80\\xa8\"");
    assert_value(LOG_LOGFMT, "\xc2\x85", 2, "\"\\xc2\\x85\"");
}

static void json_values_are_escaped(void **state)
{
    (void)state;
    assert_value(LOG_JSON, "", 0, "\"\"");
    assert_value(LOG_JSON, "a b", 3, "\"a b\"");
    assert_value(LOG_JSON, "\"\\/", 3, "\"\\\"\\\\/\"");
    assert_value(LOG_JSON, "a\n\0\x7f", 4, "\"a\\u000a\\u0000\\u007f\"");
    assert_value(LOG_JSON, "\xc2\x85\xe2\x80\xa8\xe2\x80\xae", 8, "\"\\u0085\\u2028\\u202e\"");
    assert_value(LOG_JSON, "\xc3\xa4\xf0\x9f\x90\x98", 6, "\"\xc3\xa4\xf0\x9f\x90\x98\"");
    assert_value(LOG_JSON, "\xff\xc3\xed\xa0\x80", 5, "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void every_pair_of_bytes_makes_a_well_formed_line(void **state)
{
    (void)state;
    static struct log_line line;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const uint8_t raw[] = { (uint8_t)(pair >> 8), (uint8_t)pair };
        for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
            begin(&line, format);
            log_bytes(&line, "v", bytes_of(raw, sizeof raw));
            log_integer(&line, "after", 1);
            assert_int_equal(count_pairs(log_end(&line), format), 5);
        }
    }
}

static void fill_hostile(uint8_t *value, size_t size)
{
    static const char *const pieces[] = { "a", "\"", "\\", "\n", "\xff", "\xe2\x80\xa8", "\xf0\x9f\x90\x98",
                                          " =" };
    uint32_t random = 1;
    for (size_t i = 0; i < size;) {
        random = random * 1664525 + 1013904223;
        struct bytes piece = bytes_text(pieces[random >> 29]);
        for (size_t j = 0; j < piece.size && i < size; j++)
            value[i++] = piece.data[j];
    }
}

static void a_long_value_is_cut_inside_its_quotes(void **state)
{
    (void)state;
    static struct log_line line;
    static uint8_t value[HUGE_SIZE];
    fill_hostile(value, sizeof value);
    for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        for (size_t start = 0; start < 50; start++) {
            begin(&line, format);
            size_t before = line.text.size;
            log_bytes(&line, "v", bytes_of(value + start, HUGE_SIZE - start));
            assert_true(line.text.size - before > LOG_VALUE_SIZE - 20);
            assert_true(line.text.size - before <= LOG_VALUE_SIZE + strlen(",\"v\":\"\""));
            log_integer(&line, "after", 1);
            struct bytes whole = log_end(&line);
            assert_int_equal(count_pairs(whole, format), 5);
            assert_non_null(strstr((const char *)whole.data,
                                   format == LOG_JSON ? "...\",\"after\":1}\n" : "...\" after=1\n"));
        }
    }
}

static void values_of_the_largest_size_are_whole_and_one_more_byte_is_cut(void **state)
{
    (void)state;
    static struct log_line line;
    char value[LOG_VALUE_SIZE + 1];
    memset(value, 'x', sizeof value);
    begin(&line, LOG_LOGFMT);
    size_t before = line.text.size + strlen(" v=");
    log_bytes(&line, "v", bytes_of(value, LOG_VALUE_SIZE));
    assert_int_equal(line.text.size - before, LOG_VALUE_SIZE);
    assert_memory_equal(line.storage + before, value, LOG_VALUE_SIZE);
    begin(&line, LOG_LOGFMT);
    log_bytes(&line, "v", bytes_of(value, LOG_VALUE_SIZE + 1));
    assert_int_equal(line.text.size - before, LOG_VALUE_SIZE);
    assert_memory_equal(line.storage + before, value, LOG_VALUE_SIZE - 3);
    assert_string_equal(line.storage + before + LOG_VALUE_SIZE - 3, "...");
}

static void a_full_line_says_so_and_stays_well_formed_at_every_fill(void **state)
{
    (void)state;
    static struct log_line line;
    static uint8_t value[HUGE_SIZE];
    fill_hostile(value, sizeof value);
    for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        for (size_t size = 0; size < LOG_VALUE_SIZE; size += 7) {
            begin(&line, format);
            for (unsigned i = 0; i < 3; i++)
                log_bytes(&line, "v", bytes_of(value, sizeof value));
            log_bytes(&line, "w", bytes_of(value, size));
            for (unsigned i = 0; i < 400; i++)
                log_integer(&line, "number", INT64_MIN);
            log_time(&line, "until", instant_us);
            log_boolean(&line, "yes", true);
            struct bytes whole = log_end(&line);
            assert_true(whole.size < LOG_LINE_SIZE);
            assert_true(whole.size > LOG_LINE_SIZE - 100);
            assert_int_not_equal(count_pairs(whole, format), 0);
            assert_non_null(strstr((const char *)whole.data,
                                   format == LOG_JSON ? ",\"is_cut\":true}\n" : " is_cut=true\n"));
            assert_null(strstr((const char *)whole.data, "until"));
        }
    }
}

static void a_line_can_be_begun_again(void **state)
{
    (void)state;
    static struct log_line line;
    static const uint8_t value[HUGE_SIZE];
    begin(&line, LOG_JSON);
    for (unsigned i = 0; i < 9; i++)
        log_bytes(&line, "v", bytes_of(value, sizeof value));
    (void)log_end(&line);
    log_begin(&line, LOG_LOGFMT, 0, LOG_ERROR, "next");
    assert_line(&line, "time=1970-01-01T00:00:00.000000Z level=error event=next\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(logfmt_lines_keep_the_order_of_calls),
        cmocka_unit_test(json_lines_keep_the_order_of_calls),
        cmocka_unit_test(logfmt_values_are_quoted_where_needed),
        cmocka_unit_test(logfmt_values_cannot_break_the_line),
        cmocka_unit_test(json_values_are_escaped),
        cmocka_unit_test(every_pair_of_bytes_makes_a_well_formed_line),
        cmocka_unit_test(a_long_value_is_cut_inside_its_quotes),
        cmocka_unit_test(values_of_the_largest_size_are_whole_and_one_more_byte_is_cut),
        cmocka_unit_test(a_full_line_says_so_and_stays_well_formed_at_every_fill),
        cmocka_unit_test(a_line_can_be_begun_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
