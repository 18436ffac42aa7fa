/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan_windows.h"

#include "app/place.h"
#include "app/plan_overlaps.h"
#include "config/window_form.h"
#include "policy/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_DAYS = 60, OVERLAPS_LOOKED_FOR = 24 };

static const int64_t minute_us = INT64_C(60000000);
static const int64_t day_us = INT64_C(86400000000);

static const char windows_list[] = "guard.windows";
static const char freezes_list[] = "guard.freezes";
static const char unknown_zone[] =
    "unknown time zone: expected a name of the IANA database, such as America/New_York";

/* What is read, and of which entry of which list. */
struct reading {
    const struct settings *settings;
    struct problems *problems;
    int64_t now_us;
    const char *list;
    size_t index;
};

static void fault(const struct reading *reading, const char *name, const char *text)
{
    problem_at(reading->problems, reading->settings, reading->list, reading->index, name, false, text);
}

static void warn(const struct reading *reading, const char *name, const char *text)
{
    problem_at(reading->problems, reading->settings, reading->list, reading->index, name, true, text);
}

enum safety_level plan_level(enum setting_allow allow)
{
    return allow == ALLOW_ADDITIVE ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
}

/* All of a file, or false with what the system says. */
static bool file_read(const char *path, struct buffer *out, struct text *why)
{
    char piece[16384];
    size_t size;
    errno = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        text_append_format(why, "cannot be read: %s", strerror(errno));
        return false;
    }
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
        buffer_append(out, bytes_of(piece, size));
    int error = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (error != 0)
        text_append_format(why, "cannot be read: %s", strerror(error));
    else if (out->has_failed)
        text_append_format(why, "is too large: %d bytes are right", (int)CALENDAR_FILE_MOST);
    return error == 0 && !out->has_failed;
}

/* The calendar of a file that the setting `calendar` names. */
static struct calendar *calendar_read(const struct reading *reading, const char *path, const char *match,
                                      const char *timezone)
{
    struct text why;
    struct buffer text;
    char storage[PROBLEM_TEXT_SIZE];
    struct calendar *calendar = NULL;
    text_init(&why, storage, sizeof(storage));
    text_append_string(&why, "the calendar ");
    text_append_printable(&why, bytes_text(path));
    text_append_byte(&why, ' ');
    buffer_init(&text, CALENDAR_FILE_MOST);
    if (file_read(path, &text, &why))
        calendar = calendar_of_file(&(struct calendar_file){ .path = path,
                                                             .text = bytes_of(text.data, text.size),
                                                             .match = match,
                                                             .timezone = timezone,
                                                             .now_us = reading->now_us },
                                    reading->problems);
    else
        fault(reading, "calendar", storage);
    buffer_release(&text);
    return calendar;
}

static bool times_read(const struct reading *reading, const struct window_settings *from,
                       struct window *window)
{
    bool has_from = window_parse_time(from->from, &window->from_minute);
    bool has_to = from->to[0] == '\0' || window_parse_time(from->to, &window->to_minute);
    if (!has_from)
        fault(reading, "from", "not a time of day: expected HH:MM, such as 02:00");
    if (!has_to)
        fault(reading, "to", "not a time of day: expected HH:MM, such as 04:00 or 24:00");
    return has_from && has_to;
}

/* The first that begins before the one before it has ended. */
static bool has_overlap(struct calendar *calendar, int64_t now_us)
{
    struct occurrence last;
    struct occurrence next;
    if (!calendar_next(calendar, now_us, &last))
        return false;
    for (unsigned i = 0; i < OVERLAPS_LOOKED_FOR && calendar_next(calendar, last.to_us, &next); i++) {
        if (next.from_us < last.to_us)
            return true;
        last = next;
    }
    return false;
}

/* Whether it opens again whenever it ends, as far as is looked. */
static bool is_without_end(struct calendar *calendar, int64_t now_us)
{
    struct occurrence last;
    struct occurrence next;
    if (!calendar_next(calendar, now_us, &last))
        return false;
    for (unsigned i = 0; i < OVERLAPS_LOOKED_FOR; i++) {
        if (!calendar_next(calendar, last.to_us, &next) || next.from_us > last.to_us)
            return false;
        last = next;
    }
    return true;
}

static void warn_of_rule(const struct reading *reading, const struct window_settings *from,
                         struct calendar *calendar)
{
    const char *end = from->to[0] != '\0' ? "to" : "duration";
    struct occurrence next;
    if (!calendar_next(calendar, reading->now_us, &next))
        warn(reading, "rrule",
             "this window does not open in the next ten years: its rule has ended, or begins later");
    else if (is_without_end(calendar, reading->now_us))
        warn(reading, end, "this window never closes: it opens again before or when it ends");
    else if (has_overlap(calendar, reading->now_us))
        warn(reading, end, "it lasts longer than until it opens again: its times run into one another");
}

static void rule_read(const struct reading *reading, const struct window_settings *from,
                      struct window *window)
{
    struct text why;
    char storage[PROBLEM_TEXT_SIZE];
    text_init(&why, storage, sizeof(storage));
    text_append_string(&why, "not a rule for a window: ");
    if (!times_read(reading, from, window))
        return;
    bool has_end = from->to[0] != '\0';
    int minutes =
        window->to_minute - window->from_minute + (window->to_minute > window->from_minute ? 0 : 1440);
    struct calendar_rule rule = { .rule = from->rrule,
                                  .timezone = window->timezone,
                                  .start = from->start,
                                  .from_minute = window->from_minute,
                                  .nominal_us = has_end ? minutes * minute_us : 0,
                                  .exact_us = has_end ? 0 : from->duration };
    window->calendar = calendar_of_rule(&rule, &why);
    if (window->calendar == NULL)
        fault(reading, "rrule", storage);
    else
        warn_of_rule(reading, from, window->calendar);
}

