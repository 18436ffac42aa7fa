/* SPDX-License-Identifier: PostgreSQL */
#include "config/schema.h"
#include "config/settings.h"

enum { LINE_SIZE = 512, INDENT = 2, COMMENT_COLUMN = 44, NEVER = -1 };

/* How far the writing is indented. */
struct sample {
    struct buffer *out;
    int indent;
    int commented_from; /* the column from which on lines are commented out, or NEVER */
    bool begins_entry;  /* the next line is the first of an entry of a list */
};

static void write_group(struct sample *sample, enum schema_group group);

static bool is_plain(const char *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
    return strspn(value, allowed) == strlen(value) && value[0] != '-' && value[0] != '.' && value[0] != '\0';
}

/* In an example, what stands in place of other settings is commented out once more. */
static const char *mark_of(const struct sample *sample, const struct schema_row *row)
{
    if (sample->begins_entry)
        return "- ";
    return row->is_instead && sample->commented_from != NEVER && sample->commented_from < sample->indent
               ? "# "
               : "";
}

static void begin_line(struct sample *sample, const struct schema_row *row, struct text *line)
{
    int blanks = sample->indent - (sample->begins_entry ? INDENT : 0);
    if (sample->commented_from == NEVER)
        text_append_format(line, "%*s", blanks, "");
    else
        text_append_format(line, "%*s# %*s", sample->commented_from, "", blanks - sample->commented_from, "");
    text_append_string(line, mark_of(sample, row));
    sample->begins_entry = false;
}

static void append_value(struct text *line, const struct schema_row *row)
{
    const char *value = schema_sample(row);
    const char *quote = is_plain(value) ? "" : "\"";
    bool is_list = row->shape == SHAPE_VALUES || row->shape == SHAPE_CHOSEN_SET;
    if (row->shape == SHAPE_CHOSEN_SET)
        quote = "";
    text_append_format(line, " %s%s%s%s%s", is_list ? "[" : "", quote, value, quote, is_list ? "]" : "");
}

static void write_line(struct sample *sample, const struct schema_row *row)
{
    char storage[LINE_SIZE];
    struct text line;
    text_init(&line, storage, sizeof storage);
    begin_line(sample, row, &line);
    text_append_format(&line, "%s:", row->name);
    if (row->shape != SHAPE_SECTION && row->shape != SHAPE_LIST)
        append_value(&line, row);
    int padding = line.size < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - line.size) : 1;
    text_append_format(&line, "%*s# %s\n", padding, "", row->about);
    buffer_append(sample->out, text_bytes(&line));
}

static void write_inner(struct sample *sample, const struct schema_row *row)
{
    int deeper = row->shape == SHAPE_LIST ? 2 * INDENT : INDENT;
    sample->begins_entry = row->shape == SHAPE_LIST;
    sample->indent += deeper;
    write_group(sample, row->inner);
    sample->indent -= deeper;
}

/* What the file may do without and what has no default is an example only. */
static bool is_example(const struct schema_row *row)
{
    return row->shape != SHAPE_SECTION && row->standard != NULL && row->standard[0] == '\0';
}

static void write_row(struct sample *sample, const struct schema_row *row)
{
    int commented_from = sample->commented_from;
    if (commented_from == NEVER && is_example(row))
        sample->commented_from = sample->indent;
    write_line(sample, row);
    if (row->shape == SHAPE_SECTION || row->shape == SHAPE_LIST)
        write_inner(sample, row);
    sample->commented_from = commented_from;
}

static void write_group(struct sample *sample, enum schema_group group)
{
    for (const struct schema_row *row = schema_first(group); row != NULL; row = schema_next(row)) {
        if (sample->indent == 0)
            buffer_append(sample->out, bytes_text("\n"));
        write_row(sample, row);
    }
}

void settings_write_sample(struct buffer *out)
{
    struct sample sample = { .out = out, .commented_from = NEVER };
    buffer_append(
        out, bytes_text("# SPDX-License-Identifier: PostgreSQL\n"
                        "# Every setting of pgsluice with its default. Only listen and upstreams are "
                        "required; what is commented\n"
                        "# out is an example. pgsluice check --config FILE says what is wrong in a file.\n"));
    write_group(&sample, GROUP_settings);
}
