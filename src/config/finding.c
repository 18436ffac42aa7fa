/* SPDX-License-Identifier: PostgreSQL */
#include "config/finding.h"

struct setting_path setting_path(const char *format, ...)
{
    struct setting_path path;
    struct text text;
    text_init(&text, path.text, sizeof path.text);
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    return path;
}

/* Writes what was found into `storage`, which it returns. */
PRINTF_LIKE(2, 0)
static const char *words_of(char storage[PROBLEM_TEXT_SIZE], const char *format, va_list arguments)
{
    struct text text;
    text_init(&text, storage, PROBLEM_TEXT_SIZE);
    text_append_arguments(&text, format, arguments);
    return storage;
}

void findings_fault(const struct findings *findings, const char *path, const char *format, ...)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct settings_place place = origins_place(findings->origins, path);
    va_list arguments;
    va_start(arguments, format);
    problems_add(findings->problems, place.file, place.line, place.column, "%s: %s", path,
                 words_of(storage, format, arguments));
    va_end(arguments);
}

void findings_warn(const struct findings *findings, const char *path, const char *format, ...)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct settings_place place = origins_place(findings->origins, path);
    va_list arguments;
    va_start(arguments, format);
    problems_warn(findings->problems, place.file, place.line, place.column, "%s: %s", path,
                  words_of(storage, format, arguments));
    va_end(arguments);
}

bool findings_has_error(const struct findings *findings, const char *path)
{
    struct settings_place place = origins_place(findings->origins, path);
    for (size_t i = 0; i < findings->read_count; i++) {
        const struct problem *problem = &findings->problems->kept[i];
        bool is_of_file = strncmp(problem->file, place.file, PROBLEM_FILE_SIZE - 1) == 0;
        if (is_of_file && problem->line == place.line && problem->column == place.column)
            return true;
    }
    return false;
}

bool findings_is_changed(const struct findings *findings, const char *path)
{
    const struct origin *origin = origins_find(findings->origins, path);
    return origin != NULL && strcmp(origin->value, origin->standard) != 0;
}
