/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_ADMISSION_H
#define NET_ADMISSION_H

#include "policy/census.h"

/* The census of all workers' sessions behind a lock, which is held only when a session begins and ends. */
struct admission;

/* NULL when memory is short. */
struct admission *admission_create(const struct hash_key *key, const struct census_limits *limits);
/* Everybody must have left. NULL is allowed. */
void admission_destroy(struct admission *admission);
void admission_set_limits(struct admission *admission, const struct census_limits *limits);
/* As census_enter and census_leave; from any thread. Leaving with NULL does nothing. */
MUST_USE enum census_result admission_enter(struct admission *admission, struct bytes service,
                                            const struct address *client, struct census_entry **out);
void admission_leave(struct admission *admission, struct census_entry *entry);

#endif
