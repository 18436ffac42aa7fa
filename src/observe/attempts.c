/* SPDX-License-Identifier: PostgreSQL */
#include "observe/attempts.h"

#include <assert.h>

static uint64_t hash_of(const struct attempts *attempts, const struct violation *violation)
{
    const char *const names[] = {
        violation->database,   violation->schema,   violation->table,   violation->column,
        violation->constraint, violation->datatype, violation->service, violation->fingerprint,
    };
    uint64_t words[COUNT_OF(names)];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        words[i] = hash_keyed(&attempts->key, bytes_text(names[i]));
    uint64_t hash = hash_keyed(&attempts->key, bytes_of(words, sizeof words));
    return hash != 0 ? hash : 1;
}

static_assert(ATTEMPTS_KEPT % ATTEMPTS_TOGETHER == 0, "a group is whole");

static size_t group_of(uint64_t hash)
{
    return (size_t)(hash % (ATTEMPTS_KEPT / ATTEMPTS_TOGETHER)) * ATTEMPTS_TOGETHER;
}

/* Its own, or the one that was kept the longest ago. */
static struct attempt *place_of(struct attempts *attempts, uint64_t hash)
{
    struct attempt *group = &attempts->kept[group_of(hash)];
    struct attempt *oldest = group;
    for (size_t i = 0; i < ATTEMPTS_TOGETHER; i++) {
        if (group[i].hash == hash)
            return &group[i];
        if (group[i].number < oldest->number)
            oldest = &group[i];
    }
    return oldest;
}

void attempts_record(struct attempts *attempts, const struct event *event)
{
    if (event->violation.attempted[0] == '\0')
        return;
    uint64_t hash = hash_of(attempts, &event->violation);
    struct attempt *attempt = place_of(attempts, hash);
    attempt->hash = hash;
    attempt->number = ++attempts->recorded;
    memcpy(attempt->value, event->violation.attempted, sizeof attempt->value);
    memcpy(attempt->near_miss, event->near_miss, sizeof attempt->near_miss);
}

const struct attempt *attempts_find(const struct attempts *attempts, const struct violation *violation)
{
    uint64_t hash = hash_of(attempts, violation);
    const struct attempt *group = &attempts->kept[group_of(hash)];
    for (size_t i = 0; i < ATTEMPTS_TOGETHER; i++) {
        if (group[i].hash == hash)
            return &group[i];
    }
    return NULL;
}
