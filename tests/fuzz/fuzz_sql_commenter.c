/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the reading, the second whether the text is cut; the rest is SQL. What is kept of
 * its comments is printable, and ends within its field. */
#include "base/utf8.h"
#include "sql/commenter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *field, size_t capacity)
{
    struct bytes rest = bytes_of(field, strnlen(field, capacity));
    check(rest.size < capacity);
    while (rest.size > 0) {
        uint32_t code_point;
        size_t size = utf8_decode(rest, &code_point);
        check(size > 0 && !utf8_is_control(code_point));
        bytes_take(&rest, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct lexer_reading reading = { .has_standard_strings = (data[0] & 1) != 0,
                                     .has_unsafe_encoding = (data[0] & 2) != 0,
                                     .has_ascii_pairs = (data[0] & 3) == 3,
                                     .has_vertical_tab = (data[0] & 4) != 0 };
    struct commenter said;
    memset(&said, 0xee, sizeof(said));
    commenter_read(bytes_of(data + 2, size - 2), (data[1] & 1) != 0, reading, &said);
#define COMMENTER_KEY(key) check_text(said.key, sizeof(said.key));
#include "sql/commenter_keys.def"
#undef COMMENTER_KEY
    size_t digits = strspn(said.trace_id, "0123456789abcdef");
    check(said.trace_id[digits] == '\0' && (digits == 0 || digits == COMMENTER_TRACE_SIZE - 1));
    return 0;
}
