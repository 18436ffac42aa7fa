/* SPDX-License-Identifier: PostgreSQL */
#include "net/handover.h"

void handover_accept(const struct handover *handover, int socket, const struct listener_plan *plan)
{
    const struct arrival arrival = { .socket = socket, .listener = (uint32_t)(plan - handover->plans) };
    handover_tell(handover); /* sessions may have ended in this very turn of the loop */
    uint32_t worker = roster_place(handover->roster, handover->worker);
    if (worker != handover->worker && roster_hand(handover->roster, worker, arrival))
        return;
    if (worker != handover->worker)
        roster_place_with(handover->roster, handover->worker);
    roster_keep(handover->roster, handover->worker);
    relay_accept(handover->shared, socket, plan);
}

void handover_take(const struct handover *handover)
{
    struct arrival arrival;
    while (roster_take(handover->roster, handover->worker, &arrival)) {
        counter_add(&handover->shared->world->counters->connections_handed, 1);
        relay_accept(handover->shared, arrival.socket, &handover->plans[arrival.listener]);
    }
}

void handover_tell(const struct handover *handover)
{
    roster_tell(handover->roster, handover->worker, handover->shared->relay_count);
}

void handover_leave(const struct handover *handover)
{
    roster_leave(handover->roster, handover->worker);
    handover_take(handover);
}
