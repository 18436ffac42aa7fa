/* SPDX-License-Identifier: PostgreSQL */
#include "config/settings.h"

#include "config/check.h"
#include "config/fill.h"
#include "config/node.h"
#include "config/source.h"

#include <stdlib.h>

/* The settings with all that keeps them. */
struct loaded {
    struct settings settings;
    struct store store;
    struct origins origins;
    const struct settings_row *rows;
    size_t row_count;
};

static const struct loaded *loaded_of(const struct settings *settings)
{
    return (const struct loaded *)(const void *)settings;
}

_Static_assert(offsetof(struct loaded, settings) == 0, "the settings stand first");

static bool is_before(const struct problem *a, const struct problem *b)
{
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* Brings those from `first` on into the order of the file. */
static void sort_problems(struct problems *problems, size_t first)
{
    size_t count = problems_kept_count(problems);
    for (size_t i = first + 1; i < count; i++) {
        struct problem moved = problems->kept[i];
        size_t at = i;
        for (; at > first && is_before(&moved, &problems->kept[at - 1]); at--)
            problems->kept[at] = problems->kept[at - 1];
        problems->kept[at] = moved;
    }
}

static void read_all(struct loaded *loaded, struct bytes text, struct problems *problems)
{
    const char *file = loaded->origins.file;
    const struct node *root = node_read(file, text, &loaded->store, problems);
    if (root == NULL)
        return;
    settings_fill(&loaded->settings, root, &loaded->origins, problems);
    settings_check(&loaded->settings, &loaded->origins, problems);
    loaded->rows = origins_rows(&loaded->origins, &loaded->row_count);
}

bool settings_parse(const char *file, struct bytes text, struct settings **out, struct problems *problems)
{
    size_t first = problems_kept_count(problems);
    size_t errors_before = problems->error_count;
    *out = NULL;
    if (!source_check(file, text, problems))
        return false;
    struct loaded *loaded = calloc(1, sizeof *loaded);
    if (loaded == NULL) {
        problems_add(problems, file, 0, 0, "memory is short");
        return false;
    }
    store_init(&loaded->store);
    const char *name = store_copy(&loaded->store, bytes_text(file));
    origins_init(&loaded->origins, name != NULL ? name : "", &loaded->store);
    read_all(loaded, text, problems);
    if (loaded->store.has_failed)
        problems_add(problems, file, 0, 0, "memory is short");
    sort_problems(problems, first);
    if (problems->error_count > errors_before) {
        settings_release(&loaded->settings);
        return false;
    }
    *out = &loaded->settings;
    return true;
}

bool settings_load(const char *path, struct settings **out, struct problems *problems)
{
    struct buffer text;
    buffer_init(&text, SOURCE_LIMIT);
    *out = NULL;
    bool is_loaded =
        source_read(path, &text, problems) && settings_parse(path, buffer_bytes(&text), out, problems);
    buffer_release(&text);
    return is_loaded;
}

void settings_release(struct settings *settings)
{
    struct loaded *loaded = (struct loaded *)(void *)settings;
    if (loaded == NULL)
        return;
    store_release(&loaded->store);
    free(loaded);
}

struct settings_place settings_place(const struct settings *settings, const char *path)
{
    return origins_place(&loaded_of(settings)->origins, path);
}

const struct settings_row *settings_rows(const struct settings *settings, size_t *count)
{
    *count = loaded_of(settings)->row_count;
    return loaded_of(settings)->rows;
}
