/* SPDX-License-Identifier: PostgreSQL */
#include "base/log.h"

#include "base/utf8.h"

#include <inttypes.h>

/* Kept free for what ends a line: is_cut and the line feed. */
enum { TAIL_SIZE = 32, LONGEST_PLAIN_VALUE = 32, LONGEST_CHARACTER = 12 };

static const char cut_mark[] = "...";

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {
        [LOG_ERROR] = "error",
        [LOG_WARNING] = "warning",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
    };
    return names[level];
}

/* Writes the key of a pair if the pair fits with a value of `value_size` bytes; else the line ends here. */
static bool log_key(struct log_line *line, const char *key, size_t value_size)
{
    struct text *text = &line->text;
    size_t punctuation_size = strlen(",\"\":");
    if (text->is_truncated ||
        text->size + strlen(key) + punctuation_size + value_size + TAIL_SIZE > LOG_LINE_SIZE) {
        text->is_truncated = true;
        return false;
    }
    if (line->format == LOG_JSON)
        text_append_format(text, "%s\"%s\":", text->size > 1 ? "," : "", key);
    else
        text_append_format(text, "%s%s=", text->size > 0 ? " " : "", key);
    return true;
}

static void log_plain(struct log_line *line, const char *value)
{
    text_append_string(&line->text, value);
}

/* Writes one character as it stands inside the quotes. */
static void character_escape(struct text *out, enum log_format format, struct bytes character,
                             uint32_t code_point)
{
    if (code_point == '"')
        text_append_string(out, "\\\"");
    else if (format == LOG_LOGFMT)
        text_append_printable(out, character);
    else if (code_point == '\\')
        text_append_string(out, "\\\\");
    else if (code_point == UINT32_MAX)
        text_append_string(out, "\\ufffd");
    else if (utf8_is_control(code_point))
        text_append_format(out, "\\u%04" PRIx32, code_point);
    else
        text_append(out, character);
}

/* Writes what fits of the value, in whole characters, marked where it is cut. */
static void log_escaped(struct text *out, size_t room, enum log_format format, struct bytes value)
{
    size_t mark_at = out->size;
    size_t end = out->size + room;
    while (value.size > 0) {
        char storage[LONGEST_CHARACTER + 1];
        struct text escape;
        uint32_t code_point = UINT32_MAX;
        size_t size = utf8_decode(value, &code_point);
        text_init(&escape, storage, sizeof storage);
        character_escape(&escape, format, bytes_take(&value, size > 0 ? size : 1), code_point);
        if (out->size + escape.size > end) {
            out->size = mark_at;
            text_append_string(out, cut_mark);
            return;
        }
        text_append(out, text_bytes(&escape));
        if (out->size + strlen(cut_mark) <= end)
            mark_at = out->size;
    }
}

static bool needs_quotes(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
            return true;
    }
    return value.size == 0;
}

static size_t log_room(const struct log_line *line)
{
    size_t used = line->text.size + TAIL_SIZE + strlen("\"\"");
    size_t room = used < LOG_LINE_SIZE ? LOG_LINE_SIZE - used : 0;
    return room < LOG_VALUE_SIZE ? room : LOG_VALUE_SIZE;
}

void log_bytes(struct log_line *line, const char *key, struct bytes value)
{
    if (!log_key(line, key, LONGEST_PLAIN_VALUE))
        return;
    size_t room = log_room(line);
    bool is_quoted = line->format == LOG_JSON || needs_quotes(value);
    log_plain(line, is_quoted ? "\"" : "");
    log_escaped(&line->text, room, line->format, value);
    log_plain(line, is_quoted ? "\"" : "");
}

void log_string(struct log_line *line, const char *key, const char *value)
{
    log_bytes(line, key, bytes_text(value));
}

void log_integer(struct log_line *line, const char *key, int64_t value)
{
    if (log_key(line, key, LONGEST_PLAIN_VALUE))
        text_append_format(&line->text, "%" PRId64, value);
}

void log_boolean(struct log_line *line, const char *key, bool value)
{
    if (log_key(line, key, LONGEST_PLAIN_VALUE))
        log_plain(line, value ? "true" : "false");
}

void log_time(struct log_line *line, const char *key, int64_t time_us)
{
    if (!log_key(line, key, LONGEST_PLAIN_VALUE))
        return;
    log_plain(line, line->format == LOG_JSON ? "\"" : "");
    text_append_time(&line->text, time_us);
    log_plain(line, line->format == LOG_JSON ? "\"" : "");
}

void log_begin(struct log_line *line, enum log_format format, int64_t time_us, enum log_level level,
               const char *event)
{
    line->format = format;
    text_init(&line->text, line->storage, sizeof line->storage);
    log_plain(line, format == LOG_JSON ? "{" : "");
    log_time(line, "time", time_us);
    log_string(line, "level", log_level_name(level));
    log_string(line, "event", event);
}

struct bytes log_end(struct log_line *line)
{
    bool is_cut = line->text.is_truncated;
    line->text.is_truncated = false;
    if (is_cut)
        log_plain(line, line->format == LOG_JSON ? ",\"is_cut\":true" : " is_cut=true");
    log_plain(line, line->format == LOG_JSON ? "}\n" : "\n");
    return text_bytes(&line->text);
}
