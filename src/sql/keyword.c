/* SPDX-License-Identifier: PostgreSQL */
#include "sql/keyword.h"

#include "base/attributes.h"
#include "sql/byte_block.h"

struct keyword {
    const char *word;
    enum statement_class class;
};

static const struct keyword keywords[] = {
#define KEYWORD(word, class) { word, CLASS_##class },
#include "sql/keywords.def"
#undef KEYWORD
};

struct other_keyword {
    const char *word;
    uint16_t classes;
};

static const struct other_keyword others[] = {
    { "insert", 1u << CLASS_WRITE }, { "update", 1u << CLASS_WRITE },      { "delete", 1u << CLASS_WRITE },
    { "merge", 1u << CLASS_WRITE },  { "copy", 1u << CLASS_COPY_PROGRAM }, { "lock", 1u << CLASS_LOCK },
};

/* Words of a procedural language behind which a statement may begin. */
static const char *const openers[] = { "begin", "then", "else", "loop", "do", "execute" };
/* And those behind which a query may: the loop's or the cursor's. */
static const char *const query_openers[] = { "in", "for", "is" };

/* Most words differ in their first letter. `word` is not empty. */
static inline bool is_same(struct bytes word, const char *text)
{
    return word.data[0] == (uint8_t)text[0] && bytes_equal_text(word, text);
}

enum statement_class keyword_class(struct bytes word)
{
    if (word.size < KEYWORD_SIZE_LEAST || word.size > KEYWORD_SIZE_MOST ||
        !keyword_may_be((const char *)word.data, word.size))
        return CLASS_NONE;
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (is_same(word, keywords[i].word))
            return keywords[i].class;
    }
    return CLASS_NONE;
}

uint16_t keyword_other_classes(struct bytes word)
{
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (is_same(word, others[i].word))
            return others[i].classes;
    }
    return 0;
}

static enum statement_class riskier(enum statement_class a, enum statement_class b)
{
    return class_is_riskier(b, LEVEL_MODIFYING, a, LEVEL_MODIFYING) ? b : a;
}

void keyword_scan_begin(struct keyword_scan *scan)
{
    *scan = (struct keyword_scan){
        .anywhere = CLASS_NONE, .at_start = CLASS_NONE, .place = KEYWORD_STATEMENT, .opens = true
    };
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte >= 0x80;
}

static bool is_one_of(struct bytes word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_same(word, words[i]))
            return true;
    }
    return false;
}

static enum keyword_place place_behind(struct bytes word)
{
    if (is_one_of(word, openers, COUNT_OF(openers)))
        return KEYWORD_STATEMENT;
    return is_one_of(word, query_openers, COUNT_OF(query_openers)) ? KEYWORD_QUERY : KEYWORD_INSIDE;
}

/* INTO in a wrapper makes a table, but for that of INSERT and MERGE where these cannot be labels. */
static bool wraps_into(const struct keyword_scan *scan)
{
    const struct keyword_wrapper *wrapper = &scan->wrapper;
    bool is_change = scan->was_insert && scan->was_at_start;
    return (wrapper->is_wrapped && !is_change) || (wrapper->is_foreign && !scan->was_insert);
}

/* Rules most words out by their first letter. */
static bool may_matter(const struct keyword_scan *scan)
{
    static const uint32_t letters =
        1u << ('b' - 'a') | 1u << ('c' - 'a') | 1u << ('d' - 'a') | 1u << ('e' - 'a') | 1u << ('f' - 'a') |
        1u << ('i' - 'a') | 1u << ('l' - 'a') | 1u << ('m' - 'a') | 1u << ('s' - 'a') | 1u << ('t' - 'a') |
        1u << ('u' - 'a'); /* of the openers, INTO, SELECT and the others */
    if (scan->size > KEYWORD_SIZE_MOST)
        return false;
    unsigned letter = (unsigned)(uint8_t)scan->word[0] - 'a';
    return (letter < 26 && (letters >> letter & 1) != 0) || keyword_may_be(scan->word, scan->size);
}

/* What an INTO says depends on the word before it: what that was is kept for the next one. */
static void note_into(struct keyword_scan *scan, struct bytes word, bool opens, bool is_at_start)
{
    if (is_same(word, "into")) {
        scan->has_into |= !(scan->was_insert && scan->opened_insert);
        scan->selects_into |= !scan->was_insert;
        scan->wraps_into |= wraps_into(scan);
    }
    scan->was_insert = is_same(word, "insert") || is_same(word, "merge");
    scan->opened_insert = opens;
    scan->was_at_start = is_at_start;
}

