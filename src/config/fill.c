/* SPDX-License-Identifier: PostgreSQL */
#include "config/fill.h"

#include "config/schema.h"
#include "config/value.h"

enum { PATH_SIZE = 256, WHY_SIZE = 384, SHOWN_SIZE = 80, SHOWN_MOST = 60 };

/* Where the reading stands. */
struct fill {
    struct origins *origins;
    struct problems *problems;
    const struct node *around; /* what holds the setting: the place of what is missing in it */
    bool is_around_wrong;      /* it is no mapping, so everything is missing in it */
    struct text path;
    char path_storage[PATH_SIZE];
};

/* The layout of every list in struct settings. */
struct items {
    void *items;
    size_t count;
};

static void fill_group(struct fill *fill, enum schema_group group, const struct node *node, void *target);

PRINTF_LIKE(3, 4)
static void fault(struct fill *fill, const struct node *node, const char *format, ...)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    if (fill->path.size > 0)
        text_append_format(&text, "%s: ", fill->path.data);
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    problems_add(fill->problems, fill->origins->file, node->line, node->column, "%s", storage);
}

/* Cuts the path back to a length that it had. */
static void leave(struct fill *fill, size_t size)
{
    fill->path.size = size;
    fill->path.data[size] = '\0';
}

static size_t enter(struct fill *fill, const char *name)
{
    size_t size = fill->path.size;
    text_append_format(&fill->path, "%s%s", size > 0 ? "." : "", name);
    return size;
}

static size_t enter_entry(struct fill *fill, size_t index)
{
    size_t size = fill->path.size;
    text_append_format(&fill->path, "[%zu]", index);
    return size;
}

/* Notes where the value at the path comes from; node NULL: from the table. */
static void note(struct fill *fill, const struct schema_row *row, const struct node *node, const char *value)
{
    struct origin origin = { .path = fill->path.data, .value = value, .standard = "", .about = "" };
    if (row != NULL) {
        origin.standard = row->standard != NULL ? row->standard : "";
        origin.about = row->about;
    }
    if (node != NULL) {
        origin.line = node->line;
        origin.column = node->column;
    }
    origins_add(fill->origins, &origin);
}

/* A default is known to everybody. */
static const char *value_shown(const struct schema_row *row, const char *value)
{
    bool is_known = value[0] == '\0' || (row->standard != NULL && strcmp(value, row->standard) == 0);
    return row->kind == KIND_SECRET && !is_known ? "(set)" : value;
}

static void fault_missing(struct fill *fill, const struct schema_row *row)
{
    const char *sample = schema_sample(row);
    if (fill->is_around_wrong)
        return;
    if (sample[0] != '\0')
        fault(fill, fill->around, "is missing (%s): write it, such as %s: \"%s\"", row->about, row->name,
              sample);
    else
        fault(fill, fill->around, "is missing (%s): it needs at least one entry", row->about);
}

/* A value that is wrong is shown, but for secrets, as far as a line has room. */
static void fault_value(struct fill *fill, const struct schema_row *row, const struct node *node,
                        const char *why)
{
    char storage[SHOWN_SIZE];
    struct text shown;
    struct bytes value = bytes_text(node->text);
    if (row->kind == KIND_SECRET) {
        fault(fill, node, "%s", why);
        return;
    }
    text_init(&shown, storage, value.size > SHOWN_MOST ? SHOWN_MOST : sizeof storage);
    text_append_printable(&shown, value);
    fault(fill, node, "\"%s%s\" %s", storage, shown.is_truncated ? "..." : "", why);
}

static bool is_scalar(struct fill *fill, const struct schema_row *row, const struct node *node)
{
    const char *sample = schema_sample(row);
    if (node->kind != NODE_SCALAR)
        fault(fill, node, "must be a single value, such as \"%s\"", sample);
    else if (node->is_nothing)
        fault(fill, node, "has no value: write one, such as \"%s\"%s", sample,
              row->standard != NULL ? ", or leave the setting out" : "");
    return node->kind == NODE_SCALAR && !node->is_nothing;
}

static void fill_given(struct fill *fill, const struct schema_row *row, const struct node *node, void *field)
{
    char storage[WHY_SIZE];
    struct text why;
    text_init(&why, storage, sizeof storage);
    value_clear(row, field);
    bool is_one = is_scalar(fill, row, node);
    note(fill, row, node, is_one ? value_shown(row, node->text) : "");
    if (is_one && !value_read(row, node->text, field, &why))
        fault_value(fill, row, node, storage);
    else if (is_one && row->kind == KIND_FILE)
        *(const char **)field = origins_resolve(fill->origins, node->text);
}

