/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "base/problem.h"
#include "config/store.h"

/* A YAML file as a tree whose every part knows its place. */
enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct node {
    enum node_kind kind;
    bool is_nothing;    /* a scalar that was left out or written ~ or null */
    unsigned line;      /* from 1 */
    unsigned column;    /* from 1, in characters */
    const char *text;   /* of a scalar: UTF-8, without control characters */
    struct node *first; /* of a list: its entries; of a mapping: key, value, key, value */
    struct node *last;
    struct node *next; /* the one after it in the same list or mapping */
    size_t count;      /* how many it holds */
};

/* Reads one YAML document without anchors, aliases and tags. NULL with an error when it is none (or memory
 * is short); the tree lives as long as the store. */
struct node *node_read(const char *file, struct bytes text, struct store *store, struct problems *problems);

#endif
