/* SPDX-License-Identifier: PostgreSQL */
#include "observe/deploys.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t minute_us = 60000000;
static const int64_t second_us = 1000000;
static const int64_t start_us = 100000 * INT64_C(60000000);
static const struct hash_key key = { { 1, 2 } };

enum { STEP_SECONDS = 15, STEPS_OF_MINUTE = 60 / STEP_SECONDS, STEPS_OF_HOUR = 3600 / STEP_SECONDS };

/* What a service does: by minute, in the mean. */
struct traffic {
    const char *service;
    double calls;
    double violations;
    double errors;
    double latency_us;
    double burst; /* violations come in so many at once */
};

struct world {
    struct deploys deploys;
    int64_t now_us;
    uint64_t random;
    uint32_t changes;
    uint64_t news;
    char news_service[NAME_SIZE];
    int64_t news_us;
};

static void world_init(struct world *world, uint64_t seed)
{
    struct deploys_settings settings = deploys_settings_default();
    *world = (struct world){ .now_us = start_us, .random = seed };
    assert_true(deploys_init(&world->deploys, &settings, &key, start_us));
}

static double draw(struct world *world)
{
    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(world->random >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t poisson(struct world *world, double mean)
{
    uint64_t count = 0;
    for (double left = mean + log(draw(world)); left > 0; left += log(draw(world)))
        count++;
    return count;
}

static void violate(struct world *world, struct harvest *harvest, const char *service, const char *table)
{
    struct violation violation = { .kind = VIOLATION_CHECK,
                                   .sqlstate = "23514",
                                   .schema = "public",
                                   .constraint = "orders_state",
                                   .database = "shop" };
    assert_true(bytes_copy_text(bytes_text(service), violation.service, NAME_SIZE));
    assert_true(bytes_copy_text(bytes_text(table), violation.table, NAME_SIZE));
    ledger_record(&harvest->violations, &violation, world->now_us);
}

static void err(struct world *world, struct harvest *harvest, const char *service, const char *sqlstate)
{
    struct error_seen seen = {
        .service = service, .database = "shop", .user = "u", .sqlstate = bytes_text(sqlstate), .shape = 1
    };
    (void)errors_record(&harvest->errors, &seen, world->now_us);
}

static void call(struct world *world, struct harvest *harvest, const char *service, double latency_us)
{
    struct statement_call call = {
        .service = service, .database = "shop", .user = "u", .shape = 1, .duration_us = (int64_t)latency_us
    };
    (void)statements_record(&harvest->statements, &call, world->now_us);
}

static void one_step(struct world *world, struct harvest *harvest, const struct traffic *traffic)
{
    uint64_t calls = poisson(world, traffic->calls / STEPS_OF_MINUTE);
    for (uint64_t i = 0; i < calls; i++)
        call(world, harvest, traffic->service, -traffic->latency_us * log(draw(world)));
    double burst = traffic->burst > 1 ? traffic->burst : 1;
    double violations = (double)poisson(world, traffic->violations / burst / STEPS_OF_MINUTE) * burst;
    for (double i = 0; i < violations; i++)
        violate(world, harvest, traffic->service, "orders");
    uint64_t errors = poisson(world, traffic->errors / STEPS_OF_MINUTE);
    for (uint64_t i = 0; i < errors; i++)
        err(world, harvest, traffic->service, "42703");
}

static struct harvest *harvest_begin(void)
{
    struct harvest *harvest = harvest_create(&key, &(struct harvest_bounds){ 100, 100, 100 });
    assert_non_null(harvest);
    return harvest;
}

static void harvest_end(struct world *world, struct harvest *harvest)
{
    struct deploy_verdict verdict;
    deploys_take(&world->deploys, harvest, world->now_us);
    harvest_destroy(harvest);
    while (deploys_tick(&world->deploys, world->now_us, &verdict)) {
        world->news++;
        world->news_us = world->now_us;
        memcpy(world->news_service, verdict.row->service, NAME_SIZE);
    }
}

static void run(struct world *world, const struct traffic *traffic, size_t count, int steps)
{
    for (int step = 0; step < steps; step++) {
        struct harvest *harvest = harvest_begin();
        world->now_us += STEP_SECONDS * second_us;
        for (size_t i = 0; i < count; i++)
            one_step(world, harvest, &traffic[i]);
        harvest_end(world, harvest);
    }
}

static void deploy(struct world *world, const char *application, const char *objects)
{
    struct suspect_change change = { .change = ++world->changes,
                                     .is_complete = objects[0] != '\0',
                                     .database = "shop",
                                     .suspect = { .time_us = world->now_us, .service = "deployer" } };
    assert_true(bytes_copy_text(bytes_text(objects), change.objects, sizeof change.objects));
    assert_true(bytes_copy_text(bytes_text(application), change.suspect.application_name, NAME_SIZE));
    deploys_change(&world->deploys, &change);
}

static const struct deploy_row *row_of(const struct world *world, size_t age, const char *service)
{
    const struct deploy *deploy = deploys_newest(&world->deploys, age);
    for (size_t i = 0; deploy != NULL && i < deploy->row_count; i++) {
        if (strcmp(deploy->rows[i].service, service) == 0)
            return &deploy->rows[i];
    }
    return NULL;
}

static void assert_outcome(const struct world *world, size_t age, const char *service, const char *expected)
{
    const struct deploy_row *row = row_of(world, age, service);
    assert_non_null(row);
    if (strcmp(deploy_outcome_name(row->outcome), expected) != 0)
        print_error("%s: %s\n", service, row->reason);
    assert_string_equal(deploy_outcome_name(row->outcome), expected);
}

static const struct traffic quiet[] = { { "shop", 120, 0, 0, 5000, 0 }, { "billing", 60, 0.2, 0, 5000, 0 } };

static void violations_that_begin_with_a_change_are_told_within_a_step(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    run(&world, quiet, 2, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    static const struct traffic hurt[] = { { "shop", 120, 60, 0, 5000, 0 },
                                           { "billing", 60, 0.2, 0, 5000, 0 } };
    int64_t deployed_us = world.now_us;
    run(&world, hurt, 2, 2);
    assert_outcome(&world, 0, "shop", "worse");
    assert_outcome(&world, 0, "billing", "too_early");
    assert_true(world.news_us - deployed_us <= 30 * second_us);
    run(&world, hurt, 2, STEPS_OF_HOUR);
    assert_int_equal(world.news, 1);
    assert_string_equal(world.news_service, "shop");
    assert_outcome(&world, 0, "billing", "ok");
    const struct deploy_row *row = row_of(&world, 0, "shop");
    assert_int_equal(row->before.violations, 0);
    assert_string_equal(row->constraint, "orders_state");
    assert_non_null(strstr(row->reason, "violations: 0.00 a minute before, "));
    assert_non_null(strstr(row->reason, "orders_state"));
    assert_true(deploys_newest(&world.deploys, 0)->is_over);
    deploys_release(&world.deploys);
}

static void violations_of_other_tables_are_not_the_deploys(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    run(&world, quiet, 2, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.lines");
    deploy(&world, "by hand", "");
    for (int i = 0; i < 40; i++) {
        struct harvest *harvest = harvest_begin();
        world.now_us += 10 * second_us;
        call(&world, harvest, "shop", 1000);
        violate(&world, harvest, "shop", "orders");
        harvest_end(&world, harvest);
    }
    assert_outcome(&world, 1, "shop", "ok");
    assert_outcome(&world, 0, "shop", "worse"); /* it is not known what that changed */
    deploys_release(&world.deploys);
}

static void errors_of_another_schema_are_told_and_others_are_not(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3);
    run(&world, quiet, 2, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    for (int i = 0; i < 20; i++) {
        struct harvest *harvest = harvest_begin();
        world.now_us += second_us;
        err(&world, harvest, "shop", "42703");
        err(&world, harvest, "billing", "40001");
        call(&world, harvest, "billing", 1000);
        harvest_end(&world, harvest);
    }
    assert_outcome(&world, 0, "shop", "worse");
    assert_non_null(strstr(row_of(&world, 0, "shop")->reason, "errors"));
    assert_outcome(&world, 0, "billing", "too_early");
    deploys_release(&world.deploys);
}

static void slower_calls_are_told_when_they_last(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4);
    run(&world, quiet, 2, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    int64_t deployed_us = world.now_us;
    static const struct traffic slow[] = { { "shop", 120, 0, 0, 15000, 0 },
                                           { "billing", 60, 0.2, 0, 5000, 0 } };
    run(&world, slow, 2, STEPS_OF_MINUTE);
    assert_outcome(&world, 0, "shop", "too_early");
    run(&world, slow, 2, 9 * STEPS_OF_MINUTE);
    assert_outcome(&world, 0, "shop", "worse");
    assert_true(world.news_us - deployed_us <= 4 * minute_us);
    assert_outcome(&world, 0, "billing", "ok");
    assert_non_null(strstr(row_of(&world, 0, "shop")->reason, "p95: 1"));
    deploys_release(&world.deploys);
}

static void what_got_worse_stays_worse(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 12);
    static const struct traffic usual[] = { { "shop", 60, 2, 0, 5000, 0 } };
    static const struct traffic worse[] = { { "shop", 60, 60, 0, 5000, 0 } };
    run(&world, usual, 1, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    run(&world, worse, 1, STEPS_OF_MINUTE);
    assert_outcome(&world, 0, "shop", "worse");
    int64_t worse_us = row_of(&world, 0, "shop")->worse_us;
    uint64_t news = world.news;
    run(&world, usual, 1, 58 * STEPS_OF_MINUTE); /* in the mean of the hour hardly more than before */
    assert_outcome(&world, 0, "shop", "worse");
    assert_true(row_of(&world, 0, "shop")->worse_us == worse_us);
    assert_int_equal(world.news, news);
    deploys_release(&world.deploys);
}

static void more_traffic_brings_more_violations_and_is_not_worse(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5);
    static const struct traffic before[] = { { "shop", 100, 10, 2, 5000, 0 } };
    static const struct traffic after[] = { { "shop", 400, 40, 8, 5000, 0 } };
    static const struct traffic worse[] = { { "shop", 400, 160, 8, 5000, 0 } };
    run(&world, before, 1, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    run(&world, after, 1, STEPS_OF_HOUR + 1);
    assert_outcome(&world, 0, "shop", "ok");
    deploy(&world, "migrate", "public.orders");
    run(&world, worse, 1, STEPS_OF_HOUR);
    assert_outcome(&world, 0, "shop", "worse");
    deploys_release(&world.deploys);
}

static void a_service_that_stopped_cannot_be_judged(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 6);
    run(&world, quiet, 2, STEPS_OF_HOUR);
    deploy(&world, "migrate", "public.orders");
    run(&world, quiet, 1, 4 * STEPS_OF_MINUTE);
    assert_outcome(&world, 0, "billing", "too_early");
    run(&world, quiet, 1, 2 * STEPS_OF_MINUTE);
    assert_outcome(&world, 0, "billing", "no_traffic");
    assert_outcome(&world, 0, "shop", "ok");
    deploys_release(&world.deploys);
}

static void changes_within_minutes_by_the_same_are_one_deploy(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 7);
    run(&world, quiet, 2, STEPS_OF_MINUTE);
    deploy(&world, "migrate", "public.orders");
    run(&world, quiet, 2, 4 * STEPS_OF_MINUTE);
    deploy(&world, "migrate", "public.lines, public.orders");
    run(&world, quiet, 2, 4 * STEPS_OF_MINUTE);
    deploy(&world, "migrate", "t");
    assert_int_equal(world.deploys.count, 1);
    deploy(&world, "psql", "t");
    assert_int_equal(world.deploys.count, 2);
    const struct deploy *deploy_seen = deploys_newest(&world.deploys, 1);
    assert_int_equal(deploy_seen->changes, 3);
    assert_string_equal(deploy_seen->objects, "public.orders, public.lines, t");
    run(&world, quiet, 2, 6 * STEPS_OF_MINUTE);
    deploy(&world, "migrate", "t");
    assert_int_equal(world.deploys.count, 3);
    assert_int_equal(deploys_newest(&world.deploys, 0)->number, 3);
    deploys_release(&world.deploys);
}

static void the_oldest_deploy_gives_its_place_up(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 8);
    for (int i = 0; i < DEPLOYS_MOST + 3; i++) {
        run(&world, quiet, 2, 1);
        char name[] = { (char)('0' + i % 60), (char)('a' + i / 60), '\0' };
        deploy(&world, name, "t");
    }
    assert_int_equal(deploys_newest(&world.deploys, 0)->number, DEPLOYS_MOST + 3);
    assert_int_equal(deploys_newest(&world.deploys, DEPLOYS_MOST - 1)->number, 4);
    assert_null(deploys_newest(&world.deploys, DEPLOYS_MOST));
    deploys_release(&world.deploys);
}

static void services_beyond_the_bound_are_counted_until_others_fall_silent(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 9);
    for (int i = 0; i < PULSES_MOST + 2; i++) {
        char name[] = { (char)('0' + i % 64), (char)('a' + i / 64), '\0' };
        struct harvest *harvest = harvest_begin();
        call(&world, harvest, name, 1);
        harvest_end(&world, harvest);
    }
    assert_int_equal(world.deploys.pulses.unfollowed, 2);
    world.now_us += 62 * minute_us;
    run(&world, quiet, 2, 1);
    assert_int_equal(world.deploys.pulses.unfollowed, 2);
    deploys_release(&world.deploys);
}