static void fill_standard(struct fill *fill, const struct schema_row *row, void *field)
{
    char storage[WHY_SIZE];
    struct text why;
    text_init(&why, storage, sizeof storage);
    value_clear(row, field);
    if (row->standard == NULL) {
        fault_missing(fill, row);
        return;
    }
    note(fill, row, NULL, row->standard);
    /* A test reads every default of the table. */
    if (row->standard[0] != '\0' && !value_read(row, row->standard, field, &why))
        fault(fill, fill->around, "has a default that %s", storage);
    else if (row->standard[0] != '\0' && row->kind == KIND_FILE)
        *(const char **)field = origins_resolve(fill->origins, row->standard);
}

static void fill_value(struct fill *fill, const struct schema_row *row, const struct node *node, void *field)
{
    if (node != NULL)
        fill_given(fill, row, node, field);
    else
        fill_standard(fill, row, field);
}

static void fill_word(struct fill *fill, const struct schema_row *row, const struct node *node,
                      unsigned *bits)
{
    char storage[WHY_SIZE];
    struct text why;
    unsigned value = 0;
    if (!is_scalar(fill, row, node))
        return;
    if (!schema_word_find(row->choice, bytes_text(node->text), &value)) {
        text_init(&why, storage, sizeof storage);
        text_append_string(&why, "is none of the words known here: write ");
        schema_words_describe(row->choice, &why);
        fault_value(fill, row, node, storage);
        return;
    }
    if ((*bits & 1U << value) != 0)
        fault_value(fill, row, node, "stands here twice: take one of them out");
    *bits |= 1U << value;
}

/* The words of a default, separated by ", ". */
static void fill_standard_words(const struct schema_row *row, unsigned *bits)
{
    struct bytes rest = bytes_text(row->standard);
    while (rest.size > 0) {
        unsigned value = 0;
        if (schema_word_find(row->choice, bytes_take(&rest, bytes_find(rest, ',')), &value))
            *bits |= 1U << value;
        (void)bytes_take(&rest, rest.size < 2 ? rest.size : 2);
    }
}

/* The words of a list as SHOW SETTINGS has them. */
static const char *words_shown(struct fill *fill, const struct node *list)
{
    char storage[WHY_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    for (const struct node *word = list->first; word != NULL; word = word->next) {
        if (word->kind == NODE_SCALAR)
            text_append_format(&text, "%s%s", text.size > 0 ? ", " : "", word->text);
    }
    const char *kept = store_copy(fill->origins->store, text_bytes(&text));
    return kept != NULL ? kept : "";
}

static void fill_words(struct fill *fill, const struct schema_row *row, const struct node *node, void *field)
{
    unsigned bits = 0;
    if (node == NULL) {
        note(fill, row, NULL, row->standard);
        fill_standard_words(row, &bits);
    } else if (node->kind != NODE_LIST || node->count == 0) {
        fault(fill, node, "must be a list of words, such as %s: [%s]", row->name, row->standard);
    } else {
        note(fill, row, node, words_shown(fill, node));
        for (const struct node *word = node->first; word != NULL; word = word->next)
            fill_word(fill, row, word, &bits);
    }
    memcpy(field, &bits, sizeof bits);
}

static bool count_is_right(struct fill *fill, const struct schema_row *row, const struct node *node)
{
    if (value_is_within(row, node->count, value_read_digits))
        return true;
    if (node->count == 0)
        fault(fill, node, "is empty: it needs at least one entry (%s)", row->about);
    else
        fault(fill, node, "has %zu entries: %s to %s are right", node->count, row->smallest, row->largest);
    return false;
}

static bool is_left_out(const struct node *node)
{
    return node == NULL || (node->kind == NODE_SCALAR && node->is_nothing);
}

static void fault_no_list(struct fill *fill, const struct schema_row *row, const struct node *node)
{
    if (row->shape == SHAPE_VALUES)
        fault(fill, node, "must be a list, such as %s: [\"%s\"]", row->name, row->example);
    else
        fault(fill, node, "must be a list: begin each entry with \"- %s:\"", schema_first(row->inner)->name);
}

/* The entries of a list that are to be read; NULL when there are none or they cannot be. */
static const struct node *list_entries(struct fill *fill, const struct schema_row *row,
                                       const struct node *node)
{
    if (is_left_out(node) || (node->kind == NODE_LIST && node->count == 0))
        note(fill, row, node, "");
    else
        note(fill, row, node, NULL);
    if (is_left_out(node) && row->standard == NULL)
        fault_missing(fill, row);
    if (is_left_out(node))
        return NULL;
    if (node->kind != NODE_LIST) {
        fault_no_list(fill, row, node);
        return NULL;
    }
    return count_is_right(fill, row, node) ? node->first : NULL;
}

static void fill_list(struct fill *fill, const struct schema_row *row, const struct node *node, void *field)
{
    bool is_group = row->shape == SHAPE_LIST;
    size_t size = is_group ? schema_group_size(row->inner) : schema_kind_facts(row->kind)->size;
    const struct node *entry = list_entries(fill, row, node);
    struct items list = { NULL, 0 };
    if (entry != NULL)
        list.items = store_take(fill->origins->store, node->count * size);
    for (; list.items != NULL && entry != NULL; entry = entry->next, list.count++) {
        char *target = (char *)list.items + list.count * size;
        size_t length = enter_entry(fill, list.count);
        if (is_group)
            fill_group(fill, row->inner, entry, target);
        else
            fill_given(fill, row, entry, target);
        leave(fill, length);
    }
    memcpy(field, &list, sizeof list);
}

static void fill_row(struct fill *fill, const struct schema_row *row, const struct node *node, void *target)
{
    char *field = (char *)target + row->offset;
    size_t length = enter(fill, row->name);
    switch (row->shape) {
    case SHAPE_VALUE:
    case SHAPE_CHOSEN:
        fill_value(fill, row, node, field);
        break;
    case SHAPE_CHOSEN_SET:
        fill_words(fill, row, node, field);
        break;
    case SHAPE_VALUES:
    case SHAPE_LIST:
        fill_list(fill, row, node, field);
        break;
    case SHAPE_SECTION:
        fill_group(fill, row->inner, node, field);
        break;
    }
    leave(fill, length);
}

static void describe_names(enum schema_group group, struct text *out)
{
    const char *separator = "";
    for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row)) {
        text_append_format(out, "%s%s", separator, row->name);
        separator = ", ";
    }
}

