/* SPDX-License-Identifier: PostgreSQL */
#include "policy/zone.h"

#include "policy/window.h"

/* libical takes a name for a file below the system's folder of zones. */
icaltimezone *zone_find(const char *name)
{
    if (name[0] == '\0' || name[0] == '/' || strstr(name, "..") != NULL)
        return NULL;
    icaltimezone_set_builtin_tzdata(0); /* the system's database, which the administrator keeps current */
    return icaltimezone_get_builtin_timezone(name);
}

bool timezone_is_known(const char *name)
{
    return zone_find(name) != NULL;
}

struct icaltimetype civil_of(int64_t second)
{
    return icaltime_from_timet_with_zone((time_t)second, 0, icaltimezone_get_utc_timezone());
}

int64_t civil_second(struct icaltimetype civil)
{
    civil.zone = icaltimezone_get_utc_timezone();
    civil.is_date = 0;
    return (int64_t)icaltime_as_timet(civil);
}

int64_t zone_offset(icaltimezone *zone, int64_t second)
{
    struct icaltimetype utc = civil_of(second);
    int is_daylight = 0;
    return zone != NULL ? icaltimezone_get_utc_offset_of_utc_time(zone, &utc, &is_daylight) : 0;
}

/* The two offsets that can be meant are those in force a day before and a day after. */
int64_t zone_instant(icaltimezone *zone, int64_t local)
{
    int64_t before = zone_offset(zone, local - DAY_SECONDS);
    int64_t after = zone_offset(zone, local + DAY_SECONDS);
    bool is_before_right = zone_offset(zone, local - before) == before;
    bool is_after_right = zone_offset(zone, local - after) == after;
    return is_after_right && !is_before_right ? local - after : local - before;
}

void instant_describe(int64_t time_us, const char *zone_name, struct text *out)
{
    int64_t second = divide_floor(time_us, second_us);
    int64_t offset = zone_offset(zone_find(zone_name), second);
    struct icaltimetype local = civil_of(second + offset);
    int64_t minutes = (offset < 0 ? -offset : offset) / 60;
    text_append_format(out, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", local.year, local.month, local.day,
                       local.hour, local.minute, local.second, offset < 0 ? '-' : '+', (int)(minutes / 60),
                       (int)(minutes % 60));
}
