/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/problem.h"

#define CHOICE(tag)             enum tag {
#define WORD(tag, symbol, word) symbol,
#define CHOICE_END(tag)                                                                                      \
    }                                                                                                        \
    ;
#define BASE_CHOICE(tag)
#define BASE_WORD(tag, symbol, word)
#include "config/choices.def"

/* What the C side of each kind of value is: SETTING_TYPE_DURATION and so on. */
#define KIND(kind, type, reader, noun, form, measure) typedef type SETTING_TYPE_##kind;
#include "config/kinds.def"

/* The settings, in structures named as in the file: settings->guard.windows.items[i].timezone. Lists have
 * items and count. Durations are in µs, sizes in bytes; texts are never NULL and "" where nothing is set; an
 * address or network that is not set has the family ADDRESS_NONE (console.address too when it is off); a set
 * of words has the bit 1 << WORD for each (days: bit 0 Sunday); the path of a FILE is ready to be opened: a
 * relative one of the file has the folder of that file in front. Times of day, instants and time zones are
 * texts of the right shape, which whoever knows the calendar has yet to read. */
#define GROUP(tag)                                                            struct tag {
#define VALUE(group, name, kind, smallest, largest, standard, example, about) SETTING_TYPE_##kind name;
#define INSTEAD                                                               VALUE
#define VALUES(group, name, kind, fewest, most, example, about)                                              \
    struct {                                                                                                 \
        SETTING_TYPE_##kind *items;                                                                          \
        size_t count;                                                                                        \
    } name;
#define CHOSEN(group, name, choice, standard, example, about) enum choice name;
#define CHOSEN_SET(group, name, choice, standard, about)      unsigned name;
#define SECTION(group, name, tag, about)                      struct tag name;
#define LIST(group, name, tag, fewest, most, about)                                                          \
    struct {                                                                                                 \
        struct tag *items;                                                                                   \
        size_t count;                                                                                        \
    } name;
#define GROUP_END(tag)                                                                                       \
    }                                                                                                        \
    ;
#include "config/settings.def"

/* Reads and checks a file. False with one or more errors, all that were found in it, in the order of the
 * file; *out is then NULL. Warnings alone refuse nothing. Errors never show the value of a secret. */
MUST_USE bool settings_load(const char *path, struct settings **out, struct problems *problems);
/* The same for a text in memory; `file` is what its problems and places are called by. */
MUST_USE bool settings_parse(const char *file, struct bytes text, struct settings **out,
                             struct problems *problems);
/* Frees them with all that points into them. NULL is allowed. */
void settings_release(struct settings *settings);

/* Where something stands in the file; lives as long as the settings. */
struct settings_place {
    const char *file;
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in characters */
};

/* Where the value of "guard.windows[1].timezone" stands; where the file does not have that, the place of the
 * nearest part around it. For checks that others make afterwards. */
struct settings_place settings_place(const struct settings *settings, const char *path);

/* A setting as SHOW SETTINGS has it: every value of the file or, where it has none, the default. A secret
 * that is set to something else than its default is "(set)". */
struct settings_row {
    const char *path;     /* "guard.windows[1].timezone" */
    const char *value;    /* as the file or the default writes it; "" where nothing is set */
    const char *standard; /* the default; "" where there is none */
    const char *about;
};

/* All rows in the order of the table; they live as long as the settings. */
const struct settings_row *settings_rows(const struct settings *settings, size_t *count);

/* Appends conf/pgsluice.yaml: every setting with its default, or as an example in a comment. */
void settings_write_sample(struct buffer *out);
/* Appends docs/settings.md: every setting with its type, bounds and default. */
void settings_write_manual(struct buffer *out);

#endif
