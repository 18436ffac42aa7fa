/* SPDX-License-Identifier: PostgreSQL */
#include "app/gatekeeper.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * 1000000)

static const int64_t now_us = INT64_C(1795053845000000); /* 2026-11-19T02:04:05Z */

static struct plan plan_of(enum guard_mode mode)
{
    return (struct plan){ .policy = { .mode = mode, .sqlstate = "42501" } };
}

static struct gatekeeper *keeper_create(void)
{
    struct gatekeeper *keeper = malloc(sizeof *keeper);
    struct plan plan = plan_of(GUARD_ENFORCE);
    assert_non_null(keeper);
    gatekeeper_init(keeper);
    assert_true(gatekeeper_set_plan(keeper, &plan, now_us));
    return keeper;
}

static void keeper_destroy(struct gatekeeper *keeper)
{
    gatekeeper_release(keeper);
    free(keeper);
}

static struct console_command on(const char *service, const char *reason, int64_t duration_us)
{
    struct console_command command = { .kind = COMMAND_SET_READONLY_ON, .duration_us = duration_us };
    (void)snprintf(command.scope.service, sizeof command.scope.service, "%s", service);
    (void)snprintf(command.reason, sizeof command.reason, "%s", reason);
    return command;
}

static bool stop_writes(struct gatekeeper *keeper, struct console_command command,
                        struct console_outcome *outcome)
{
    struct readonly_order made;
    *outcome = (struct console_outcome){ 0 };
    return gatekeeper_set_readonly(keeper, &command, "alice", now_us, outcome, &made);
}

static bool let_write(struct gatekeeper *keeper, struct console_command command,
                      struct console_outcome *outcome)
{
    struct readonly_order ended;
    *outcome = (struct console_outcome){ 0 };
    return gatekeeper_clear_readonly(keeper, &command, now_us, outcome, &ended);
}

static void an_order_stands_in_the_policy_until_it_is_over(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    assert_int_equal(keeper->policy->order_count, 0);
    assert_true(stop_writes(keeper, on("kds", "incident", HOUR_US), &outcome));
    assert_int_equal(keeper->policy->order_count, 1);
    assert_string_equal(keeper->policy->orders[0].scope.service, "kds");
    assert_string_equal(keeper->policy->orders[0].reason, "incident");
    assert_string_equal(keeper->policy->orders[0].ordered_by, "alice");
    assert_true(keeper->policy->orders[0].from_us == now_us);
    assert_true(keeper->policy->orders[0].until_us == now_us + HOUR_US);
    assert_false(gatekeeper_tick(keeper, now_us + HOUR_US / 2));
    assert_int_equal(keeper->policy->order_count, 1);
    assert_true(gatekeeper_tick(keeper, now_us + HOUR_US));
    assert_int_equal(keeper->policy->order_count, 0);
    keeper_destroy(keeper);
}

static void an_order_without_an_end_lasts_until_it_is_taken_back(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    assert_true(stop_writes(keeper, on("", "incident", 0), &outcome));
    (void)gatekeeper_tick(keeper, now_us + 1000 * HOUR_US);
    assert_int_equal(keeper->policy->order_count, 1);
    assert_true(let_write(keeper, on("", "", 0), &outcome));
    assert_string_equal(outcome.message, "the read-only order for all is taken back");
    assert_string_equal(outcome.hint, "");
    assert_int_equal(keeper->policy->order_count, 0);
    keeper_destroy(keeper);
}

static void the_answer_says_until_when_and_for_whom(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    struct console_command command = on("kds*", "incident", HOUR_US);
    assert_true(stop_writes(keeper, on("", "incident", 0), &outcome));
    assert_string_equal(outcome.message,
                        "writes are refused in every mode of the guard until SET READONLY OFF, for all");
    (void)snprintf(command.scope.database, sizeof command.scope.database, "shop");
    assert_true(stop_writes(keeper, command, &outcome));
    assert_non_null(strstr(outcome.message, "until 2026-11-19T03:04:05"));
    assert_non_null(strstr(outcome.message, ", only for service \"kds*\" and database \"shop\""));
    assert_non_null(strstr(outcome.detail, "COMMIT passes"));
    keeper_destroy(keeper);
}

