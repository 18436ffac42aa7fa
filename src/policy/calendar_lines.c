/* SPDX-License-Identifier: PostgreSQL */
/* An iCalendar file as lines: hands them to libical's parser one by one, so that what is wrong has a place.
 */
#include "policy/calendar_lines.h"

#include <stdlib.h>

enum { SHOWN_MOST = 60, DEPTH_MOST = 8 };

struct lines {
    struct calendar_source *source;
    icalparser *parser;
    struct bytes rest;
    char *line; /* the one that is read, unfolded */
    unsigned number;
    unsigned next_number;
    unsigned depth;
    bool is_in_zone;
};

static void lines_fault(struct lines *lines, const char *what)
{
    char storage[SHOWN_MOST];
    struct text shown;
    text_init(&shown, storage, sizeof storage);
    text_append_printable(&shown, bytes_text(lines->line));
    problems_add(lines->source->problems, lines->source->path, lines->number, 0, "%s: \"%s\"", what, storage);
}

static struct bytes raw_line_take(struct bytes *rest)
{
    struct bytes line = bytes_take(rest, bytes_find(*rest, '\n'));
    (void)bytes_take(rest, rest->size > 0 ? 1 : 0);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* Takes a line with those that continue it: they begin with a blank, which is no part of it (RFC 5545, 3.1).
 */
static bool line_take(struct lines *lines)
{
    size_t size = 0;
    if (lines->rest.size == 0)
        return false;
    lines->number = lines->next_number;
    do {
        struct bytes raw = raw_line_take(&lines->rest);
        if (size > 0)
            (void)bytes_take(&raw, 1);
        memcpy(lines->line + size, raw.data, raw.size);
        size += raw.size;
        lines->next_number++;
    } while (size > 0 && lines->rest.size > 0 && (lines->rest.data[0] == ' ' || lines->rest.data[0] == '\t'));
    lines->line[size] = '\0';
    return true;
}

static bool line_is(const struct lines *lines, const char *text)
{
    return bytes_equal_folded(bytes_text(lines->line), text);
}

/* Whether the line is of the property: its name, then parameters or the value. */
static bool line_names(const struct lines *lines, const char *property)
{
    size_t size = strcspn(lines->line, ":;");
    return bytes_equal_folded(bytes_of(lines->line, size), property);
}

/* Calendars in use have properties that no parser takes; those of which times are made must be right. */
static bool line_matters(const struct lines *lines)
{
    static const char *const properties[] = { "BEGIN",         "END",    "DTSTART",      "DTEND",
                                              "DURATION",      "RRULE",  "RDATE",        "EXDATE",
                                              "RECURRENCE-ID", "TZID",   "TZOFFSETFROM", "TZOFFSETTO",
                                              "EXRULE",        "STATUS", "UID",          "SUMMARY" };
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        if (line_names(lines, properties[i]))
            return true;
    }
    return strcspn(lines->line, ":") == strlen(lines->line);
}

static bool lines_keep_root(struct lines *lines, icalcomponent *root)
{
    struct calendar *calendar = lines->source->calendar;
    icalcomponent **grown = reallocarray(calendar->roots, calendar->root_count + 1, sizeof(icalcomponent *));
    if (grown == NULL) {
        icalcomponent_free(root);
        return false;
    }
    calendar->roots = grown;
    grown[calendar->root_count++] = root;
    return true;
}

static bool lines_note_event(struct lines *lines)
{
    struct calendar_source *source = lines->source;
    unsigned *grown = reallocarray(source->event_lines, source->event_count + 1, sizeof *grown);
    if (grown == NULL)
        return false;
    source->event_lines = grown;
    grown[source->event_count++] = lines->number;
    return source->event_count <= CALENDAR_EVENTS_MOST;
}

/* A zone whose changes come more often than once a year has no end of them. */
static bool is_zone_bounded(const struct lines *lines)
{
    return !lines->is_in_zone || !line_names(lines, "RRULE") || strstr(lines->line, "FREQ=YEARLY") != NULL;
}

static bool line_nests(struct lines *lines)
{
    bool is_begin = line_names(lines, "BEGIN");
    bool is_end = line_names(lines, "END");
    if (lines->depth == 0 && !line_is(lines, "BEGIN:VCALENDAR")) {
        lines_fault(lines, "not an iCalendar file: BEGIN:VCALENDAR is expected");
        return false;
    }
    if (is_begin && lines->depth == DEPTH_MOST) {
        lines_fault(lines, "too many parts within each other");
        return false;
    }
    if (line_is(lines, "BEGIN:VTIMEZONE") || line_is(lines, "END:VTIMEZONE"))
        lines->is_in_zone = is_begin;
    lines->depth += is_begin ? 1 : 0;
    lines->depth -= is_end ? 1 : 0;
    return true;
}

static bool line_read(struct lines *lines)
{
    if (lines->line[0] == '\0')
        return true;
    if (!line_nests(lines))
        return false;
    if (!is_zone_bounded(lines)) {
        lines_fault(lines, "a time zone's rule must be FREQ=YEARLY");
        return false;
    }
    if (line_is(lines, "BEGIN:VEVENT") && !lines_note_event(lines)) {
        lines_fault(lines, "too many events: 10000 are right");
        return false;
    }
    icalcomponent *root = icalparser_add_line(lines->parser, lines->line);
    if (root != NULL && !lines_keep_root(lines, root))
        return false;
    if (icalparser_get_state(lines->parser) != ICALPARSER_ERROR || !line_matters(lines))
        return true;
    lines_fault(lines, "cannot be read as RFC 5545 has it");
    return false;
}

static bool lines_read(struct lines *lines)
{
    while (line_take(lines)) {
        if (!line_read(lines))
            return false;
    }
    if (lines->depth == 0 && lines->source->calendar->root_count > 0)
        return true;
    problems_add(lines->source->problems, lines->source->path, lines->number, 0, "%s",
                 lines->depth > 0 ? "the file ends before END:VCALENDAR"
                                  : "not an iCalendar file: it is empty, BEGIN:VCALENDAR is expected");
    return false;
}

bool calendar_lines_read(struct calendar_source *source, struct bytes text)
{
    static const uint8_t byte_order_mark[] = { 0xef, 0xbb, 0xbf };
    if (text.size >= 3 && memcmp(text.data, byte_order_mark, 3) == 0)
        (void)bytes_take(&text, 3);
    struct lines lines = { .source = source, .rest = text, .next_number = 1 };
    icalerror_set_errors_are_fatal(false);
    lines.line = malloc(text.size + 1);
    lines.parser = icalparser_new();
    bool is_read = lines.line != NULL && lines.parser != NULL && lines_read(&lines);
    if (lines.parser != NULL)
        icalparser_free(lines.parser);
    free(lines.line);
    return is_read;
}
