/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

/* A circular doubly linked list through nodes that its entries embed; the head is a node of its own. A node
 * that is in no list points to itself. */
struct list {
    struct list *previous;
    struct list *next;
};

static inline void list_init(struct list *head)
{
    head->previous = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->previous = head->previous;
    node->next = head;
    head->previous->next = node;
    head->previous = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
    list_append(head->next, node);
}

/* Takes the node out of whatever list it is in. */
static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

#define LIST_EACH(node, head) for (struct list *node = (head)->next; node != (head); node = node->next)

#endif
