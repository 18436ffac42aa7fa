/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_ORIGIN_H
#define CONFIG_ORIGIN_H

#include "config/settings.h"
#include "config/store.h"

/* Where a part of the settings comes from. */
struct origin {
    struct origin *next;
    const char *path; /* "guard.windows[1].timezone"; "" for the whole file */
    unsigned line;    /* 0 where the file does not have it */
    unsigned column;
    const char *value; /* as SHOW SETTINGS shows it; NULL for what only holds others */
    const char *standard;
    const char *about;
};

/* In the order in which they were added. */
struct origins {
    const char *file;
    struct store *store;
    struct origin *first;
    struct origin *last;
};

void origins_init(struct origins *origins, const char *file, struct store *store);
/* Keeps a copy of it and of its path; the other texts must live as long as the store. */
void origins_add(struct origins *origins, const struct origin *origin);
struct settings_place origins_place(const struct origins *origins, const char *path);
/* What the file has at the path, or NULL where it has nothing. */
const struct origin *origins_find(const struct origins *origins, const char *path);
/* The path of a file that the settings name: what is relative begins at the folder of the settings. "" when
 * memory is short. */
const char *origins_resolve(const struct origins *origins, const char *path);
/* Those with a value, or NULL (count 0) when memory is short. */
const struct settings_row *origins_rows(const struct origins *origins, size_t *count);

#endif
