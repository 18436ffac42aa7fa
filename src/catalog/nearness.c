/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/nearness.h"

#include "base/attributes.h"
#include "base/utf8.h"

enum { LETTERS_LEAST = 5, LETTERS_MOST = 63, TWO_OFF_FROM = 10, THREE_OFF_FROM = 16 };

/* A value as characters, in lower case. */
struct letters {
    uint32_t at[LETTERS_MOST];
    size_t count;
};

static uint32_t fold(uint32_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter;
}

/* False when there are too many. */
static bool letters_of(struct bytes value, struct letters *out)
{
    out->count = 0;
    while (value.size > 0) {
        uint32_t letter = value.data[0];
        size_t size = utf8_decode(value, &letter);
        (void)bytes_take(&value, size > 0 ? size : 1);
        if (out->count == LETTERS_MOST)
            return false;
        out->at[out->count++] = fold(letter);
    }
    return true;
}

/* ── Form ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool is_filling(uint8_t byte)
{
    return byte == ' ' || byte == '_' || byte == '-' || (byte >= '\t' && byte <= '\r');
}

static void filling_skip(struct bytes *rest)
{
    while (rest->size > 0 && is_filling(rest->data[0]))
        (void)bytes_take(rest, 1);
}

static bool has_same_form(struct bytes a, struct bytes b)
{
    bool is_empty = true;
    for (;;) {
        filling_skip(&a);
        filling_skip(&b);
        if (a.size == 0 || b.size == 0)
            return a.size == b.size && !is_empty;
        if (fold(*bytes_take(&a, 1).data) != fold(*bytes_take(&b, 1).data))
            return false;
        is_empty = false;
    }
}

/* ── Letters ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct rows {
    size_t above[LETTERS_MOST + 1]; /* of the letter before the last */
    size_t last[LETTERS_MOST + 1];
    size_t now[LETTERS_MOST + 1];
};

static void row_fill(struct rows *rows, const struct letters *a, size_t i, const struct letters *b)
{
    rows->now[0] = i + 1;
    for (size_t j = 0; j < b->count; j++) {
        size_t changed = rows->last[j] + (a->at[i] != b->at[j]);
        size_t moved = least(rows->last[j + 1], rows->now[j]) + 1;
        rows->now[j + 1] = least(changed, moved);
        if (i > 0 && j > 0 && a->at[i] == b->at[j - 1] && a->at[i - 1] == b->at[j])
            rows->now[j + 1] = least(rows->now[j + 1], rows->above[j - 1] + 1);
    }
}

/* The optimal string alignment distance. */
static size_t distance_between_letters(const struct letters *a, const struct letters *b)
{
    struct rows rows = { 0 };
    for (size_t j = 0; j <= b->count; j++)
        rows.last[j] = j;
    for (size_t i = 0; i < a->count; i++) {
        row_fill(&rows, a, i, b);
        memcpy(rows.above, rows.last, sizeof rows.above);
        memcpy(rows.last, rows.now, sizeof rows.last);
    }
    return rows.last[b->count];
}

static bool is_digit(uint32_t letter)
{
    return letter >= '0' && letter <= '9';
}

static uint32_t digit_next(const struct letters *letters, size_t *at)
{
    while (*at < letters->count && !is_digit(letters->at[*at]))
        (*at)++;
    return *at < letters->count ? letters->at[(*at)++] : 0;
}

static bool has_same_digits(const struct letters *a, const struct letters *b)
{
    size_t i = 0;
    size_t j = 0;
    for (;;) {
        uint32_t digit = digit_next(a, &i);
        if (digit != digit_next(b, &j))
            return false;
        if (digit == 0)
            return true;
    }
}

static bool has_prefix_before(const struct letters *longer, const struct letters *shorter)
{
    return longer->count >= shorter->count + 2 &&
           memcmp(longer->at + (longer->count - shorter->count), shorter->at,
                  shorter->count * sizeof shorter->at[0]) == 0;
}

static size_t distance_allowed(size_t count)
{
    if (count < LETTERS_LEAST)
        return 0;
    return count < TWO_OFF_FROM ? 1 : count < THREE_OFF_FROM ? 2 : 3;
}

/* 0 where they are not near. */
static size_t distance_near(const struct letters *attempted, struct bytes value)
{
    struct letters letters;
    if (!letters_of(value, &letters) || !has_same_digits(attempted, &letters) ||
        has_prefix_before(attempted, &letters) || has_prefix_before(&letters, attempted))
        return 0;
    size_t most = distance_allowed(least(attempted->count, letters.count));
    size_t apart = attempted->count > letters.count ? attempted->count - letters.count
                                                    : letters.count - attempted->count;
    size_t distance = apart <= most ? distance_between_letters(attempted, &letters) : 0;
    return distance <= most ? distance : 0;
}

/* ── The one ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static struct nearness nearest_form(struct bytes attempted, struct value_list allowed)
{
    struct nearness found = { NEARNESS_NONE, 0, BYTES_NONE };
    struct bytes value;
    size_t count = 0;
    while (value_list_next(&allowed.packed, &value)) {
        if (has_same_form(attempted, value)) {
            found = (struct nearness){ NEARNESS_FORM, 0, value };
            count++;
        }
    }
    return count == 1 ? found : (struct nearness){ NEARNESS_NONE, 0, BYTES_NONE };
}

static struct nearness nearest_letters(const struct letters *attempted, struct value_list allowed)
{
    struct nearness found = { NEARNESS_NONE, SIZE_MAX, BYTES_NONE };
    struct bytes value;
    size_t count = 0;
    while (value_list_next(&allowed.packed, &value)) {
        size_t distance = distance_near(attempted, value);
        if (distance == 0 || distance > found.distance)
            continue;
        count = distance < found.distance ? 1 : count + 1;
        found = (struct nearness){ NEARNESS_LETTERS, distance, value };
    }
    return count == 1 ? found : (struct nearness){ NEARNESS_NONE, 0, BYTES_NONE };
}

struct nearness nearness_of(struct bytes attempted, struct value_list allowed)
{
    struct letters letters;
    if (value_list_has(allowed, attempted))
        return (struct nearness){ NEARNESS_SAME, 0, attempted };
    struct nearness found = nearest_form(attempted, allowed);
    if (found.kind == NEARNESS_NONE && letters_of(attempted, &letters))
        found = nearest_letters(&letters, allowed);
    return found;
}

void nearness_describe(const struct nearness *nearness, struct bytes attempted, struct text *out)
{
    if (nearness->kind == NEARNESS_NONE)
        return;
    value_describe(attempted, out);
    if (nearness->kind == NEARNESS_SAME) {
        text_append_string(out, " is allowed");
        return;
    }
    if (nearness->kind == NEARNESS_FORM)
        text_append_string(out, " differs only in case or spaces from ");
    else
        text_append_format(out, " is %zu letter%s off ", nearness->distance,
                           nearness->distance == 1 ? "" : "s");
    value_describe(nearness->allowed, out);
    text_append_string(out, ", which is allowed");
}
