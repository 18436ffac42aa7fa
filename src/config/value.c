/* SPDX-License-Identifier: PostgreSQL */
#include "config/value.h"

#include "config/settings.h"

#include <strings.h>

enum { ENTRY_TEXT_MOST = 255 };

_Static_assert(sizeof(enum setting_mode) == sizeof(unsigned), "words are stored as unsigned");

static enum value_result (*const readers[])(const struct schema_row *, const char *, void *,
                                            struct text *) = {
#define KIND(kind, type, reader, noun, form, measure) [KIND_##kind] = reader,
#include "config/kinds.def"
};

static bool read_word(const struct schema_row *row, const char *text, void *field, struct text *why)
{
    unsigned value = 0;
    if (!schema_word_find(row->choice, bytes_text(text), &value)) {
        text_append_string(why, "is none of the words known here: write ");
        schema_words_describe(row->choice, why);
        return false;
    }
    memcpy(field, &value, sizeof value);
    return true;
}

void value_clear(const struct schema_row *row, void *field)
{
    static const char nothing[] = "";
    const struct schema_kind_facts *facts = schema_kind_facts(row->kind);
    const char *text = nothing;
    bool is_word = row->shape == SHAPE_CHOSEN || row->shape == SHAPE_CHOSEN_SET;
    memset(field, 0, is_word ? sizeof(unsigned) : facts->size);
    if (!is_word && facts->is_text)
        memcpy(field, &text, sizeof text);
}

static void describe_form(const struct schema_row *row, struct text *why)
{
    const struct schema_kind_facts *facts = schema_kind_facts(row->kind);
    bool has_vowel = strchr("aeiou", facts->noun[0]) != NULL;
    text_append_format(why, "is not %s %s: write %s, such as %s", has_vowel ? "an" : "a", facts->noun,
                       facts->form, schema_sample(row));
}

static void describe_bounds(const struct schema_row *row, struct text *why)
{
    const struct schema_kind_facts *facts = schema_kind_facts(row->kind);
    text_append_format(why, "is out of bounds: %s to %s%s are right", row->smallest, row->largest,
                       facts->measure);
}

bool value_read(const struct schema_row *row, const char *text, void *field, struct text *why)
{
    value_clear(row, field);
    if (row->shape == SHAPE_CHOSEN)
        return read_word(row, text, field, why);
    enum value_result result = readers[row->kind](row, text, field, why);
    if (result == VALUE_HAS_WRONG_FORM)
        describe_form(row, why);
    if (result == VALUE_OUT_OF_BOUNDS)
        describe_bounds(row, why);
    if (result != VALUE_READ)
        value_clear(row, field);
    return result == VALUE_READ;
}

bool value_is_within(const struct schema_row *row, uint64_t value, bool (*read)(const char *, uint64_t *))
{
    uint64_t smallest = 0;
    uint64_t largest = 0;
    return read(row->smallest, &smallest) && read(row->largest, &largest) && value >= smallest &&
           value <= largest;
}

/* The bounds of a list count its entries, not their bytes. */
static enum value_result check_entry(const char *text, struct text *why)
{
    size_t size = strlen(text);
    if (size > 0 && size <= ENTRY_TEXT_MOST)
        return VALUE_READ;
    text_append_format(why, "has %zu bytes: 1 to %d are right", size, ENTRY_TEXT_MOST);
    return VALUE_REFUSED;
}

enum value_result value_read_text(const struct schema_row *row, const char *text, void *field,
                                  struct text *why)
{
    memcpy(field, &text, sizeof text);
    if (row->shape == SHAPE_VALUES)
        return check_entry(text, why);
    return value_is_within(row, strlen(text), value_read_digits) ? VALUE_READ : VALUE_OUT_OF_BOUNDS;
}

