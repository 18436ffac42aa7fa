/* SPDX-License-Identifier: PostgreSQL */
#include "observe/event.h"

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {
#define EVENT(symbol, name, level, about) [EVENT_##symbol] = (name),
#include "observe/events.def"
#undef EVENT
    };
    return names[kind];
}

enum log_level event_kind_level(enum event_kind kind)
{
    static const enum log_level levels[] = {
#define EVENT(symbol, name, level, about) [EVENT_##symbol] = (level),
#include "observe/events.def"
#undef EVENT
    };
    return levels[kind];
}

enum {
    IN_OPENED = 1u << EVENT_SESSION_OPENED,
    IN_CLOSED = 1u << EVENT_SESSION_CLOSED,
    IN_REFUSED = 1u << EVENT_SESSION_REFUSED,
    IN_VIOLATION = 1u << EVENT_VIOLATION,
    IN_JUDGED = 1u << EVENT_DDL_PASSED | 1u << EVENT_DDL_REFUSED | 1u << EVENT_DDL_WOULD_REFUSE |
                1u << EVENT_STATEMENT_REFUSED | 1u << EVENT_STATEMENT_WOULD_REFUSE,
    IN_FAILED = 1u << EVENT_DDL_FAILED,
    IN_RUN = IN_FAILED | 1u << EVENT_DDL_COMPLETED,
    IN_ENDED = 1u << EVENT_DDL_COMMITTED | 1u << EVENT_DDL_UNDONE | 1u << EVENT_DDL_UNKNOWN,
    IN_OUTLIVED = 1u << EVENT_DDL_OUTLIVED,
    IN_UNSEEN = 1u << EVENT_DDL_UNSEEN,
    IN_UNFOLLOWED = 1u << EVENT_UNFOLLOWED,
    IN_NAMED = IN_JUDGED | IN_UNSEEN, /* by a command */
    IN_GUARDED = IN_NAMED | IN_RUN | IN_ENDED | IN_OUTLIVED,
    IN_ALL = (1u << EVENT_KIND_COUNT) - 1,
    IN_NONE = 0
};

enum field_type { FIELD_TEXT, FIELD_CONSTANT, FIELD_U8, FIELD_U32, FIELD_64, FIELD_KIND, FIELD_PHASE };

/* The keys of a line after time, level and event, in their order: in which kinds of event they stand, and in
 * which of these even when empty or 0. */
