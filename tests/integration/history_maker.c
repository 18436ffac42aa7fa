/* SPDX-License-Identifier: PostgreSQL */
/* usage: history_maker FILE [COUNT]
 * Makes a history with nothing but a run that ended; with COUNT it then goes on to write so many violations,
 * one a millisecond, and ends. */
#include "history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FLUSH_US = 20000, WAITING_BYTES = 8 << 20, WAITING_COUNTS = 10000 };

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void violate(struct history *history)
{
    struct event event = { .kind = EVENT_VIOLATION, .session = 1, .time_us = now_us() };
    struct timespec pause = { 0, 1000000 };
    (void)bytes_copy_text(bytes_text("kds"), event.violation.service, NAME_SIZE);
    (void)bytes_copy_text(bytes_text("23514"), event.violation.sqlstate, sizeof(event.violation.sqlstate));
    history_record_event(history, &event);
    history_count_violations(history, &event.violation, event.time_us, 1);
    (void)nanosleep(&pause, NULL);
}

int main(int argument_count, char **arguments)
{
    const struct history_options options = { .path = argument_count > 1 ? arguments[1] : "",
                                             .version = "0.1",
                                             .flush_us = FLUSH_US,
                                             .waiting_bytes_most = WAITING_BYTES,
                                             .waiting_counts_most = WAITING_COUNTS };
    struct history *history = history_create(&options);
    if (history == NULL)
        return EXIT_FAILURE;
    long count = argument_count > 2 ? strtol(arguments[2], NULL, 10) : 0;
    for (long i = 0; i < count; i++)
        violate(history);
    bool is_written = history_flush(history, INT64_C(10000000));
    history_destroy(history);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
