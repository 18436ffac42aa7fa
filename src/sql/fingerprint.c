/* SPDX-License-Identifier: PostgreSQL */
#include "sql/fingerprint.h"

#include "base/utf8.h"
#include "sql/shape.h"
#include "sql/statement.h"
#include "sql/token_walk.h"

#include <pg_query.h>

static bool is_utf8(struct bytes text)
{
    uint32_t code_point;
    while (text.size > 0) {
        size_t size = utf8_decode(text, &code_point);
        if (size == 0 || code_point == 0)
            return false;
        bytes_take(&text, size);
    }
    return true;
}

/* The library reads UTF-8 with standard_conforming_strings = on and nothing else. A text with a backslash
 * would mean another thing to it under another setting, and part of a literal might be hashed as code. */
static bool is_safe(struct bytes sql, struct lexer_reading reading)
{
    struct token_walk walk;
    struct token first;
    if (reading.has_unsafe_encoding || bytes_find(sql, '\\') < sql.size || !is_utf8(sql))
        return false;
    token_walk_begin(&walk, sql, reading);
    if (!token_walk_next_word(&walk, &first))
        return false;
    const struct command *command = token_walk_command(walk, &first);
    return command == NULL || command->privacy == PRIVACY_USUAL;
}

static bool fingerprint_parsed(struct bytes sql, char out[FINGERPRINT_SIZE])
{
    char text[STATEMENT_TEXT_MOST + 1];
    bytes_copy_text(sql, text, sizeof(text));
    PgQueryFingerprintResult result = pg_query_fingerprint(text);
    bool has_result = result.error == NULL && result.fingerprint_str != NULL;
    if (has_result)
        bytes_copy_text(bytes_text(result.fingerprint_str), out, FINGERPRINT_SIZE);
    pg_query_free_fingerprint_result(result);
    return has_result;
}

void fingerprint_sql(struct bytes sql, bool is_cut, struct lexer_reading reading, char out[FINGERPRINT_SIZE])
{
    if (sql.size > STATEMENT_TEXT_MOST) {
        sql.size = STATEMENT_TEXT_MOST;
        is_cut = true;
    }
    if (is_cut || !is_safe(sql, reading) || !fingerprint_parsed(sql, out))
        shape_text(shape_sql(sql, reading), out);
}
