/* SPDX-License-Identifier: PostgreSQL */
/* Which Syncs a COPY from the client swallowed. While it reads COPY data the server ignores Flush and Sync:
 * once the data has ended, the Syncs sent before its end will not be answered (manual: "COPY Operations").
 *
 * Where an error ends a COPY before its data, nothing tells how many of them the server had read by then.
 * They are taken as swallowed, as they nearly always are, and counted as doubtful: a ReadyForQuery that
 * nothing in flight can have asked for is one of theirs.
 */
#include "session/state.h"

/* How many Syncs stand behind the place in the flight where a COPY's data begins, and what is behind them. */
static uint32_t syncs_at(const struct flight *flight, uint32_t place, const struct request **next)
{
    uint32_t index = place;
    while (index < flight->count && flight_at(flight, index)->kind == REQUEST_SYNC)
        index++;
    *next = index < flight->count ? flight_at(flight, index) : NULL;
    return index - place;
}

/* Takes so many out that stand at the head or, if that stays, behind it. */
static void drop(struct session *session, bool keeps_head, uint32_t count)
{
    struct flight *flight = &session->flight;
    for (uint32_t index = 0; index < count; index++) {
        struct request dropped = keeps_head ? flight_take_second(flight) : flight_take(flight);
        request_settle(session, &dropped, false);
    }
}

void copy_take_end(struct session *session, bool keeps_head)
{
    const struct request *next;
    if (!session->is_copying_in)
        return;
    session->is_copying_in = false;
    uint32_t place = keeps_head ? 1 : 0;
    uint32_t syncs = syncs_at(&session->flight, place, &next);
    if (next == NULL || next->kind != REQUEST_COPY_END)
        return;
    drop(session, keeps_head, syncs);
    struct request *end = flight_at(&session->flight, place);
    if (end->answered > 0)
        end->answered--; /* the others are for the next COPY of this text */
    else
        drop(session, keeps_head, 1);
}

/* Whether it is what the server says of a message that it read in place of data; of Sync and Flush it says
 * nothing. Data may be refused with the same SQLSTATE, but not there. */
static bool is_of_no_data(const struct report *report)
{
    return strcmp(report->sqlstate, "08P01") == 0 && strcmp(report->routine, "CopyGetData") == 0;
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
    const struct request *next;
    session->doubtful_syncs = 0;
    if (!session->is_copying_in)
        return;
    session->is_copying_in = false;
    uint32_t syncs = syncs_at(&session->flight, skips ? 0 : 1, &next);
    if (next != NULL && next->kind != REQUEST_COPY_END && is_of_no_data(report)) {
        drop(session, !skips, syncs + 1); /* it was read, and so were the Syncs before it */
        return;
    }
    if (syncs > UINT16_MAX) {
        session_lose(session, "an error ended a COPY with more Syncs in its data than can be told apart");
        return;
    }
    session->doubtful_syncs = (uint16_t)syncs;
    bool has_end = next != NULL && next->kind == REQUEST_COPY_END;
    drop(session, !skips, has_end ? syncs + 1 : syncs);
}

bool copy_take_ready(struct session *session, const struct request *head)
{
    if (session->doubtful_syncs == 0)
        return false;
    bool is_awaited = head != NULL && (head->kind == REQUEST_SYNC || head->answered > 0 || head->has_failed);
    if (!is_awaited)
        session->doubtful_syncs--;
    return !is_awaited;
}
