/* SPDX-License-Identifier: PostgreSQL */
#include "observe/ledger.h"

#include <stdlib.h>

/* The texts of the key. */
static const struct key_text {
    size_t offset;
    size_t size;
} key_texts[] = {
#define KEY_TEXT(member)                                                                                     \
    {                                                                                                        \
        offsetof(struct violation, member), sizeof((struct violation){ 0 }.member)                           \
    }
    KEY_TEXT(sqlstate), KEY_TEXT(schema),  KEY_TEXT(table),    KEY_TEXT(column), KEY_TEXT(constraint),
    KEY_TEXT(datatype), KEY_TEXT(service), KEY_TEXT(database), KEY_TEXT(user),   KEY_TEXT(fingerprint),
#undef KEY_TEXT
};

enum { KEY_SIZE = 2 + 6 + 8 * NAME_SIZE + FINGERPRINT_TEXT_SIZE };

static struct bytes key_text_of(const struct violation *violation, const struct key_text *text)
{
    const char *start = (const char *)violation + text->offset;
    return bytes_of(start, strnlen(start, text->size - 1));
}

/* The whole key as bytes, each text with a NUL after it so that no two keys look alike. */
static size_t key_write(const struct violation *violation, uint8_t *key)
{
    size_t size = 0;
    key[size++] = (uint8_t)violation->kind;
    key[size++] = (uint8_t)violation->phase;
    for (size_t i = 0; i < COUNT_OF(key_texts); i++) {
        struct bytes text = key_text_of(violation, &key_texts[i]);
        memcpy(key + size, text.data, text.size);
        size += text.size;
        key[size++] = '\0';
    }
    return size;
}

static uint64_t key_hash(const struct ledger *ledger, const struct violation *violation)
{
    uint8_t key[KEY_SIZE];
    return hash_keyed(&ledger->key, bytes_of(key, key_write(violation, key)));
}

static bool key_equals(const struct violation *a, const struct violation *b)
{
    if (a->kind != b->kind || a->phase != b->phase)
        return false;
    for (size_t i = 0; i < COUNT_OF(key_texts); i++) {
        if (!bytes_equal(key_text_of(a, &key_texts[i]), key_text_of(b, &key_texts[i])))
            return false;
    }
    return true;
}

static struct ledger_entry *entry_of_node(struct table_node *node)
{
    return CONTAINER_OF(node, struct ledger_entry, node);
}

static struct ledger_entry *entry_of_recent(struct list *recent)
{
    return CONTAINER_OF(recent, struct ledger_entry, recent);
}

void ledger_init(struct ledger *ledger, const struct hash_key *key, size_t entries_most)
{
    *ledger = (struct ledger){ .key = *key, .entries_most = entries_most };
    table_init(&ledger->table);
    list_init(&ledger->recent);
}

static void entry_free(struct ledger *ledger, struct ledger_entry *entry)
{
    table_remove(&ledger->table, &entry->node);
    list_remove(&entry->recent);
    free(entry);
}

void ledger_release(struct ledger *ledger)
{
    while (!list_is_empty(&ledger->recent))
        entry_free(ledger, entry_of_recent(ledger->recent.next));
    table_release(&ledger->table);
}

static struct ledger_entry *ledger_find(const struct ledger *ledger, const struct violation *violation,
                                        uint64_t hash)
{
    struct table_node *node = table_first(&ledger->table, hash);
    while (node != NULL && !key_equals(&entry_of_node(node)->violation, violation))
        node = table_next(node);
    return node != NULL ? entry_of_node(node) : NULL;
}

/* A new entry that has counted nothing, or NULL when memory is short. It is in the table only. */
static struct ledger_entry *ledger_add(struct ledger *ledger, const struct violation *violation,
                                       uint64_t hash, int64_t first_us)
{
    struct ledger_entry *entry = malloc(sizeof *entry);
    if (entry == NULL)
        return NULL;
    *entry = (struct ledger_entry){ .violation = *violation, .first_us = first_us, .last_us = first_us };
    list_init(&entry->recent);
    if (!table_add(&ledger->table, &entry->node, hash)) {
        free(entry);
        return NULL;
    }
    return entry;
}

/* The entries seen longest ago give their places up until the rest fit. */
static void ledger_fit(struct ledger *ledger)
{
    while (ledger->table.count > ledger->entries_most) {
        struct ledger_entry *oldest = entry_of_recent(ledger->recent.next);
        ledger->other += oldest->count;
        ledger->other_entries++;
        entry_free(ledger, oldest);
    }
}

