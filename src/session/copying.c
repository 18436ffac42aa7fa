/* SPDX-License-Identifier: PostgreSQL */
/* Which Syncs a COPY from the client swallowed. While it reads COPY data the server ignores Flush and Sync:
 * once the data has ended, the Syncs sent before its end will not be answered (manual: "COPY Operations").
 *
 * Where an error ends a COPY before its data, nothing tells how many of them the server had read by then.
 * They are taken as swallowed, as they nearly always are, and counted as doubtful: a ReadyForQuery that
 * nothing in flight can have asked for is one of theirs.
 */
#include "session/state.h"

void copy_take_end(struct session *session, bool keeps_head)
{
    struct flight *flight = &session->flight;
    uint32_t least = keeps_head ? 1 : 0;
    if (!session->is_copying_in)
        return;
    session->is_copying_in = false;
    if (!flight_holds(flight, REQUEST_COPY_END))
        return;
    while (flight->count > least) {
        struct request dropped = keeps_head ? flight_take_second(flight) : flight_take(flight);
        bool was_end = dropped.kind == REQUEST_COPY_END;
        request_settle(session, &dropped, false);
        if (was_end)
            return;
    }
}

/* Anything but Sync, Flush and the data breaks the protocol while it is read as a part of a COPY; the server
 * says so and goes. */
static bool is_of_broken_protocol(const struct report *report)
{
    return strcmp(report->sqlstate, "08P01") == 0;
}

bool copy_doubt(struct session *session)
{
    if (session->doubtful_syncs == 0)
        return false;
    session->skips_to_sync = false;
    session_lose(session, "an error ended a COPY, and it is not known what the server skips");
    return true;
}

void copy_take_error(struct session *session, bool skips, const struct report *report)
{
    struct flight *flight = &session->flight;
    uint32_t least = skips ? 0 : 1;
    uint8_t kind = REQUEST_SYNC;
    session->doubtful_syncs = 0;
    if (!session->is_copying_in)
        return;
    session->is_copying_in = false;
    while (flight->count > least && kind == REQUEST_SYNC) {
        kind = flight_at(flight, least)->kind;
        if (kind == REQUEST_SYNC && session->doubtful_syncs < UINT16_MAX)
            session->doubtful_syncs++;
        if (kind != REQUEST_SYNC && kind != REQUEST_COPY_END && !is_of_broken_protocol(report))
            break; /* it was not read as a part of the COPY */
        struct request dropped = skips ? flight_take(flight) : flight_take_second(flight);
        request_settle(session, &dropped, false);
    }
}

bool copy_take_ready(struct session *session, const struct request *head)
{
    if (session->doubtful_syncs == 0)
        return false;
    bool is_awaited = head != NULL && (head->kind == REQUEST_SYNC || head->kind == REQUEST_FUNCTION ||
                                       head->answered > 0 || head->has_failed);
    if (!is_awaited)
        session->doubtful_syncs--;
    return !is_awaited;
}
