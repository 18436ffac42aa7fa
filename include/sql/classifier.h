/* SPDX-License-Identifier: PostgreSQL */
#ifndef SQL_CLASSIFIER_H
#define SQL_CLASSIFIER_H

#include "sql/class.h"
#include "sql/lexer.h"

/* Finds out whether a text holds a schema change, and of which class: never less than what the server will do with it,
 * whatever the reading. Streaming, in constant memory. */

enum { COMMAND_NAME_SIZE = 48, STATEMENT_NAME_SIZE = 64 };

/* What is known of a text: of several statements, the riskiest. */
struct verdict {
    enum statement_class class;
    enum safety_level level;
    bool is_guarded;                        /* some statement in it asks for a window */
    char command[COMMAND_NAME_SIZE];        /* of the riskiest statement: "ALTER TABLE", "DROP INDEX"; "SELECT" ... */
    uint32_t statement_count;               /* statements that are not empty */
    bool has_execute;                       /* an SQL EXECUTE stands in it; execute_name is the first one's */
    char execute_name[STATEMENT_NAME_SIZE]; /* cut at 63 bytes as the server does */
    bool has_prepare;                       /* an SQL PREPARE stands in it; prepare_name is the first one's */
    char prepare_name[STATEMENT_NAME_SIZE];
};

struct classifier;

void classifier_begin(struct classifier *classifier, struct lexer_reading reading);
/* Takes the next piece of the text (never its NUL). */
void classifier_feed(struct classifier *classifier, struct bytes text);
void classifier_end(struct classifier *classifier, struct verdict *out);
/* The same for a text that lies whole in memory; most texts that are no schema change leave by a fast path that reads
 * their first word and proves from absent bytes that nothing else can hide in them. */
void classify(struct bytes text, struct lexer_reading reading, struct verdict *out);

#endif
