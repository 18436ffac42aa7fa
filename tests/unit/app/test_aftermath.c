/* SPDX-License-Identifier: PostgreSQL */
#include "app/aftermath.h"
#include "app/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key key;
static const int64_t second_us = 1000000;

static void on_worse(void *owner, const struct deploy_verdict *verdict)
{
    size_t *news = owner;
    assert_string_equal(verdict->row->service, "kds");
    ++*news;
}

static void begin(struct aftermath *aftermath, size_t *news)
{
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->deploys.watch = 3600 * second_us;
    settings->deploys.look_back = 3600 * second_us;
    assert_true(aftermath_init(aftermath, settings, &key, on_worse, news));
    free(settings);
}

static void tell(struct aftermath *aftermath, enum event_kind kind, int64_t time_us)
{
    struct event event = { .kind = kind,
                           .time_us = time_us,
                           .session = 1,
                           .change = 1,
                           .objects = "orders",
                           .violation = { .database = "shop", .statement = "alter table orders" } };
    aftermath_event(aftermath, &event);
}

static void harvest(struct aftermath *aftermath, int violations, int64_t now_us)
{
    struct violation violation = {
        .service = "kds", .database = "shop", .schema = "public", .table = "orders", .constraint = "state"
    };
    struct harvest *harvest = harvest_create(&key, &(struct harvest_bounds){ 9, 9, 9 });
    assert_non_null(harvest);
    for (int i = 0; i < violations; i++)
        ledger_record(&harvest->violations, &violation, now_us);
    aftermath_harvest(aftermath, harvest, now_us);
    harvest_destroy(harvest);
}

static void a_change_is_watched_told_once_and_suspected(void **state)
{
    (void)state;
    struct aftermath aftermath = { .is_ready = false };
    size_t news = 0;
    int64_t now_us = clock_now();
    begin(&aftermath, &news);
    tell(&aftermath, EVENT_DDL_PASSED, now_us);
    tell(&aftermath, EVENT_DDL_COMPLETED, now_us);
    assert_null(deploys_newest(&aftermath.deploys, 0));
    tell(&aftermath, EVENT_DDL_COMMITTED, now_us);
    assert_non_null(deploys_newest(&aftermath.deploys, 0));
    harvest(&aftermath, 500, now_us + second_us);
    aftermath_tick(&aftermath, now_us + 2 * second_us);
    aftermath_tick(&aftermath, now_us + 4 * second_us);
    assert_int_equal(news, 1);

    struct incident_note *note = calloc(1, sizeof *note);
    assert_non_null(note);
    note->incident = (struct incident){ .key = { INCIDENT_CONSTRAINT, "kds", "public", "orders", "state" },
                                        .started_us = now_us + second_us };
    aftermath_complete(&aftermath, note);
    assert_int_equal(note->suspect_count, 1);
    assert_string_equal(note->suspects[0].object, "orders");
    assert_string_equal(note->suspects[0].difference, "");
    aftermath_learn(&aftermath,
                    &(struct suspect_difference){ "shop", "public", "orders", "state", now_us + second_us,
                                                  now_us - second_us, "less" });
    aftermath_complete(&aftermath, note);
    assert_int_equal(note->suspect_count, 1);
    assert_string_equal(note->suspects[0].difference, "less");
    note->incident.started_us = now_us - 10 * second_us;
    aftermath_complete(&aftermath, note);
    assert_int_equal(note->suspect_count, 0);
    free(note);
    aftermath_release(&aftermath);
    aftermath_tick(&aftermath, now_us + 9 * second_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_watched_told_once_and_suspected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
