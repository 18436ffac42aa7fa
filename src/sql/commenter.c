/* SPDX-License-Identifier: PostgreSQL */
#include "sql/commenter.h"

#include "base/attributes.h"
#include "base/text.h"
#include "base/utf8.h"
#include "sql/readings.h"

/* What is decoded of one value before it is cut: more than is kept, so that only a value that is much too
 * long is told by its beginning. */
enum { DECODED_MOST = 256 };

struct decoded {
    uint8_t bytes[DECODED_MOST];
    size_t size;
};

static const struct {
    const char *key;
    size_t offset; /* of its field */
} keys[] = {
#define COMMENTER_KEY(key) { #key, offsetof(struct commenter, key) },
#include "sql/commenter_keys.def"
#undef COMMENTER_KEY
};

static int digit_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    uint8_t folded = byte | 0x20;
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/* The byte at the front, taken off; -1 where it is no whole %XX. */
static int take_encoded(struct bytes *value)
{
    uint8_t byte = bytes_take(value, 1).data[0];
    if (byte != '%')
        return byte;
    int high = value->size >= 2 ? digit_of(value->data[0]) : -1;
    int low = high >= 0 ? digit_of(value->data[1]) : -1;
    if (low < 0)
        return -1;
    bytes_take(value, 2);
    return high * 16 + low;
}

/* A quote within a value is written \'. */
static bool decode(struct bytes value, struct decoded *out)
{
    out->size = 0;
    while (value.size > 0 && out->size < DECODED_MOST) {
        if (value.size >= 2 && value.data[0] == '\\' && value.data[1] == '\'')
            bytes_take(&value, 1);
        int byte = take_encoded(&value);
        if (byte < 0)
            return false;
        out->bytes[out->size++] = (uint8_t)byte;
    }
    return true;
}

/* Keeps whole characters as far as they fit; nothing where one of them is not printable. */
static void keep_text(struct bytes value, char field[COMMENTER_VALUE_SIZE])
{
    struct bytes rest = value;
    if (field[0] != '\0')
        return;
    while (rest.size > 0) {
        uint32_t code_point;
        size_t size = utf8_decode(rest, &code_point);
        size_t taken = value.size - rest.size;
        if (size == 0 || utf8_is_control(code_point))
            return;
        if (taken + size > COMMENTER_VALUE_SIZE - 1)
            break;
        bytes_take(&rest, size);
    }
    bytes_copy_text(bytes_of(value.data, value.size - rest.size), field, COMMENTER_VALUE_SIZE);
}

/* Whether the field is hexadecimal digits in lower case (W3C "Trace Context"). */
static bool is_hexadecimal(struct bytes field)
{
    for (size_t i = 0; i < field.size; i++) {
        uint8_t byte = field.data[i];
        if (digit_of(byte) < 0 || (byte >= 'A' && byte <= 'F'))
            return false;
    }
    return true;
}

static bool has_other_than(struct bytes field, uint8_t byte)
{
    for (size_t i = 0; i < field.size; i++) {
        if (field.data[i] != byte)
            return true;
    }
    return false;
}

enum {
    TRACE_AT = 3,
    TRACE_DIGITS = COMMENTER_TRACE_SIZE - 1,
    PARENT_AT = TRACE_AT + TRACE_DIGITS + 1,
    PARENT_DIGITS = 16,
    FLAGS_AT = PARENT_AT + PARENT_DIGITS + 1,
    TRACE_PARENT_SIZE = FLAGS_AT + 2,
};

/* 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01; of later versions more may follow. */
static void keep_trace(struct bytes value, char field[COMMENTER_TRACE_SIZE])
{
    if (field[0] != '\0' || value.size < TRACE_PARENT_SIZE)
        return;
    struct bytes version = bytes_of(value.data, 2);
    struct bytes trace = bytes_of(value.data + TRACE_AT, TRACE_DIGITS);
    struct bytes parent = bytes_of(value.data + PARENT_AT, PARENT_DIGITS);
    struct bytes flags = bytes_of(value.data + FLAGS_AT, 2);
    bool has_form = value.data[TRACE_AT - 1] == '-' && value.data[PARENT_AT - 1] == '-' &&
                    value.data[FLAGS_AT - 1] == '-' && is_hexadecimal(version) && is_hexadecimal(trace) &&
                    is_hexadecimal(parent) && is_hexadecimal(flags);
    bool is_whole = value.size == TRACE_PARENT_SIZE ||
                    (!bytes_equal_text(version, "00") && value.data[TRACE_PARENT_SIZE] == '-');
    if (has_form && is_whole && !bytes_equal_text(version, "ff") && has_other_than(trace, '0') &&
        has_other_than(parent, '0'))
        bytes_copy_text(trace, field, COMMENTER_TRACE_SIZE);
}

