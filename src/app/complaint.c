/* SPDX-License-Identifier: PostgreSQL */
#include "app/complaint.h"

#include <stdio.h>

void complain(const struct problems *problems)
{
    char storage[PROBLEM_TEXT_SIZE + PROBLEM_FILE_SIZE + 64];
    size_t kept = problems_kept_count(problems);
    for (size_t index = 0; index < kept; index++) {
        struct text text;
        text_init(&text, storage, sizeof(storage));
        problem_describe(&problems->kept[index], &text);
        (void)fprintf(stderr, "%s\n", storage);
    }
    if (problems->count > kept)
        (void)fprintf(stderr, "... and %zu more\n", problems->count - kept);
}
