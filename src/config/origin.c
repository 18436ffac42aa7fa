/* SPDX-License-Identifier: PostgreSQL */
#include "config/origin.h"

void origins_init(struct origins *origins, const char *file, struct store *store)
{
    *origins = (struct origins){ .file = file, .store = store };
}

void origins_add(struct origins *origins, const struct origin *origin)
{
    struct origin *kept = store_take(origins->store, sizeof *kept);
    char *path = store_copy(origins->store, bytes_text(origin->path));
    if (kept == NULL || path == NULL)
        return;
    *kept = *origin;
    kept->path = path;
    kept->next = NULL;
    if (origins->last != NULL)
        origins->last->next = kept;
    else
        origins->first = kept;
    origins->last = kept;
}

static const struct origin *find(const struct origins *origins, struct bytes path)
{
    const struct origin *origin = origins->first;
    while (origin != NULL && (origin->line == 0 || !bytes_equal_text(path, origin->path)))
        origin = origin->next;
    return origin;
}

/* Cuts off the last ".name" or "[number]". */
static struct bytes parent_of(struct bytes path)
{
    while (path.size > 0 && path.data[path.size - 1] != '.' && path.data[path.size - 1] != '[')
        path.size--;
    path.size -= path.size > 0 ? 1 : 0;
    return path;
}

struct settings_place origins_place(const struct origins *origins, const char *path)
{
    struct bytes wanted = bytes_text(path);
    const struct origin *origin = find(origins, wanted);
    while (origin == NULL && wanted.size > 0) {
        wanted = parent_of(wanted);
        origin = find(origins, wanted);
    }
    return (struct settings_place){ .file = origins->file,
                                    .line = origin != NULL ? origin->line : 1,
                                    .column = origin != NULL ? origin->column : 1 };
}

const struct origin *origins_find(const struct origins *origins, const char *path)
{
    return find(origins, bytes_text(path));
}

const char *origins_resolve(const struct origins *origins, const char *path)
{
    const char *slash = strrchr(origins->file, '/');
    if (path[0] == '/' || slash == NULL)
        return path;
    size_t folder = (size_t)(slash - origins->file) + 1;
    size_t size = strlen(path) + 1;
    char *resolved = store_take(origins->store, folder + size);
    if (resolved == NULL)
        return "";
    memcpy(resolved, origins->file, folder);
    memcpy(resolved + folder, path, size);
    return resolved;
}

static size_t count_values(const struct origins *origins)
{
    size_t count = 0;
    for (const struct origin *origin = origins->first; origin != NULL; origin = origin->next)
        count += origin->value != NULL;
    return count;
}

const struct settings_row *origins_rows(const struct origins *origins, size_t *count)
{
    struct settings_row *rows = store_take(origins->store, count_values(origins) * sizeof *rows);
    *count = 0;
    for (const struct origin *origin = origins->first; rows != NULL && origin != NULL;
         origin = origin->next) {
        if (origin->value != NULL)
            rows[(*count)++] =
                (struct settings_row){ origin->path, origin->value, origin->standard, origin->about };
    }
    return rows;
}
