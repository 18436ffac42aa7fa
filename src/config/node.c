/* SPDX-License-Identifier: PostgreSQL */
#include "config/node.h"

#include "base/utf8.h"

#include <yaml.h>

/* The settings need five levels; what is deeper is a mistake, and costs nothing. */
enum { DEEPEST = 12 };

struct node_reader {
    const char *file;
    struct bytes text;
    struct store *store;
    struct problems *problems;
    struct node *root;
    struct node *open[DEEPEST]; /* the lists and mappings that are not yet closed */
    size_t depth;
    unsigned documents;
    bool has_failed;
};

static void fail(struct node_reader *reader, const yaml_mark_t *mark, const char *what)
{
    reader->has_failed = true;
    problems_add(reader->problems, reader->file, (unsigned)mark->line + 1, (unsigned)mark->column + 1, "%s",
                 what);
}

/* What the YAML library says, in the words of somebody who has to mend the file. */
static const char *translate(const char *said)
{
    static const struct {
        const char *said;
        const char *meant;
    } sayings[] = {
        { "mapping values are not allowed in this context",
          "a colon has no place here: indent this line as its neighbours are, or put a value that has a "
          "colon "
          "and a blank into quotes" },
        { "did not find expected key", "here must stand a setting: check how far this line is indented and "
                                       "the quotes and brackets before it" },
        { "did not find expected '-' indicator",
          "here must stand another entry of the list, with -: check how far this line is indented" },
        { "could not find expected ':'",
          "a setting is written as \"name: value\", with a colon and a blank" },
        { "did not find expected ',' or '}'",
          "the braces need a comma or } here: put a value that has brackets, commas or colons into quotes" },
        { "did not find expected ',' or ']'", "the brackets need a comma or ] here: put a value that has "
                                              "brackets, commas or colons into quotes" },
        { "found character that cannot start any token",
          "no value can begin with this character: put the value into quotes" },
        { "found unexpected end of stream", "the file ends inside a value: a quote is missing" },
        { "did not find expected alphabetic or numeric character",
          "a value that begins with * or & must stand in quotes" },
        { "did not find expected node content",
          "a value is missing before this: put a value that has brackets, braces or commas into quotes" },
        { "found unknown escape character",
          "this is no escape of a value in double quotes: write \\\\ for a backslash or use single quotes" },
    };
    for (size_t i = 0; i < COUNT_OF(sayings); i++) {
        if (strcmp(said, sayings[i].said) == 0)
            return sayings[i].meant;
    }
    return said;
}

/* The library's marks count characters. */
static bool is_tab_at(struct bytes text, size_t index)
{
    uint32_t code_point = 0;
    for (; text.size > 0 && index > 0; index--)
        (void)bytes_take(&text, utf8_decode(text, &code_point));
    return text.size > 0 && text.data[0] == '\t';
}

static void fail_to_parse(struct node_reader *reader, const yaml_parser_t *parser)
{
    const yaml_mark_t *mark = &parser->problem_mark;
    const char *said = parser->problem != NULL ? translate(parser->problem) : "memory is short";
    if (parser->problem != NULL && is_tab_at(reader->text, mark->index))
        said = "a tab has no place here: indent with blanks only";
    fail(reader, mark, said);
}

static bool is_nothing(const char *text, yaml_scalar_style_t style)
{
    return style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static void append(struct node_reader *reader, struct node *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return;
    }
    struct node *parent = reader->open[reader->depth - 1];
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
}

static struct node *add_node(struct node_reader *reader, enum node_kind kind, const yaml_mark_t *mark)
{
    struct node *node = store_take(reader->store, sizeof *node);
    if (node == NULL) {
        fail(reader, mark, "memory is short");
        return NULL;
    }
    node->kind = kind;
    node->line = (unsigned)mark->line + 1;
    node->column = (unsigned)mark->column + 1;
    append(reader, node);
    return node;
}

static bool has_control(struct bytes text)
{
    uint32_t code_point = 0;
    while (text.size > 0) {
        size_t size = utf8_decode(text, &code_point);
        if (size == 0 || utf8_is_control(code_point))
            return true;
        (void)bytes_take(&text, size);
    }
    return false;
}

static void add_scalar(struct node_reader *reader, const yaml_event_t *event)
{
    struct bytes text = bytes_of(event->data.scalar.value, event->data.scalar.length);
    if (has_control(text)) {
        fail(reader, &event->start_mark, "a value must be one line of text without control characters");
        return;
    }
    struct node *node = add_node(reader, NODE_SCALAR, &event->start_mark);
    if (node == NULL)
        return;
    node->text = store_copy(reader->store, text);
    if (node->text == NULL)
        fail(reader, &event->start_mark, "memory is short");
    else
        node->is_nothing = is_nothing(node->text, event->data.scalar.style);
}

static void open_node(struct node_reader *reader, enum node_kind kind, const yaml_mark_t *mark)
{
    if (reader->depth == DEEPEST) {
        fail(reader, mark, "this is nested too deeply: no setting lies that deep");
        return;
    }
    struct node *node = add_node(reader, kind, mark);
    if (node != NULL)
        reader->open[reader->depth++] = node;
}

/* Anchors and aliases could make a small file large, tags could change what a value is; settings need
 * neither. */
static const char *refusal_of(const yaml_event_t *event)
{
    static const char anchor[] =
        "anchors (&) are not used here: write the value itself, in quotes when it begins "
        "with &";
    static const char tag[] =
        "tags (!) are not used here: write the value itself, in quotes when it begins with !";
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "aliases (*) are not used here: write the value itself, in quotes when it begins with *";
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor != NULL)
            return anchor;
        return event->data.scalar.tag != NULL ? tag : NULL;
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor != NULL)
            return anchor;
        return event->data.sequence_start.tag != NULL ? tag : NULL;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor != NULL)
            return anchor;
        return event->data.mapping_start.tag != NULL ? tag : NULL;
    default:
        return NULL;
    }
}

static void take_event(struct node_reader *reader, const yaml_event_t *event)
{
    const char *refusal = refusal_of(event);
    if (refusal != NULL) {
        fail(reader, &event->start_mark, refusal);
        return;
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++ > 0)
            fail(reader, &event->start_mark,
                 "a second document begins here: settings are one, without --- or ...");
        break;
    case YAML_SCALAR_EVENT:
        add_scalar(reader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_node(reader, NODE_LIST, &event->start_mark);
        break;
    case YAML_MAPPING_START_EVENT:
        open_node(reader, NODE_MAPPING, &event->start_mark);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        break;
    default:
        break;
    }
}

static void take_events(struct node_reader *reader, yaml_parser_t *parser)
{
    bool is_at_end = false;
    while (!reader->has_failed && !is_at_end) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            fail_to_parse(reader, parser);
            return;
        }
        is_at_end = event.type == YAML_STREAM_END_EVENT;
        take_event(reader, &event);
        yaml_event_delete(&event);
    }
}

struct node *node_read(const char *file, struct bytes text, struct store *store, struct problems *problems)
{
    if (bytes_start_with(text, "\xef\xbb\xbf")) /* the byte order mark that some editors write */
        (void)bytes_take(&text, 3);
    struct node_reader reader = { .file = file, .text = text, .store = store, .problems = problems };
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        problems_add(problems, file, 0, 0, "memory is short");
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.size > 0 ? text.data : (const uint8_t *)"", text.size);
    take_events(&reader, &parser);
    yaml_parser_delete(&parser);
    if (!reader.has_failed && reader.root == NULL)
        problems_add(problems, file, 1, 1, "the file is empty: it needs at least listen and upstreams");
    return reader.has_failed ? NULL : reader.root;
}
