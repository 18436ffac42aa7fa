/* SPDX-License-Identifier: PostgreSQL */
#include "app/audit.h"

void audit_init(struct audit *audit)
{
    *audit = (struct audit){ .is_on = false };
    log_file_init(&audit->file);
}

void audit_close(struct audit *audit)
{
    log_file_close(&audit->file);
    audit->is_on = false;
}

bool audit_open(struct audit *audit, const char *path, struct problem *problem)
{
    struct log_plan plan = { .format = LOG_JSON, .level = LOG_DEBUG, .path = path, .what = "audit file" };
    if (path[0] == '\0') {
        audit_close(audit);
        return true;
    }
    if (!log_file_open(&audit->file, &plan, problem))
        return false;
    audit->is_on = true;
    return true;
}

static bool is_about_change(enum event_kind kind)
{
    switch (kind) {
    case EVENT_DDL_PASSED:
    case EVENT_DDL_REFUSED:
    case EVENT_DDL_WOULD_REFUSE:
    case EVENT_DDL_COMPLETED:
    case EVENT_DDL_FAILED:
    case EVENT_DDL_COMMITTED:
    case EVENT_DDL_UNDONE:
    case EVENT_DDL_UNKNOWN:
    case EVENT_DDL_OUTLIVED:
    case EVENT_DDL_UNSEEN:
        return true;
    default:
        return false;
    }
}

void audit_event(struct audit *audit, const struct event *event)
{
    if (!audit->is_on || !is_about_change(event->kind))
        return;
    if (!log_file_event(&audit->file, event))
        audit->lost++;
}

uint64_t audit_take_lost(struct audit *audit)
{
    uint64_t lost = audit->lost;
    audit->lost = 0;
    return lost;
}