static void the_same_order_again_replaces_it(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    assert_true(stop_writes(keeper, on("kds", "one", HOUR_US), &outcome));
    assert_true(stop_writes(keeper, on("", "two", HOUR_US), &outcome));
    assert_true(stop_writes(keeper, on("kds", "three", 0), &outcome));
    assert_int_equal(keeper->policy->order_count, 2);
    assert_string_equal(keeper->policy->orders[0].reason, "three");
    assert_true(keeper->policy->orders[0].until_us == INT64_MAX);
    assert_string_equal(keeper->policy->orders[1].reason, "two");
    keeper_destroy(keeper);
}

static void only_the_order_for_the_same_is_taken_back(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    struct console_command elsewhere = on("kds", "", 0);
    (void)snprintf(elsewhere.scope.user, sizeof elsewhere.scope.user, "app");
    assert_true(stop_writes(keeper, on("kds", "one", 0), &outcome));
    assert_true(stop_writes(keeper, on("pos", "two", 0), &outcome));
    assert_false(let_write(keeper, on("", "", 0), &outcome));
    assert_string_equal(outcome.sqlstate, "42704");
    assert_string_equal(outcome.message, "no read-only order is in force for all");
    assert_non_null(strstr(outcome.hint, "SHOW READONLY"));
    assert_false(let_write(keeper, elsewhere, &outcome));
    assert_string_equal(outcome.message,
                        "no read-only order is in force only for service \"kds\" and user \"app\"");
    assert_true(let_write(keeper, on("kds", "", 0), &outcome));
    assert_string_equal(outcome.message, "the read-only order only for service \"kds\" is taken back");
    assert_string_equal(outcome.hint, "SHOW READONLY lists what is still in force.");
    assert_int_equal(keeper->policy->order_count, 1);
    assert_string_equal(keeper->policy->orders[0].scope.service, "pos");
    keeper_destroy(keeper);
}

static void there_are_no_more_orders_than_may_be(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome;
    for (unsigned i = 0; i < ORDERS_MOST; i++) {
        char service[16];
        (void)snprintf(service, sizeof service, "s%u", i);
        assert_true(stop_writes(keeper, on(service, "r", 0), &outcome));
    }
    assert_false(stop_writes(keeper, on("more", "r", 0), &outcome));
    assert_string_equal(outcome.sqlstate, "53400");
    assert_int_equal(keeper->policy->order_count, ORDERS_MOST);
    assert_true(stop_writes(keeper, on("s31", "again", 0), &outcome));
    assert_string_equal(keeper->policy->orders[ORDERS_MOST - 1].reason, "again");
    keeper_destroy(keeper);
}

static void orders_and_openings_survive_a_new_plan(void **state)
{
    (void)state;
    struct gatekeeper *keeper = keeper_create();
    struct console_outcome outcome = { 0 };
    struct opening opening;
    struct console_command open = { .kind = COMMAND_OPEN_WINDOW,
                                    .name = "repair",
                                    .duration_us = HOUR_US,
                                    .level = LEVEL_MODIFYING,
                                    .reason = "r" };
    struct plan plan = plan_of(GUARD_OBSERVE);
    assert_true(stop_writes(keeper, on("kds", "one", 0), &outcome));
    outcome = (struct console_outcome){ 0 };
    assert_true(gatekeeper_open(keeper, &open, "alice", now_us, &outcome, &opening));
    assert_non_null(strstr(outcome.message, "window \"repair\" is open for modifying changes until "));
    assert_null(strstr(outcome.message, "for all"));
    assert_true(gatekeeper_set_plan(keeper, &plan, now_us));
    assert_int_equal(keeper->policy->mode, GUARD_OBSERVE);
    assert_int_equal(keeper->policy->order_count, 1);
    assert_non_null(gate_at(&keeper->policy->gate, now_us));
    keeper_destroy(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_stands_in_the_policy_until_it_is_over),
        cmocka_unit_test(an_order_without_an_end_lasts_until_it_is_taken_back),
        cmocka_unit_test(the_answer_says_until_when_and_for_whom),
        cmocka_unit_test(the_same_order_again_replaces_it),
        cmocka_unit_test(only_the_order_for_the_same_is_taken_back),
        cmocka_unit_test(there_are_no_more_orders_than_may_be),
        cmocka_unit_test(orders_and_openings_survive_a_new_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
