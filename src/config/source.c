/* SPDX-License-Identifier: PostgreSQL */
#include "config/source.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PIECE_SIZE = 65536 };

static bool refuse(struct problems *problems, const char *path, const char *what, int error)
{
    problems_add(problems, path, 0, 0, "%s: %s", what, strerror(error));
    return false;
}

static bool is_folder(FILE *file)
{
    struct stat facts;
    return fstat(fileno(file), &facts) == 0 && S_ISDIR(facts.st_mode);
}

static void read_pieces(FILE *file, struct buffer *out)
{
    uint8_t piece[PIECE_SIZE];
    size_t size = 0;
    do {
        size = fread(piece, 1, sizeof piece, file);
        buffer_append(out, bytes_of(piece, size));
    } while (size == sizeof piece && !out->has_failed);
}

bool source_read(const char *path, struct buffer *out, struct problems *problems)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return refuse(problems, path, "the file cannot be opened", errno);
    bool is_right = true;
    if (is_folder(file)) {
        is_right = refuse(problems, path, "the settings must be in a file", EISDIR);
    } else {
        read_pieces(file, out);
        if (ferror(file))
            is_right = refuse(problems, path, "the file cannot be read", errno);
    }
    (void)fclose(file);
    if (is_right && out->has_failed) {
        problems_add(problems, path, 0, 0, "the file is too large: settings have at most %d KiB",
                     SOURCE_LIMIT / 1024);
        return false;
    }
    return is_right;
}

struct position {
    unsigned line;
    unsigned column;
};

static bool is_allowed(uint32_t code_point)
{
    if (code_point < 0x20)
        return code_point == '\t' || code_point == '\n' || code_point == '\r';
    return code_point != 0x7f && (code_point < 0x80 || code_point > 0x9f) && code_point != 0xfffe &&
           code_point != 0xffff;
}

static void advance(struct position *position, uint32_t code_point)
{
    position->column++;
    if (code_point != '\n')
        return;
    position->line++;
    position->column = 1;
}

/* Where the first thing stands that has no place in a text; UINT32_MAX: it is not UTF-8. */
static bool find_fault(struct bytes rest, struct position *position, uint32_t *code_point)
{
    *position = (struct position){ 1, 1 };
    while (rest.size > 0) {
        size_t size = utf8_decode(rest, code_point);
        if (size == 0)
            *code_point = UINT32_MAX;
        if (size == 0 || !is_allowed(*code_point))
            return true;
        (void)bytes_take(&rest, size);
        advance(position, *code_point);
    }
    return false;
}

bool source_check(const char *file, struct bytes text, struct problems *problems)
{
    struct position position;
    uint32_t code_point = 0;
    if (text.size > SOURCE_LIMIT) {
        problems_add(problems, file, 0, 0, "the file is too large: settings have at most %d KiB",
                     SOURCE_LIMIT / 1024);
        return false;
    }
    if (!find_fault(text, &position, &code_point))
        return true;
    if (code_point == UINT32_MAX)
        problems_add(problems, file, position.line, position.column,
                     "these bytes are not UTF-8: save the file in that encoding");
    else
        problems_add(problems, file, position.line, position.column,
                     "a control character (U+%04X) has no place here: take it out", (unsigned)code_point);
    return false;
}