static const struct field {
    const char *key;
    enum field_type type;
    size_t offset;
    unsigned kinds;
    unsigned always;
} fields[] = {
    { "session", FIELD_64, offsetof(struct event, session), IN_ALL, IN_ALL },
    { "worker", FIELD_U32, offsetof(struct event, worker), IN_ALL, IN_ALL },
    { "service", FIELD_TEXT, offsetof(struct event, violation.service), IN_ALL, IN_VIOLATION | IN_GUARDED },
    { "user", FIELD_TEXT, offsetof(struct event, violation.user), IN_ALL, IN_NONE },
    { "database", FIELD_TEXT, offsetof(struct event, violation.database), IN_ALL, IN_NONE },
    { "application_name", FIELD_TEXT, offsetof(struct event, application_name), IN_ALL, IN_NONE },
    { "address", FIELD_TEXT, offsetof(struct event, address), IN_ALL, IN_NONE },
    { "kind", FIELD_KIND, offsetof(struct event, violation.kind), IN_VIOLATION, IN_VIOLATION },
    { "phase", FIELD_PHASE, offsetof(struct event, violation.phase), IN_VIOLATION, IN_VIOLATION },
    { "sqlstate", FIELD_TEXT, offsetof(struct event, violation.sqlstate), IN_VIOLATION | IN_FAILED,
      IN_VIOLATION },
    { "schema", FIELD_TEXT, offsetof(struct event, violation.schema), IN_VIOLATION, IN_NONE },
    { "table", FIELD_TEXT, offsetof(struct event, violation.table), IN_VIOLATION, IN_NONE },
    { "column", FIELD_TEXT, offsetof(struct event, violation.column), IN_VIOLATION, IN_NONE },
    { "constraint", FIELD_TEXT, offsetof(struct event, violation.constraint), IN_VIOLATION, IN_NONE },
    { "datatype", FIELD_TEXT, offsetof(struct event, violation.datatype), IN_VIOLATION, IN_NONE },
    { "key_columns", FIELD_TEXT, offsetof(struct event, violation.key_columns), IN_VIOLATION, IN_NONE },
    { "change", FIELD_U32, offsetof(struct event, change), IN_GUARDED, IN_RUN | IN_ENDED },
    { "change_last", FIELD_U32, offsetof(struct event, change_last), IN_ENDED | IN_OUTLIVED, IN_ENDED },
    { "command", FIELD_TEXT, offsetof(struct event, command), IN_GUARDED, IN_NAMED },
    { "class", FIELD_TEXT, offsetof(struct event, class), IN_GUARDED, IN_JUDGED },
    { "safety_level", FIELD_U8, offsetof(struct event, level), IN_GUARDED, IN_JUDGED },
    { "ground", FIELD_CONSTANT, offsetof(struct event, ground), IN_GUARDED, IN_NONE },
    { "window", FIELD_TEXT, offsetof(struct event, window), IN_GUARDED, IN_NONE },
    { "rule", FIELD_TEXT, offsetof(struct event, rule), IN_GUARDED, IN_NONE },
    { "objects", FIELD_TEXT, offsetof(struct event, objects), IN_GUARDED, IN_NONE },
    { "reason", FIELD_TEXT, offsetof(struct event, reason), IN_ALL, IN_CLOSED | IN_REFUSED | IN_UNFOLLOWED },
    { "fingerprint", FIELD_TEXT, offsetof(struct event, violation.fingerprint), IN_VIOLATION | IN_GUARDED,
      IN_NONE },
    { "statement", FIELD_TEXT, offsetof(struct event, violation.statement), IN_VIOLATION | IN_GUARDED,
      IN_NONE },
    { "route", FIELD_TEXT, offsetof(struct event, violation.route), IN_VIOLATION, IN_NONE },
    { "trace_id", FIELD_TEXT, offsetof(struct event, violation.trace_id), IN_VIOLATION, IN_NONE },
    { "duration_us", FIELD_64, offsetof(struct event, duration_us), IN_ALL, IN_CLOSED | IN_RUN },
};

static const char *field_text(const struct field *field, const void *place)
{
    switch (field->type) {
    case FIELD_CONSTANT: {
        const char *constant = *(const char *const *)place;
        return constant != NULL ? constant : "";
    }
    case FIELD_KIND:
        return violation_kind_name(*(const enum violation_kind *)place);
    case FIELD_PHASE:
        return violation_phase_name(*(const enum violation_phase *)place);
    default:
        return place;
    }
}

static int64_t field_number(const struct field *field, const void *place)
{
    switch (field->type) {
    case FIELD_U8:
        return *(const uint8_t *)place;
    case FIELD_U32:
        return *(const uint32_t *)place;
    default:
        return *(const int64_t *)place;
    }
}

static void field_log(struct log_line *line, const struct field *field, const struct event *event)
{
    const void *place = (const char *)event + field->offset;
    bool is_always = (field->always >> event->kind & 1) != 0;
    if (field->type == FIELD_U8 || field->type == FIELD_U32 || field->type == FIELD_64) {
        int64_t number = field_number(field, place);
        if (is_always || number != 0)
            log_integer(line, field->key, number);
        return;
    }
    const char *text = field_text(field, place);
    if (is_always || text[0] != '\0')
        log_string(line, field->key, text);
}

struct bytes event_log(const struct event *event, enum log_format format, struct log_line *line)
{
    log_begin(line, format, event->time_us, event_kind_level(event->kind), event_kind_name(event->kind));
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if ((fields[i].kinds >> event->kind & 1) != 0)
            field_log(line, &fields[i], event);
    }
    return log_end(line);
}
