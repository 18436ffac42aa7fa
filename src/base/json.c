/* SPDX-License-Identifier: PostgreSQL */
#include "base/json.h"

#include "base/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>

enum { PIECE_SIZE = 512 };

struct json json_of(struct buffer *out)
{
    return (struct json){ .out = out };
}

static void json_plain(struct json *json, const char *text)
{
    buffer_append(json->out, bytes_text(text));
}

static void json_begin(struct json *json, const char *key)
{
    json_plain(json, json->needs_comma ? "," : "");
    json->needs_comma = true;
    if (key == NULL)
        return;
    json_plain(json, "\"");
    json_plain(json, key);
    json_plain(json, "\":");
}

static void json_open(struct json *json, const char *key, const char *bracket)
{
    json_begin(json, key);
    json_plain(json, bracket);
    json->needs_comma = false;
}

static void json_close(struct json *json, const char *bracket)
{
    json_plain(json, bracket);
    json->needs_comma = true;
}

void json_object_begin(struct json *json, const char *key)
{
    json_open(json, key, "{");
}

void json_object_end(struct json *json)
{
    json_close(json, "}");
}

void json_array_begin(struct json *json, const char *key)
{
    json_open(json, key, "[");
}

void json_array_end(struct json *json)
{
    json_close(json, "]");
}

static void character_write(struct json *json, struct bytes character, bool is_valid, uint32_t code_point)
{
    char storage[PIECE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    if (!is_valid)
        json_plain(json, "\xef\xbf\xbd");
    else if (code_point == '"' || code_point == '\\')
        text_append_format(&text, "\\%c", (char)code_point);
    else if (utf8_is_control(code_point) && code_point <= UINT16_MAX)
        text_append_format(&text, "\\u%04" PRIx32, code_point);
    else
        buffer_append(json->out, character);
    buffer_append(json->out, text_bytes(&text));
}

void json_string(struct json *json, const char *key, const char *value)
{
    struct bytes rest = bytes_text(value);
    json_begin(json, key);
    json_plain(json, "\"");
    while (rest.size > 0) {
        uint32_t code_point = 0;
        size_t size = utf8_decode(rest, &code_point);
        character_write(json, bytes_take(&rest, size > 0 ? size : 1), size > 0, code_point);
    }
    json_plain(json, "\"");
}

void json_null(struct json *json, const char *key)
{
    json_begin(json, key);
    json_plain(json, "null");
}

void json_text(struct json *json, const char *key, const char *value)
{
    if (value[0] == '\0')
        json_null(json, key);
    else
        json_string(json, key, value);
}

void json_integer(struct json *json, const char *key, int64_t value)
{
    char storage[PIECE_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "%" PRId64, value);
    json_begin(json, key);
    json_plain(json, storage);
}

void json_real(struct json *json, const char *key, double value)
{
    char storage[PIECE_SIZE];
    struct text text;
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "%.4f", value);
    json_begin(json, key);
    json_plain(json, storage);
}

void json_boolean(struct json *json, const char *key, bool value)
{
    json_begin(json, key);
    json_plain(json, value ? "true" : "false");
}

void json_time(struct json *json, const char *key, int64_t time_us)
{
    char storage[PIECE_SIZE];
    struct text text;
    if (time_us == 0) {
        json_null(json, key);
        return;
    }
    text_init(&text, storage, sizeof storage);
    text_append_time(&text, time_us);
    json_string(json, key, storage);
}
