/* SPDX-License-Identifier: PostgreSQL */
#include "control/window_rows.h"

/* The end of the freezes that hold at `time_us`, or time_us. */
static int64_t behind_freezes(const struct gate_plan *plan, int64_t time_us)
{
    enum { FREEZES_MOST = 1000 }; /* how many in a row may follow each other without a gap */
    struct occurrence freeze;
    bool has_moved = true;
    for (unsigned round = 0; has_moved && round < FREEZES_MOST; round++) {
        has_moved = false;
        for (size_t i = 0; i < plan->freeze_count; i++) {
            if (freeze_next(&plan->freezes[i], time_us, &freeze) && freeze.from_us <= time_us) {
                time_us = freeze.to_us;
                has_moved = true;
            }
        }
    }
    return time_us;
}

/* The begin of the first freeze after from_us, where none holds, or to_us. */
static int64_t before_freezes(const struct gate_plan *plan, int64_t from_us, int64_t to_us)
{
    struct occurrence freeze;
    for (size_t i = 0; i < plan->freeze_count; i++) {
        if (freeze_next(&plan->freezes[i], from_us, &freeze) && freeze.from_us > from_us &&
            freeze.from_us < to_us)
            to_us = freeze.from_us;
    }
    return to_us;
}

/* The first stretch of the occurrence that no freeze takes and that ends after now. */
static bool find_stretch(const struct gate_plan *plan, const struct occurrence *occurrence, int64_t now_us,
                         struct occurrence *out)
{
    int64_t from_us = behind_freezes(plan, occurrence->from_us);
    while (from_us < occurrence->to_us) {
        *out = (struct occurrence){ from_us, before_freezes(plan, from_us, occurrence->to_us) };
        if (out->to_us > now_us)
            return true;
        from_us = behind_freezes(plan, out->to_us);
    }
    return false;
}

static bool find_opening(const struct gate_plan *plan, const struct window *window, int64_t now_us,
                         struct occurrence *out)
{
    enum { OCCURRENCES_MOST = 100 }; /* how many in a row freezes may take */
    struct occurrence occurrence = { now_us, now_us };
    for (unsigned i = 0; i < OCCURRENCES_MOST; i++) {
        if (!window_next(window, occurrence.to_us, &occurrence))
            return false;
        if (find_stretch(plan, &occurrence, now_us, out))
            return true;
    }
    return false;
}

static enum window_kind kind_of(enum window_form form)
{
    static const enum window_kind kinds[] = { [WINDOW_FORM_WEEKLY] = WINDOW_WEEKLY,
                                              [WINDOW_FORM_RULE] = WINDOW_RULE,
                                              [WINDOW_FORM_ONCE] = WINDOW_ONCE,
                                              [WINDOW_FORM_CALENDAR] = WINDOW_CALENDAR };
    return kinds[form];
}

static struct window_row plan_row(const struct gate_plan *plan, const struct window *window, int64_t now_us)
{
    struct window_row row = { .name = window->name,
                              .kind = kind_of(window->form),
                              .allow = window->allow,
                              .state = WINDOW_CLOSED,
                              .timezone = window->timezone };
    struct occurrence occurrence;
    if (window_next(window, now_us, &occurrence) && occurrence.from_us <= now_us)
        row.state = behind_freezes(plan, now_us) > now_us ? WINDOW_FROZEN : WINDOW_OPEN;
    if (find_opening(plan, window, now_us, &occurrence)) {
        row.opens_us = occurrence.from_us;
        row.closes_us = occurrence.to_us;
    }
    return row;
}

static struct window_row opening_row(const struct opening *opening, int64_t now_us)
{
    return (struct window_row){ .name = opening->name,
                                .kind = WINDOW_OPENING,
                                .allow = opening->allow,
                                .state = opening->from_us <= now_us ? WINDOW_OPEN : WINDOW_CLOSED,
                                .opens_us = opening->from_us,
                                .closes_us = opening->to_us,
                                .reason = opening->reason,
                                .opened_by = opening->opened_by,
                                .service = opening->scope.service,
                                .user = opening->scope.user,
                                .database = opening->scope.database };
}

static struct window_row freeze_row(const struct freeze *freeze, const struct occurrence *next,
                                    int64_t now_us)
{
    return (struct window_row){ .name = freeze->name,
                                .kind = WINDOW_FREEZE,
                                .allow = LEVEL_NONE,
                                .state = next->from_us <= now_us ? WINDOW_FROZEN : WINDOW_CLOSED,
                                .opens_us = next->from_us,
                                .closes_us = next->to_us,
                                .reason = freeze->reason };
}

size_t window_rows_most(const struct gate_plan *plan)
{
    return plan->window_count + plan->opening_count + plan->freeze_count;
}

size_t window_rows_fill(const struct gate_plan *plan, int64_t now_us, struct window_row *rows, size_t most)
{
    size_t count = 0;
    struct occurrence next;
    for (size_t i = 0; i < plan->window_count && count < most; i++)
        rows[count++] = plan_row(plan, &plan->windows[i], now_us);
    for (size_t i = 0; i < plan->opening_count && count < most; i++)
        if (plan->openings[i].to_us > now_us)
            rows[count++] = opening_row(&plan->openings[i], now_us);
    for (size_t i = 0; i < plan->freeze_count && count < most; i++)
        if (freeze_next(&plan->freezes[i], now_us, &next))
            rows[count++] = freeze_row(&plan->freezes[i], &next, now_us);
    return count;
}
