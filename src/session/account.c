/* SPDX-License-Identifier: PostgreSQL */
/* What statements cost and which errors there were, into the harvest. A call ends with each CommandComplete,
 * EmptyQueryResponse and PortalSuspended of a Query or Execute, and with the error that ends one of these or
 * the Parse, Bind or Describe of a statement; how long the last three took is not told apart. */
#include "session/state.h"
#include "sql/mask.h"
#include "sql/shape.h"
#include "sql/split.h"

#include <stdlib.h>

/* What a call or error is of. */
struct subject {
    const struct statement *statement;
    struct bytes text; /* of it: one of its statements, or all */
    bool is_cut;
    uint64_t shape; /* 0: not known */
};

static struct subject subject_whole(struct statement *statement)
{
    return (struct subject){ .text = bytes_of(statement->text, statement->text_size),
                             .statement = statement,
                             .is_cut = statement->is_cut,
                             .shape = statement_shape(statement) };
}

/* One of several statements in a text; all of it for one that lies beyond what is kept. */
static struct subject subject_piece(struct statement *statement, struct bytes piece)
{
    if (piece.size == 0)
        return subject_whole(statement);
    size_t end = (size_t)(piece.data + piece.size - (const uint8_t *)statement->text);
    return (struct subject){ .text = piece,
                             .statement = statement,
                             .is_cut = statement->is_cut && end >= statement->text_size,
                             .shape = shape_sql(piece, statement->reading) };
}

/* The statement of `head` that was answered now. Looked for behind the one before: a text of many statements
 * is read once. */
static struct subject subject_next(struct request *head)
{
    struct statement *statement = head->statement;
    if (statement == NULL)
        return (struct subject){ .shape = 0 };
    if (statement->verdict.statement_count <= 1)
        return subject_whole(statement);
    struct bytes rest =
        bytes_of(statement->text + head->answered_at, statement->text_size - head->answered_at);
    struct bytes piece = split_statement(rest, statement->reading, 0);
    head->answered_at = piece.size > 0
                            ? (uint16_t)(piece.data + piece.size - (const uint8_t *)statement->text)
                            : (uint16_t)statement->text_size;
    return subject_piece(statement, piece);
}

/* Of several statements the one that failed. All are parsed before the first runs: till that is answered, it
 * is the one where the server says the error to be. What SQL EXECUTE runs has places of its own. */
static struct bytes piece_failed(const struct session *session, const struct report *report,
                                 const struct request *head)
{
    enum { DECIMAL = 10 };
    const struct statement *statement = head->statement;
    unsigned long position = strtoul(report->position, NULL, DECIMAL);
    bool is_told = head->kind == REQUEST_QUERY && head->answered == 0 && position > 0 &&
                   position - 1 <= statement->full_size && statement->verdict.executes.count == 0;
    if (!is_told)
        return statement_piece(statement, head->answered);
    bool is_beyond = statement->is_cut && position > statement->text_size;
    return is_beyond ? BYTES_NONE
                     : split_statement_at(bytes_of(statement->text, statement->text_size), statement->reading,
                                          (uint32_t)position, !session->is_client_foreign);
}

/* The one that failed. What fails when a Sync commits belongs to no single statement. */
static struct subject subject_failed(const struct session *session, const struct report *report,
                                     const struct request *head)
{
    if (head == NULL || head->statement == NULL)
        return (struct subject){ .shape = 0 };
    if (head->statement->verdict.statement_count <= 1)
        return subject_whole(head->statement);
    return subject_piece(head->statement, piece_failed(session, report, head));
}

