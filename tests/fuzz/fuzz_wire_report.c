/* SPDX-License-Identifier: PostgreSQL */
/* The body of an ErrorResponse, whole, byte by byte and cut in the middle: the same report, whose texts all
 * end. */
#include "wire/report.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void read_report(struct report *report, struct bytes body, size_t step)
{
    report_begin(report);
    while (body.size > 0)
        report_feed(report, bytes_take(&body, body.size < step ? body.size : step));
    report_end(report);
}

static void check_texts(const struct report *report)
{
#define FIELD(code, name, capacity)                                                                          \
    check(memchr(report->name, '\0', capacity) != NULL);                                                     \
    check(report->has_##name || report->name[0] == '\0');
    REPORT_FIELDS(FIELD)
#undef FIELD
    struct bytes columns = report_key_columns(report);
    const uint8_t *detail = (const uint8_t *)report->detail;
    check(columns.data == NULL ||
          (columns.data >= detail && columns.data + columns.size < detail + sizeof report->detail));
    check(!report_has_valid_sqlstate(report) || strlen(report->sqlstate) == 5);
    check((report_severity(report) == REPORT_NONE) == (!report->has_severity && !report->has_severity_shown));
}

static bool is_same(const struct report *one, const struct report *other)
{
    bool is_equal = one->is_complete == other->is_complete;
#define FIELD(code, name, capacity)                                                                          \
    is_equal = is_equal && one->has_##name == other->has_##name && strcmp(one->name, other->name) == 0;
    REPORT_FIELDS(FIELD)
#undef FIELD
    return is_equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report whole;
    struct report cut;
    read_report(&whole, bytes_of(data, size), SIZE_MAX);
    check_texts(&whole);
    read_report(&cut, bytes_of(data, size), 1);
    check(is_same(&whole, &cut));
    read_report(&cut, bytes_of(data, size), size / 2 + 1);
    check(is_same(&whole, &cut));
    return 0;
}