/* YAML has been read with many more words than these two, and no two readers agree on them. */
enum value_result value_read_boolean(const struct schema_row *row, const char *text, void *field,
                                     struct text *why)
{
    static const struct {
        const char *said;
        const char *meant;
    } sayings[] = {
        { "true", "true" },   { "yes", "true" }, { "on", "true" },   { "1", "true" },
        { "false", "false" }, { "no", "false" }, { "off", "false" }, { "0", "false" },
    };
    (void)row;
    *(bool *)field = strcmp(text, "true") == 0;
    if (*(bool *)field || strcmp(text, "false") == 0)
        return VALUE_READ;
    for (size_t i = 0; i < COUNT_OF(sayings); i++) {
        if (strcasecmp(text, sayings[i].said) != 0)
            continue;
        text_append_format(why, "is not a boolean here: write %s", sayings[i].meant);
        return VALUE_REFUSED;
    }
    return VALUE_HAS_WRONG_FORM;
}

static bool is_letter_or_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool is_made_of(const char *text, const char *others)
{
    if (!is_letter_or_digit(text[0]))
        return false;
    while (is_letter_or_digit(*text) || (*text != '\0' && strchr(others, *text) != NULL))
        text++;
    return *text == '\0';
}

enum value_result value_read_name(const struct schema_row *row, const char *text, void *field,
                                  struct text *why)
{
    return is_made_of(text, "._-") ? value_read_text(row, text, field, why) : VALUE_HAS_WRONG_FORM;
}

/* Names of the time zone database become paths of files: none may lead out of it. */
enum value_result value_read_timezone(const struct schema_row *row, const char *text, void *field,
                                      struct text *why)
{
    return is_made_of(text, "_+-/") ? value_read_text(row, text, field, why) : VALUE_HAS_WRONG_FORM;
}

static bool is_sqlstate(const char *text)
{
    size_t size = 0;
    while ((text[size] >= '0' && text[size] <= '9') || (text[size] >= 'A' && text[size] <= 'Z'))
        size++;
    return size == 5 && text[size] == '\0';
}

/* What a client would take the class for; PostgreSQL's manual, "PostgreSQL Error Codes". */
static const char *sqlstate_danger(const char *code)
{
    static const struct {
        char class[3];
        const char *danger;
    } classes[] = {
        { "08", "clients would take it for a broken connection" },
        { "0A", "connection pools would close the connection" },
        { "25", "clients would take it for a state of the transaction or a standby" },
        { "26", "drivers would prepare the statement anew and repeat it" },
        { "40", "clients would repeat the transaction" },
        { "53", "clients would wait and try again" },
        { "55", "clients would wait and try again" },
        { "57", "clients would take it for a time-out or a shutdown" },
        { "P0", "it is PL/pgSQL's own class" },
        { "XX", "it stands for a defect of the server" },
        { "JZ", "connection pools would close the connection" },
    };
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (memcmp(code, classes[i].class, 2) == 0)
            return classes[i].danger;
    }
    return code[0] >= 'I' ? NULL : "it has a meaning of its own in the SQL standard or in PostgreSQL";
}

/* `known` are the codes that are right although they are PostgreSQL's own. */
static enum value_result read_code(const char *text, void *field, bool is_known, const char *known,
                                   struct text *why)
{
    const char *danger =
        is_sqlstate(text) ? sqlstate_danger(text) : "it is not five digits or capital letters";
    memcpy(field, &text, sizeof text);
    if (danger == NULL || is_known)
        return VALUE_READ;
    text_append_format(why,
                       "is not a code for refusals (%s): write %s, or a code of your own that begins "
                       "with a letter from I to Z other than P0, XX and JZ, such as MW001",
                       danger, known);
    return VALUE_REFUSED;
}

enum value_result value_read_sqlstate(const struct schema_row *row, const char *text, void *field,
                                      struct text *why)
{
    (void)row;
    return read_code(text, field, strcmp(text, "42501") == 0, "42501", why);
}

/* What a server says itself where nothing may be written: the operator's word that it is meant. */
enum value_result value_read_readonly_sqlstate(const struct schema_row *row, const char *text, void *field,
                                               struct text *why)
{
    bool is_known = strcmp(text, "42501") == 0 || strcmp(text, "25006") == 0;
    (void)row;
    return read_code(text, field, is_known, "42501, 25006", why);
}
