/* SPDX-License-Identifier: PostgreSQL */
/* What the workers tell: events as they come, and all they know when asked. */
#include "app/sluice.h"

enum { ANSWER_WAIT_MS = 1000 };

void sluice_take_events(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        struct ring *events = worker_events(sluice->workers[index]);
        const struct event *event;
        while ((event = ring_peek(events)) != NULL) {
            log_file_event(&sluice->log, event);
            audit_event(&sluice->audit, event);
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
