/* SPDX-License-Identifier: PostgreSQL */
#include "base/problem.h"

void problems_init(struct problems *problems)
{
    problems->count = 0;
    problems->error_count = 0;
}

/* The next free entry with its place, or NULL when no more are kept. */
static struct problem *problems_next(struct problems *problems, const char *file, unsigned line,
                                     unsigned column)
{
    size_t number = problems->count++;
    if (number >= PROBLEMS_KEPT)
        return NULL;
    struct problem *problem = &problems->kept[number];
    problem->line = line;
    problem->column = column;
    struct text text;
    text_init(&text, problem->file, sizeof problem->file);
    text_append_string(&text, file != NULL ? file : "");
    return problem;
}

PRINTF_LIKE(3, 0)
static void problem_write(struct problem *problem, bool is_warning, const char *format, va_list arguments)
{
    struct text text;
    problem->is_warning = is_warning;
    text_init(&text, problem->text, sizeof problem->text);
    text_append_arguments(&text, format, arguments);
}

void problems_add(struct problems *problems, const char *file, unsigned line, unsigned column,
                  const char *format, ...)
{
    struct problem *problem = problems_next(problems, file, line, column);
    problems->error_count++;
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    problem_write(problem, false, format, arguments);
    va_end(arguments);
}

void problems_warn(struct problems *problems, const char *file, unsigned line, unsigned column,
                   const char *format, ...)
{
    struct problem *problem = problems_next(problems, file, line, column);
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    problem_write(problem, true, format, arguments);
    va_end(arguments);
}

void problem_describe(const struct problem *problem, struct text *out)
{
    text_append_string(out, problem->file);
    if (problem->line > 0)
        text_append_format(out, ":%u", problem->line);
    if (problem->line > 0 && problem->column > 0)
        text_append_format(out, ":%u", problem->column);
    text_append_string(out, problem->file[0] != '\0' ? ": " : "");
    text_append_format(out, "%s: %s", problem->is_warning ? "warning" : "error", problem->text);
}