static void keep(struct commenter *out, struct bytes key, struct bytes value)
{
    struct decoded decoded;
    if (!decode(value, &decoded))
        return;
    struct bytes text = bytes_of(decoded.bytes, decoded.size);
    if (bytes_equal_text(key, "traceparent"))
        keep_trace(text, out->trace_id);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (bytes_equal_text(key, keys[i].key))
            keep_text(text, (char *)out + keys[i].offset);
    }
}

static void skip_blanks(struct bytes *rest)
{
    while (rest->size > 0 && (rest->data[0] == ' ' || (rest->data[0] >= '\t' && rest->data[0] <= '\r')))
        bytes_take(rest, 1);
}

static bool is_key_byte(uint8_t byte)
{
    uint8_t folded = byte | 0x20;
    return (folded >= 'a' && folded <= 'z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("_-.~%", byte) != NULL);
}

static struct bytes take_key(struct bytes *rest)
{
    size_t size = 0;
    while (size < rest->size && is_key_byte(rest->data[size]))
        size++;
    return bytes_take(rest, size);
}

static bool take_byte(struct bytes *rest, uint8_t byte)
{
    skip_blanks(rest);
    if (rest->size == 0 || rest->data[0] != byte)
        return false;
    bytes_take(rest, 1);
    return true;
}

/* What stands before the closing quote, which goes with it. */
static bool take_value(struct bytes *rest, struct bytes *value)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != '\'')
        size += rest->data[size] == '\\' && size + 1 < rest->size ? 2 : 1;
    if (size >= rest->size)
        return false;
    *value = bytes_take(rest, size);
    bytes_take(rest, 1);
    return true;
}

/* Reads key='value',... to its end; what it says counts only where all of it has that form. */
static void read_pairs(struct bytes rest, struct commenter *out)
{
    struct commenter said = *out;
    do {
        struct bytes value;
        skip_blanks(&rest);
        struct bytes key = take_key(&rest);
        if (key.size == 0 || !take_byte(&rest, '=') || !take_byte(&rest, '\'') || !take_value(&rest, &value))
            return;
        keep(&said, key, value);
    } while (take_byte(&rest, ','));
    if (rest.size == 0)
        *out = said;
}

/* Several comments may be one token; then the last counts. */
static void read_comment(struct bytes comment, struct commenter *out)
{
    if (comment.size < 4 || memcmp(comment.data, "/*", 2) != 0 ||
        memcmp(comment.data + comment.size - 2, "*/", 2) != 0)
        return;
    size_t at = comment.size - 4;
    while (memcmp(comment.data + at, "/*", 2) != 0)
        at--;
    read_pairs(bytes_of(comment.data + at + 2, comment.size - at - 4), out);
}

/* The comments at both ends, as far as the text has been read. */
struct ends {
    struct bytes text;
    struct bytes first;
    struct bytes last;
    bool has_other; /* a token that is neither comment nor semicolon */
};

static void take_token(struct ends *ends, const struct token *token)
{
    if (token->kind == TOKEN_COMMENT) {
        ends->last = bytes_of(ends->text.data + token->start, (size_t)(token->end - token->start));
        if (!ends->has_other && ends->first.size == 0)
            ends->first = ends->last;
    } else if (token->kind != TOKEN_SEMICOLON) {
        ends->has_other = true;
        ends->last = BYTES_NONE;
    }
}

void commenter_read(struct bytes sql, bool is_cut, struct lexer_reading reading, struct commenter *out)
{
    struct ends ends = { .text = sql };
    struct readings readings;
    struct token token;
    *out = (struct commenter){ 0 };
    readings_begin(&readings, reading);
    while (sql.size > 0 && !(is_cut && ends.has_other)) {
        struct bytes clear = readings_clear(&readings, &sql);
        while (!(is_cut && ends.has_other) && lexer_next(&readings.lexers[0], &clear, &token) == LEXER_TOKEN)
            take_token(&ends, &token);
        while (!(is_cut && ends.has_other) && readings_next(&readings, &sql, &token) == LEXER_TOKEN)
            take_token(&ends, &token);
    }
    while (!is_cut && readings_finish(&readings, &token))
        take_token(&ends, &token);
    if (!is_cut)
        read_comment(ends.last, out);
    read_comment(ends.first, out);
}

/* Cuts between characters, as values are. */
static void append_value(struct text *out, const char *value)
{
    struct bytes rest = bytes_text(value);
    uint32_t code_point;
    for (size_t size; (size = utf8_decode(rest, &code_point)) > 0 && out->size + size < out->capacity;)
        text_append(out, bytes_take(&rest, size));
}

void commenter_route(const struct commenter *commenter, char out[COMMENTER_VALUE_SIZE])
{
    struct text route;
    text_init(&route, out, COMMENTER_VALUE_SIZE);
    bool has_route = commenter->route[0] != '\0';
    append_value(&route, has_route ? commenter->route : commenter->controller);
    if (has_route || commenter->controller[0] == '\0' || commenter->action[0] == '\0')
        return;
    append_value(&route, "#");
    append_value(&route, commenter->action);
}
