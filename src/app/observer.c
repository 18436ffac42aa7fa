/* SPDX-License-Identifier: PostgreSQL */
#include "app/observer.h"

#include "app/clock.h"

void observer_init(struct observer *observer, const struct settings *settings, const struct hash_key *key)
{
    const struct statements_settings *statements = &settings->statements;
    observer->bounds = (struct harvest_bounds){
        .violations = settings->violations.entries,
        .statements = statements->record ? statements->entries : 0,
        .errors = settings->violations.entries,
    };
    observer->key = *key;
    observer->is_ready = true;
    totals_init(&observer->totals, key, &observer->bounds);
    vigil_init(&observer->vigil, &settings->incidents, key, &observer->totals, NULL, clock_now());
}

void observer_release(struct observer *observer)
{
    if (!observer->is_ready)
        return;
    vigil_release(&observer->vigil);
    totals_release(&observer->totals);
}

struct harvest *observer_harvest(const struct observer *observer)
{
    return harvest_create(&observer->key, &observer->bounds);
}

void observer_take(struct observer *observer, struct harvest *harvest, int64_t now_us)
{
    if (harvest == NULL)
        return;
    totals_add(&observer->totals, harvest);
    vigil_take(&observer->vigil, harvest, now_us);
    harvest_destroy(harvest);
}
