/* SPDX-License-Identifier: PostgreSQL */
#include "sql/objects.h"

#include <stdio.h>
#include <stdlib.h>

/* Says which objects are read out of each text on the standard input. A text comes as a line with 1 or 0
 * (standard_conforming_strings) and its size in bytes, then its bytes; a line leaves for it: 1 or 0 (whether
 * its names are complete), and then each name: its schema, in hexadecimal digits, a dot, the name likewise.
 */

static void print_hexadecimal(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++)
        (void)printf("%02x", (unsigned)(uint8_t)name[i]);
}

static void print_names(struct bytes text, bool has_standard_strings)
{
    struct lexer_reading reading = { .has_standard_strings = has_standard_strings };
    struct object_names names;
    objects_named(text, false, reading, &names);
    (void)printf("%d", (int)names.is_complete);
    for (size_t i = 0; i < names.count; i++) {
        (void)putchar(' ');
        print_hexadecimal(names.names[i].schema);
        (void)putchar('.');
        print_hexadecimal(names.names[i].name);
    }
    (void)putchar('\n');
}

int main(void)
{
    char head[64];
    while (fgets(head, sizeof(head), stdin) != NULL) {
        char *rest;
        bool has_standard_strings = strtoul(head, &rest, 10) != 0;
        size_t size = strtoul(rest, NULL, 10);
        uint8_t *text = malloc(size + 1);
        if (text == NULL || fread(text, 1, size, stdin) != size)
            return EXIT_FAILURE;
        print_names(bytes_of(text, size), has_standard_strings);
        free(text);
    }
    return EXIT_SUCCESS;
}
