/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/attempted.h"

/* Where `wanted` begins in the text; its size where it does not. */
static size_t find(struct bytes text, const char *wanted)
{
    for (size_t at = 0; at < text.size; at++) {
        if (bytes_start_with(bytes_of(text.data + at, text.size - at), wanted))
            return at;
    }
    return text.size;
}

/* Takes the next of "a, b, c". */
static struct bytes item_take(struct bytes *list)
{
    static const char separator[] = ", ";
    struct bytes item = bytes_take(list, find(*list, separator));
    (void)bytes_take(list, list->size > 0 ? strlen(separator) : 0);
    return item;
}

static size_t item_count(struct bytes list)
{
    size_t count = 1;
    for (size_t at; (at = find(list, ", ")) < list.size; count++)
        (void)bytes_take(&list, at + 2);
    return count;
}

static struct bytes item_at(struct bytes list, size_t index)
{
    struct bytes item = BYTES_NONE;
    for (size_t i = 0; i <= index; i++)
        item = item_take(&list);
    return item;
}

static size_t number_take(struct bytes *text)
{
    enum { NUMBER_MOST = 10000 };
    size_t number = 0;
    while (text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9' && number < NUMBER_MOST)
        number = number * 10 + (size_t)(bytes_take(text, 1).data[0] - '0');
    return number;
}

/* By the column's place among all of them. */
static bool pick_by_place(struct bytes place, struct bytes values, struct bytes *value)
{
    size_t number = number_take(&place);
    (void)bytes_take(&place, place.size > 0 ? 1 : 0);
    size_t count = number_take(&place);
    if (number == 0 || number > count || item_count(values) != count)
        return false;
    *value = item_at(values, number - 1);
    return true;
}

bool attempted_pick(const struct constraint_row *row, struct bytes detail, struct bytes *value)
{
    static const char beginning[] = "Failing row contains (";
    static const char ending[] = ").";
    static const char between[] = ") = (";
    size_t frame = strlen(beginning) + strlen(ending);
    if (row->place.size == 0 || detail.size < frame || !bytes_start_with(detail, beginning) ||
        memcmp(detail.data + detail.size - strlen(ending), ending, strlen(ending)) != 0)
        return false;
    struct bytes values = bytes_of(detail.data + strlen(beginning), detail.size - frame);
    return find(values, between) == values.size && pick_by_place(row->place, values, value);
}
