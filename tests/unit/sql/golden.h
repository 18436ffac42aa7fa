/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_SQL_GOLDEN_H
#define UNIT_SQL_GOLDEN_H

#include "base/bytes.h"
#include "base/text.h"

#include <stdio.h>

/* Reads the tables of texts beside the tests: columns parted by tabs, # begins a comment line, and in the
 * last column \n \r \t \v \f \\ and \xNN stand for bytes. */

enum { GOLDEN_LINE_SIZE = 4096, GOLDEN_COLUMNS = 4 };

struct golden {
    FILE *file;
    char line[GOLDEN_LINE_SIZE];
    const char *columns[GOLDEN_COLUMNS];
    struct bytes text; /* the last column */
};

static inline int golden_digit(char byte)
{
    return byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

static inline size_t golden_unescape(char *text)
{
    static const char names[] = "nrtvf\\";
    static const char bytes[] = "\n\r\t\v\f\\";
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        const char *name = in[0] == '\\' && in[1] != '\0' ? strchr(names, in[1]) : NULL;
        if (name != NULL) {
            *out++ = bytes[name - names];
            in++;
        } else if (in[0] == '\\' && in[1] == 'x') {
            *out++ = (char)(golden_digit(in[2]) * 16 + golden_digit(in[3]));
            in += 3;
        } else {
            *out++ = *in;
        }
    }
    return (size_t)(out - text);
}

static inline void golden_open(struct golden *golden, const char *path)
{
    golden->file = fopen(path, "r");
}

/* The next row of `count` columns; false at the end, where the file is closed. */
static inline bool golden_next(struct golden *golden, size_t count)
{
    do {
        if (golden->file == NULL || fgets(golden->line, sizeof(golden->line), golden->file) == NULL) {
            if (golden->file != NULL)
                fclose(golden->file);
            return false;
        }
    } while (golden->line[0] == '#');
    golden->line[strcspn(golden->line, "\n")] = '\0';
    char *at = golden->line;
    for (size_t i = 0; i < count; i++) {
        golden->columns[i] = at;
        size_t size = i + 1 < count ? strcspn(at, "\t") : strlen(at);
        if (i + 1 == count)
            golden->text = bytes_of(at, golden_unescape(at));
        else
            at[size] = '\0';
        at += size + 1;
    }
    return true;
}

#endif
