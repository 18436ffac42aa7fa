/* SPDX-License-Identifier: PostgreSQL */
#include "observe/suspects.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int64_t hour_us = 3600000000;
static const int64_t minute_us = 60000000;
static const int64_t second_us = 1000000;
static const int64_t start_us = 1000 * INT64_C(3600000000);

struct world {
    struct suspects suspects;
    int64_t now_us;
    uint32_t changes;
};

static void world_init(struct world *world, size_t capacity)
{
    *world = (struct world){ .now_us = start_us };
    assert_true(suspects_init(&world->suspects, capacity, SUSPECT_LOOK_BACK_HOURS * hour_us));
}

static void tell(struct world *world, enum event_kind kind, uint32_t first, uint32_t last)
{
    struct event event = { .kind = kind,
                           .worker = 1,
                           .session = 7,
                           .time_us = world->now_us,
                           .change = first,
                           .change_last = last };
    suspects_record(&world->suspects, &event);
}

static uint32_t pass(struct world *world, const char *statement, const char *objects)
{
    struct event event = { .kind = EVENT_DDL_PASSED,
                           .worker = 1,
                           .session = 7,
                           .time_us = world->now_us,
                           .change = ++world->changes,
                           .command = "ALTER TABLE",
                           .application_name = "migrate",
                           .violation = { .service = "deployer", .database = "shop", .user = "ann" } };
    assert_true(bytes_copy_text(bytes_text(statement), event.violation.statement, SHOWN_TEXT_SIZE));
    assert_true(bytes_copy_text(bytes_text(objects), event.objects, OBJECTS_TEXT_SIZE));
    suspects_record(&world->suspects, &event);
    return event.change;
}

/* Carried out at once. */
static void change(struct world *world, const char *statement, const char *objects)
{
    uint32_t number = pass(world, statement, objects);
    tell(world, EVENT_DDL_COMPLETED, number, 0);
    tell(world, EVENT_DDL_COMMITTED, number, 0);
}

static size_t find(const struct world *world, const char *table, const char *constraint, struct suspect *out)
{
    const struct suspect_query query = { .database = "shop",
                                         .schema = "public",
                                         .table = table,
                                         .constraint = constraint,
                                         .started_us = world->now_us };
    return suspects_find(&world->suspects, &query, out);
}

static void the_change_of_the_table_is_the_suspect_with_all_that_is_known(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    change(&world, "alter table orders add x int", "public.orders");
    int64_t changed_us = world.now_us;
    change(&world, "alter table other add x int", "public.other");
    world.now_us += minute_us;
    assert_int_equal(find(&world, "orders", "orders_state", out), 1);
    assert_int_equal(out[0].time_us, changed_us);
    assert_true(out[0].was_seen);
    assert_true(out[0].is_certain);
    assert_int_equal(out[0].ground, SUSPECT_BY_TABLE);
    assert_string_equal(out[0].service, "deployer");
    assert_string_equal(out[0].user, "ann");
    assert_string_equal(out[0].application_name, "migrate");
    assert_string_equal(out[0].command, "ALTER TABLE");
    assert_string_equal(out[0].statement, "alter table orders add x int");
    assert_string_equal(out[0].object, "public.orders");
    suspects_release(&world.suspects);
}

static void what_failed_or_was_undone_or_is_open_is_no_suspect(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    uint32_t failed = pass(&world, "alter table orders add a int", "orders");
    tell(&world, EVENT_DDL_FAILED, failed, 0);
    uint32_t undone = pass(&world, "alter table orders add b int", "orders");
    tell(&world, EVENT_DDL_COMPLETED, undone, 0);
    tell(&world, EVENT_DDL_COMMITTED, failed, 0);
    tell(&world, EVENT_DDL_UNDONE, undone, 0);
    uint32_t open = pass(&world, "alter table orders add c int", "orders");
    tell(&world, EVENT_DDL_COMPLETED, open, 0);
    assert_int_equal(find(&world, "orders", "", out), 0);
    assert_null(suspects_next_carried_out(&world.suspects));
    world.now_us += minute_us;
    tell(&world, EVENT_DDL_COMMITTED, open, 0);
    assert_int_equal(find(&world, "orders", "", out), 1);
    assert_int_equal(out[0].time_us, world.now_us);
    suspects_release(&world.suspects);
}

static void the_very_constraint_ranks_before_the_table_and_the_new_before_the_old(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    change(&world, "alter table orders add constraint orders_state check (state in ($1))", "orders");
    for (int i = 0; i < 3; i++) {
        world.now_us += minute_us;
        change(&world, i == 0 ? "one" : i == 1 ? "two" : "three", "public.orders, lines");
    }
    world.now_us += minute_us;
    assert_int_equal(find(&world, "orders", "orders_state", out), 3);
    assert_int_equal(out[0].ground, SUSPECT_BY_CONSTRAINT);
    assert_string_equal(out[1].statement, "three");
    assert_string_equal(out[2].statement, "two");
    assert_int_equal(out[2].ground, SUSPECT_BY_TABLE);
    assert_int_equal(find(&world, "lines", "lines_fk", out), 3);
    assert_string_equal(out[2].statement, "one");
    suspects_release(&world.suspects);
}

