/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_CENSUS_H
#define POLICY_CENSUS_H

#include "base/address.h"
#include "base/bytes.h"
#include "base/hash.h"

/* How many sessions there are: in all, of each service and from each client address, held against their
 * bounds. Pure: whoever shares it among threads holds a lock while calling. */
struct census_limits {
    uint32_t sessions; /* 0: no bound, here and below */
    uint32_t per_service;
    uint32_t per_address;
};

struct census;

/* What stood in the way. */
enum census_result {
    CENSUS_ADMITTED,
    CENSUS_FULL,
    CENSUS_SERVICE_FULL,
    CENSUS_ADDRESS_FULL,
    CENSUS_NO_MEMORY
};

/* One session's part in it; to be given back with census_leave. */
struct census_entry;

/* NULL when memory is short. */
struct census *census_create(const struct hash_key *key, const struct census_limits *limits);
/* Everybody must have left. */
void census_destroy(struct census *census);
/* Whoever is in stays in, however many they are. */
void census_set_limits(struct census *census, const struct census_limits *limits);
/* Counts a session of that service from that address (port ignored; all Unix sockets are one address) unless
 * a bound is reached. On CENSUS_ADMITTED *out is what to leave with. */
MUST_USE enum census_result census_enter(struct census *census, struct bytes service,
                                         const struct address *client, struct census_entry **out);
void census_leave(struct census *census, struct census_entry *entry);
/* Sessions now. */
size_t census_count(const struct census *census);

#endif
