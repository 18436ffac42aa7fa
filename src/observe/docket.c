/* SPDX-License-Identifier: PostgreSQL */
#include "observe/docket.h"

#include <assert.h>

enum { GROUND_TEXT_MOST = 32 };

static_assert(offsetof(struct docket_entry, entry) == 0, "the head comes first");
static_assert(4 * NAME_SIZE + sizeof((struct docket_entry){ 0 }.class) + EVENT_COMMAND_SIZE +
                      GROUND_TEXT_MOST + 1 + FINGERPRINT_TEXT_SIZE <=
                  TALLY_KEY_SIZE,
              "a key fits");

static void docket_key_of(const struct tally_entry *head, struct tally_key *key)
{
    const struct docket_entry *entry = (const struct docket_entry *)head;
    tally_key_text(key, entry->ground, GROUND_TEXT_MOST);
#define KEY_TEXT(member) tally_key_text(key, entry->member, sizeof entry->member - 1)
    KEY_TEXT(service);
    KEY_TEXT(database);
    KEY_TEXT(user);
    KEY_TEXT(class);
    KEY_TEXT(command);
    KEY_TEXT(rule);
    KEY_TEXT(fingerprint);
#undef KEY_TEXT
}

static const struct tally_form docket_form = { sizeof(struct docket_entry), docket_key_of, NULL };

void docket_init(struct docket *docket, const struct hash_key *key, size_t entries_most)
{
    tally_init(&docket->tally, &docket_form, key, entries_most);
}

void docket_release(struct docket *docket)
{
    tally_release(&docket->tally);
}

void docket_record(struct docket *docket, const struct event *event)
{
    const struct violation *who = &event->violation;
    struct docket_entry seen = { .level = event->level,
                                 .ground = event->ground != NULL ? event->ground : "" };
#define TAKE(member, from)                                                                                   \
    static_assert(sizeof seen.member == sizeof(from), "cut nowhere");                                        \
    memcpy(seen.member, from, sizeof seen.member)
    TAKE(class, event->class);
    TAKE(command, event->command);
    TAKE(window, event->window);
    TAKE(rule, event->rule);
    TAKE(reason, event->reason);
    TAKE(objects, event->objects);
    TAKE(service, who->service);
    TAKE(database, who->database);
    TAKE(user, who->user);
    TAKE(fingerprint, who->fingerprint);
    TAKE(statement, who->statement);
#undef TAKE
    tally_record(&docket->tally, &seen.entry, event->time_us);
}

void docket_merge(struct docket *into, const struct docket *from)
{
    tally_merge(&into->tally, &from->tally);
}

size_t docket_top(const struct docket *docket, const struct docket_entry **out, size_t most)
{
    return tally_top(&docket->tally, out, most);
}
