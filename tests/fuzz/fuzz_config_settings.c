/* SPDX-License-Identifier: PostgreSQL */
/* The input is a file of settings. Whatever it holds, either all of it is right or each problem has its
 * place, and no text of a problem or row breaks its line. */
#include "config/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text)
{
    for (; *text != '\0'; text++)
        check(*text != '\n' && *text != '\r' && *text != '\t');
}

static void check_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems_kept_count(problems); i++) {
        check(problems->kept[i].line > 0 && problems->kept[i].column > 0);
        check(problems->kept[i].text[0] != '\0');
        check_text(problems->kept[i].text);
    }
}

static void check_settings(const struct settings *settings)
{
    size_t count = 0;
    const struct settings_row *rows = settings_rows(settings, &count);
    check(settings->listen.count > 0 && settings->upstreams.count > 0);
    check(settings->workers > 0 && settings->limits.login_timeout > 0);
    for (size_t i = 0; i < count; i++) {
        struct settings_place place = settings_place(settings, rows[i].path);
        check(place.line > 0 && place.column > 0);
        check_text(rows[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings *settings = NULL;
    struct problems problems;
    if (size > 1024 * 1024)
        return 0;
    problems_init(&problems);
    bool is_right = settings_parse("file.yaml", bytes_of(data, size), &settings, &problems);
    check(is_right == (problems.error_count == 0) && is_right == (settings != NULL));
    check_problems(&problems);
    if (is_right)
        check_settings(settings);
    settings_release(settings);
    return 0;
}
