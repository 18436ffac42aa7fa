/* SPDX-License-Identifier: PostgreSQL */
/* How a session ends before its time, or goes on unread. */
#include "session/state.h"
#include "wire/writer.h"

enum { FATAL_SIZE_MOST = 4096 };

bool client_is_between_messages(const struct session *session)
{
    const struct direction *server = &session->server;
    bool has_begun =
        server->framer.is_inside && (server->doing == DOING_PASS || server->doing == DOING_REPORT);
    return session->stage != STAGE_BLIND && !has_begun;
}

/* Within a message of the server's an error would be taken for the rest of it: a row, say. */
__attribute__((noinline, cold)) static void fail(struct session *session, const struct error_notice *notice)
{
    bool is_understood = client_is_between_messages(session);
    session->stage = STAGE_ENDED;
    if (!is_understood)
        return;
    struct parcel *parcel = parcel_create(FATAL_SIZE_MOST);
    if (parcel == NULL)
        return;
    struct writer writer = writer_of(&parcel->buffer);
    writer_error(&writer, notice);
    outbox_send(&session->world->outbox, SIDE_CLIENT, parcel);
}

void session_fail(struct session *session, const char *sqlstate, const char *message, const char *detail)
{
    fail(session, &(struct error_notice){ .severity = "FATAL",
                                          .sqlstate = sqlstate,
                                          .message = bytes_text(message),
                                          .detail = detail != NULL ? bytes_text(detail) : BYTES_NONE,
                                          .routine = "pgsluice" });
}

void session_fail_with_hint(struct session *session, const char *sqlstate, const char *message,
                            const char *hint)
{
    fail(session, &(struct error_notice){ .severity = "FATAL",
                                          .sqlstate = sqlstate,
                                          .message = bytes_text(message),
                                          .hint = bytes_text(hint),
                                          .routine = "pgsluice" });
}

/* Sends what was kept back of a side's stream: a message that was being gathered, the beginning of a header.
 */
static void release_kept(struct session *session, enum side from)
{
    struct direction *direction = session_direction(session, from);
    const struct framer *framer = &direction->framer;
    if (direction->gathered != NULL) {
        outbox_send(&session->world->outbox, side_other(from), direction->gathered);
        direction->gathered = NULL;
    } else if (!framer->is_inside) {
        outbox_pass(&session->world->outbox, side_other(from), bytes_of(framer->header, framer->header_size));
    }
}

void session_go_blind(struct session *session)
{
    session->stage = STAGE_BLIND;
    release_kept(session, SIDE_CLIENT);
    release_kept(session, SIDE_SERVER);
}

static void fail_unfollowed(struct session *session)
{
    session_fail(session, "08P01", "the connection can no longer be followed and was closed",
                 session->end_reason);
}

void session_lose(struct session *session, const char *why)
{
    if (session->stage == STAGE_BLIND || session->stage == STAGE_ENDED)
        return;
    session->is_lost = true;
    counter_add(&session->world->counters->unfollowed, 1);
    struct event *event = tell_begin(session, EVENT_UNFOLLOWED);
    if (event != NULL) {
        (void)bytes_copy_text(bytes_text(why), event->reason, sizeof(event->reason));
        tell_publish(session);
    }
    session->end_reason = why;
    if (session_guard_mode(session) != GUARD_ENFORCE)
        session_go_blind(session);
    else
        fail_unfollowed(session);
}

bool ending_is_due(struct session *session)
{
    /* what speaks protocol 2 before the login is an error message and nothing else */
    if (!session->has_authenticated || session_guard_mode(session) != GUARD_ENFORCE)
        return false;
    fail_unfollowed(session);
    return true;
}
