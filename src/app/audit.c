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

static struct log_plan plan_of(const char *path)
{
    return (struct log_plan){ .format = LOG_JSON, .level = LOG_DEBUG, .path = path, .what = "audit file" };
}

bool audit_open(const char *path, struct log_output *out, struct problem *problem)
{
    struct log_plan plan = plan_of(path);
    *out = (struct log_output){ .descriptor = -1 };
    return path[0] == '\0' || log_output_open(&plan, out, problem);
}

void audit_use(struct audit *audit, struct log_output output)
{
    struct log_plan plan = plan_of("");
    audit_close(audit);
    if (output.descriptor < 0)
        return;
    log_file_use(&audit->file, &plan, output);
    audit->is_on = true;
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
