/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_WATCHED_H
#define OBSERVE_WATCHED_H

#include "observe/incident.h"

/* The keys of a watch: found, added within its bound, and moved on. */

enum { SECOND_US = 1000000, BUCKET_US = SPIKE_BUCKET_SECONDS * SECOND_US };

/* One key that is watched. */
struct watched {
    struct table_node node;
    struct list list; /* of the quiet or of the active */
    struct spike spike;
    struct incident incident; /* of a quiet one only the key */
    bool is_told;
    uint64_t peak_told;
    int64_t start;      /* of the incident: its first bucket */
    int64_t last_above; /* the last bucket with an occurrence, the minute before which was not calm */
    int64_t last_above_us;
    int64_t last_us;         /* the last occurrence */
    uint64_t active_buckets; /* of the incident */
    int64_t counted_bucket;  /* the last of them */
};

static inline struct watched *watched_of_list(struct list *list)
{
    return CONTAINER_OF(list, struct watched, list);
}

/* The bucket of the time last heard, in the watch's own time. */
int64_t watch_bucket(const struct incident_watch *watch);
/* The key's entry, perhaps a new one; NULL when there is no room. */
struct watched *watched_get(struct incident_watch *watch, const struct incident_key *key, bool *is_new);
/* The key's entry; NULL when it has none. */
struct watched *watched_find(const struct incident_watch *watch, const struct incident_key *key);
void watched_free(struct incident_watch *watch, struct watched *watched);
/* Goes on to the time last heard. */
void watched_advance(const struct incident_watch *watch, struct watched *watched);

#endif
