/* SPDX-License-Identifier: PostgreSQL */
#include "control/prepared.h"

#include <stdlib.h>

void prepared_init(struct prepared_names *names)
{
    *names = (struct prepared_names){ 0 };
    list_init(&names->list);
}

static struct prepared *of_node(struct list *node)
{
    return CONTAINER_OF(node, struct prepared, node);
}

void prepared_forget(struct prepared_names *names, struct prepared *prepared)
{
    if (prepared == NULL)
        return;
    list_remove(&prepared->node);
    names->count--;
    buffer_release(&prepared->sql);
    buffer_release(&prepared->texts);
    query_rows_destroy(prepared->rows);
    portion_release(&prepared->portion);
    free(prepared);
}

void prepared_release(struct prepared_names *names)
{
    while (!list_is_empty(&names->list))
        prepared_forget(names, of_node(names->list.next));
}

void prepared_end_portals(struct prepared_names *names)
{
    struct list *next;
    for (struct list *node = names->list.next; node != &names->list; node = next) {
        next = node->next;
        if (of_node(node)->kind == PREPARED_PORTAL)
            prepared_forget(names, of_node(node));
    }
}

void prepared_rest_portals(struct prepared_names *names)
{
    LIST_EACH(node, &names->list)
    {
        query_rows_destroy(of_node(node)->rows);
        of_node(node)->rows = NULL;
    }
}

size_t prepared_room(const struct prepared_names *names)
{
    size_t kept = 0;
    LIST_EACH(node, &names->list)
    {
        kept += of_node(node)->portion.rest.size;
    }
    return kept < PREPARED_REST_MOST ? PREPARED_REST_MOST - kept : 0;
}

struct prepared *prepared_find(const struct prepared_names *names, enum prepared_kind kind, struct bytes name)
{
    LIST_EACH(node, &names->list)
    {
        struct prepared *prepared = of_node(node);
        if (prepared->kind == kind && bytes_equal_text(name, prepared->name))
            return prepared;
    }
    return NULL;
}

static struct prepared *refuse(struct console_outcome *failure, const char *sqlstate, const char *message)
{
    outcome_fail(failure, sqlstate, "%s", message);
    return NULL;
}

struct prepared *prepared_add(struct prepared_names *names, enum prepared_kind kind, struct bytes name,
                              struct console_outcome *failure)
{
    struct prepared *earlier = prepared_find(names, kind, name);
    if (earlier != NULL && name.size > 0)
        return refuse(failure, kind == PREPARED_STATEMENT ? "42P05" : "42P03", "the name is in use");
    if (name.size >= sizeof earlier->name)
        return refuse(failure, "42622", "a name has at most 63 bytes");
    prepared_forget(names, earlier);
    if (names->count >= PREPARED_MOST)
        return refuse(failure, "54000", "too many prepared statements and portals");
    struct prepared *prepared = calloc(1, sizeof *prepared);
    if (prepared == NULL)
        return refuse(failure, "53200", "out of memory");
    prepared->kind = kind;
    buffer_init(&prepared->sql, SIZE_MAX / 2);
    buffer_init(&prepared->texts, SIZE_MAX / 2);
    portion_init(&prepared->portion);
    bytes_copy_text(name, prepared->name, sizeof prepared->name);
    list_append(&names->list, &prepared->node);
    names->count++;
    return prepared;
}
