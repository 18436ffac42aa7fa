/* SPDX-License-Identifier: PostgreSQL */
#include "app/observer.h"

#include "app/clock.h"
#include "config/schema.h"

/* A family and its word are of one name. */
static uint32_t families_of(unsigned words)
{
    uint32_t families = 0;
    for (unsigned family = 0; family < FAMILY_COUNT; family++) {
        unsigned word = 0;
        struct bytes name = bytes_text(error_family_name((enum error_family)family));
        if (schema_word_find(CHOICE_setting_family, name, &word) && (words >> word & 1U) != 0)
            families |= UINT32_C(1) << family;
    }
    return families;
}

bool observer_init(struct observer *observer, const struct settings *settings, const struct hash_key *key,
                   const char *version)
{
    const struct statements_settings *statements = &settings->statements;
    observer->bounds = (struct harvest_bounds){
        .violations = settings->violations.entries,
        .statements = statements->record ? statements->entries : 0,
        .errors = settings->errors.entries,
    };
    observer->error_families = families_of(settings->errors.families);
    observer->key = *key;
    observer->is_ready = true;
    totals_init(&observer->totals, key, &observer->bounds);
    if (!recording_begin(&observer->recording, settings, key, version))
        return false;
    struct history *history = observer->recording.history;
    vigil_init(&observer->vigil, &settings->incidents, key, &observer->bounds, &observer->totals, history,
               clock_now());
    if (observer->vigil.is_asleep)
        recollection_begin(&observer->recollection, &observer->vigil, history, settings, clock_now());
    return true;
}

void observer_release(struct observer *observer)
{
    if (!observer->is_ready)
        return;
    recollection_end(&observer->recollection);
    vigil_release(&observer->vigil);
    recording_end(&observer->recording);
    aftermath_release(&observer->aftermath);
    totals_release(&observer->totals);
    observer->is_ready = false;
}

struct harvest *observer_harvest(const struct observer *observer)
{
    struct harvest *harvest = harvest_create(&observer->key, &observer->bounds);
    if (harvest != NULL)
        harvest->errors.families = observer->error_families;
    return harvest;
}

void observer_take(struct observer *observer, struct harvest *harvest, int64_t now_us)
{
    if (harvest == NULL)
        return;
    aftermath_harvest(&observer->aftermath, harvest, now_us);
    totals_add(&observer->totals, harvest);
    recording_take(&observer->recording, harvest, now_us);
    vigil_take(&observer->vigil, harvest, now_us);
    harvest_destroy(harvest);
}

void observer_tick(struct observer *observer, int64_t now_us)
{
    recording_tick(&observer->recording, now_us);
    recollection_tick(&observer->recollection, &observer->aftermath);
    vigil_tick(&observer->vigil, now_us);
}
