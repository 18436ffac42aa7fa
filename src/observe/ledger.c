/* SPDX-License-Identifier: PostgreSQL */
#include "observe/ledger.h"

#include <assert.h>

enum { MINUTE_US = 60 * 1000 * 1000 };

static_assert(offsetof(struct ledger_entry, entry) == 0, "the head comes first");
static_assert(sizeof(int64_t) + 2 + 6 + 8 * NAME_SIZE + FINGERPRINT_TEXT_SIZE <= TALLY_KEY_SIZE,
              "a key fits");

static void ledger_key_of(const struct tally_entry *entry, struct tally_key *key)
{
    const struct violation *violation = &((const struct ledger_entry *)entry)->violation;
    tally_key_byte(key, (uint8_t)violation->kind);
    tally_key_byte(key, (uint8_t)violation->phase);
#define KEY_TEXT(member) tally_key_text(key, violation->member, sizeof violation->member - 1)
    KEY_TEXT(sqlstate);
    KEY_TEXT(schema);
    KEY_TEXT(table);
    KEY_TEXT(column);
    KEY_TEXT(constraint);
    KEY_TEXT(datatype);
    KEY_TEXT(service);
    KEY_TEXT(database);
    KEY_TEXT(user);
    KEY_TEXT(fingerprint);
#undef KEY_TEXT
}

static void ledger_key_by_minute(const struct tally_entry *entry, struct tally_key *key)
{
    uint64_t minute_us = (uint64_t)((const struct ledger_entry *)entry)->minute_us;
    for (size_t i = 0; i < sizeof minute_us; i++)
        tally_key_byte(key, (uint8_t)(minute_us >> (8 * i)));
    ledger_key_of(entry, key);
}

static const struct tally_form ledger_form = { sizeof(struct ledger_entry), ledger_key_of, NULL };
static const struct tally_form ledger_form_by_minute = { sizeof(struct ledger_entry), ledger_key_by_minute,
                                                         NULL };

void ledger_init(struct ledger *ledger, const struct hash_key *key, size_t entries_most)
{
    *ledger = (struct ledger){ 0 };
    tally_init(&ledger->tally, &ledger_form, key, entries_most);
}

void ledger_init_by_minute(struct ledger *ledger, const struct hash_key *key, size_t entries_most)
{
    *ledger = (struct ledger){ 0 };
    tally_init(&ledger->tally, &ledger_form_by_minute, key, entries_most);
}

void ledger_release(struct ledger *ledger)
{
    tally_release(&ledger->tally);
}

void ledger_record(struct ledger *ledger, const struct violation *violation, int64_t now_us)
{
    bool is_by_minute = ledger->tally.form == &ledger_form_by_minute;
    struct ledger_entry seen = { .minute_us = is_by_minute ? now_us - now_us % MINUTE_US : 0,
                                 .violation = *violation };
    ledger->by_kind[violation->kind]++;
    tally_record(&ledger->tally, &seen.entry, now_us);
}

void ledger_merge(struct ledger *into, const struct ledger *from)
{
    tally_merge(&into->tally, &from->tally);
    for (size_t i = 0; i < VIOLATION_KIND_COUNT; i++)
        into->by_kind[i] += from->by_kind[i];
}

uint64_t ledger_total(const struct ledger *ledger)
{
    return ledger->tally.total;
}

size_t ledger_top(const struct ledger *ledger, const struct ledger_entry **out, size_t most)
{
    return tally_top(&ledger->tally, out, most);
}
