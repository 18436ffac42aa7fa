/* SPDX-License-Identifier: PostgreSQL */
/* What the workers tell: events as they come, and all they know when asked. */
#include "app/sluice.h"

enum { ANSWER_WAIT_MS = 1000 };

static bool is_schema_change(const struct event *event)
{
    return event->kind == EVENT_DDL_PASSED || event->kind == EVENT_DDL_REFUSED ||
           event->kind == EVENT_DDL_WOULD_REFUSE || event->kind == EVENT_DDL_UNSEEN;
}

void sluice_take_events(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        struct ring *events = worker_events(sluice->workers[index]);
        const struct event *event;
        while ((event = ring_peek(events)) != NULL) {
            log_file_event(&sluice->log, event);
            if (is_schema_change(event))
                journal_record(&sluice->journal, event);
            ring_discard(events);
        }
    }
}

void sluice_snapshot(struct sluice *sluice, struct snapshot *out)
{
    sluice_take_events(sluice);
    snapshot_init(out, &sluice->hash_key, sluice->started->violations.entries * sluice->worker_count);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_ask(sluice->workers[index], ANSWER_WAIT_MS, out);
}