/* ── Showing ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void text_fill(const struct subject *subject, char out[SHOWN_TEXT_SIZE])
{
    static const char ellipsis[] = "…";
    struct text shown;
    text_init(&shown, out, SHOWN_TEXT_SIZE);
    mask_sql(subject->text, subject->statement->reading, &shown);
    size_t size = sizeof(ellipsis) - 1;
    bool has_ellipsis = shown.size >= size && memcmp(out + shown.size - size, ellipsis, size) == 0;
    if (subject->is_cut && shown.size > 0 && !has_ellipsis)
        text_append_string(&shown, ellipsis);
}

static void route_fill(const struct subject *subject, char out[ROUTE_SIZE])
{
    struct commenter commenter;
    statement_comment(subject->statement, subject->text, &commenter);
    commenter_route(&commenter, out);
}

/* ── Counting ──────────────────────────────────────────────────────────────────────────────────────────────
 */

/* The number at the end of a tag ("INSERT 0 5"); 0 where there is none, or none that a server counts. */
static uint64_t rows_of(struct bytes tag)
{
    enum { DIGITS_MOST = 18 };
    uint64_t rows = 0;
    uint64_t unit = 1;
    size_t at = tag.size;
    for (; at > 0 && tag.data[at - 1] >= '0' && tag.data[at - 1] <= '9'; at--) {
        if (tag.size - at == DIGITS_MOST)
            return 0;
        rows += unit * (uint64_t)(tag.data[at - 1] - '0');
        unit *= 10;
    }
    return at > 0 && tag.data[at - 1] == ' ' ? rows : 0;
}

/* From when it was sent, or from the end of what the server did before; negative where the clock was set
 * back, which is as good as not known. */
static int64_t duration_of(const struct session *session, const struct request *head)
{
    int64_t from_us = head->sent_us > session->accounted_us ? head->sent_us : session->accounted_us;
    return session->world->now_us - from_us;
}

static void call_count(struct session *session, const struct subject *subject, struct statement_call *call)
{
    struct session_world *world = session->world;
    call->service = session_service_name(session);
    call->database = session->database->text; /* who has not said who it is runs nothing */
    call->user = session->user->text;
    call->shape = subject->shape;
    call->bytes = session->unaccounted_bytes;
    struct statement_entry *entry = statements_record(&world->harvest->statements, call, world->now_us);
    if (entry == NULL || subject->text.size == 0)
        return;
    text_fill(subject, entry->text);
    route_fill(subject, entry->route);
}

void account_close(struct session *session)
{
    session->unaccounted_bytes = 0;
    session->accounted_us = session->world->now_us;
}

void account_statement(struct session *session, struct request *head, struct bytes tag)
{
    if (session->world->harvest->has_statements) {
        struct subject subject = subject_next(head);
        call_count(
            session, &subject,
            &(struct statement_call){ .rows = rows_of(tag), .duration_us = duration_of(session, head) });
    }
    account_close(session);
}

/* Whether the error ends a call, and whether its time is known. */
static bool ends_call(const struct request *head, bool *is_timed)
{
    *is_timed = false;
    if (head == NULL || head->is_poison)
        return false;
    switch ((enum request_kind)head->kind) {
    case REQUEST_QUERY:
    case REQUEST_EXECUTE:
        *is_timed = true;
        return true;
    case REQUEST_PARSE:
    case REQUEST_BIND:
    case REQUEST_DESCRIBE:
        return true;
    default:
        return false;
    }
}

void account_error(struct session *session, const struct report *report, const struct request *head)
{
    struct session_world *world = session->world;
    struct subject subject = subject_failed(session, report, head);
    bool is_timed;
    struct error_seen seen = { .service = session_service_name(session),
                               .database = shared_text_string(session->database),
                               .user = shared_text_string(session->user),
                               .sqlstate = bytes_text(report->sqlstate),
                               .type = report_enum_type(report),
                               .shape = subject.shape };
    struct error_entry *entry = errors_record(&world->harvest->errors, &seen, world->now_us);
    if (entry != NULL && subject.text.size > 0)
        text_fill(&subject, entry->text);
    if (ends_call(head, &is_timed) && world->harvest->has_statements)
        call_count(session, &subject,
                   &(struct statement_call){ .duration_us = is_timed ? duration_of(session, head) : -1,
                                             .has_failed = true });
    account_close(session);
}
