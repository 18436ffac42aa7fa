/* SPDX-License-Identifier: PostgreSQL */
#include "config/edits.h"

#include <assert.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edits_between(struct bytes key, struct bytes name)
{
    size_t line[EDITS_NAME_MOST + 1];
    assert(name.size <= EDITS_NAME_MOST);
    for (size_t j = 0; j <= name.size; j++)
        line[j] = j;
    for (size_t i = 0; i < key.size; i++) {
        size_t diagonal = line[0];
        line[0] = i + 1;
        for (size_t j = 0; j < name.size; j++) {
            size_t replaced = diagonal + (key.data[i] != name.data[j]);
            diagonal = line[j + 1];
            line[j + 1] = smaller(replaced, smaller(line[j], line[j + 1]) + 1);
        }
    }
    return line[name.size];
}

size_t edits_too_many(struct bytes key)
{
    return key.size / 3 + 2;
}
