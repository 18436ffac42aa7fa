/* SPDX-License-Identifier: PostgreSQL */
#include "texts.h"

#include <stdio.h>
#include <stdlib.h>

int texts_read(void (*say)(struct bytes text, struct lexer_reading reading))
{
    char head[64];
    while (fgets(head, sizeof(head), stdin) != NULL) {
        char *rest;
        struct lexer_reading reading = { .has_standard_strings = strtoul(head, &rest, 10) != 0 };
        size_t size = strtoul(rest, NULL, 10);
        uint8_t *text = malloc(size + 1);
        if (text == NULL || fread(text, 1, size, stdin) != size) {
            free(text);
            return EXIT_FAILURE;
        }
        say(bytes_of(text, size), reading);
        free(text);
    }
    return EXIT_SUCCESS;
}
