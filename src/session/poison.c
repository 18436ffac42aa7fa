/* SPDX-License-Identifier: PostgreSQL */
/* The poison that carries a refusal out: a message the server is sure to refuse goes in place of the
 * client's, so that the abort of the transaction, the skipping to Sync and the status in ReadyForQuery are
 * the server's own; only the text of the error becomes ours. */
#include "session/state.h"
#include "wire/writer.h"

#include <stdlib.h>

enum { POISON_SIZE_MOST = 512, REFUSAL_TEXT_SIZE = 1024, REFUSAL_MESSAGE_MOST = 4096 };

/* A statement cannot begin with a quoted name: the parser refuses it in every version, before any look-up and
 * also in a failed transaction. The server's log shows it. */
static const char poison_sql[] = "\"pgsluice\" statement refused by the maintenance window guard";
/* Named, because an unnamed one would drop the client's unnamed statement. It never comes to exist. */
static const char poison_name[] = "__pgsluice_refused";

struct refusal *refusal_create(const struct session *session, const struct verdict *verdict,
                               const struct decision *decision)
{
    char storage[3][REFUSAL_TEXT_SIZE];
    struct text texts[3];
    size_t sizes[3];
    for (size_t index = 0; index < COUNT_OF(texts); index++)
        text_init(&texts[index], storage[index], sizeof(storage[index]));
    guard_describe(verdict, decision, session->world->now_us, &texts[0], &texts[1], &texts[2]);
    for (size_t index = 0; index < COUNT_OF(texts); index++)
        sizes[index] = texts[index].size + 1;
    struct refusal *refusal = malloc(sizeof(*refusal) + sizes[0] + sizes[1] + sizes[2]);
    if (refusal == NULL)
        return NULL;
    (void)bytes_copy_text(bytes_text(guard_sqlstate(session->world->policy, decision)), refusal->sqlstate,
                          sizeof(refusal->sqlstate));
    refusal->detail_at = (uint16_t)sizes[0];
    refusal->hint_at = (uint16_t)(sizes[0] + sizes[1]);
    memcpy(refusal->texts, storage[0], sizes[0]);
    memcpy(refusal->texts + refusal->detail_at, storage[1], sizes[1]);
    memcpy(refusal->texts + refusal->hint_at, storage[2], sizes[2]);
    return refusal;
}

void poison_expect(struct session *session, enum request_kind kind, const struct ruling *ruling)
{
    struct request *request = session_expect(session, kind, NULL);
    if (ruling->change > 0)
        changes_sent(session, request); /* what its EXECUTEs would have run */
    if (request == NULL) {
        free(ruling->refusal);
        return;
    }
    request->is_poison = true;
    request->refusal = ruling->refusal;
}

static void poison_write(struct writer *writer, bool is_simple)
{
    writer_begin(writer, is_simple ? CLIENT_QUERY : CLIENT_PARSE);
    if (!is_simple)
        writer_string(writer, bytes_text(poison_name));
    writer_string(writer, bytes_text(poison_sql));
    if (!is_simple)
        writer_int16(writer, 0);
    writer_end(writer);
}

void poison_send(struct session *session, uint8_t replaced_type, const struct ruling *ruling)
{
    bool is_simple = replaced_type == CLIENT_QUERY || replaced_type == CLIENT_FUNCTION_CALL;
    struct parcel *parcel = parcel_create(POISON_SIZE_MOST);
    if (parcel == NULL || ruling->refusal == NULL) {
        parcel_destroy(parcel);
        free(ruling->refusal);
        session_fail(session, "53200", "out of memory", NULL);
        return;
    }
    struct writer writer = writer_of(&parcel->buffer);
    poison_write(&writer, is_simple);
    outbox_send(&session->world->outbox, SIDE_SERVER, parcel);
    poison_expect(session, is_simple ? REQUEST_QUERY : REQUEST_PARSE, ruling);
}

void refusal_send(struct session *session, const struct refusal *refusal)
{
    struct parcel *parcel = parcel_create(REFUSAL_MESSAGE_MOST);
    if (parcel == NULL) {
        session_fail(session, "53200", "out of memory", NULL);
        return;
    }
    struct writer writer = writer_of(&parcel->buffer);
    writer_error(&writer, &(struct error_notice){
                              .severity = "ERROR",
                              .sqlstate = refusal->sqlstate,
                              .message = bytes_text(refusal->texts),
                              .detail = bytes_text(refusal->texts + refusal->detail_at),
                              .hint = bytes_text(refusal->texts + refusal->hint_at),
                              .routine = "pgsluice_guard",
                          });
    outbox_send(&session->world->outbox, SIDE_CLIENT, parcel);
}
