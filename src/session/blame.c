/* SPDX-License-Identifier: PostgreSQL */
/* Whose error it was: from an ErrorResponse and the request it answers to a violation of one statement. */
#include "session/state.h"
#include "sql/classifier.h"
#include "sql/fingerprint.h"
#include "sql/mask.h"
#include "sql/split.h"
#include "sql/token_walk.h"

#include <assert.h>

static_assert((int)FINGERPRINT_TEXT_SIZE == (int)FINGERPRINT_SIZE &&
                  (int)ROUTE_SIZE == (int)COMMENTER_VALUE_SIZE &&
                  (int)TRACE_ID_SIZE == (int)COMMENTER_TRACE_SIZE,
              "what the texts of statements say fits into violations");

/* The statement that is held responsible. */
struct culprit {
    struct statement *statement;
    struct bytes text; /* of it: one of its statements; empty where nobody is */
    bool is_cut;
    struct lexer_reading reading;
    enum violation_phase phase;
};

void candidates_add(struct session *session, struct statement *statement, uint32_t index)
{
    if (statement == NULL || statement->text_size == 0)
        return;
    if (session->candidates == NULL) {
        session->candidates = slab_take(&session->world->candidates);
        if (session->candidates == NULL)
            return;
        session->candidates->added = 0;
    }
    struct candidates *candidates = session->candidates;
    struct candidate *place = &candidates->kept[candidates->added % CANDIDATES_KEPT];
    if (candidates->added++ >= CANDIDATES_KEPT)
        statement_release(session->world->statements, place->statement);
    *place = (struct candidate){ statement_share(statement), index };
}

void candidates_clear(struct session *session)
{
    struct candidates *candidates = session->candidates;
    if (candidates == NULL)
        return;
    uint32_t count = candidates->added < CANDIDATES_KEPT ? candidates->added : CANDIDATES_KEPT;
    for (uint32_t index = 0; index < count; index++)
        statement_release(session->world->statements, candidates->kept[index].statement);
    slab_give(&session->world->candidates, candidates);
    session->candidates = NULL;
}

struct bytes statement_piece(const struct statement *statement, uint32_t index)
{
    struct bytes text = bytes_of(statement->text, statement->text_size);
    return statement->verdict.statement_count > 1 ? split_statement(text, statement->reading, index) : text;
}

void statement_comment(const struct statement *statement, struct bytes piece, struct commenter *out)
{
    struct bytes whole = bytes_of(statement->text, statement->text_size);
    struct bytes behind = whole;
    (void)bytes_take(&behind, (size_t)(piece.data + piece.size - whole.data));
    size_t rest = bytes_find(behind, ';');
    commenter_read(bytes_of(piece.data, piece.size + rest), statement->is_cut && rest == behind.size,
                   statement->reading, out);
    bool says_nothing = out->route[0] == '\0' && out->controller[0] == '\0' && out->trace_id[0] == '\0';
    if (says_nothing && piece.size < whole.size)
        commenter_read(whole, statement->is_cut, statement->reading, out);
}

static struct culprit culprit_of(struct statement *statement, uint32_t index, enum violation_phase phase)
{
    struct bytes piece = statement_piece(statement, index);
    bool reaches_cut = statement->is_cut && piece.data != NULL &&
                       piece.data + piece.size >= (const uint8_t *)statement->text + statement->text_size;
    return (struct culprit){ .statement = statement,
                             .text = piece,
                             .is_cut = reaches_cut,
                             .reading = statement->reading,
                             .phase = phase };
}

/* What a single SQL EXECUTE runs: a statement that was prepared in this session. NULL when it is not known.
 */
static struct statement *executed_by(const struct session *session, const struct verdict *verdict)
{
    const char *name = name_list_next(&verdict->executes, NULL);
    if (verdict->executes.count != 1 || verdict->statement_count != 1)
        return NULL;
    return names_meaning(&session->names->statements, &session->world->hash_key, bytes_text(name));
}

/* The failing statement itself, or what it EXECUTEs. */
static struct culprit culprit_itself(const struct session *session, const struct request *head)
{
    struct culprit culprit = culprit_of(head->statement, head->answered, PHASE_STATEMENT);
    struct verdict verdict;
    if (head->statement->verdict.executes.count == 0)
        return culprit;
    classify(culprit.text, culprit.reading, &verdict);
    struct statement *executed = executed_by(session, &verdict);
    return executed != NULL ? culprit_of(executed, 0, PHASE_STATEMENT) : culprit;
}

/* The newest statement of the transaction that changed `table`; else the newest that changed anything. */
static const struct candidate *suspect_find(const struct session *session, const char *table)
{
    const struct candidates *candidates = session->candidates;
    const struct candidate *newest_change = NULL;
    if (candidates == NULL)
        return NULL;
    uint32_t kept = candidates->added < CANDIDATES_KEPT ? candidates->added : CANDIDATES_KEPT;
    for (uint32_t age = 1; age <= kept; age++) {
        const struct candidate *candidate = &candidates->kept[(candidates->added - age) % CANDIDATES_KEPT];
        struct bytes piece = statement_piece(candidate->statement, candidate->index);
        char target[NAME_SIZE];
        if (!split_target(piece, candidate->statement->reading, target))
            continue;
        if (strcmp(target, table) == 0)
            return candidate;
        newest_change = newest_change != NULL ? newest_change : candidate;
    }
    return newest_change;
}

