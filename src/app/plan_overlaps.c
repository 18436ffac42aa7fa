/* SPDX-License-Identifier: PostgreSQL */
#include "app/plan_overlaps.h"

#include "app/place.h"

#include <stdlib.h>

enum { LOOKED_AT_DAYS = 8, TIMES_MOST = 10 };

static const int64_t day_us = INT64_C(86400000000);

/* When a weekly window is open in the days that are looked at; of other windows nothing. */
struct timetable {
    struct occurrence times[TIMES_MOST];
    size_t count;
};

static void timetable_read(struct timetable *table, const struct window *window, int64_t now_us)
{
    struct occurrence next;
    int64_t after_us = now_us;
    table->count = 0;
    if (window->form != WINDOW_FORM_WEEKLY)
        return;
    while (table->count < TIMES_MOST && window_next(window, after_us, &next) &&
           next.from_us < now_us + LOOKED_AT_DAYS * day_us) {
        table->times[table->count++] = next;
        after_us = next.to_us;
    }
}

static bool timetables_meet(const struct timetable *a, const struct timetable *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (a->times[i].from_us < b->times[j].to_us && b->times[j].from_us < a->times[i].to_us)
                return true;
    return false;
}

/* One word about each window is enough. */
static void warn_of(const struct plan *plan, const struct settings *settings,
                    const struct timetable *timetables, size_t index, struct problems *problems)
{
    const struct window *windows = plan->windows;
    for (size_t i = 0; i < index; i++) {
        if (windows[i].allow == windows[index].allow || !timetables_meet(&timetables[i], &timetables[index]))
            continue;
        size_t higher = windows[i].allow > windows[index].allow ? i : index;
        char storage[PROBLEM_TEXT_SIZE];
        struct text text;
        text_init(&text, storage, sizeof(storage));
        text_append_format(&text,
                           "overlaps with \"%s\" (guard.windows[%zu]), which allows %s: while both are open, "
                           "what \"%s\" allows counts; if that is not meant, let one end before the other "
                           "begins",
                           windows[i].name, i, safety_level_name(windows[i].allow), windows[higher].name);
        problem_at(problems, settings, "guard.windows", index, "allow", true, storage);
        return;
    }
}

void plan_warn_of_overlaps(const struct plan *plan, const struct settings *settings, int64_t now_us,
                           struct problems *problems)
{
    size_t count = settings->guard.windows.count;
    struct timetable *timetables = count > 1 ? calloc(count, sizeof(*timetables)) : NULL;
    for (size_t i = 0; i < count && timetables != NULL; i++) {
        timetable_read(&timetables[i], &plan->windows[i], now_us);
        warn_of(plan, settings, timetables, i, problems);
    }
    free(timetables);
}
