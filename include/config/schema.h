/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "base/text.h"

/* The tables settings.def, kinds.def and choices.def as data. */
enum schema_shape { SHAPE_VALUE, SHAPE_VALUES, SHAPE_CHOSEN, SHAPE_CHOSEN_SET, SHAPE_SECTION, SHAPE_LIST };

enum schema_kind {
#define KIND(kind, type, reader, noun, form, measure) KIND_##kind,
#include "config/kinds.def"
};

enum schema_choice {
#define CHOICE(tag) CHOICE_##tag,
#define WORD(tag, symbol, word)
#define CHOICE_END(tag)
#define BASE_CHOICE(tag) CHOICE_##tag,
#define BASE_WORD(tag, symbol, word)
#include "config/choices.def"
};

enum schema_group {
#define GROUP(tag) GROUP_##tag,
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

struct schema_row {
    enum schema_group group; /* of which it is a part */
    enum schema_shape shape;
    size_t offset; /* of its field in the structure of the group */
    const char *name;
    enum schema_kind kind;     /* VALUE, VALUES */
    enum schema_choice choice; /* CHOSEN, CHOSEN_SET */
    enum schema_group inner;   /* SECTION, LIST */
    bool is_instead;           /* it stands in place of others: an example cannot have all of them */
    const char *smallest;      /* VALUE: of the value; VALUES, LIST: of the count; "" without bounds */
    const char *largest;
    const char *standard; /* NULL: required; "": nothing set */
    const char *example;
    const char *about;
};

struct schema_kind_facts {
    const char *noun;
    const char *form;    /* how it is written */
    const char *measure; /* what its bounds count */
    size_t size;         /* bytes of its field */
    bool is_text;        /* its field is a const char * */
};

/* The rows of a group, one after the other; NULL after the last. */
const struct schema_row *schema_first(enum schema_group group);
const struct schema_row *schema_next(const struct schema_row *row);
/* The row of that name, or NULL. */
const struct schema_row *schema_find(enum schema_group group, const char *name);
/* The row whose name a person may have meant, or NULL when none is near. */
const struct schema_row *schema_nearest(enum schema_group group, const char *name);

/* Bytes of the structure of a group. */
size_t schema_group_size(enum schema_group group);
const struct schema_kind_facts *schema_kind_facts(enum schema_kind kind);
/* What the sample and the messages show for a row: its default or else its example. */
const char *schema_sample(const struct schema_row *row);

/* The value of a word of the choice. False when it has no such word. */
MUST_USE bool schema_word_find(enum schema_choice choice, struct bytes word, unsigned *value);
/* The word of a value that the choice has. */
const char *schema_word(enum schema_choice choice, unsigned value);
/* Appends "enforce, observe or off". */
void schema_words_describe(enum schema_choice choice, struct text *out);

#endif
