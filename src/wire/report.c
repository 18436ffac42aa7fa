/* SPDX-License-Identifier: PostgreSQL */
#include "wire/report.h"

/* Where a kept field lies in struct report. */
struct report_slot {
    uint16_t text_at;
    uint16_t has_at;
    uint16_t capacity; /* 0 for a code that is not kept */
};

#define FIELD(code, name, capacity)                                                                          \
    [code] = { offsetof(struct report, name), offsetof(struct report, has_##name), capacity },
static const struct report_slot report_slots[256] = { REPORT_FIELDS(FIELD) };
#undef FIELD

static bool *slot_presence(struct report *report, const struct report_slot *slot)
{
    return (bool *)((char *)report + slot->has_at);
}

static char *slot_text(struct report *report, const struct report_slot *slot)
{
    return (char *)report + slot->text_at;
}

void report_begin(struct report *report)
{
    memset(report, 0, sizeof *report);
}

static void open_field(struct report *report, uint8_t code)
{
    const struct report_slot *slot = &report_slots[code];
    if (code == '\0') {
        report->has_ended = true;
        return;
    }
    report->field = code;
    report->field_size = 0;
    report->is_kept = slot->capacity > 0 && !*slot_presence(report, slot);
}

static void keep_text(struct report *report, struct bytes piece)
{
    const struct report_slot *slot = &report_slots[report->field];
    size_t room = slot->capacity - 1u - report->field_size;
    size_t size = piece.size < room ? piece.size : room;
    if (size > 0)
        memcpy(slot_text(report, slot) + report->field_size, piece.data, size);
    report->field_size = (uint16_t)(report->field_size + size);
}

static void close_field(struct report *report)
{
    const struct report_slot *slot = &report_slots[report->field];
    if (report->is_kept)
        *slot_presence(report, slot) = true;
    report->field = 0;
}

/* Takes what there is of the open field's text, and its NUL. */
static void feed_text(struct report *report, struct bytes *rest)
{
    struct bytes piece = bytes_take(rest, bytes_find(*rest, '\0'));
    if (report->is_kept)
        keep_text(report, piece);
    if (rest->size == 0)
        return;
    bytes_take(rest, 1);
    close_field(report);
}

void report_feed(struct report *report, struct bytes body)
{
    while (body.size > 0 && !report->has_ended) {
        if (report->field != 0)
            feed_text(report, &body);
        else
            open_field(report, *bytes_take(&body, 1).data);
    }
    if (body.size > 0)
        report->has_extra = true;
}

/* Wipes a field that was cut before its NUL: it is not there. */
static void drop_open_field(struct report *report)
{
    const struct report_slot *slot = &report_slots[report->field];
    if (report->field != 0 && report->is_kept)
        memset(slot_text(report, slot), 0, slot->capacity);
}

void report_end(struct report *report)
{
    drop_open_field(report);
    report->is_complete = report->has_ended && !report->has_extra;
}

enum report_severity report_severity(const struct report *report)
{
    if (!report->has_severity && !report->has_severity_shown)
        return REPORT_NONE;
    struct bytes severity = bytes_text(report->has_severity ? report->severity : report->severity_shown);
    if (bytes_equal_text(severity, "ERROR"))
        return REPORT_ERROR;
    if (bytes_equal_text(severity, "FATAL") || bytes_equal_text(severity, "PANIC"))
        return REPORT_FATAL;
    return REPORT_OTHER;
}

static bool is_sqlstate_character(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z');
}

bool report_has_valid_sqlstate(const struct report *report)
{
    size_t size = 0;
    while (is_sqlstate_character(report->sqlstate[size]))
        size++;
    return size == 5 && report->sqlstate[size] == '\0';
}

/* A word that is not quoted, or one that is: with its quotes, in which a quote is written twice. 0: none. */
static size_t identifier_size(struct bytes text)
{
    size_t size = 0;
    bool is_quoted = text.size > 0 && text.data[0] == '"';
    if (!is_quoted) {
        while (size < text.size && memchr(".:\" ", text.data[size], 4) == NULL)
            size++;
        return size;
    }
    for (size = 1; size < text.size; size++) {
        bool is_quote = text.data[size] == '"';
        if (is_quote && (size + 1 == text.size || text.data[size + 1] != '"'))
            return size + 1;
        size += is_quote ? 1 : 0;
    }
    return 0;
}

struct bytes report_enum_type(const struct report *report)
{
    static const char opening[] = "invalid input value for enum ";
    struct bytes message = bytes_text(report->message);
    bool is_of_enum = strcmp(report->routine, "enum_in") == 0 || strcmp(report->routine, "enum_recv") == 0;
    if (!is_of_enum || !bytes_start_with(message, opening))
        return BYTES_NONE;
    (void)bytes_take(&message, strlen(opening));
    size_t size = identifier_size(message);
    if (size > 0 && size < message.size && message.data[size] == '.') {
        size_t rest = identifier_size(bytes_of(message.data + size + 1, message.size - size - 1));
        size = rest > 0 ? size + 1 + rest : 0;
    }
    bool is_whole = size > 0 && bytes_start_with(bytes_of(message.data + size, message.size - size), ": \"");
    return is_whole ? bytes_of(message.data, size) : BYTES_NONE;
}

struct bytes report_key_columns(const struct report *report)
{
    static const char opening[] = "Key (";
    const char *start = report->detail + strlen(opening);
    if (!bytes_start_with(bytes_text(report->detail), opening))
        return BYTES_NONE;
    const char *end = strstr(start, ")=(");
    return end != NULL ? bytes_of(start, (size_t)(end - start)) : BYTES_NONE;
}
