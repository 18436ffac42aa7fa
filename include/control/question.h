/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_QUESTION_H
#define CONTROL_QUESTION_H

#include "control/outcome.h"
#include "control/query_rows.h"

/* A query that the console wants answered; what it names is the console's until it is answered. */
struct console_question {
    struct bytes sql;
    const struct history_value *parameters;
    size_t parameter_count;
    bool is_preview; /* only its columns are wanted; its parameters have no values */
};

/* The answer, made anywhere. */
struct console_reply {
    struct query_rows *rows; /* taken over by the console; NULL when it failed */
    size_t parameter_count;  /* of a preview: the highest $n */
    struct console_outcome outcome;
};

/* What was promised of the answer, and how it is to be sent. */
struct question_form {
    bool has_fixed; /* the columns were described already, with these types */
    size_t fixed_count;
    enum query_type fixed[QUERY_COLUMNS_MOST];
    struct query_formats formats;
};

/* Appends RowDescription. */
void question_describe(const struct query_rows *rows, const struct question_form *form, struct buffer *out);
/* Appends the rows and CommandComplete, or makes *outcome say why they cannot be sent. */
void question_write(const struct query_rows *rows, const struct question_form *form, struct buffer *out,
                    struct console_outcome *outcome);
/* What a history_answer means to whoever asked. */
void question_outcome(enum history_answer answer, const struct history_failure *failure,
                      struct console_outcome *out);

#endif