/* Steady traffic, a deploy an hour: each "worse" is a false alarm. DEPLOYS and SEED say how many, and which.
 */
static void steady_noise_is_no_alarm(void **state)
{
    (void)state;
    static const struct traffic steady[] = {
        { "rare", 30, 0.02, 0.02, 5000, 0 }, { "some", 60, 0.5, 0.1, 3000, 0 },
        { "busy", 120, 20, 5, 10000, 0 },    { "bursts", 60, 1, 0, 5000, 6 },
        { "slight", 20, 3, 0.5, 20000, 0 },
    };
    const char *wanted = getenv("DEPLOYS");
    const char *seed = getenv("SEED");
    int deploys = wanted != NULL ? atoi(wanted) : 60;
    struct world world;
    world_init(&world, seed != NULL ? (uint64_t)atoll(seed) : 11);
    run(&world, steady, COUNT_OF(steady), STEPS_OF_HOUR);
    size_t false_by[COUNT_OF(steady)] = { 0 };
    for (int i = 0; i < deploys; i++) {
        deploy(&world, "migrate", "public.orders");
        run(&world, steady, COUNT_OF(steady), STEPS_OF_HOUR + 1);
        for (size_t k = 0; k < COUNT_OF(steady); k++) {
            const struct deploy_row *row = row_of(&world, 0, steady[k].service);
            false_by[k] += row->outcome == DEPLOY_WORSE ? 1 : 0;
            if (row->outcome == DEPLOY_WORSE)
                print_message("%s: %s\n", row->service, row->reason);
        }
    }
    if (wanted != NULL)
        print_message("false alarms of %d deploys: rare %zu, some %zu, busy %zu, bursts %zu, slight %zu\n",
                      deploys, false_by[0], false_by[1], false_by[2], false_by[3], false_by[4]);
    else
        assert_int_equal(world.news, 0);
    deploys_release(&world.deploys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(violations_that_begin_with_a_change_are_told_within_a_step),
        cmocka_unit_test(violations_of_other_tables_are_not_the_deploys),
        cmocka_unit_test(errors_of_another_schema_are_told_and_others_are_not),
        cmocka_unit_test(slower_calls_are_told_when_they_last),
        cmocka_unit_test(what_got_worse_stays_worse),
        cmocka_unit_test(more_traffic_brings_more_violations_and_is_not_worse),
        cmocka_unit_test(a_service_that_stopped_cannot_be_judged),
        cmocka_unit_test(changes_within_minutes_by_the_same_are_one_deploy),
        cmocka_unit_test(the_oldest_deploy_gives_its_place_up),
        cmocka_unit_test(services_beyond_the_bound_are_counted_until_others_fall_silent),
        cmocka_unit_test(steady_noise_is_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
