/* SPDX-License-Identifier: PostgreSQL */
#include "net/run_queue.h"

#include "net/link.h"

#include <stdlib.h>

static bool circle_make_room(struct run_circle *circle, size_t old_room, size_t room)
{
    struct link **links = calloc(room, sizeof(struct link *));
    if (links == NULL)
        return false;
    for (size_t index = 0; index < circle->count; index++)
        links[index] = circle->links[(circle->first + index) & (old_room - 1)];
    free(circle->links);
    circle->links = links;
    circle->first = 0;
    return true;
}

/* Where only one circle could grow, the room is what both have at least: the one that grew has its links at
 * its beginning, and goes around as before. */
bool run_queue_make_room(struct run_queue *queue, size_t room)
{
    for (size_t kind = 0; kind < RUN_KINDS; kind++) {
        if (!circle_make_room(&queue->circles[kind], queue->room, room))
            return false;
    }
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
