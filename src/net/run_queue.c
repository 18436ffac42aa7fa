/* SPDX-License-Identifier: PostgreSQL */
#include "net/run_queue.h"

#include "net/link.h"

#include <stdlib.h>

/* The circle's links in other memory, from its beginning on. */
static void circle_move(struct run_circle *circle, size_t old_room, struct link **links)
{
    for (size_t index = 0; index < circle->count; index++)
        links[index] = circle->links[(circle->first + index) & (old_room - 1)];
    free(circle->links);
    circle->links = links;
    circle->first = 0;
}

bool run_queue_make_room(struct run_queue *queue, size_t room)
{
    struct link **servers = calloc(room, sizeof(struct link *));
    struct link **others = calloc(room, sizeof(struct link *));
    if (servers == NULL || others == NULL) {
        free(servers);
        free(others);
        return false;
    }
    circle_move(&queue->circles[RUN_OF_SERVERS], queue->room, servers);
    circle_move(&queue->circles[RUN_OF_OTHERS], queue->room, others);
    queue->room = room;
    return true;
}

void run_queue_add(struct run_queue *queue, struct link *link)
{
    struct run_circle *circle = &queue->circles[link->is_of_server ? RUN_OF_SERVERS : RUN_OF_OTHERS];
    if (link->socket.ring.is_listed)
        return;
    link->socket.ring.is_listed = true;
    circle->links[(circle->first + circle->count++) & (queue->room - 1)] = link;
}

bool run_queue_is_empty(const struct run_queue *queue)
{
    return queue->circles[RUN_OF_SERVERS].count == 0 && queue->circles[RUN_OF_OTHERS].count == 0;
}

struct link *run_queue_next(struct run_queue *queue)
{
    for (struct run_circle *circle = queue->circles; circle < queue->circles + RUN_KINDS; circle++) {
        if (circle->count == 0)
            continue;
        struct link *link = circle->links[circle->first];
        circle->first = (circle->first + 1) & (queue->room - 1);
        circle->count--;
        link->socket.ring.is_listed = false;
        return link;
    }
    return NULL;
}

void run_queue_free(struct run_queue *queue)
{
    for (size_t kind = 0; kind < RUN_KINDS; kind++)
        free(queue->circles[kind].links);
    *queue = (struct run_queue){ .room = 0 };
}
