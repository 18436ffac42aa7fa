/* SPDX-License-Identifier: PostgreSQL */
#include "sql/keyword.h"

#include "base/attributes.h"

struct keyword {
    const char *word;
    enum statement_class class;
};

static const struct keyword keywords[] = {
#define KEYWORD(word, class) { word, CLASS_##class },
#include "sql/keywords.def"
#undef KEYWORD
};

/* Words of a procedural language behind which a statement may begin. */
static const char *const openers[] = { "begin", "then", "else", "loop", "do", "execute" };

enum statement_class keyword_class(struct bytes word)
{
    if (word.size < KEYWORD_SIZE_LEAST || word.size > KEYWORD_SIZE_MOST ||
        !keyword_may_be((const char *)word.data, word.size))
        return CLASS_NONE;
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (keywords[i].word[0] == (char)word.data[0] && bytes_equal_text(word, keywords[i].word))
            return keywords[i].class;
    }
    return CLASS_NONE;
}

/* From the least to the most: at equal level what cannot be taken back, or is not even known, outweighs. */
enum statement_class class_riskier(enum statement_class a, enum statement_class b)
{
    static const uint8_t ranks[CLASS_COUNT] = {
        [CLASS_NONE] = 0, [CLASS_OPAQUE] = 1,    [CLASS_ADDITIVE] = 2,    [CLASS_MAINTENANCE] = 3,
        [CLASS_DCL] = 4,  [CLASS_MODIFYING] = 5, [CLASS_DESTRUCTIVE] = 6, [CLASS_UNKNOWN] = 7,
    };
    return ranks[b] > ranks[a] ? b : a;
}

void keyword_scan_begin(struct keyword_scan *scan)
{
    *scan = (struct keyword_scan){ .anywhere = CLASS_NONE, .at_start = CLASS_NONE, .is_at_start = true };
}

static bool is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte >= 0x80;
}

static bool is_opener(struct bytes word)
{
    for (size_t i = 0; i < COUNT_OF(openers); i++) {
        if (bytes_equal_text(word, openers[i]))
            return true;
    }
    return false;
}

static void end_word(struct keyword_scan *scan)
{
    struct bytes word = { (const uint8_t *)scan->word, scan->size };
    bool was_at_start = scan->is_at_start;
    scan->is_at_start = false;
    if (word.size == 0 || word.size > KEYWORD_SIZE_MOST)
        return;
    scan->is_at_start = is_opener(word);
    scan->has_into |= bytes_equal_text(word, "into");
    enum statement_class class = keyword_class(word);
    scan->anywhere = class_riskier(scan->anywhere, class);
    if (was_at_start)
        scan->at_start = class_riskier(scan->at_start, class);
}

/* Quotes and line ends count as starts, since what is in a string may be run and a comment may stand before.
 */
static void take_other(struct keyword_scan *scan, uint8_t byte)
{
    bool ends_comment = byte == '/' && scan->last == '*';
    bool ends_label = byte == '>' && scan->last == '>';
    bool is_blank = byte == ' ' || byte == '\t' || byte == '\f' || byte == '\v';
    if (ends_comment || ends_label || memchr(";'$\n\r(", byte, 6) != NULL)
        scan->is_at_start = true;
    else if (!is_blank)
        scan->is_at_start = false;
}

void keyword_scan_feed(struct keyword_scan *scan, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];
        if (is_word_byte(byte)) {
            if (scan->size < KEYWORD_SIZE_MOST)
                scan->word[scan->size] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
            scan->size = scan->size > KEYWORD_SIZE_MOST ? scan->size : (uint8_t)(scan->size + 1);
        } else {
            if (scan->size > 0)
                end_word(scan);
            scan->size = 0;
            take_other(scan, byte);
        }
        scan->last = byte;
    }
}

void keyword_scan_end(struct keyword_scan *scan)
{
    if (scan->size > 0)
        end_word(scan);
    scan->size = 0;
}