static void only_what_came_before_and_not_long_before_is_suspected(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    struct suspect_query query = { .database = "shop", .table = "orders" };
    world_init(&world, 8);
    change(&world, "old", "orders");
    query.started_us = start_us - 2 * second_us;
    assert_int_equal(suspects_find(&world.suspects, &query, out), 1);
    query.started_us = start_us - 4 * second_us;
    assert_int_equal(suspects_find(&world.suspects, &query, out), 0);
    query.started_us = start_us + 24 * hour_us;
    assert_int_equal(suspects_find(&world.suspects, &query, out), 1);
    query.started_us += second_us;
    assert_int_equal(suspects_find(&world.suspects, &query, out), 0);
    query.is_first = true;
    assert_int_equal(suspects_find(&world.suspects, &query, out), 1);
    query.database = "other";
    assert_int_equal(suspects_find(&world.suspects, &query, out), 0);
    suspects_release(&world.suspects);
}

static void partitions_types_and_what_is_not_known_are_found_too(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    struct suspect_query query = { .database = "shop", .started_us = start_us };
    world_init(&world, 8);
    change(&world, "alter table parts add x", "public.parts");
    change(&world, "alter domain positive add check", "positive");
    change(&world, "do ?", "");
    query.table = "parts_low";
    query.root_schema = "public";
    query.root = "parts";
    assert_int_equal(suspects_find(&world.suspects, &query, out), 2);
    assert_string_equal(out[0].object, "public.parts");
    assert_int_equal(out[1].ground, SUSPECT_BY_DATABASE);
    query = (struct suspect_query){ .schema = "public", .datatype = "positive", .started_us = start_us };
    assert_int_equal(suspects_find(&world.suspects, &query, out), 2);
    assert_string_equal(out[0].object, "positive");
    query = (struct suspect_query){ .statement = "insert into parts values (?)", .started_us = start_us };
    assert_int_equal(suspects_find(&world.suspects, &query, out), 3);
    assert_string_equal(out[0].object, "public.parts");
    assert_int_equal(out[1].ground, SUSPECT_BY_DATABASE);
    change(&world, "alter domain positive add constraint above check", "positive");
    query.constraint = "above";
    assert_int_equal(suspects_find(&world.suspects, &query, out), 3);
    assert_int_equal(out[0].ground, SUSPECT_BY_CONSTRAINT);
    assert_string_equal(out[0].object, "positive");
    suspects_release(&world.suspects);
}

static void a_list_that_is_cut_or_cascades_may_have_touched_anything(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    char list[OBJECTS_TEXT_SIZE];
    world_init(&world, 8);
    memset(list, 'a', sizeof list);
    list[sizeof list - 1] = '\0';
    change(&world, "drop table x cascade", "x");
    change(&world, "drop table x", "x");
    change(&world, "drop table aaa", list);
    assert_int_equal(find(&world, "orders", "", out), 2);
    assert_string_equal(out[0].statement, "drop table x cascade");
    suspects_release(&world.suspects);
}

static struct suspect_difference difference_of(const struct world *world, const char *constraint)
{
    return (struct suspect_difference){ .database = "shop",
                                        .schema = "public",
                                        .table = "orders",
                                        .constraint = constraint,
                                        .seen_us = world->now_us,
                                        .not_before_us = world->now_us - minute_us,
                                        .text = "'gone' was dropped from the list" };
}

static void what_the_catalogue_found_is_added_to_the_change_that_explains_it(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    change(&world, "alter table orders add constraint orders_state ...", "orders");
    change(&world, "alter table orders alter x set default ?", "orders");
    world.now_us += 30 * second_us;
    struct suspect_difference difference = difference_of(&world, "orders_state");
    suspects_learn(&world.suspects, &difference);
    difference.constraint = "orders_other";
    suspects_learn(&world.suspects, &difference);
    assert_int_equal(find(&world, "orders", "orders_state", out), 2);
    assert_string_equal(out[0].difference, difference.text);
    assert_string_equal(out[0].service, "deployer");
    assert_string_equal(out[0].statement, "alter table orders add constraint orders_state ...");
    assert_int_equal(find(&world, "orders", "orders_other", out), 2);
    assert_string_equal(out[0].statement, "alter table orders alter x set default ?");
    suspects_release(&world.suspects);
}

static void one_change_of_two_constraints_is_one_suspect(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    change(&world, "alter table orders add constraint a ..., add constraint b ...", "orders");
    struct suspect_difference difference = difference_of(&world, "a");
    suspects_learn(&world.suspects, &difference);
    difference.constraint = "b";
    difference.text = "of b";
    suspects_learn(&world.suspects, &difference);
    assert_int_equal(find(&world, "orders", "b", out), 1);
    assert_non_null(suspects_next_carried_out(&world.suspects));
    assert_null(suspects_next_carried_out(&world.suspects));
    suspects_release(&world.suspects);
}

