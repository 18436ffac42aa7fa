/* SPDX-License-Identifier: PostgreSQL */
#include "observe/attempts.h"

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

void attempts_record(struct attempts *attempts, const struct event *event)
{
    if (event->violation.attempted[0] == '\0')
        return;
    uint64_t hash = hash_of(attempts, &event->violation);
    struct attempt *attempt = &attempts->kept[hash % ATTEMPTS_KEPT];
    attempt->hash = hash;
    memcpy(attempt->value, event->violation.attempted, sizeof attempt->value);
    memcpy(attempt->near_miss, event->near_miss, sizeof attempt->near_miss);
}

const struct attempt *attempts_find(const struct attempts *attempts, const struct violation *violation)
{
    uint64_t hash = hash_of(attempts, violation);
    const struct attempt *attempt = &attempts->kept[hash % ATTEMPTS_KEPT];
    return attempt->hash == hash ? attempt : NULL;
}
