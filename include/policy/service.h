/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_SERVICE_H
#define POLICY_SERVICE_H

#include "base/address.h"

enum { SERVICE_NAME_SIZE = 64, SERVICE_PATTERN_SIZE = 128 };

/* Who is at the other end of a session, as far as rules may ask. */
struct identity {
    struct bytes application_name;
    struct bytes user;     /* the effective one */
    struct bytes database; /* the effective one */
    const struct address *address;
};

/* A rule: every condition that is set must hold. Patterns know * (any run) and ? (one byte), and nothing
 * else. */
struct service_rule {
    char name[SERVICE_NAME_SIZE];
    char application_name[SERVICE_PATTERN_SIZE]; /* empty: not asked */
    char user[SERVICE_PATTERN_SIZE];
    char database[SERVICE_PATTERN_SIZE];
    bool has_network;
    struct network network;
};

/* The service of an identity: the first rule that holds; else the application_name; else the user. Views into
 * the rules or the identity. */
struct bytes service_resolve(const struct service_rule *rules, size_t count, const struct identity *identity);
/* Whether `text` matches the pattern, in time linear in both but for their product. */
bool pattern_matches(const char *pattern, struct bytes text);

#endif
