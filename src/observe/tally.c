/* SPDX-License-Identifier: PostgreSQL */
#include "observe/tally.h"

#include <assert.h>
#include <stdlib.h>

void tally_key_byte(struct tally_key *key, uint8_t byte)
{
    assert(key->size < sizeof key->bytes);
    key->bytes[key->size++] = byte;
}

void tally_key_text(struct tally_key *key, const char *text, size_t capacity)
{
    size_t size = strnlen(text, capacity);
    assert(size < sizeof key->bytes - key->size);
    memcpy(key->bytes + key->size, text, size);
    key->size += size;
    tally_key_byte(key, '\0');
}

static struct bytes key_of(const struct tally *tally, const struct tally_entry *entry, struct tally_key *key)
{
    key->size = 0;
    tally->form->key_of(entry, key);
    return bytes_of(key->bytes, key->size);
}

static struct tally_entry *entry_of_node(struct table_node *node)
{
    return CONTAINER_OF(node, struct tally_entry, node);
}

static struct tally_entry *entry_of_recent(struct list *recent)
{
    return CONTAINER_OF(recent, struct tally_entry, recent);
}

void tally_init(struct tally *tally, const struct tally_form *form, const struct hash_key *key,
                size_t entries_most)
{
    *tally = (struct tally){ .form = form, .key = *key, .entries_most = entries_most };
    table_init(&tally->table);
    list_init(&tally->recent);
}

static void entry_free(struct tally *tally, struct tally_entry *entry)
{
    table_remove(&tally->table, &entry->node);
    list_remove(&entry->recent);
    free(entry);
}

void tally_release(struct tally *tally)
{
    while (!list_is_empty(&tally->recent))
        entry_free(tally, entry_of_recent(tally->recent.next));
    table_release(&tally->table);
}

static struct tally_entry *tally_find(const struct tally *tally, struct bytes key, uint64_t hash)
{
    struct tally_key other;
    struct table_node *node = table_first(&tally->table, hash);
    while (node != NULL && !bytes_equal(key_of(tally, entry_of_node(node), &other), key))
        node = table_next(node);
    return node != NULL ? entry_of_node(node) : NULL;
}

/* A copy that has counted nothing, or NULL when memory is short. It is in the table only. */
static struct tally_entry *tally_add(struct tally *tally, const struct tally_entry *seen, uint64_t hash,
                                     int64_t first_us)
{
    struct tally_entry *entry = malloc(tally->form->entry_size);
    if (entry == NULL)
        return NULL;
    memcpy(entry, seen, tally->form->entry_size);
    *entry = (struct tally_entry){ .first_us = first_us, .last_us = first_us };
    list_init(&entry->recent);
    if (!table_add(&tally->table, &entry->node, hash)) {
        free(entry);
        return NULL;
    }
    return entry;
}

/* The entry with the key of `seen`, or a new one; NULL when there is none and memory or the bound is short.
 */
static struct tally_entry *tally_find_or_add(struct tally *tally, const struct tally_entry *seen,
                                             int64_t first_us)
{
    struct tally_key storage;
    struct bytes key = key_of(tally, seen, &storage);
    uint64_t hash = hash_keyed(&tally->key, key);
    struct tally_entry *entry = tally_find(tally, key, hash);
    if (entry == NULL && tally->entries_most > 0)
        entry = tally_add(tally, seen, hash, first_us);
    return entry;
}

static void add_sums(const struct tally *tally, struct tally_entry *into, const struct tally_entry *from)
{
    if (tally->form->add != NULL && into != NULL && from != NULL)
        tally->form->add(into, from);
}

void tally_give_up(struct tally *tally, struct tally_entry *entry)
{
    tally->other += entry->count;
    tally->other_entries++;
    add_sums(tally, tally->rest, entry);
    entry_free(tally, entry);
}

/* The entries seen longest ago give their places up until the rest fit. */
static void tally_fit(struct tally *tally)
{
    while (tally->table.count > tally->entries_most)
        tally_give_up(tally, entry_of_recent(tally->recent.next));
}

void tally_record_again(struct tally *tally, struct tally_entry *entry, int64_t now_us)
{
    tally->total++;
    entry->count++;
    entry->last_us = now_us;
    list_remove(&entry->recent);
    list_append(&tally->recent, &entry->recent);
}

struct tally_entry *tally_record(struct tally *tally, const struct tally_entry *seen, int64_t now_us)
{
    struct tally_entry *entry = tally_find_or_add(tally, seen, now_us);
    if (entry == NULL) {
        tally->total++;
        tally->other++;
        add_sums(tally, tally->rest, seen);
        return NULL;
    }
    if (entry->count > 0) /* a new one is a copy, sums and all */
        add_sums(tally, entry, seen);
    tally_record_again(tally, entry, now_us);
    tally_fit(tally);
    return entry;
}

