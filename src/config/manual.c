/* SPDX-License-Identifier: PostgreSQL */
#include "config/schema.h"
#include "config/settings.h"

enum { LINE_SIZE = 1024, PATH_SIZE = 128 };

static void write_group(struct buffer *out, enum schema_group group, struct text *path);

static void append_bounds(struct text *line, const struct schema_row *row, const char *measure)
{
    if (row->largest[0] != '\0')
        text_append_format(line, ", %s to %s%s", row->smallest, row->largest, measure);
}

static void append_type(struct text *line, const struct schema_row *row)
{
    const struct schema_kind_facts *facts = schema_kind_facts(row->kind);
    switch (row->shape) {
    case SHAPE_VALUE:
        text_append_string(line, facts->noun);
        append_bounds(line, row, facts->measure);
        break;
    case SHAPE_VALUES:
        text_append_format(line, "%s (list", facts->noun);
        append_bounds(line, row, " entries");
        text_append_string(line, ")");
        break;
    case SHAPE_CHOSEN_SET:
        schema_words_describe(row->choice, line);
        text_append_string(line, " (list)");
        break;
    case SHAPE_CHOSEN:
        schema_words_describe(row->choice, line);
        break;
    case SHAPE_LIST:
        text_append_string(line, "list");
        append_bounds(line, row, " entries");
        break;
    case SHAPE_SECTION:
        text_append_string(line, "section");
        break;
    }
}

static void append_standard(struct text *line, const struct schema_row *row)
{
    if (row->standard == NULL)
        text_append_string(line, "**required**");
    else if (row->shape == SHAPE_CHOSEN_SET)
        text_append_format(line, "`[%s]`", row->standard);
    else if (row->standard[0] != '\0')
        text_append_format(line, "`%s`", row->standard);
}

static void write_row(struct buffer *out, const struct schema_row *row, struct text *path)
{
    char storage[LINE_SIZE];
    struct text line;
    text_init(&line, storage, sizeof storage);
    text_append_format(&line, "| `%s%s` | ", path->data, row->name);
    append_type(&line, row);
    text_append_string(&line, " | ");
    append_standard(&line, row);
    text_append_format(&line, " | %s |\n", row->about);
    buffer_append(out, text_bytes(&line));
    size_t size = path->size;
    if (row->shape != SHAPE_SECTION && row->shape != SHAPE_LIST)
        return;
    text_append_format(path, "%s%s.", row->name, row->shape == SHAPE_LIST ? "[]" : "");
    write_group(out, row->inner, path);
    path->size = size;
    path->data[size] = '\0';
}

static void write_group(struct buffer *out, enum schema_group group, struct text *path)
{
    for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row))
        write_row(out, row, path);
}

void settings_write_manual(struct buffer *out)
{
    char storage[PATH_SIZE];
    struct text path;
    text_init(&path, storage, sizeof storage);
    buffer_append(
        out,
        bytes_text("# Settings\n\n"
                   "One YAML file holds them all; `conf/pgsluice.yaml` shows each with its default. "
                   "Values are written as\n"
                   "`15s` (durations: `ms`, `s`, `m`, `h`, `d`), `64KiB` (sizes: `B`, `KiB`, `MiB`, "
                   "`GiB`), `\"02:00\"` (times of day),\n"
                   "`true` or `false` (booleans). A file that is named by a relative path (certificates, "
                   "keys) is looked for in\n"
                   "the folder of the settings.\n"
                   "`pgsluice check --config FILE` names everything that is wrong in a file, with its "
                   "line and column.\n\n"
                   "| setting | type | default | meaning |\n"
                   "|---|---|---|---|\n"));
    write_group(out, GROUP_settings, &path);
}
