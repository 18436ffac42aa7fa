/* SPDX-License-Identifier: PostgreSQL */
/* The events of an iCalendar file as series. */
#include "policy/calendar_lines.h"
#include "policy/service.h"
#include "policy/zone.h"

#include <stdlib.h>

enum { RULE_SIZE = 1024, ZONE_SHOWN = 64 };

/* Where the reading stands. */
struct reading {
    const struct calendar_file *file;
    struct calendar_source source;
    icalcomponent *root;
    icalcomponent *event;
    unsigned line; /* of the event */
};

PRINTF_LIKE(2, 3)
static bool event_fault(struct reading *reading, const char *format, ...)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct text text;
    va_list arguments;
    text_init(&text, storage, sizeof storage);
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    problems_add(reading->source.problems, reading->file->path, reading->line, 0,
                 "the event that begins here: %s", storage);
    return false;
}

static const char *property_zone_name(icalproperty *property)
{
    icalparameter *parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
    const char *name = parameter != NULL ? icalparameter_get_tzid(parameter) : NULL;
    return name != NULL ? name : "";
}

/* A zone of the file goes before one of the system that has its name. */
static bool zone_read(struct reading *reading, icalproperty *property, icaltimezone **zone)
{
    char shown_storage[ZONE_SHOWN];
    struct text shown;
    const char *name = property_zone_name(property);
    if (name[0] == '\0') {
        *zone = zone_find(reading->file->timezone);
        return true;
    }
    *zone = icalcomponent_get_timezone(reading->root, name);
    if (*zone == NULL)
        *zone = zone_find(name);
    if (*zone != NULL)
        return true;
    text_init(&shown, shown_storage, sizeof shown_storage);
    text_append_printable(&shown, bytes_text(name));
    return event_fault(reading, "unknown time zone \"%s\": neither the file nor the system has it",
                       shown_storage);
}

/* libical takes a month 13 and a day 31 of any month. */
static bool is_of_calendar(struct icaltimetype time)
{
    struct icaltimetype same = civil_of(civil_second(time));
    return !icaltime_is_null_time(time) && same.year == time.year && same.month == time.month &&
           same.day == time.day && time.hour < 24 && time.minute < 60;
}

static bool moment_read(struct reading *reading, icalproperty *property, struct icaltimetype time,
                        struct moment *out)
{
    *out = (struct moment){ civil_second(time), NULL, time.is_date != 0 };
    if (!is_of_calendar(time))
        return event_fault(reading, "a time in it is none of the calendar");
    if (icaltime_is_utc(time))
        return true;
    return zone_read(reading, property, &out->zone);
}

static icalproperty *event_property(const struct reading *reading, icalproperty_kind kind)
{
    return icalcomponent_get_first_property(reading->event, kind);
}

static struct extent extent_of_duration(struct icaldurationtype duration)
{
    int64_t sign = duration.is_neg ? -1 : 1;
    return (struct extent){
        .nominal = sign * ((int64_t)duration.weeks * 7 + duration.days) * DAY_SECONDS,
        .exact = sign * ((int64_t)duration.hours * 3600 + (int64_t)duration.minutes * 60 + duration.seconds),
    };
}

/* From the start to DTEND, or DURATION; a day without either is that day, a time without either is nothing
 * (RFC 5545, 3.6.1). */
static bool extent_read(struct reading *reading, struct series *series)
{
    icalproperty *end = event_property(reading, ICAL_DTEND_PROPERTY);
    icalproperty *duration = event_property(reading, ICAL_DURATION_PROPERTY);
    struct moment to;
    series->extent = (struct extent){ .nominal = series->start.is_date ? DAY_SECONDS : 0 };
    if (end != NULL) {
        if (!moment_read(reading, end, icalproperty_get_dtend(end), &to))
            return false;
        if (series->start.is_date)
            series->extent = (struct extent){ .nominal = to.local - series->start.local };
        else
            series->extent = (struct extent){ .exact = moment_second(to) - moment_second(series->start) };
    } else if (duration != NULL) {
        series->extent = extent_of_duration(icalproperty_get_duration(duration));
    }
    if (series->extent.nominal + series->extent.exact > 0)
        return true;
    return event_fault(reading, "it does not end after it begins");
}

static bool rules_read(struct reading *reading, struct series *series)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct text why;
    struct rule rule;
    if (event_property(reading, ICAL_EXRULE_PROPERTY) != NULL)
        return event_fault(reading, "EXRULE is not supported: write EXDATE");
    for (icalproperty *property = event_property(reading, ICAL_RRULE_PROPERTY); property != NULL;
         property = icalcomponent_get_next_property(reading->event, ICAL_RRULE_PROPERTY)) {
        const char *text = icalproperty_get_value_as_string(property);
        text_init(&why, storage, sizeof storage);
        if (!rule_read(text != NULL ? text : "", &rule, &why))
            return event_fault(reading, "RRULE: %s", storage);
        if (!series_add_rule(series, &rule))
            return event_fault(reading, "out of memory");
    }
    return true;
}

