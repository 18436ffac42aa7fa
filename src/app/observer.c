/* SPDX-License-Identifier: PostgreSQL */
#include "app/observer.h"

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

void observer_init(struct observer *observer, const struct settings *settings, const struct hash_key *key)
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
}

void observer_release(struct observer *observer)
{
    if (observer->is_ready)
        totals_release(&observer->totals);
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
    (void)now_us;
    if (harvest == NULL)
        return;
    totals_add(&observer->totals, harvest);
    harvest_destroy(harvest);
}
