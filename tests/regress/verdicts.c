/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"

#include <stdio.h>
#include <stdlib.h>

/* Says what the classifier makes of each text on the standard input. A text comes as a line with 1 or 0
 * (standard_conforming_strings) and its size in bytes, then its bytes; its verdict leaves as a line. */

static void print_verdict(struct bytes text, bool has_standard_strings)
{
    struct lexer_reading reading = { .has_standard_strings = has_standard_strings };
    struct verdict verdict;
    classify(text, reading, &verdict);
    (void)printf("%s\t%d\t%d\t%s\n", statement_class_name(verdict.class), (int)verdict.level,
                 (int)verdict.is_guarded, verdict.command);
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
        print_verdict(bytes_of(text, size), has_standard_strings);
        free(text);
    }
    return EXIT_SUCCESS;
}
