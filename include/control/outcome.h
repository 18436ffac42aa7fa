/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_OUTCOME_H
#define CONTROL_OUTCOME_H

#include "base/attributes.h"
#include "wire/writer.h"

enum { OUTCOME_TEXT_SIZE = 512 };

/* How a command ended, in words for the person at the console. All zero: it succeeded and says nothing. */
struct console_outcome {
    char sqlstate[6];  /* of a failure; empty when it succeeded */
    uint32_t position; /* of a failure: the character in the query it is about, from 1; 0 for none */
    char message[OUTCOME_TEXT_SIZE]; /* of a success: a notice, may be empty */
    char detail[OUTCOME_TEXT_SIZE];
    char hint[OUTCOME_TEXT_SIZE];
};

/* Makes it a failure and sets its message; detail and hint are emptied. */
void outcome_fail(struct console_outcome *outcome, const char *sqlstate, const char *format, ...)
    PRINTF_LIKE(3, 4);
void outcome_hint(struct console_outcome *outcome, const char *format, ...) PRINTF_LIKE(2, 3);
static inline bool outcome_has_failed(const struct console_outcome *outcome)
{
    return outcome->sqlstate[0] != '\0';
}

/* Writes a failure as an ErrorResponse of this severity ("ERROR", "FATAL"), a success as a NoticeResponse
 * (nothing when it has no message). Every text is made one harmless line of UTF-8. */
void outcome_write(const struct console_outcome *outcome, const char *severity, struct writer *writer);

#endif