static void fault_unknown(struct fill *fill, enum schema_group group, const struct node *key)
{
    char storage[WHY_SIZE];
    char shown_storage[SHOWN_MOST];
    struct text text;
    struct text shown;
    const struct schema_row *nearest = schema_nearest(group, key->text);
    text_init(&text, storage, sizeof storage);
    text_init(&shown, shown_storage, sizeof shown_storage);
    text_append_printable(&shown, bytes_text(key->text));
    describe_names(group, &text);
    if (nearest != NULL)
        fault(fill, key, "unknown setting \"%s\"; did you mean \"%s\"?", shown_storage, nearest->name);
    else
        fault(fill, key, "unknown setting \"%s\"; known here are %s", shown_storage, storage);
}

/* Keys that the table does not have, or that stand there twice. */
static void check_keys(struct fill *fill, enum schema_group group, const struct node *mapping)
{
    const struct schema_row *first = schema_first(group);
    uint64_t seen = 0;
    for (const struct node *key = mapping->first; key != NULL; key = key->next->next) {
        if (key->kind != NODE_SCALAR) {
            fault(fill, key, "a setting's name must be a word");
            continue;
        }
        const struct schema_row *row = schema_find(group, key->text);
        uint64_t bit = row != NULL ? (uint64_t)1 << (row - first) : 0;
        if (row == NULL)
            fault_unknown(fill, group, key);
        else if ((seen & bit) != 0)
            fault(fill, key, "\"%s\" stands here twice: take one of them out", row->name);
        seen |= bit;
    }
}

static const struct node *find_value(const struct node *mapping, const char *name)
{
    const struct node *key = mapping != NULL ? mapping->first : NULL;
    while (key != NULL && (key->kind != NODE_SCALAR || strcmp(key->text, name) != 0))
        key = key->next->next;
    return key != NULL ? key->next : NULL;
}

static void fault_no_group(struct fill *fill, enum schema_group group, const struct node *node)
{
    char storage[WHY_SIZE];
    struct text names;
    text_init(&names, storage, sizeof storage);
    describe_names(group, &names);
    fault(fill, node, "must hold settings, each written as \"name: value\"; known here are %s", storage);
}

static void fill_group(struct fill *fill, enum schema_group group, const struct node *node, void *target)
{
    const struct node *around = fill->around;
    const struct node *mapping = node != NULL && node->kind == NODE_MAPPING ? node : NULL;
    bool is_wrong = mapping == NULL && !is_left_out(node);
    note(fill, NULL, node, NULL);
    fill->around = node != NULL ? node : around;
    if (mapping != NULL)
        check_keys(fill, group, mapping);
    if (is_wrong)
        fault_no_group(fill, group, node);
    fill->is_around_wrong = is_wrong;
    for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row))
        fill_row(fill, row, find_value(mapping, row->name), target);
    fill->is_around_wrong = false;
    fill->around = around;
}

void settings_fill(struct settings *settings, const struct node *root, struct origins *origins,
                   struct problems *problems)
{
    struct fill fill = { .origins = origins, .problems = problems, .around = root };
    text_init(&fill.path, fill.path_storage, sizeof fill.path_storage);
    fill_group(&fill, GROUP_settings, root, settings);
}