/* RDATE: a beginning, or a period of its own length. */
static bool added_read(struct reading *reading, struct series *series)
{
    for (icalproperty *property = event_property(reading, ICAL_RDATE_PROPERTY); property != NULL;
         property = icalcomponent_get_next_property(reading->event, ICAL_RDATE_PROPERTY)) {
        struct icaldatetimeperiodtype date = icalproperty_get_rdate(property);
        bool is_period = icaltime_is_null_time(date.time);
        struct moment begin;
        if (!moment_read(reading, property, is_period ? date.period.start : date.time, &begin))
            return false;
        struct series one = *series;
        if (is_period && icaltime_is_null_time(date.period.end))
            one.extent = extent_of_duration(date.period.duration);
        else if (is_period)
            one.extent =
                (struct extent){ .nominal = civil_second(date.period.end) - civil_second(date.period.start) };
        if (!series_add(series, series_occurrence(&one, begin)))
            return event_fault(reading, "out of memory");
    }
    return true;
}

static bool removed_read(struct reading *reading, struct series *series)
{
    for (icalproperty *property = event_property(reading, ICAL_EXDATE_PROPERTY); property != NULL;
         property = icalcomponent_get_next_property(reading->event, ICAL_EXDATE_PROPERTY)) {
        struct moment moment;
        if (!moment_read(reading, property, icalproperty_get_exdate(property), &moment))
            return false;
        if (!series_remove(series, moment))
            return event_fault(reading, "out of memory");
    }
    return true;
}

static bool event_counts(const struct reading *reading)
{
    const char *summary = icalcomponent_get_summary(reading->event);
    bool is_cancelled = icalcomponent_get_status(reading->event) == ICAL_STATUS_CANCELLED;
    bool is_meant = reading->file->match[0] == '\0' ||
                    pattern_matches(reading->file->match, bytes_text(summary != NULL ? summary : ""));
    return is_meant && !is_cancelled;
}

static const char *event_uid(const struct reading *reading)
{
    const char *uid = icalcomponent_get_uid(reading->event);
    return uid != NULL ? uid : "";
}

static bool event_read(struct reading *reading)
{
    icalproperty *start = event_property(reading, ICAL_DTSTART_PROPERTY);
    struct series series = { .has_start = true, .uid = event_uid(reading) };
    if (start == NULL)
        return event_fault(reading, "it has no DTSTART");
    bool is_read = moment_read(reading, start, icalproperty_get_dtstart(start), &series.start) &&
                   extent_read(reading, &series) && rules_read(reading, &series) &&
                   added_read(reading, &series) && removed_read(reading, &series);
    struct series *kept = is_read ? calendar_add(reading->source.calendar) : NULL;
    if (kept != NULL)
        *kept = series;
    else
        series_release(&series);
    return kept != NULL;
}

/* Takes the occurrence that the event stands for out of the series it belongs to: those with its UID, but
 * not itself. */
static bool override_read(struct reading *reading)
{
    icalproperty *property = event_property(reading, ICAL_RECURRENCEID_PROPERTY);
    struct calendar *calendar = reading->source.calendar;
    struct moment moment;
    if (property == NULL)
        return true;
    if (icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER) != NULL)
        return event_fault(reading, "RANGE=THISANDFUTURE is not supported: end the event it changes with "
                                    "UNTIL and write another one");
    if (!moment_read(reading, property, icalproperty_get_recurrenceid(property), &moment))
        return false;
    for (size_t i = 0; i < calendar->count; i++) {
        struct series *series = &calendar->series[i];
        if (series->rule_count + series->added_count > 0 && strcmp(series->uid, event_uid(reading)) == 0 &&
            !series_remove(series, moment))
            return event_fault(reading, "out of memory");
    }
    return true;
}

/* Goes through all events. */
static bool events_walk(struct reading *reading, bool (*visit)(struct reading *reading))
{
    const struct calendar *calendar = reading->source.calendar;
    size_t index = 0;
    for (size_t i = 0; i < calendar->root_count; i++) {
        reading->root = calendar->roots[i];
        for (reading->event = icalcomponent_get_first_component(reading->root, ICAL_VEVENT_COMPONENT);
             reading->event != NULL;
             reading->event = icalcomponent_get_next_component(reading->root, ICAL_VEVENT_COMPONENT)) {
            reading->line = index < reading->source.event_count ? reading->source.event_lines[index] : 0;
            index++;
            if (!visit(reading))
                return false;
        }
    }
    return true;
}

static bool event_take(struct reading *reading)
{
    return !event_counts(reading) || event_read(reading);
}

static void warn_of_nothing(const struct reading *reading)
{
    const struct calendar_file *file = reading->file;
    struct occurrence next;
    const char *what = NULL;
    if (reading->source.event_count == 0)
        what = "has no events";
    else if (reading->source.calendar->count == 0)
        what = "has no event that counts: all are cancelled, or their SUMMARY does not match";
    else if (!calendar_next(reading->source.calendar, file->now_us, &next))
        what = "has no events to come: all are over";
    if (what != NULL)
        problems_warn(reading->source.problems, file->path, 0, 0, "the calendar %s", what);
}

struct calendar *calendar_of_file(const struct calendar_file *file, struct problems *problems)
{
    struct reading reading = { .file = file, .source = { .path = file->path, .problems = problems } };
    size_t errors = problems->error_count;
    reading.source.calendar = calendar_create();
    bool is_read = reading.source.calendar != NULL && calendar_lines_read(&reading.source, file->text) &&
                   events_walk(&reading, event_take) && events_walk(&reading, override_read);
    if (is_read) {
        warn_of_nothing(&reading);
    } else {
        calendar_destroy(reading.source.calendar);
        reading.source.calendar = NULL;
        if (problems->error_count == errors)
            problems_add(problems, file->path, 0, 0, "out of memory");
    }
    free(reading.source.event_lines);
    return reading.source.calendar;
}