struct tally_entry *tally_record_known(struct tally *tally, const struct tally_key *key, int64_t now_us)
{
    struct bytes bytes = bytes_of(key->bytes, key->size);
    struct tally_entry *entry = tally_find(tally, bytes, hash_keyed(&tally->key, bytes));
    if (entry != NULL)
        tally_record_again(tally, entry, now_us);
    return entry;
}

/* The node after which an entry last seen at `last_us` stands. Both tallies are in that order, so a search
 * that goes on from where the last one ended makes a merge linear. */
static struct list *tally_place(struct tally *tally, struct list *place, int64_t last_us)
{
    while (place != &tally->recent && entry_of_recent(place)->last_us > last_us)
        place = place->previous;
    while (place->next != &tally->recent && entry_of_recent(place->next)->last_us <= last_us)
        place = place->next;
    return place;
}

/* All but the head. */
static void entry_copy_rest(const struct tally *tally, struct tally_entry *into,
                            const struct tally_entry *from)
{
    memcpy((char *)into + sizeof *into, (const char *)from + sizeof *from,
           tally->form->entry_size - sizeof *into);
}

/* Adds one entry of another tally; returns its node, from which the search for the next goes on. */
static struct list *entry_merge(struct tally *into, const struct tally_entry *from, struct list *place)
{
    struct tally_entry *entry = tally_find_or_add(into, from, from->first_us);
    if (entry == NULL) {
        into->other += from->count;
        add_sums(into, into->rest, from);
        return place;
    }
    if (entry->count > 0)
        add_sums(into, entry, from);
    if (from->first_us < entry->first_us && into->form->add == NULL)
        entry_copy_rest(into, entry, from);
    entry->count += from->count;
    entry->first_us = from->first_us < entry->first_us ? from->first_us : entry->first_us;
    entry->last_us = from->last_us > entry->last_us ? from->last_us : entry->last_us;
    if (place == &entry->recent) /* the same as the one before: two keys of `from` may be one of `into` */
        place = place->previous;
    list_remove(&entry->recent);
    place = tally_place(into, place, entry->last_us);
    list_append(place->next, &entry->recent);
    return &entry->recent;
}

void tally_merge(struct tally *into, const struct tally *from)
{
    struct list *place = &into->recent;
    LIST_EACH(node, &from->recent)
    {
        place = entry_merge(into, entry_of_recent(node), place);
    }
    tally_fit(into);
    add_sums(into, into->rest, from->rest);
    into->total += from->total;
    into->other += from->other;
    into->other_entries += from->other_entries;
}

/* The pointers of a ranking are of the owner's type, so they go in and out as plain bytes. */
enum { POINTER_SIZE = sizeof(void *) };

static const struct tally_entry *rank_get(const void *ranking, size_t at)
{
    const struct tally_entry *entry;
    memcpy(&entry, (const char *)ranking + at * POINTER_SIZE, POINTER_SIZE);
    return entry;
}

static void rank_set(void *ranking, size_t at, const struct tally_entry *entry)
{
    memcpy((char *)ranking + at * POINTER_SIZE, &entry, POINTER_SIZE);
}

static bool ranks_before(tally_rank rank, const struct tally_entry *a, const struct tally_entry *b)
{
    uint64_t one = rank(a);
    uint64_t other = rank(b);
    return one != other ? one > other : a->last_us > b->last_us;
}

/* Puts `entry` in the place `at` of a heap, every node of which ranks after its children, and lets it sink to
 * where that holds again. */
static void heap_replace(tally_rank rank, void *heap, size_t count, size_t at,
                         const struct tally_entry *entry)
{
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && ranks_before(rank, rank_get(heap, child), rank_get(heap, child + 1)))
            child++;
        if (!ranks_before(rank, entry, rank_get(heap, child)))
            break;
        rank_set(heap, at, rank_get(heap, child));
        at = child;
    }
    rank_set(heap, at, entry);
}

/* Takes the last in rank out of the heap again and again, and puts it where the heap has ended. */
static void heap_sort(tally_rank rank, void *heap, size_t count)
{
    while (count > 1) {
        const struct tally_entry *last = rank_get(heap, 0);
        count--;
        heap_replace(rank, heap, count, 0, rank_get(heap, count));
        rank_set(heap, count, last);
    }
}

size_t tally_top_by(const struct tally *tally, tally_rank rank, void *out, size_t most)
{
    size_t count = 0;
    struct list *node = tally->recent.next;
    for (; node != &tally->recent && count < most; node = node->next)
        rank_set(out, count++, entry_of_recent(node));
    for (size_t at = count / 2; at-- > 0;)
        heap_replace(rank, out, count, at, rank_get(out, at));
    for (; node != &tally->recent && count > 0; node = node->next) {
        if (ranks_before(rank, entry_of_recent(node), rank_get(out, 0)))
            heap_replace(rank, out, count, 0, entry_of_recent(node));
    }
    heap_sort(rank, out, count);
    return count;
}

static uint64_t rank_by_count(const struct tally_entry *entry)
{
    return entry->count;
}

size_t tally_top(const struct tally *tally, void *out, size_t most)
{
    return tally_top_by(tally, rank_by_count, out, most);
}
