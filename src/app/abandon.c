/* SPDX-License-Identifier: PostgreSQL */
/* The end of the program when a worker stands still and does not go on. */
#include "app/clock.h"
#include "app/sluice.h"
#include "net/poll_set.h"

#include <stdlib.h>
#include <unistd.h>

/* At the very moment at which the time for draining is over a worker has all its sessions to end, and gives
 * no sign of life until that is done. */
enum { LOST_TICKS = 20 };

static bool is_lost(const struct sluice *sluice, uint32_t index)
{
    return stand_in_view(sluice->stand_in, index).silent >= LOST_TICKS;
}

/* Where all have ended the bell is about to say so. */
static bool have_only_lost_stayed(const struct sluice *sluice)
{
    uint32_t lost = 0;
    for (uint32_t index = 0; index < sluice->worker_count; index++) {
        if (worker_has_ended(sluice->workers[index]))
            continue;
        if (!is_lost(sluice, index))
            return false;
        lost++;
    }
    return lost > 0;
}

void sluice_abandon_if_due(struct sluice *sluice)
{
    bool is_due = sluice->is_draining && uv_now(&sluice->loop) >= sluice->patience_ms;
    if (!is_due || !have_only_lost_stayed(sluice))
        return;
    sluice->is_abandoning = true;
    poll_set_stop(sluice->chunk.poll_set);
}

static void worker_part(struct sluice *sluice, uint32_t index)
{
    struct worker *worker = sluice->workers[index];
    if (worker_has_ended(worker)) {
        worker_join(worker);
        observer_take(&sluice->observer, worker_last_harvest(worker), clock_now());
    } else {
        const struct stall stall = stand_in_stall(sluice->stand_in, index);
        sluice_log_stall(sluice, NOTICE_WORKER_ABANDONED, &stall);
    }
}

void sluice_abandon(struct sluice *sluice)
{
    sluice_take_events(sluice);
    for (uint32_t index = 0; index < sluice->worker_count; index++)
        worker_part(sluice, index);
    sluice_close_telling(sluice);
    sluice_log_audit(sluice);
    observer_release(&sluice->observer); /* the history is written */
    sluice_log_notice(sluice, NOTICE_STOPPED);
    _exit(EXIT_FAILURE);
}