static struct culprit culprit_at_end(const struct session *session, const char *table,
                                     enum violation_phase phase)
{
    const struct candidate *suspect = suspect_find(session, table);
    if (suspect == NULL)
        return (struct culprit){ .text = BYTES_NONE, .phase = phase };
    return culprit_of(suspect->statement, suspect->index, phase);
}

/* What the failing statement itself says about the moment: an error at COMMIT or SET CONSTRAINTS is never its
 * own. */
static enum violation_phase phase_of_words(struct bytes piece, struct lexer_reading reading)
{
    struct token_walk walk;
    struct token first;
    struct token second;
    token_walk_begin(&walk, piece, reading);
    if (!token_walk_next_word(&walk, &first))
        return PHASE_STATEMENT;
    if (token_is_word(&first, "commit") || token_is_word(&first, "end"))
        return PHASE_COMMIT;
    if (!token_walk_next_word(&walk, &second))
        return PHASE_STATEMENT;
    if (token_is_word(&first, "prepare") && token_is_word(&second, "transaction"))
        return PHASE_COMMIT;
    if (token_is_word(&first, "set") && token_is_word(&second, "constraints"))
        return PHASE_CONSTRAINT_CHECK;
    return PHASE_STATEMENT;
}

static enum violation_phase phase_of_command(const struct session *session, const struct request *head)
{
    const struct statement *statement = head->statement;
    enum violation_phase phase =
        phase_of_words(statement_piece(statement, head->answered), statement->reading);
    if (phase != PHASE_STATEMENT)
        return phase;
    bool is_last_of_several = head->kind == REQUEST_QUERY && statement->verdict.statement_count > 1 &&
                              head->answered + 1 >= statement->verdict.statement_count;
    return is_last_of_several && session->transaction_status == 'I' ? PHASE_COMMIT_OR_LAST : PHASE_STATEMENT;
}

/* Of several statements in one Query the last one's error may be the implicit commit's: its own table speaks
 * for it. */
static struct culprit culprit_commit_or_last(const struct session *session, const struct request *head,
                                             const char *table)
{
    struct culprit last = culprit_of(head->statement, head->answered, PHASE_COMMIT_OR_LAST);
    char target[NAME_SIZE];
    if (split_target(last.text, last.reading, target) && strcmp(target, table) == 0)
        return last;
    struct culprit earlier = culprit_at_end(session, table, PHASE_COMMIT_OR_LAST);
    return earlier.text.size > 0 ? earlier : last;
}

static struct culprit culprit_find(const struct session *session, const struct request *head,
                                   const char *table)
{
    if (head == NULL)
        return (struct culprit){ .text = BYTES_NONE, .phase = PHASE_STATEMENT };
    if (head->kind == REQUEST_SYNC)
        return culprit_at_end(session, table, PHASE_COMMIT);
    if (head->statement == NULL)
        return (struct culprit){ .text = BYTES_NONE, .phase = PHASE_STATEMENT };
    enum violation_phase phase = phase_of_command(session, head);
    switch (phase) {
    case PHASE_COMMIT:
    case PHASE_CONSTRAINT_CHECK:
        return culprit_at_end(session, table, phase);
    case PHASE_COMMIT_OR_LAST:
        return culprit_commit_or_last(session, head, table);
    default:
        return culprit_itself(session, head);
    }
}

static void copy_name(const char *from, char *to)
{
    (void)bytes_copy_text(bytes_text(from), to, NAME_SIZE);
}

static void culprit_show(const struct culprit *culprit, struct violation *out)
{
    struct text shown;
    struct commenter commenter;
    text_init(&shown, out->statement, sizeof(out->statement));
    mask_sql(culprit->text, culprit->reading, &shown);
    if (culprit->text.size == culprit->statement->text_size)
        memcpy(out->fingerprint, statement_fingerprint(culprit->statement), sizeof(out->fingerprint));
    else
        fingerprint_sql(culprit->text, culprit->is_cut, culprit->reading, out->fingerprint);
    statement_comment(culprit->statement, culprit->text, &commenter);
    commenter_route(&commenter, out->route);
    memcpy(out->trace_id, commenter.trace_id, sizeof(out->trace_id));
}

static void violation_fill(const struct session *session, const struct report *report,
                           const struct culprit *culprit, struct violation *out)
{
    out->phase = culprit->phase;
    (void)bytes_copy_text(bytes_text(report->sqlstate), out->sqlstate, sizeof(out->sqlstate));
    copy_name(report->schema, out->schema);
    copy_name(report->table, out->table);
    copy_name(report->column, out->column);
    copy_name(report->constraint, out->constraint);
    copy_name(report->datatype, out->datatype);
    copy_name(shared_text_string(session->user), out->user);
    copy_name(shared_text_string(session->database), out->database);
    (void)bytes_copy_text(session_service(session), out->service, NAME_SIZE);
    (void)bytes_copy_text(report_key_columns(report), out->key_columns, sizeof(out->key_columns));
    if (culprit->text.size > 0)
        culprit_show(culprit, out);
}

