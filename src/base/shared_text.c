/* SPDX-License-Identifier: PostgreSQL */
#include "base/shared_text.h"

#include <assert.h>
#include <stdlib.h>

void shared_texts_init(struct shared_texts *texts, const struct hash_key *key)
{
    table_init(&texts->table);
    texts->key = *key;
}

void shared_texts_release(struct shared_texts *texts)
{
    assert(texts->table.count == 0);
    table_release(&texts->table);
}

static struct shared_text *text_find(const struct shared_texts *texts, uint64_t hash, struct bytes bytes)
{
    for (struct table_node *node = table_first(&texts->table, hash); node != NULL; node = table_next(node)) {
        struct shared_text *text = CONTAINER_OF(node, struct shared_text, node);
        if (bytes_equal(shared_text_bytes(text), bytes))
            return text;
    }
    return NULL;
}

static struct shared_text *text_add(struct shared_texts *texts, uint64_t hash, struct bytes bytes)
{
    struct shared_text *text = malloc(sizeof(*text) + bytes.size + 1);
    if (text == NULL)
        return NULL;
    text->references = 0;
    text->size = (uint32_t)bytes.size;
    (void)bytes_copy_text(bytes, text->text, bytes.size + 1);
    if (!table_add(&texts->table, &text->node, hash)) {
        free(text);
        return NULL;
    }
    return text;
}

struct shared_text *shared_texts_take(struct shared_texts *texts, struct bytes bytes)
{
    uint64_t hash = hash_keyed(&texts->key, bytes);
    struct shared_text *text = text_find(texts, hash, bytes);
    if (text == NULL)
        text = text_add(texts, hash, bytes);
    if (text != NULL)
        text->references++;
    return text;
}

void shared_texts_give(struct shared_texts *texts, struct shared_text *text)
{
    if (text == NULL || --text->references > 0)
        return;
    table_remove(&texts->table, &text->node);
    free(text);
}
