/* SPDX-License-Identifier: PostgreSQL */
#include "app/pace.h"

static bool judge(const struct pace *pace)
{
    size_t mean = pace->arrivals * 100 / pace->turns;
    return mean >= (pace->is_busy ? PACE_CALM : PACE_BUSY);
}

bool pace_turn(struct pace *pace, size_t arrivals)
{
    if (arrivals == 0)
        return false;
    pace->turns++;
    pace->arrivals += arrivals;
    if (pace->turns < PACE_TURNS)
        return false;
    bool was_busy = pace->is_busy;
    *pace = (struct pace){ .is_busy = judge(pace) };
    return pace->is_busy != was_busy;
}
