/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the reading, the second a distance between cuts; the rest is SQL. However it is cut
 * the shape is the same, a comment in front does not change it, and the mask is one text within its bounds.
 */
#include "sql/mask.h"
#include "sql/shape.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MASK_SIZE = 65536 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t shape_of(struct bytes text, size_t step, struct lexer_reading reading)
{
    struct shape shape;
    shape_begin(&shape, reading);
    while (text.size > 0)
        shape_feed(&shape, bytes_take(&text, text.size < step ? text.size : step));
    return shape_end(&shape);
}

static uint64_t shape_behind_comment(struct bytes text, struct lexer_reading reading)
{
    struct shape shape;
    shape_begin(&shape, reading);
    shape_feed(&shape, bytes_text("/* ; 'x */ "));
    shape_feed(&shape, text);
    return shape_end(&shape);
}

static void check_mask(struct bytes text, struct lexer_reading reading)
{
    static char storage[MASK_SIZE];
    struct text mask;
    text_init(&mask, storage, sizeof(storage));
    mask_sql(text, reading, &mask);
    check(strlen(storage) == mask.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct lexer_reading reading = { .has_standard_strings = (data[0] & 1) != 0,
                                     .has_unsafe_encoding = (data[0] & 2) != 0,
                                     .has_ascii_pairs = (data[0] & 3) == 3,
                                     .has_vertical_tab = (data[0] & 4) != 0 };
    struct bytes text = bytes_of(data + 2, size - 2);
    uint64_t whole = shape_sql(text, reading);
    check(whole != 0);
    check(shape_of(text, 1, reading) == whole);
    check(shape_of(text, (size_t)data[1] + 1, reading) == whole);
    check(shape_behind_comment(text, reading) == whole);
    check_mask(text, reading);
    return 0;
}
