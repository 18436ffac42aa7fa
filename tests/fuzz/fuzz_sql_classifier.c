/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the reading, the second a distance between cuts; the rest is SQL. However it is cut
 * the verdict is the same; what the fast path lets pass the streaming one lets pass; and no text is shown or
 * split out of bounds. */
#include "sql/classifier.h"
#include "sql/mask.h"
#include "sql/split.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATEMENTS_MOST = 8, SHOWN_SIZE = 512 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_verdict(const struct verdict *verdict)
{
    check(verdict->class < CLASS_COUNT);
    check(verdict->level >= LEVEL_NONE && verdict->level <= LEVEL_MODIFYING);
    check(verdict->is_guarded == statement_class_is_guarded(verdict->class));
    check(verdict->level >= statement_class_level(verdict->class));
    check(!verdict->is_guarded || verdict->level > LEVEL_NONE);
    check(verdict->levels[verdict->class] == (uint8_t)verdict->level);
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        check((verdict->classes >> class & 1) == (verdict->levels[class] != 0));
        check(!class_is_riskier((enum statement_class) class, (enum safety_level)verdict->levels[class],
                                verdict->class, verdict->level) ||
              verdict->levels[class] == 0);
    }
}

static struct verdict judge(struct bytes text, size_t step, struct lexer_reading reading)
{
    struct classifier classifier;
    struct verdict verdict;
    classifier_begin(&classifier, reading);
    while (text.size > 0)
        classifier_feed(&classifier, bytes_take(&text, text.size < step ? text.size : step));
    classifier_end(&classifier, &verdict);
    check_verdict(&verdict);
    return verdict;
}

static void check_same_names(const struct name_list *one, const struct name_list *other)
{
    check(one->count == other->count && one->size == other->size &&
          memcmp(one->texts, other->texts, one->size) == 0);
}

static void check_same(const struct verdict *one, const struct verdict *other)
{
    check(one->class == other->class && one->level == other->level && one->is_guarded == other->is_guarded);
    check(one->classes == other->classes && memcmp(one->levels, other->levels, sizeof(one->levels)) == 0);
    check(one->statement_count == other->statement_count && one->command == other->command);
    check_same_names(&one->executes, &other->executes);
    check_same_names(&one->prepares, &other->prepares);
}

static void check_part(struct bytes whole, struct bytes part)
{
    check(part.data == NULL || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void check_split(struct bytes text, struct lexer_reading reading, uint32_t position)
{
    char table[64];
    for (uint32_t i = 0; i < STATEMENTS_MOST; i++) {
        struct bytes part = split_statement(text, reading, i);
        check_part(text, part);
        split_target(part, reading, table);
    }
    check_part(text, split_statement_at(text, reading, position, true));
    check_part(text, split_statement_at(text, reading, position, false));
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
    struct verdict whole = judge(text, text.size, reading);
    struct verdict bytes = judge(text, 1, reading);
    struct verdict pieces = judge(text, (size_t)data[1] + 1, reading);
    struct verdict fast;
    classify(text, reading, &fast);
    check_same(&whole, &bytes);
    check_same(&whole, &pieces);
    check_same(&whole, &fast);
    check_split(text, reading, data[1]);
    char storage[SHOWN_SIZE];
    struct text shown;
    text_init(&shown, storage, sizeof(storage));
    mask_sql(text, reading, &shown);
    check(strlen(storage) == shown.size);
    return 0;
}
