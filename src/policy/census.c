/* SPDX-License-Identifier: PostgreSQL */
#include "policy/census.h"

#include "base/slab.h"
#include "base/table.h"

#include <assert.h>
#include <stdlib.h>

enum { ADDRESS_KEY_SIZE = ADDRESS_TEXT_SIZE + 16 }; /* with brackets and port */

/* The sessions that have something in common: their service, or their client's address. */
struct crowd {
    struct table_node node;
    size_t count;
    size_t name_size;
    uint8_t name[];
};

struct census {
    struct hash_key key;
    struct census_limits limits;
    size_t count;
    struct table services;
    struct table addresses;
    struct slab entries;
};

struct census_entry {
    struct crowd *service;
    struct crowd *address;
};

struct census *census_create(const struct hash_key *key, const struct census_limits *limits)
{
    struct census *census = calloc(1, sizeof *census);
    if (census == NULL)
        return NULL;
    census->key = *key;
    census->limits = *limits;
    table_init(&census->services);
    table_init(&census->addresses);
    slab_init(&census->entries, sizeof(struct census_entry));
    return census;
}

void census_destroy(struct census *census)
{
    assert(census->count == 0);
    table_release(&census->services);
    table_release(&census->addresses);
    slab_release(&census->entries);
    free(census);
}

void census_set_limits(struct census *census, const struct census_limits *limits)
{
    census->limits = *limits;
}

static struct crowd *crowd_of(struct table_node *node)
{
    return CONTAINER_OF(node, struct crowd, node);
}

static bool crowd_is(struct table_node *node, struct bytes name)
{
    return bytes_equal(bytes_of(crowd_of(node)->name, crowd_of(node)->name_size), name);
}

static struct crowd *crowd_find(const struct table *table, struct bytes name, uint64_t hash)
{
    struct table_node *node = table_first(table, hash);
    while (node != NULL && !crowd_is(node, name))
        node = table_next(node);
    return node != NULL ? crowd_of(node) : NULL;
}

static struct crowd *crowd_add(struct table *table, struct bytes name, uint64_t hash)
{
    struct crowd *crowd = malloc(sizeof *crowd + name.size);
    if (crowd == NULL)
        return NULL;
    crowd->count = 0;
    crowd->name_size = name.size;
    if (name.size > 0)
        memcpy(crowd->name, name.data, name.size);
    if (!table_add(table, &crowd->node, hash)) {
        free(crowd);
        return NULL;
    }
    return crowd;
}

/* Counts one more; NULL when memory is short. */
static struct crowd *crowd_join(const struct census *census, struct table *table, struct bytes name)
{
    uint64_t hash = hash_keyed(&census->key, name);
    struct crowd *crowd = crowd_find(table, name, hash);
    if (crowd == NULL)
        crowd = crowd_add(table, name, hash);
    if (crowd != NULL)
        crowd->count++;
    return crowd;
}

static void crowd_leave(struct table *table, struct crowd *crowd)
{
    if (crowd == NULL || --crowd->count > 0)
        return;
    table_remove(table, &crowd->node);
    free(crowd);
}

/* As people see it, so that IPv4 mapped into IPv6 is the same as IPv4. */
static struct bytes address_key(const struct address *client, struct text *text)
{
    struct address address = *client;
    address.port = 0;
    if (address.family == ADDRESS_UNIX)
        address.text[0] = '\0';
    address_describe(&address, text);
    return text_bytes(text);
}

static bool is_beyond(size_t count, uint32_t limit)
{
    return limit > 0 && count > limit;
}

/* The one more is counted already. */
static enum census_result census_judge(const struct census *census, const struct census_entry *entry)
{
    if (entry->service == NULL || entry->address == NULL)
        return CENSUS_NO_MEMORY;
    if (is_beyond(census->count, census->limits.sessions))
        return CENSUS_FULL;
    if (is_beyond(entry->service->count, census->limits.per_service))
        return CENSUS_SERVICE_FULL;
    if (is_beyond(entry->address->count, census->limits.per_address))
        return CENSUS_ADDRESS_FULL;
    return CENSUS_ADMITTED;
}

enum census_result census_enter(struct census *census, struct bytes service, const struct address *client,
                                struct census_entry **out)
{
    char storage[ADDRESS_KEY_SIZE];
    struct text text;
    struct census_entry *entry = slab_take(&census->entries);
    if (entry == NULL)
        return CENSUS_NO_MEMORY;
    text_init(&text, storage, sizeof storage);
    census->count++;
    entry->service = crowd_join(census, &census->services, service);
    entry->address = crowd_join(census, &census->addresses, address_key(client, &text));
    enum census_result result = census_judge(census, entry);
    if (result == CENSUS_ADMITTED)
        *out = entry;
    else
        census_leave(census, entry);
    return result;
}

void census_leave(struct census *census, struct census_entry *entry)
{
    crowd_leave(&census->services, entry->service);
    crowd_leave(&census->addresses, entry->address);
    census->count--;
    slab_give(&census->entries, entry);
}

size_t census_count(const struct census *census)
{
    return census->count;
}