static void violation_count(struct session *session, const struct report *report, const struct request *head,
                            enum violation_kind kind)
{
    struct session_world *world = session->world;
    struct culprit culprit = culprit_find(session, head, report->table);
    struct violation violation = { .kind = kind };
    violation_fill(session, report, &culprit, &violation);
    session->violations++;
    counter_add(&world->counters->violations, 1);
    if (culprit.text.size == 0)
        counter_add(&world->counters->errors_unattributed, 1);
    ledger_record(&world->harvest->violations, &violation, world->now_us);
    struct event *event = tell_begin(session, EVENT_VIOLATION);
    if (event != NULL) {
        event->violation = violation;
        attempted_keep(session, report, event);
        tell_publish(session);
    }
}

void blame_error(struct session *session, const struct report *report, const struct request *head)
{
    struct violation_fields fields = {
        .has_table = report->has_table,
        .has_column = report->has_column,
        .has_constraint = report->has_constraint,
        .has_datatype = report->has_datatype,
    };
    enum violation_kind kind;
    if (!report_has_valid_sqlstate(report)) {
        counter_add(&session->world->counters->errors_without_sqlstate, 1);
        return;
    }
    if (violation_classify(report->sqlstate, fields, &kind))
        violation_count(session, report, head, kind);
}

/* ── The backstop ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* Nearly every tag is told apart by its first four letters. */
static bool is_change_tag(struct bytes tag)
{
    switch (tag.size > 0 ? tag.data[0] : '\0') {
    case 'A':
        return bytes_start_with(tag, "ALTER ");
    case 'C':
        return bytes_start_with(tag, "CREATE ") || bytes_start_with(tag, "COMMENT") ||
               bytes_start_with(tag, "CLUSTER");
    case 'D':
        return bytes_start_with(tag, "DROP ");
    case 'G':
        return bytes_start_with(tag, "GRANT");
    case 'I':
        return bytes_start_with(tag, "IMPORT");
    case 'R':
        return bytes_start_with(tag, "REVOKE") || bytes_start_with(tag, "REINDEX") ||
               bytes_start_with(tag, "REASSIGN") || bytes_start_with(tag, "REFRESH");
    case 'S':
        return bytes_start_with(tag, "SECURITY LABEL");
    case 'T':
        return bytes_start_with(tag, "TRUNCATE");
    default:
        return false;
    }
}

/* Whether the tag's first word is the command's: the classifier saw this very change, and of temporary
 * objects only it asks no window. */
static bool is_command_of_tag(const char *command, struct bytes tag)
{
    size_t word = bytes_find(tag, ' ');
    return strncmp(command, (const char *)tag.data, word) == 0 &&
           (command[word] == ' ' || command[word] == '\0');
}

/* Whether an SQL EXECUTE in it may run what was prepared in this session: that was judged with it. */
static bool executes_known(const struct session *session, const struct verdict *verdict)
{
    const struct session_world *world = session->world;
    for (const char *name = NULL; (name = name_list_next(&verdict->executes, name)) != NULL;) {
        struct statement *made = NULL;
        bool is_known = names_possible(&session->names->statements, &world->hash_key, bytes_text(name),
                                       world->statements, &made) != NULL;
        statement_release(world->statements, made);
        if (is_known)
            return true;
    }
    return false;
}

/* Whether the statement that was answered was seen to change something when it came in. Of one that lies
 * beyond what is kept of its text the classifier knows only that there was such a one. */
static bool was_seen(const struct session *session, struct statement *statement, uint32_t index,
                     struct bytes tag)
{
    const struct verdict *whole = &statement->verdict;
    struct culprit culprit = culprit_of(statement, index, PHASE_STATEMENT);
    struct verdict verdict = *whole;
    if (whole->statement_count > 1)
        classify(culprit.text, culprit.reading, &verdict);
    if (executes_known(session, &verdict) || is_command_of_tag(verdict.command, tag))
        return true;
    bool is_beyond = statement->is_cut && (culprit.text.size == 0 || culprit.is_cut);
    return is_beyond && (whole->has_temporary || executes_known(session, whole));
}

void blame_unseen_change(struct session *session, struct bytes tag, const struct request *head)
{
    struct statement *statement = head->statement;
    if (!is_change_tag(tag) || (statement != NULL && statement->verdict.is_guarded))
        return;
    if (statement != NULL && was_seen(session, statement, head->answered, tag))
        return;
    counter_add(&session->world->counters->ddl_unseen, 1);
    struct event *event = tell_begin(session, EVENT_DDL_UNSEEN);
    if (event != NULL) {
        (void)bytes_copy_text(tag, event->command, sizeof(event->command));
        tell_publish(session);
    }
}