void ledger_record(struct ledger *ledger, const struct violation *violation, int64_t now_us)
{
    uint64_t hash = key_hash(ledger, violation);
    struct ledger_entry *entry = ledger_find(ledger, violation, hash);
    if (entry == NULL && ledger->entries_most > 0)
        entry = ledger_add(ledger, violation, hash, now_us);
    ledger->by_kind[violation->kind]++;
    if (entry == NULL) {
        ledger->other++;
        return;
    }
    entry->count++;
    entry->last_us = now_us;
    list_remove(&entry->recent);
    list_append(&ledger->recent, &entry->recent);
    ledger_fit(ledger);
}

/* The node after which an entry last seen at `last_us` stands. Both ledgers are in that order, so a search
 * that goes on from where the last one ended makes a merge linear. */
static struct list *ledger_place(struct ledger *ledger, struct list *place, int64_t last_us)
{
    while (place != &ledger->recent && entry_of_recent(place)->last_us > last_us)
        place = place->previous;
    while (place->next != &ledger->recent && entry_of_recent(place->next)->last_us <= last_us)
        place = place->next;
    return place;
}

/* Adds one entry of another ledger; returns its node, from which the search for the next goes on. */
static struct list *entry_merge(struct ledger *into, const struct ledger_entry *from, struct list *place)
{
    uint64_t hash = key_hash(into, &from->violation);
    struct ledger_entry *entry = ledger_find(into, &from->violation, hash);
    if (entry == NULL)
        entry = ledger_add(into, &from->violation, hash, from->first_us);
    if (entry == NULL) {
        into->other += from->count;
        return place;
    }
    entry->count += from->count;
    if (from->first_us < entry->first_us) {
        entry->first_us = from->first_us;
        entry->violation = from->violation;
    }
    entry->last_us = from->last_us > entry->last_us ? from->last_us : entry->last_us;
    list_remove(&entry->recent);
    place = ledger_place(into, place, entry->last_us);
    list_append(place->next, &entry->recent);
    return &entry->recent;
}

void ledger_merge(struct ledger *into, const struct ledger *from)
{
    struct list *place = &into->recent;
    LIST_EACH(node, &from->recent)
    {
        place = entry_merge(into, entry_of_recent(node), place);
    }
    ledger_fit(into);
    for (size_t i = 0; i < VIOLATION_KIND_COUNT; i++)
        into->by_kind[i] += from->by_kind[i];
    into->other += from->other;
    into->other_entries += from->other_entries;
}

uint64_t ledger_total(const struct ledger *ledger)
{
    uint64_t total = 0;
    for (size_t i = 0; i < VIOLATION_KIND_COUNT; i++)
        total += ledger->by_kind[i];
    return total;
}

static bool ranks_before(const struct ledger_entry *a, const struct ledger_entry *b)
{
    return a->count != b->count ? a->count > b->count : a->last_us > b->last_us;
}

static int compare_first_before_last(const void *left, const void *right)
{
    const struct ledger_entry *a = *(const struct ledger_entry *const *)left;
    const struct ledger_entry *b = *(const struct ledger_entry *const *)right;
    return ranks_before(b, a) - ranks_before(a, b);
}

static int compare_last_before_first(const void *left, const void *right)
{
    return compare_first_before_last(right, left);
}

/* Puts `entry` in the place of the root of a heap, every node of which ranks after its children. */
static void heap_replace_root(const struct ledger_entry **heap, size_t count,
                              const struct ledger_entry *entry)
{
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && ranks_before(heap[child], heap[child + 1]))
            child++;
        if (!ranks_before(entry, heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

size_t ledger_top(const struct ledger *ledger, const struct ledger_entry **out, size_t most)
{
    size_t count = 0;
    struct list *node = ledger->recent.next;
    for (; node != &ledger->recent && count < most; node = node->next)
        out[count++] = entry_of_recent(node);
    /* Sorted with the last in rank first, it is a heap. */
    qsort(out, count, sizeof(const struct ledger_entry *), compare_last_before_first);
    for (; node != &ledger->recent && count > 0; node = node->next) {
        if (ranks_before(entry_of_recent(node), out[0]))
            heap_replace_root(out, count, entry_of_recent(node));
    }
    qsort(out, count, sizeof(const struct ledger_entry *), compare_first_before_last);
    return count;
}
