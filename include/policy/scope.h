/* SPDX-License-Identifier: PostgreSQL */
#ifndef POLICY_SCOPE_H
#define POLICY_SCOPE_H

#include "policy/service.h"

/* Whose statement it is. */
struct guard_subject {
    struct bytes service;
    struct bytes user;             /* the effective one */
    struct bytes database;         /* the effective one */
    const struct address *address; /* the client's; NULL: not known, which no network holds */
};

/* For whom something is: patterns as in service.h; empty: not asked. */
struct scope {
    char service[SERVICE_PATTERN_SIZE];
    char user[SERVICE_PATTERN_SIZE];
    char database[SERVICE_PATTERN_SIZE];
    bool has_network;
    struct network network;
};

/* Whether it is for all. */
bool scope_is_open(const struct scope *scope);
/* Whether all that is asked holds. */
bool scope_has(const struct scope *scope, const struct guard_subject *subject);

#endif
