/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"
#include "texts.h"

#include <stdio.h>

/* Says what the classifier makes of each text. */

static void print_verdict(struct bytes text, struct lexer_reading reading)
{
    struct verdict verdict;
    classify(text, reading, &verdict);
    (void)printf("%s\t%d\t%d\t%s\n", statement_class_name(verdict.class), (int)verdict.level,
                 (int)verdict.is_guarded, verdict.command);
}

int main(void)
{
    return texts_read(print_verdict);
}
