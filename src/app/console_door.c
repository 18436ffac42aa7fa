/* SPDX-License-Identifier: PostgreSQL */
#include "app/clock.h"
#include "app/visit.h"

enum { SHUT_MS = 1000, MICROSECONDS_PER_MILLISECOND = 1000 };

static bool is_shut(const struct sluice *sluice)
{
    return uv_now(&sluice->loop) < sluice->door_shut_until_ms;
}

void console_door_meet(struct visit *visit)
{
    visit->began_ms = is_shut(visit->sluice) ? 0 : uv_now(&visit->sluice->loop);
}

static void log_refused(struct visit *visit)
{
    char storage[ADDRESS_TEXT_SIZE + 16];
    struct text address;
    struct log_file *file = &visit->sluice->log;
    struct log_line *line = log_file_begin(file, clock_now(), NOTICE_CONSOLE_REFUSED);
    if (line == NULL)
        return;
    text_init(&address, storage, sizeof storage);
    address_describe(&visit->peer, &address);
    log_string(line, "user", console_user(visit->console));
    log_bytes(line, "address", text_bytes(&address));
    log_file_write(file);
}

void console_door_shut(struct visit *visit)
{
    visit->sluice->door_shut_until_ms = uv_now(&visit->sluice->loop) + SHUT_MS;
    log_refused(visit);
}

void console_door_make_room(struct sluice *sluice)
{
    LIST_EACH(node, &sluice->visits)
    {
        const struct visit *visit = CONTAINER_OF(node, struct visit, node);
        if (console_has_logged_in(visit->console))
            continue;
        responder_drop(visit->connection);
        return;
    }
}

static bool is_late(const struct visit *visit)
{
    const struct limits_settings *limits = &visit->sluice->started->limits;
    uint64_t most_ms = (uint64_t)limits->login_timeout / MICROSECONDS_PER_MILLISECOND;
    return visit->began_ms != 0 && !console_has_logged_in(visit->console) &&
           uv_now(&visit->sluice->loop) - visit->began_ms >= most_ms;
}

/* Either may end the visit. */
static void visit_look_at(struct visit *visit)
{
    bool has_waited = visit->began_ms == 0 && !is_shut(visit->sluice);
    if (has_waited)
        console_door_meet(visit);
    visit->is_late = is_late(visit);
    if (has_waited || visit->is_late)
        responder_resume(visit->connection);
}

void console_door_tick(struct sluice *sluice)
{
    for (struct list *node = sluice->visits.next, *next; node != &sluice->visits; node = next) {
        next = node->next;
        visit_look_at(CONTAINER_OF(node, struct visit, node));
    }
}
