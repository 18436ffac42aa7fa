/* SPDX-License-Identifier: PostgreSQL */
/* Which of the client's messages wait, or go nowhere, before they are looked at.
 *
 * A request in place of COPY data ends the connection, but for servers up to 13: these drop it and go on.
 * What was prepared or bound by it would then mean what it meant before, so nothing of the kind is sent to
 * them, and to none before it has told its version, behind a Query that may copy, until that is answered.
 * What stands behind Terminate no server reads, but for one that took that for such a request: it stays here.
 */
#include "session/state.h"

#include <strings.h>

/* Anywhere, not as a word of its own only: what waits in vain does no harm. */
static bool says_copy(const struct statement *statement)
{
    static const char word[] = "copy";
    size_t size = sizeof(word) - 1;
    for (size_t at = 0; at + size <= statement->text_size; at++) {
        if ((statement->text[at] | 0x20) == word[0] && strncasecmp(statement->text + at, word, size) == 0)
            return true;
    }
    return false;
}

bool holding_is_due(const struct statement *statement)
{
    return statement != NULL && (statement->is_cut || says_copy(statement));
}

static bool has_data_end(const struct flight *flight)
{
    for (uint32_t index = 0; index < flight->count; index++) {
        if (flight_at(flight, index)->kind == REQUEST_COPY_END)
            return true;
    }
    return false;
}

/* What a COPY expects to read, and Terminate, behind which nothing is taken. */
static bool is_read_by_copy(uint8_t type)
{
    return type == CLIENT_COPY_DATA || type == CLIENT_COPY_DONE || type == CLIENT_COPY_FAIL ||
           type == CLIENT_FLUSH || type == CLIENT_SYNC || type == CLIENT_TERMINATE;
}

static bool is_held(struct session *session, uint8_t type)
{
    if (is_read_by_copy(type))
        return false;
    if (!session->is_copying_in || has_data_end(&session->flight))
        return true;
    session_lose(session, "a request in place of COPY data");
    return false;
}

bool holding_take(struct session *session, struct bytes *input)
{
    const struct framer *framer = &session->client.framer;
    if (framer->is_inside)
        return false;
    if (session->has_terminated)
        (void)bytes_take(input, input->size);
    if (framer->header_size == 0 && input->size == 0)
        return false;
    return is_held(session, framer->header_size > 0 ? framer->header[0] : input->data[0]);
}

bool session_is_holding(const struct session *session)
{
    bool is_followed = session->stage <= STAGE_READY;
    bool awaits_answer = session->flight.copies > 0 && !session->is_copying_in;
    return is_followed && (flight_is_full(session) || awaits_answer);
}
