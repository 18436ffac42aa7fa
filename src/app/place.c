/* SPDX-License-Identifier: PostgreSQL */
#include "app/place.h"

#include <stdio.h>

enum { PATH_SIZE = 96 };

void problem_at(struct problems *problems, const struct settings *settings, const char *list, size_t index,
                const char *name, bool is_warning, const char *text)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s[%zu].%s", list, index, name);
    struct settings_place place = settings_place(settings, path);
    if (is_warning)
        problems_warn(problems, place.file, place.line, place.column, "%s", text);
    else
        problems_add(problems, place.file, place.line, place.column, "%s", text);
}
