/* SPDX-License-Identifier: PostgreSQL */
#include "alert/letter.h"

#include <stdlib.h>

static const int64_t wait_least_us = 1000000;
static const int64_t wait_most_us = 300 * (int64_t)1000000;

static struct letter *letter_of(struct list *list)
{
    return CONTAINER_OF(list, struct letter, list);
}

struct letter *letter_create(const struct incident_note *note, struct bytes body, int64_t now_us)
{
    struct letter *letter = malloc(sizeof *letter + body.size);
    if (letter == NULL)
        return NULL;
    *letter = (struct letter){ .incident = note->incident.number,
                               .news = note->news,
                               .posted_us = now_us,
                               .due_us = now_us,
                               .size = body.size };
    list_init(&letter->list);
    memcpy(letter->body, body.data, body.size);
    return letter;
}

void letter_queue_init(struct letter_queue *queue, size_t most)
{
    *queue = (struct letter_queue){ .most = most };
    list_init(&queue->letters);
}

struct letter *letter_queue_take(struct letter_queue *queue)
{
    if (list_is_empty(&queue->letters))
        return NULL;
    struct letter *letter = letter_of(queue->letters.next);
    list_remove(&letter->list);
    queue->count--;
    return letter;
}

size_t letter_queue_release(struct letter_queue *queue)
{
    size_t count = queue->count;
    struct letter *letter;
    while ((letter = letter_queue_take(queue)) != NULL)
        free(letter);
    return count;
}

void letter_queue_add(struct letter_queue *queue, struct letter *letter)
{
    if (queue->count == queue->most) {
        free(letter_queue_take(queue));
        queue->lost++;
    }
    list_append(&queue->letters, &letter->list);
    queue->count++;
}

void letter_queue_return(struct letter_queue *queue, struct letter *letter)
{
    if (queue->count == queue->most) {
        free(letter);
        queue->lost++;
        return;
    }
    list_append(queue->letters.next, &letter->list);
    queue->count++;
}

int64_t letter_queue_due(const struct letter_queue *queue)
{
    return list_is_empty(&queue->letters) ? INT64_MAX : letter_of(queue->letters.next)->due_us;
}

int64_t letter_wait_us(uint32_t attempts, uint64_t random)
{
    int64_t wait_us = wait_least_us;
    for (uint32_t attempt = 1; attempt < attempts && wait_us < wait_most_us; attempt++)
        wait_us *= 2;
    wait_us = wait_us < wait_most_us ? wait_us : wait_most_us;
    return wait_us / 2 + (int64_t)(random % (uint64_t)(wait_us / 2 + 1));
}
