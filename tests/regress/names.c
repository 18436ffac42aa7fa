/* SPDX-License-Identifier: PostgreSQL */
#include "sql/objects.h"
#include "texts.h"

#include <stdio.h>

/* Says which objects are read out of each text: 1 or 0 (whether its names are complete), and then each name:
 * its schema, in hexadecimal digits, a dot, the name likewise. */

static void print_hexadecimal(const char *name)
{
    for (size_t i = 0; name[i] != '\0'; i++)
        (void)printf("%02x", (unsigned)(uint8_t)name[i]);
}

static void print_names(struct bytes text, struct lexer_reading reading)
{
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
    return texts_read(print_names);
}
