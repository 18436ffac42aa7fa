/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buffer.h"

/* Writes one JSON value (RFC 8259) behind what a buffer holds. Strings are valid UTF-8 whatever they were
 * given: a byte that is not becomes U+FFFD, and what utf8_is_control names is written \uNNNN. Objects and
 * arrays are to be ended in the order they were begun; keys are plain words, NULL within arrays and for the
 * outermost value. What did not fit shows in the buffer's has_failed. */
struct json {
    struct buffer *out;
    bool needs_comma;
};

struct json json_of(struct buffer *out);
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value);
/* A text that is empty is null. */
void json_text(struct json *json, const char *key, const char *value);
void json_integer(struct json *json, const char *key, int64_t value);
/* With four digits behind the point; what is no finite number is null. */
void json_real(struct json *json, const char *key, double value);
void json_boolean(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* An instant as RFC 3339, UTC; 0 is null. */
void json_time(struct json *json, const char *key, int64_t time_us);

#endif