/* A stretch between two instants. */
static bool stretch_read(const struct reading *reading, const char *from, const char *to,
                         struct occurrence *out)
{
    static const char form[] =
        "not a moment: expected RFC 3339 with an offset, such as 2026-11-26T00:00:00-05:00";
    bool has_from = instant_parse(from, &out->from_us);
    bool has_to = instant_parse(to, &out->to_us);
    if (!has_from)
        fault(reading, "from", form);
    if (!has_to)
        fault(reading, "to", form);
    if (has_from && has_to && out->to_us <= out->from_us)
        fault(reading, "to", "it ends before it begins: expected a moment after `from`");
    return has_from && has_to && out->to_us > out->from_us;
}

static void once_read(const struct reading *reading, const struct window_settings *from,
                      struct window *window)
{
    struct occurrence stretch;
    if (!stretch_read(reading, from->from, from->to, &stretch))
        return;
    if (stretch.to_us <= reading->now_us)
        warn(reading, "to", "this window is over and does not open any more");
    window->calendar = calendar_of_stretch(stretch);
    if (window->calendar == NULL)
        fault(reading, "from", "out of memory");
}

static void window_read(const struct reading *reading, const struct window_settings *from,
                        struct window *window)
{
    static const enum window_form forms[] = { [FORM_CALENDAR] = WINDOW_FORM_CALENDAR,
                                              [FORM_RULE] = WINDOW_FORM_RULE,
                                              [FORM_ONCE] = WINDOW_FORM_ONCE,
                                              [FORM_WEEKLY] = WINDOW_FORM_WEEKLY };
    plan_copy(from->name, window->name, sizeof(window->name));
    plan_copy(from->timezone, window->timezone, sizeof(window->timezone));
    window->days = (uint8_t)from->days;
    window->allow = plan_level(from->allow);
    window->form = forms[window_form(from)];
    if (!timezone_is_known(window->timezone))
        fault(reading, "timezone", unknown_zone);
    else if (window->form == WINDOW_FORM_CALENDAR)
        window->calendar = calendar_read(reading, from->calendar, from->match, from->timezone);
    else if (window->form == WINDOW_FORM_RULE)
        rule_read(reading, from, window);
    else if (window->form == WINDOW_FORM_ONCE)
        once_read(reading, from, window);
    else
        (void)times_read(reading, from, window);
}

static void freeze_read(const struct reading *reading, const struct freeze_settings *from,
                        struct freeze *freeze)
{
    struct occurrence stretch;
    const char *timezone = from->timezone[0] != '\0' ? from->timezone : "UTC";
    plan_copy(from->name, freeze->name, sizeof(freeze->name));
    plan_copy(from->reason, freeze->reason, sizeof(freeze->reason));
    if (!timezone_is_known(timezone)) {
        fault(reading, "timezone", unknown_zone);
    } else if (from->calendar[0] != '\0') {
        freeze->calendar = calendar_read(reading, from->calendar, from->match, timezone);
    } else if (stretch_read(reading, from->from, from->to, &stretch)) {
        freeze->from_us = stretch.from_us;
        freeze->to_us = stretch.to_us;
        if (stretch.to_us <= reading->now_us)
            warn(reading, "to", "this freeze is over and closes nothing any more");
    }
}

/* Whether the window would open in what it is looked at for, were it not for freezes. */
static bool is_frozen_out(const struct plan *plan, const struct window *window, size_t freeze_count,
                          int64_t now_us)
{
    struct gate gate;
    struct occurrence next;
    struct gate_plan gate_plan = {
        .windows = window, .window_count = 1, .freezes = plan->freezes, .freeze_count = freeze_count
    };
    if (!window_next(window, now_us, &next))
        return false;
    int64_t from_us = window->form == WINDOW_FORM_ONCE ? next.from_us : now_us;
    int64_t to_us = window->form == WINDOW_FORM_ONCE ? next.to_us : now_us + WINDOW_DAYS * day_us;
    if (next.from_us >= to_us || !gate_init(&gate, &gate_plan, from_us, to_us - from_us))
        return false;
    bool is_open = gate_next(&gate, window->allow, from_us) != NULL;
    gate_release(&gate);
    return !is_open;
}

static void warn_of_frozen(struct reading *reading, const struct plan *plan)
{
    const struct settings *settings = reading->settings;
    reading->list = windows_list;
    for (size_t index = 0; index < settings->guard.windows.count && settings->guard.freezes.count > 0;
         index++) {
        reading->index = index;
        if (is_frozen_out(plan, &plan->windows[index], settings->guard.freezes.count, reading->now_us))
            warn(reading, "name",
                 plan->windows[index].form == WINDOW_FORM_ONCE
                     ? "this window never opens: freezes take all of it"
                     : "this window does not open in the next 60 days: freezes take all of it");
    }
}

void plan_read_windows(struct plan *plan, const struct settings *settings, int64_t now_us,
                       struct problems *problems)
{
    size_t errors_before = problems->error_count;
    struct reading reading = { settings, problems, now_us, windows_list, 0 };
    for (; reading.index < settings->guard.windows.count; reading.index++)
        window_read(&reading, &settings->guard.windows.items[reading.index], &plan->windows[reading.index]);
    reading.list = freezes_list;
    for (reading.index = 0; reading.index < settings->guard.freezes.count; reading.index++)
        freeze_read(&reading, &settings->guard.freezes.items[reading.index], &plan->freezes[reading.index]);
    if (problems->error_count == errors_before) {
        warn_of_frozen(&reading, plan);
        plan_warn_of_overlaps(plan, settings, now_us, problems);
    }
}
