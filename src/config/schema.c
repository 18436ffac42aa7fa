/* SPDX-License-Identifier: PostgreSQL */
#include "config/schema.h"

#include "config/edits.h"
#include "config/settings.h"

#define REQUIRED NULL
#define UNSET    ""

static const struct schema_row rows[] = {
#define GROUP(tag)
#define VALUE_ROW(in, field, of, least, most, usual, such_as, text, stands_instead)                          \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_VALUE,                                                                                  \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .kind = KIND_##of,                                                                                     \
      .smallest = least,                                                                                     \
      .largest = most,                                                                                       \
      .standard = usual,                                                                                     \
      .example = such_as,                                                                                    \
      .about = text,                                                                                         \
      .is_instead = stands_instead },
#define VALUE(in, field, of, least, most, usual, such_as, text)                                              \
    VALUE_ROW(in, field, of, least, most, usual, such_as, text, false)
#define INSTEAD(in, field, of, least, most, usual, such_as, text)                                            \
    VALUE_ROW(in, field, of, least, most, usual, such_as, text, true)
#define VALUES(in, field, of, fewest, most, such_as, text)                                                   \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_VALUES,                                                                                 \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .kind = KIND_##of,                                                                                     \
      .smallest = fewest,                                                                                    \
      .largest = most,                                                                                       \
      .standard = fewest[0] == '0' ? "" : NULL,                                                              \
      .example = such_as,                                                                                    \
      .about = text },
#define CHOSEN(in, field, of, usual, such_as, text)                                                          \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_CHOSEN,                                                                                 \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .choice = CHOICE_##of,                                                                                 \
      .smallest = "",                                                                                        \
      .largest = "",                                                                                         \
      .standard = usual,                                                                                     \
      .example = such_as,                                                                                    \
      .about = text },
#define CHOSEN_SET(in, field, of, usual, text)                                                               \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_CHOSEN_SET,                                                                             \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .choice = CHOICE_##of,                                                                                 \
      .smallest = "",                                                                                        \
      .largest = "",                                                                                         \
      .standard = usual,                                                                                     \
      .example = "",                                                                                         \
      .about = text },
#define SECTION(in, field, tag, text)                                                                        \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_SECTION,                                                                                \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .inner = GROUP_##tag,                                                                                  \
      .smallest = "",                                                                                        \
      .largest = "",                                                                                         \
      .standard = "",                                                                                        \
      .example = "",                                                                                         \
      .about = text },
#define LIST(in, field, tag, fewest, most, text)                                                             \
    { .group = GROUP_##in,                                                                                   \
      .shape = SHAPE_LIST,                                                                                   \
      .offset = offsetof(struct in, field),                                                                  \
      .name = #field,                                                                                        \
      .inner = GROUP_##tag,                                                                                  \
      .smallest = fewest,                                                                                    \
      .largest = most,                                                                                       \
      .standard = fewest[0] == '0' ? "" : NULL,                                                              \
      .example = "",                                                                                         \
      .about = text },
#define GROUP_END(tag)
#include "config/settings.def"
};

static const size_t group_sizes[] = {
#define GROUP(tag) [GROUP_##tag] = sizeof(struct tag),
#define VALUE(group, name, kind, smallest, largest, standard, example, about)
#define INSTEAD VALUE
#define VALUES(group, name, kind, fewest, most, example, about)
#define CHOSEN(group, name, choice, standard, example, about)
#define CHOSEN_SET(group, name, choice, standard, about)
#define SECTION(group, name, tag, about)
#define LIST(group, name, tag, fewest, most, about)
#define GROUP_END(tag)
#include "config/settings.def"
};

static const struct schema_kind_facts kinds[] = {
#define KIND(symbol, type, reader, its_noun, its_form, its_measure)                                          \
    [KIND_##symbol] = { .noun = its_noun,                                                                    \
                        .form = its_form,                                                                    \
                        .measure = its_measure,                                                              \
                        .size = sizeof(type),                                                                \
                        .is_text = _Generic((type){ 0 }, const char *: true, default: false) },
#include "config/kinds.def"
};

static const struct {
    enum schema_choice choice;
    unsigned value;
    const char *word;
} words[] = {
#define CHOICE(tag)
#define WORD(tag, symbol, word) { CHOICE_##tag, symbol, word },
#define CHOICE_END(tag)
#define BASE_CHOICE(tag)
#define BASE_WORD(tag, symbol, word) { CHOICE_##tag, symbol, word },
#include "config/choices.def"
};

const struct schema_row *schema_first(enum schema_group group)
{
    const struct schema_row *row = rows;
    while (row->group != group)
        row++;
    return row;
}

const struct schema_row *schema_next(const struct schema_row *row)
{
    const struct schema_row *next = row + 1;
    return next < rows + COUNT_OF(rows) && next->group == row->group ? next : NULL;
}

const struct schema_row *schema_find(enum schema_group group, const char *name)
{
    const struct schema_row *row = schema_first(group);
    while (row != NULL && strcmp(row->name, name) != 0)
        row = schema_next(row);
    return row;
}

const struct schema_row *schema_nearest(enum schema_group group, const char *name)
{
    struct bytes wanted = bytes_text(name);
    const struct schema_row *nearest = NULL;
    size_t best = edits_too_many(wanted);
    for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row)) {
        size_t away = edits_between(wanted, bytes_text(row->name));
        if (away >= best)
            continue;
        best = away;
        nearest = row;
    }
    return nearest;
}

size_t schema_group_size(enum schema_group group)
{
    return group_sizes[group];
}

const struct schema_kind_facts *schema_kind_facts(enum schema_kind kind)
{
    return &kinds[kind];
}

const char *schema_sample(const struct schema_row *row)
{
    return row->standard != NULL && row->standard[0] != '\0' ? row->standard : row->example;
}

bool schema_word_find(enum schema_choice choice, struct bytes word, unsigned *value)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (words[i].choice == choice && bytes_equal_text(word, words[i].word)) {
            *value = words[i].value;
            return true;
        }
    }
    return false;
}

const char *schema_word(enum schema_choice choice, unsigned value)
{
    size_t i = 0;
    while (words[i].choice != choice || words[i].value != value)
        i++;
    return words[i].word;
}

void schema_words_describe(enum schema_choice choice, struct text *out)
{
    const char *separator = "";
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        bool is_last = i + 1 == COUNT_OF(words) || words[i + 1].choice != choice;
        if (words[i].choice != choice)
            continue;
        text_append_format(out, "%s%s", is_last && separator[0] != '\0' ? " or " : separator, words[i].word);
        separator = ", ";
    }
}
