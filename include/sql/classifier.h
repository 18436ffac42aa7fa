/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_CLASSIFIER_H
#define SQL_CLASSIFIER_H

#include "sql/keyword.h"
#include "sql/lexer.h"
#include "sql/outline.h"
#include "sql/verdict.h"

/* Finds out whether a text holds a schema change or another statement that somebody may want to hold back,
 * and of which class: never less than what the server will do with it, whatever the reading. A statement is
 * judged by its words: what functions, triggers and rules do is not seen. Streaming, in constant memory. */

/* One reading of the text. All fields are private. */
struct classifier_lane {
    struct lexer lexer;
    struct outline outline; /* of the statement that is open */
    struct outcome worst;
    uint32_t statement_count;
    bool is_first_harmless; /* the first statement's command, see command_is_harmless */
    bool is_first_query;
    bool is_first_told; /* see command_is_told */
    bool has_temporary;
    bool has_routine; /* CREATE FUNCTION or PROCEDURE: its body may go on behind a semicolon */
    bool has_unknown; /* a statement that begins with no known word */
    bool has_keyword;
    uint16_t others; /* classes besides: keyword_other_classes of words that may begin a statement there */
    bool is_unterminated;
    bool is_lost;             /* a dollar quote that could not be followed, or may be none */
    bool has_unreadable_name; /* a prepared statement that cannot be looked up by one name */
    struct name_list executes;
    struct name_list prepares;
    struct keyword_scan body; /* of a DO */
    uint8_t language_size;    /* bytes of the string behind its LANGUAGE that are those of 'plpgsql' */
    struct keyword_scan open; /* of the token that is open */
    uint64_t open_start;
};

enum { CLASSIFIER_LANES = 4 };

/* The readings that may apply: one until the first backslash, then one for each value of
 * standard_conforming_strings; twice as many in an unsafe encoding. All fields are private. */
struct classifier {
    struct lexer_reading reading;
    uint8_t lane_count;
    bool has_backslash;
    bool has_semicolon;
    bool has_inner_semicolon; /* more than white space behind one */
    uint8_t last;             /* byte, of an unsafe encoding */
    uint32_t doubts;          /* ways in which bytes may or may not be the second of a character */
    struct keyword_scan raw;
    struct classifier_lane lanes[CLASSIFIER_LANES];
};

void classifier_begin(struct classifier *classifier, struct lexer_reading reading);
/* Takes the next piece of the text (never its NUL). */
void classifier_feed(struct classifier *classifier, struct bytes text);
void classifier_end(struct classifier *classifier, struct verdict *out);
/* The same for a text that lies whole in memory; most texts that are no schema change leave by a fast path
 * that reads their first word and proves from absent bytes that nothing else can hide in them. */
void classify(struct bytes text, struct lexer_reading reading, struct verdict *out);

#endif