static void note_class(struct keyword_scan *scan, struct bytes word, enum keyword_place place)
{
    enum statement_class class = keyword_class(word);
    scan->others |= keyword_other_classes(word);
    scan->anywhere = riskier(scan->anywhere, class);
    if (place == KEYWORD_STATEMENT || scan->wrapper.is_wrapped || scan->wrapper.is_foreign)
        scan->at_start = riskier(scan->at_start, class);
}

static void end_word(struct keyword_scan *scan)
{
    struct bytes word = { (const uint8_t *)scan->word, scan->size };
    struct keyword_wrapper *wrapper = &scan->wrapper;
    enum keyword_place place = scan->place;
    bool opens = scan->opens && !wrapper->has_comment;
    bool is_at_start = wrapper->is_start;
    scan->place = KEYWORD_INSIDE;
    scan->opens = false;
    keyword_wrapper_take_word(wrapper, word, place == KEYWORD_STATEMENT, place != KEYWORD_INSIDE);
    if (!may_matter(scan)) {
        scan->was_insert = false;
        return;
    }
    scan->place = place_behind(word);
    bool may_be_column = wrapper->is_wrapped && wrapper->begins_string;
    wrapper->is_start |= scan->place == KEYWORD_STATEMENT && !may_be_column;
    scan->has_select |= is_same(word, "select");
    note_into(scan, word, opens, is_at_start);
    note_class(scan, word, place);
}

/* Quotes and line ends count as starts, since what is in a string may be run and a comment may stand before.
 */
static bool is_start(uint8_t byte)
{
    switch (byte) {
    case ';':
    case '\'':
    case '$':
    case '\n':
    case '\r':
    case '(':
        return true;
    default:
        return false;
    }
}

/* Whether the next word is surely the first of a statement, or of one in parentheses. A mark in a comment may
 * have a line's end behind it and then what does not begin there. */
static void note_opening(struct keyword_scan *scan, uint8_t byte)
{
    scan->opens = byte == ';' || byte == '(' || (scan->opens && keyword_is_blank(byte));
}

static void take_other(struct keyword_scan *scan, uint8_t byte)
{
    bool ends_comment = byte == '/' && scan->last == '*';
    bool ends_label = byte == '>' && scan->last == '>';
    note_opening(scan, byte);
    keyword_wrapper_take_byte(&scan->wrapper, byte, scan->last);
    scan->was_insert &= keyword_is_blank(byte);
    if (ends_comment || ends_label || is_start(byte))
        scan->place = KEYWORD_STATEMENT;
    else if (!keyword_is_blank(byte))
        scan->place = KEYWORD_INSIDE;
}

static size_t count_word(struct bytes bytes)
{
    size_t size = 0;
    size_t run = BYTE_BLOCK_SIZE;
    while (run == BYTE_BLOCK_SIZE && bytes.size - size >= BYTE_BLOCK_SIZE) {
        struct byte_block block = byte_block_load(bytes.data + size);
        run = byte_block_run(byte_block_words(block) & ~byte_block_equal(block, '$'));
        size += run;
    }
    while (size < bytes.size && is_word_byte(bytes.data[size]))
        size++;
    return size;
}

static void take_word(struct keyword_scan *scan, struct bytes word)
{
    for (size_t i = 0; i < word.size && scan->size <= KEYWORD_SIZE_MOST; i++) {
        uint8_t byte = word.data[i];
        if (scan->size < KEYWORD_SIZE_MOST)
            scan->word[scan->size] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
        scan->size++;
    }
    scan->last = word.data[word.size - 1];
}

static void end_open_word(struct keyword_scan *scan)
{
    if (scan->size > 0)
        end_word(scan);
    scan->size = 0;
}

void keyword_scan_feed(struct keyword_scan *scan, struct bytes bytes)
{
    while (bytes.size > 0) {
        uint8_t byte = bytes.data[0];
        if (is_word_byte(byte)) {
            take_word(scan, bytes_take(&bytes, count_word(bytes)));
            continue;
        }
        end_open_word(scan);
        take_other(scan, byte);
        scan->last = byte;
        bytes_take(&bytes, 1);
    }
}

void keyword_scan_end(struct keyword_scan *scan)
{
    end_open_word(scan);
    if (!scan->wrapper.is_foreign_body_past)
        return;
    scan->at_start = scan->anywhere;
    scan->wraps_into |= scan->selects_into;
}
