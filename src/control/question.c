/* SPDX-License-Identifier: PostgreSQL */
#include "control/question.h"

#include "base/text.h"

struct refusal {
    const char *beginning; /* of what SQLite says */
    const char *sqlstate;
    const char *hint;
};

static const struct refusal refusals[] = {
    { "no such table", "42P01", "SHOW TABLES lists the tables." },
    { "no such column", "42703", "SHOW COLUMNS FROM table lists its columns." },
    { "no such function", "42883", "The language is SQLite's: see its built-in functions." },
    { "ambiguous column name", "42702", NULL },
    { "parameters are", "08P01", NULL },
    { "not authorized", "25006", NULL },
    { "integer overflow", "22003", NULL },
    { "incomplete input", "42601", NULL },
};

static void explain_wrong(const struct history_failure *failure, struct console_outcome *out)
{
    const char *sqlstate = failure->position > 0 ? "42601" : "42000";
    const char *hint = NULL;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (bytes_start_with(bytes_text(failure->message), refusals[i].beginning)) {
            sqlstate = refusals[i].sqlstate;
            hint = refusals[i].hint;
        }
    }
    outcome_fail(out, sqlstate, "%s", failure->message);
    out->position = (uint32_t)failure->position;
    if (hint != NULL)
        outcome_hint(out, "%s", hint);
}

void question_outcome(enum history_answer answer, const struct history_failure *failure,
                      struct console_outcome *out)
{
    *out = (struct console_outcome){ 0 };
    switch (answer) {
    case HISTORY_ANSWERED:
        if (failure->is_partial)
            bytes_copy_text(
                bytes_text("the history file cannot be read: this is of what waits in memory only"),
                out->message, sizeof out->message);
        break;
    case HISTORY_WRONG:
        explain_wrong(failure, out);
        break;
    case HISTORY_DENIED:
        outcome_fail(out, "25006", "%s", failure->message);
        break;
    case HISTORY_TOO_LONG:
        outcome_fail(out, "57014", "%s", failure->message);
        outcome_hint(out, "console.query_time bounds it; a condition on time makes it shorter.");
        break;
    case HISTORY_CANCELLED:
        outcome_fail(out, "57014", "canceling statement due to user request");
        break;
    case HISTORY_STOPPED:
    case HISTORY_TOO_BIG:
        outcome_fail(out, "54000", "%s",
                     answer == HISTORY_TOO_BIG ? failure->message : "the answer is too long or too wide");
        outcome_hint(out, "LIMIT shortens it.");
        break;
    case HISTORY_UNAVAILABLE:
        outcome_fail(out, "58030", "%s", failure->message);
        outcome_hint(out, "SHOW HISTORY says how the file is.");
        break;
    }
}

static bool form_fits(const struct query_rows *rows, const struct question_form *form)
{
    return (!form->has_fixed || form->fixed_count == rows->column_count) &&
           (form->formats.count <= 1 || form->formats.count == rows->column_count);
}

static const enum query_type *types_of(const struct query_rows *rows, const struct question_form *form)
{
    return form->has_fixed && form_fits(rows, form) ? form->fixed : NULL;
}

void question_describe(const struct query_rows *rows, const struct question_form *form, struct buffer *out)
{
    static const struct query_formats in_text;
    query_rows_describe(rows, types_of(rows, form), form_fits(rows, form) ? &form->formats : &in_text, out);
}

void question_write(const struct query_rows *rows, const struct question_form *form, struct buffer *out,
                    struct console_outcome *outcome)
{
    char storage[32];
    struct text tag;
    struct writer writer = writer_of(out);
    size_t column = 0;
    if (!form_fits(rows, form)) {
        outcome_fail(outcome, "08P01", "the query has %zu columns, of which others were described or wanted",
                     rows->column_count);
        return;
    }
    outcome_write(outcome, "NOTICE", &writer); /* before the rows: not all of them may be fetched */
    if (!query_rows_write(rows, types_of(rows, form), &form->formats, out, &column)) {
        outcome_fail(outcome, "22P02", "column \"%s\" holds a value that is not of the type described before",
                     query_rows_name(rows, column));
        outcome_hint(outcome, "CAST it in the query.");
        return;
    }
    text_init(&tag, storage, sizeof storage);
    text_append_format(&tag, "SELECT %llu", (unsigned long long)rows->row_count);
    writer_command_complete(&writer, storage);
}
