/* SPDX-License-Identifier: PostgreSQL */
/* What the workers tell: events as they come, and all they know when asked. */
#include "app/attempts.h"
#include "app/clock.h"
#include "app/sluice.h"

#include <stdlib.h>

enum { ANSWER_WAIT_MS = 1000, DOCKET_MOST = 1000, MICROSECONDS_PER_MILLISECOND = 1000 };

static void take_harvests(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        observer_take(&sluice->observer, worker_harvest(sluice->workers[index]), clock_now());
    aftermath_tick(&sluice->observer.aftermath, clock_now());
}

void sluice_ask_harvests(struct sluice *sluice)
{
    struct harvest *empty = NULL;
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        if (empty == NULL)
            empty = observer_harvest(&sluice->observer);
        worker_offer(sluice->workers[index], &empty);
    }
    harvest_destroy(empty);
}

/* A change whose transaction is still open cannot be read yet; its table may be locked. */
static bool may_have_changed(enum event_kind kind)
{
    return kind == EVENT_DDL_COMMITTED || kind == EVENT_DDL_UNKNOWN || kind == EVENT_DDL_UNSEEN;
}

static void event_keep(struct sluice *sluice, const struct event *event)
{
    log_file_event(&sluice->log, event);
    audit_event(&sluice->audit, event);
    journal_record(&sluice->journal, event);
    recording_event(&sluice->observer.recording, event);
    aftermath_event(&sluice->observer.aftermath, event);
    if (may_have_changed(event->kind))
        surveyor_hurry(sluice->surveyor, event->violation.database);
}

/* Of a violation whose refused value may be seen, that value only goes further, not its row. */
static void event_take(struct sluice *sluice, const struct event *event)
{
    if (sluice->attempts == NULL || event->kind != EVENT_VIOLATION) {
        event_keep(sluice, event);
        return;
    }
    struct event told = *event;
    attempt_read(surveyor_catalog(sluice->surveyor), &told);
    attempts_record(sluice->attempts, &told);
    event_keep(sluice, &told);
}

void sluice_take_events(struct sluice *sluice)
{
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        struct ring *events = worker_events(sluice->workers[index]);
        const struct event *event;
        while ((event = ring_peek(events)) != NULL) {
            event_take(sluice, event);
            ring_discard(events);
        }
    }
    take_harvests(sluice);
}

/* One that stands still is not waited for. */
static uint64_t answer_wait_ms(const struct sluice *sluice, uint32_t worker)
{
    const struct stand_in_view view = stand_in_view(sluice->stand_in, worker);
    return view.is_stalled && !view.has_stirred ? 0 : ANSWER_WAIT_MS;
}

void sluice_snapshot(struct sluice *sluice, struct snapshot *out)
{
    sluice_take_events(sluice);
    sluice_ask_harvests(sluice);
    snapshot_init(out, &sluice->hash_key, DOCKET_MOST * sluice->worker_count);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_ask(sluice->workers[index], answer_wait_ms(sluice, index), out);
    sluice_count_alerts(sluice, &out->counters);
    take_harvests(sluice);
}

static const char *state_of(const struct worker *worker, const struct stand_in_view *view)
{
    if (worker_has_ended(worker))
        return "ended";
    return view->is_stalled ? "stalled" : "running";
}

static struct worker_row worker_row(const struct sluice *sluice, uint32_t index)
{
    const struct worker *worker = sluice->workers[index];
    const struct seat_view seat = roster_view(sluice->roster, index);
    const struct stand_in_view view = stand_in_view(sluice->stand_in, index);
    return (struct worker_row){
        .state = state_of(worker, &view),
        .io = worker_io(worker),
        .thread = worker_thread_id(worker),
        .connections = seat.connections,
        .handed = seat.handed,
        .stalls = view.stalls,
        .longest_stall_us = (int64_t)view.longest_ms * MICROSECONDS_PER_MILLISECOND,
        .cpu_us = worker_cpu_us(worker),
    };
}

struct worker_row *sluice_worker_rows(const struct sluice *sluice)
{
    struct worker_row *rows = calloc(sluice->worker_count, sizeof(*rows));
    for (uint32_t index = 0; rows != NULL && index < sluice->worker_count; index++)
        rows[index] = worker_row(sluice, index);
    return rows;
}
