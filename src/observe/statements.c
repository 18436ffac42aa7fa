/* SPDX-License-Identifier: PostgreSQL */
#include "observe/statements.h"

#include <assert.h>

static_assert(offsetof(struct statement_entry, entry) == 0, "the head comes first");
static_assert(sizeof(uint64_t) + 3 * NAME_SIZE <= TALLY_KEY_SIZE, "a key fits");

static void make_key(const char *service, const char *database, const char *user, uint64_t shape,
                     struct tally_key *key)
{
    for (size_t i = 0; i < sizeof shape; i++)
        tally_key_byte(key, (uint8_t)(shape >> (8 * i)));
    tally_key_text(key, service, NAME_SIZE - 1);
    tally_key_text(key, database, NAME_SIZE - 1);
    tally_key_text(key, user, NAME_SIZE - 1);
}

static void statement_key_of(const struct tally_entry *head, struct tally_key *key)
{
    const struct statement_entry *entry = (const struct statement_entry *)head;
    make_key(entry->service, entry->database, entry->user, entry->shape, key);
}

static void sums_add(struct statement_sums *into, const struct statement_sums *from)
{
    into->errors += from->errors;
    into->rows += from->rows;
    into->bytes += from->bytes;
    into->time_us += from->time_us;
    histogram_merge(&into->latency, &from->latency);
}

static void told_add(struct statement_told *into, const struct statement_told *from)
{
    into->calls += from->calls;
    into->errors += from->errors;
    into->rows += from->rows;
    into->bytes += from->bytes;
}

static void statement_add(struct tally_entry *into_head, const struct tally_entry *from_head)
{
    struct statement_entry *into = (struct statement_entry *)into_head;
    const struct statement_entry *from = (const struct statement_entry *)from_head;
    bool is_earlier = from->entry.first_us < into->entry.first_us && from->text[0] != '\0';
    sums_add(&into->sums, &from->sums);
    told_add(&into->told, &from->told);
    if (into->shape != 0 && (is_earlier || into->text[0] == '\0')) {
        memcpy(into->text, from->text, sizeof into->text);
        memcpy(into->route, from->route, sizeof into->route);
    }
}

static const struct tally_form statement_form = { sizeof(struct statement_entry), statement_key_of,
                                                  statement_add };

void statements_init(struct statements *statements, const struct hash_key *key, size_t entries_most)
{
    statements->rest = (struct statement_entry){ 0 };
    memset(statements->near, 0, sizeof statements->near);
    statements->near_since = 0;
    tally_init(&statements->tally, &statement_form, key, entries_most);
    statements->tally.rest = &statements->rest.entry;
}

void statements_release(struct statements *statements)
{
    tally_release(&statements->tally);
}

static void sums_count(struct statement_sums *sums, const struct statement_call *call)
{
    sums->errors += call->has_failed ? 1 : 0;
    sums->rows += call->rows;
    sums->bytes += call->bytes;
    if (call->duration_us < 0)
        return;
    sums->time_us += (uint64_t)call->duration_us;
    histogram_add(&sums->latency, call->duration_us);
}

/* One that has no entry yet. */
static struct tally_entry *record_new(struct statements *statements, const struct statement_call *call,
                                      int64_t now_us)
{
    struct statement_entry seen = { .shape = call->shape };
    bytes_copy_text(bytes_text(call->service), seen.service, sizeof seen.service);
    bytes_copy_text(bytes_text(call->database), seen.database, sizeof seen.database);
    bytes_copy_text(bytes_text(call->user), seen.user, sizeof seen.user);
    sums_count(&seen.sums, call);
    return tally_record(&statements->tally, &seen.entry, now_us);
}

static bool is_name(const char *kept, const char *name)
{
    return strncmp(kept, name, NAME_SIZE - 1) == 0;
}

/* Where the entry of the call may be found. */
static struct statement_entry **place_near(struct statements *statements, const struct statement_call *call)
{
    if (statements->near_since != statements->tally.other_entries) {
        memset(statements->near, 0, sizeof statements->near);
        statements->near_since = statements->tally.other_entries;
    }
    return &statements->near[call->shape % STATEMENTS_NEAR];
}

static struct statement_entry *record_near(struct statements *statements, struct statement_entry *entry,
                                           const struct statement_call *call, int64_t now_us)
{
    bool is_it = entry != NULL && entry->shape == call->shape && is_name(entry->user, call->user) &&
                 is_name(entry->database, call->database) && is_name(entry->service, call->service);
    if (!is_it)
        return NULL;
    tally_record_again(&statements->tally, &entry->entry, now_us);
    return entry;
}

static struct statement_entry *record_known(struct statements *statements, const struct statement_call *call,
                                            int64_t now_us)
{
    struct tally_key key;
    key.size = 0;
    make_key(call->service, call->database, call->user, call->shape, &key);
    return (struct statement_entry *)tally_record_known(&statements->tally, &key, now_us);
}

struct statement_entry *statements_record(struct statements *statements, const struct statement_call *call,
                                          int64_t now_us)
{
    struct statement_entry **place = place_near(statements, call);
    struct statement_entry *entry = record_near(statements, *place, call, now_us);
    if (entry == NULL)
        entry = record_known(statements, call, now_us);
    if (entry != NULL)
        sums_count(&entry->sums, call);
    else
        entry = (struct statement_entry *)record_new(statements, call, now_us);
    *place = entry;
    return entry != NULL && entry->text[0] == '\0' ? entry : NULL;
}

void statements_merge(struct statements *into, const struct statements *from)
{
    tally_merge(&into->tally, &from->tally);
}

static uint64_t rank_by_time(const struct tally_entry *entry)
{
    return ((const struct statement_entry *)entry)->sums.time_us;
}

static uint64_t rank_by_errors(const struct tally_entry *entry)
{
    return ((const struct statement_entry *)entry)->sums.errors;
}

size_t statements_top(const struct statements *statements, enum statements_order order,
                      const struct statement_entry **out, size_t most)
{
    switch (order) {
    case STATEMENTS_BY_TIME:
        return tally_top_by(&statements->tally, rank_by_time, out, most);
    case STATEMENTS_BY_ERRORS:
        return tally_top_by(&statements->tally, rank_by_errors, out, most);
    case STATEMENTS_BY_CALLS:
        break;
    }
    return tally_top(&statements->tally, out, most);
}
