/* SPDX-License-Identifier: PostgreSQL */
#include "control/distance.h"

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* One row of the table of distances between all beginnings of `a` and of `b`. */
static void next_row(size_t *row, uint8_t byte, struct bytes b)
{
    size_t diagonal = row[0]++;
    for (size_t i = 1; i <= b.size; i++) {
        size_t above = row[i];
        size_t changed = diagonal + (fold(byte) != fold(b.data[i - 1]));
        row[i] = least(above + 1, row[i - 1] + 1, changed);
        diagonal = above;
    }
}

size_t distance_between(struct bytes a, struct bytes b)
{
    size_t row[DISTANCE_TEXT_MOST + 1];
    if (a.size > DISTANCE_TEXT_MOST || b.size > DISTANCE_TEXT_MOST)
        return DISTANCE_FAR;
    for (size_t i = 0; i <= b.size; i++)
        row[i] = i;
    for (size_t i = 0; i < a.size; i++)
        next_row(row, a.data[i], b);
    return row[b.size];
}
