/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_NAME_LIST_H
#define SQL_NAME_LIST_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A few different names, in the order in which they came. Its bytes are set as far as they are used. */
enum { NAME_LIST_SIZE = 192 }; /* bytes; a name has at most 63 and its NUL */

struct name_list {
    uint8_t count;
    uint8_t size; /* bytes used */
    char texts[NAME_LIST_SIZE];
};

static inline void name_list_init(struct name_list *list)
{
    list->count = list->size = 0;
    list->texts[0] = '\0';
}

/* The first name, or the one behind `name`, which is in the list; NULL at the end. */
static inline const char *name_list_next(const struct name_list *list, const char *name)
{
    const char *next = name == NULL ? list->texts : name + strlen(name) + 1;
    return next < list->texts + list->size ? next : NULL;
}

static inline bool name_list_holds(const struct name_list *list, const char *wanted)
{
    for (const char *name = NULL; (name = name_list_next(list, name)) != NULL;)
        if (strcmp(name, wanted) == 0)
            return true;
    return false;
}

/* Adds a name that it does not hold yet. False when there is no room for it. */
MUST_USE static inline bool name_list_add(struct name_list *list, const char *name)
{
    size_t size = strlen(name) + 1;
    if (name_list_holds(list, name))
        return true;
    if (size > sizeof(list->texts) - list->size)
        return false;
    memcpy(list->texts + list->size, name, size);
    list->size = (uint8_t)(list->size + size);
    list->count++;
    return true;
}

/* Adds those of the other list for which there is room. False when that is not so for all. */
MUST_USE static inline bool name_list_add_all(struct name_list *list, const struct name_list *more)
{
    bool is_whole = true;
    for (const char *name = NULL; (name = name_list_next(more, name)) != NULL;)
        is_whole &= name_list_add(list, name);
    return is_whole;
}

#endif
