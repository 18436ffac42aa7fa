/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_OBJECTS_H
#define POLICY_OBJECTS_H

#include "policy/service.h"
#include "sql/objects.h"

/* A pattern of objects: "orders" (in any schema), "audit.*", "public.orders". */
struct object_pattern {
    char schema[SERVICE_PATTERN_SIZE]; /* empty: any */
    char name[SERVICE_PATTERN_SIZE];   /* empty: any */
};

/* Splits "schema.name" at its first dot. False when it is longer than fits. */
MUST_USE bool object_pattern_read(const char *text, struct object_pattern *out);
/* Whether a named object may be one of the pattern's: an object whose schema is not said may be in any; a
 * schema may hold every object of its name. */
bool object_pattern_may_match(const struct object_pattern *pattern, const struct object_name *name);
/* Whether it surely is: an object whose schema is not said matches only a pattern for any schema. */
bool object_pattern_matches(const struct object_pattern *pattern, const struct object_name *name);

#endif
