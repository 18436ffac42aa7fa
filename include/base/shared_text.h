/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_SHARED_TEXT_H
#define BASE_SHARED_TEXT_H

#include "base/hash.h"
#include "base/table.h"

/* Texts that many have in common, such as the names of users: each is kept once and counted, for one thread.
 */
struct shared_text {
    struct table_node node;
    uint32_t references;
    uint32_t size;
    char text[]; /* with a NUL behind it */
};

struct shared_texts {
    struct table table;
    struct hash_key key;
};

void shared_texts_init(struct shared_texts *texts, const struct hash_key *key);
/* Every text must have been given back. */
void shared_texts_release(struct shared_texts *texts);
/* The one kept text of these bytes; a new reference. NULL when memory is short. */
MUST_USE struct shared_text *shared_texts_take(struct shared_texts *texts, struct bytes bytes);
/* Gives a reference back; NULL is allowed. */
void shared_texts_give(struct shared_texts *texts, struct shared_text *text);

/* Its bytes; none where there is no text. */
static inline struct bytes shared_text_bytes(const struct shared_text *text)
{
    return text != NULL ? bytes_of(text->text, text->size) : BYTES_NONE;
}

/* The same with a NUL behind it; empty where there is no text. */
static inline const char *shared_text_string(const struct shared_text *text)
{
    return text != NULL ? text->text : "";
}

#endif