static void a_change_around_the_sluice_stands_for_itself(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    change(&world, "alter table orders add x int", "orders");
    world.now_us += hour_us;
    struct suspect_difference difference = difference_of(&world, "orders_state");
    suspects_learn(&world.suspects, &difference);
    world.now_us -= 30 * second_us; /* the reading that saw it came later than what it brought about */
    assert_int_equal(find(&world, "orders", "orders_state", out), 2);
    assert_false(out[0].was_seen);
    assert_int_equal(out[0].ground, SUSPECT_BY_CONSTRAINT);
    assert_int_equal(out[0].time_us, difference.seen_us);
    assert_int_equal(out[0].not_before_us, difference.not_before_us);
    assert_string_equal(out[0].object, "public.orders");
    world.now_us -= minute_us;
    assert_int_equal(find(&world, "orders", "orders_state", out), 1);
    suspects_release(&world.suspects);
}

static void a_reading_that_is_quicker_than_the_commit_is_still_explained(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 8);
    uint32_t number = pass(&world, "alter table orders add x int", "orders");
    world.now_us += hour_us; /* a long transaction: what passed long ago explains nothing yet */
    struct suspect_difference difference = difference_of(&world, "orders_state");
    suspects_learn(&world.suspects, &difference);
    tell(&world, EVENT_DDL_COMPLETED, number, 0);
    tell(&world, EVENT_DDL_COMMITTED, number, 0);
    assert_int_equal(find(&world, "orders", "orders_state", out), 1);
    assert_true(out[0].was_seen);
    assert_string_equal(out[0].difference, difference.text);
    suspects_release(&world.suspects);
}

static void a_range_of_changes_is_given_oldest_first_and_once(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3);
    for (int i = 0; i < 4; i++)
        (void)pass(&world, "alter table orders add x int", "orders");
    for (uint32_t i = 1; i <= 4; i++)
        tell(&world, EVENT_DDL_COMPLETED, i, 0);
    tell(&world, EVENT_DDL_COMMITTED, 1, 4);
    for (uint32_t i = 2; i <= 4; i++)
        assert_int_equal(suspects_next_carried_out(&world.suspects)->change, i);
    assert_null(suspects_next_carried_out(&world.suspects));
    suspects_release(&world.suspects);
}

static void changes_of_an_earlier_run_are_suspected_and_not_watched(void **state)
{
    (void)state;
    struct world world;
    struct suspect found[SUSPECTS_MOST];
    struct event event = { .kind = EVENT_DDL_PASSED,
                           .time_us = start_us - 1000000,
                           .session = 1,
                           .change = 1,
                           .objects = "public.orders",
                           .violation = {
                               .database = "shop", .user = "ann", .statement = "alter table orders" } };
    world_init(&world, 8);
    suspects_restore(&world.suspects, &event, CHANGE_COMMITTED);
    event.time_us -= 1000000;
    event.change = 2;
    suspects_restore(&world.suspects, &event, CHANGE_COMPLETED); /* cut off by the end of the program */
    event.change = 3;
    suspects_restore(&world.suspects, &event, CHANGE_UNDONE);
    assert_null(suspects_next_carried_out(&world.suspects));
    const struct suspect_query query = {
        .database = "shop", .schema = "public", .table = "orders", .started_us = start_us
    };
    assert_int_equal(suspects_find(&world.suspects, &query, found), 2);
    assert_string_equal(found[0].user, "ann");
    assert_true(found[0].is_certain);
    assert_false(found[1].is_certain);
    suspects_release(&world.suspects);
}

static void what_was_not_seen_going_in_is_suspected_but_not_certain(void **state)
{
    (void)state;
    struct world world;
    struct suspect out[SUSPECTS_MOST];
    world_init(&world, 3);
    tell(&world, EVENT_DDL_UNSEEN, 0, 0);
    assert_int_equal(find(&world, "orders", "", out), 1);
    assert_false(out[0].is_certain);
    assert_non_null(suspects_next_carried_out(&world.suspects));
    assert_string_equal(suspect_ground_name(out[0].ground), "database");
    suspects_release(&world.suspects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_change_of_the_table_is_the_suspect_with_all_that_is_known),
        cmocka_unit_test(what_failed_or_was_undone_or_is_open_is_no_suspect),
        cmocka_unit_test(the_very_constraint_ranks_before_the_table_and_the_new_before_the_old),
        cmocka_unit_test(only_what_came_before_and_not_long_before_is_suspected),
        cmocka_unit_test(partitions_types_and_what_is_not_known_are_found_too),
        cmocka_unit_test(a_list_that_is_cut_or_cascades_may_have_touched_anything),
        cmocka_unit_test(what_the_catalogue_found_is_added_to_the_change_that_explains_it),
        cmocka_unit_test(one_change_of_two_constraints_is_one_suspect),
        cmocka_unit_test(a_change_around_the_sluice_stands_for_itself),
        cmocka_unit_test(a_reading_that_is_quicker_than_the_commit_is_still_explained),
        cmocka_unit_test(a_range_of_changes_is_given_oldest_first_and_once),
        cmocka_unit_test(changes_of_an_earlier_run_are_suspected_and_not_watched),
        cmocka_unit_test(what_was_not_seen_going_in_is_suspected_but_not_certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
