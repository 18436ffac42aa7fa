/* SPDX-License-Identifier: PostgreSQL */
#include "watched.h"

#include "observe/tally.h"

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct watched) + 4 * sizeof(void *) + 16 <= INCIDENT_KEY_BYTES, "a key's memory");
static_assert(4 + 4 * NAME_SIZE < TALLY_KEY_SIZE, "a key fits");

static struct watched *watched_of_node(struct table_node *node)
{
    return CONTAINER_OF(node, struct watched, node);
}

void watched_free(struct incident_watch *watch, struct watched *watched)
{
    table_remove(&watch->keys, &watched->node);
    list_remove(&watched->list);
    free(watched);
}

int64_t watch_bucket(const struct incident_watch *watch)
{
    return (watch->last_us - watch->offset_us) / BUCKET_US;
}

void watched_advance(const struct incident_watch *watch, struct watched *watched)
{
    spike_advance(&watched->spike, watch_bucket(watch), watch->offset_us / SECOND_US);
}

static struct bytes key_bytes(const struct incident_key *key, struct tally_key *storage)
{
    storage->size = 0;
    tally_key_byte(storage, (uint8_t)key->subject);
    tally_key_text(storage, key->service, NAME_SIZE);
    tally_key_text(storage, key->schema, NAME_SIZE);
    tally_key_text(storage, key->table, NAME_SIZE);
    tally_key_text(storage, key->name, NAME_SIZE);
    return bytes_of(storage->bytes, storage->size);
}

static struct watched *find(const struct incident_watch *watch, struct bytes key, uint64_t hash)
{
    struct tally_key other;
    struct table_node *node = table_first(&watch->keys, hash);
    while (node != NULL && !bytes_equal(key_bytes(&watched_of_node(node)->incident.key, &other), key))
        node = table_next(node);
    return node != NULL ? watched_of_node(node) : NULL;
}

/* Of what stands for no key any more it is known that nothing happened since the last key that went. */
static void watch_fit(struct incident_watch *watch)
{
    while (watch->keys.count >= watch->settings.keys_most && !list_is_empty(&watch->quiet)) {
        struct watched *oldest = watched_of_list(watch->quiet.next);
        if (oldest->last_us > watch->known_since_us)
            watch->known_since_us = oldest->last_us;
        watch->keys_gone++;
        watched_free(watch, oldest);
    }
}

static struct watched *watched_add(struct incident_watch *watch, const struct incident_key *key,
                                   uint64_t hash)
{
    watch_fit(watch);
    if (watch->keys.count >= watch->settings.keys_most)
        return NULL;
    struct watched *watched = calloc(1, sizeof *watched);
    if (watched == NULL)
        return NULL;
    watched->incident.key = *key;
    watched->incident.known_since_us = watch->known_since_us;
    list_init(&watched->list);
    if (!table_add(&watch->keys, &watched->node, hash)) {
        free(watched);
        return NULL;
    }
    list_append(&watch->quiet, &watched->list);
    spike_init(&watched->spike, &watch->settings.spike, watch_bucket(watch),
               (double)(watch->last_us - watch->known_since_us) / SECOND_US / 60);
    return watched;
}

struct watched *watched_get(struct incident_watch *watch, const struct incident_key *key, bool *is_new)
{
    struct tally_key storage;
    struct bytes bytes = key_bytes(key, &storage);
    uint64_t hash = hash_keyed(&watch->hash_key, bytes);
    struct watched *watched = find(watch, bytes, hash);
    *is_new = watched == NULL;
    return watched != NULL ? watched : watched_add(watch, key, hash);
}

struct watched *watched_find(const struct incident_watch *watch, const struct incident_key *key)
{
    struct tally_key storage;
    struct bytes bytes = key_bytes(key, &storage);
    return find(watch, bytes, hash_keyed(&watch->hash_key, bytes));
}
