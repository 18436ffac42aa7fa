/* SPDX-License-Identifier: PostgreSQL */
#include "base/bytes.h"

static uint8_t byte_fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool bytes_equal_folded(struct bytes a, const char *text)
{
    struct bytes b = bytes_text(text);
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        if (byte_fold(a.data[i]) != byte_fold(b.data[i]))
            return false;
    }
    return true;
}

bool bytes_start_with(struct bytes whole, const char *prefix)
{
    size_t size = strlen(prefix);
    return whole.size >= size && bytes_equal_text(bytes_of(whole.data, size), prefix);
}

size_t bytes_find(struct bytes bytes, uint8_t wanted)
{
    const uint8_t *found = bytes.size > 0 ? memchr(bytes.data, wanted, bytes.size) : NULL;
    return found != NULL ? (size_t)(found - bytes.data) : bytes.size;
}

bool bytes_copy_text(struct bytes bytes, char *field, size_t capacity)
{
    if (capacity == 0)
        return false;
    size_t size = bytes.size < capacity ? bytes.size : capacity - 1;
    if (size > 0)
        memcpy(field, bytes.data, size);
    field[size] = '\0';
    return size == bytes.size;
}

bool bytes_equal_secret(struct bytes a, struct bytes b)
{
    /* volatile keeps the compiler from leaving the loop at the first difference */
    volatile uint8_t difference = 0;
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
    return difference == 0;
}
