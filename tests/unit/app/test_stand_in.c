/* SPDX-License-Identifier: PostgreSQL */
#include "app/stand_in.h"
#include "unit/net/peer.h"

/* Two workers that listen on one socket each, seen from the control thread. Neither has a loop: a test says
 * for them what they do. */
struct office {
    uv_loop_t loop; /* the control thread's */
    struct roster *roster;
    struct stand_in *stand_in;
    uint16_t ports[2];
    int listening[2];
    struct stall told[8];
    size_t told_count;
};

static void wake(void *owner)
{
    (void)owner;
}

static void on_stall(void *owner, const struct stall *stall)
{
    struct office *office = owner;
    assert_true(office->told_count < COUNT_OF(office->told));
    office->told[office->told_count++] = *stall;
}

static void office_open(struct office *office)
{
    *office = (struct office){ .told_count = 0 };
    assert_int_equal(uv_loop_init(&office->loop), 0);
    office->roster = roster_create(2);
    assert_non_null(office->roster);
    const struct stand_in_plan plan = { .loop = &office->loop,
                                        .roster = office->roster,
                                        .workers = 2,
                                        .listeners = 1,
                                        .told = on_stall,
                                        .owner = office };
    office->stand_in = stand_in_create(&plan);
    assert_non_null(office->stand_in);
    for (uint32_t worker = 0; worker < 2; worker++) {
        roster_join(office->roster, worker, wake, NULL);
        office->listening[worker] = peer_listen(&office->ports[worker], 128);
        stand_in_guard(office->stand_in, worker, 0, dup(office->listening[worker]));
    }
}

static void office_close(struct office *office)
{
    stand_in_destroy(office->stand_in);
    loop_finish(&office->loop);
    roster_destroy(office->roster);
    for (size_t worker = 0; worker < 2; worker++)
        (void)close(office->listening[worker]);
}

/* Ticks of which only the named workers hear. */
static void tick(struct office *office, int ticks, bool first_lives, bool second_lives)
{
    for (int i = 0; i < ticks; i++) {
        if (first_lives)
            roster_beat(office->roster, 0);
        if (second_lives)
            roster_beat(office->roster, 1);
        stand_in_tick(office->stand_in);
    }
}

static bool is_stalled(const struct office *office, uint32_t worker)
{
    return stand_in_view(office->stand_in, worker).is_stalled;
}

static int office_connect(struct office *office, uint32_t worker)
{
    const struct address address = local_address(office->ports[worker]);
    return peer_connect(&address);
}

static void a_worker_that_is_silent_for_some_ticks_stands_still(void **state)
{
    (void)state;
    struct office office;
    office_open(&office);
    tick(&office, 3, true, true);
    tick(&office, STAND_IN_TICKS - 1, true, false);
    assert_false(is_stalled(&office, 1));
    tick(&office, 1, true, true);
    tick(&office, STAND_IN_TICKS - 1, true, false);
    assert_false(is_stalled(&office, 1));
    assert_int_equal(office.told_count, 0);
    tick(&office, 1, true, false);
    assert_true(is_stalled(&office, 1));
    assert_false(is_stalled(&office, 0));
    tick(&office, 5, true, false);
    assert_int_equal(stand_in_view(office.stand_in, 1).silent, STAND_IN_TICKS + 5);
    assert_int_equal(office.told_count, 1);
    assert_int_equal(office.told[0].worker, 1);
    assert_false(office.told[0].is_over);
    assert_false(stand_in_view(office.stand_in, 1).has_stirred);
    roster_beat(office.roster, 1);
    assert_true(is_stalled(&office, 1) && stand_in_view(office.stand_in, 1).has_stirred);
    tick(&office, 1, true, true);
    assert_int_equal(office.told_count, 2);
    assert_true(office.told[1].is_over);
    assert_false(is_stalled(&office, 1));
    assert_int_equal(stand_in_view(office.stand_in, 1).stalls, 1);
    assert_int_equal(stand_in_view(office.stand_in, 1).silent, 0);
    office_close(&office);
}

static void what_connects_to_it_goes_to_the_others(void **state)
{
    (void)state;
    struct office office;
    struct arrival got;
    int peers[5];
    office_open(&office);
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        peers[i] = office_connect(&office, 1);
    tick(&office, STAND_IN_TICKS, true, false);
    TURN_UNTIL(&office.loop, roster_view(office.roster, 0).handed == COUNT_OF(peers));
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        assert_true(roster_take(office.roster, 0, &got));
        assert_int_equal(got.listener, 0);
        (void)close(got.socket);
        (void)close(peers[i]);
    }
    tick(&office, 1, true, true);
    assert_int_equal(office.told[1].handed, COUNT_OF(peers));
    int late = office_connect(&office, 1); /* it accepts by itself again */
    for (int i = 0; i < 20; i++)
        (void)uv_run(&office.loop, UV_RUN_NOWAIT);
    int accepted = accept(office.listening[1], NULL, NULL);
    assert_true(accepted >= 0);
    (void)close(accepted);
    (void)close(late);
    office_close(&office);
}

static void what_was_on_its_way_to_it_is_taken_back(void **state)
{
    (void)state;
    struct office office;
    struct arrival got;
    office_open(&office);
    int peer = office_connect(&office, 0);
    int accepted = -1;
    TURN_UNTIL(&office.loop, (accepted = accept(office.listening[0], NULL, NULL)) >= 0);
    roster_place_with(office.roster, 1);
    assert_true(roster_hand(office.roster, 1, (struct arrival){ .socket = accepted }));
    tick(&office, STAND_IN_TICKS, true, false);
    assert_true(roster_take(office.roster, 0, &got));
    assert_int_equal(got.socket, accepted);
    assert_int_equal(office.told[0].connections, 0);
    (void)close(accepted);
    (void)close(peer);
    office_close(&office);
}

static void when_all_stand_still_those_who_connect_wait(void **state)
{
    (void)state;
    struct office office;
    struct arrival got;
    office_open(&office);
    tick(&office, STAND_IN_TICKS, false, false);
    assert_true(is_stalled(&office, 0) && is_stalled(&office, 1));
    int peer = office_connect(&office, 1);
    for (int i = 0; i < 20; i++)
        (void)uv_run(&office.loop, UV_RUN_NOWAIT);
    assert_int_equal(roster_view(office.roster, 0).connections, 0);
    assert_int_equal(roster_view(office.roster, 1).connections, 0);
    tick(&office, 1, true, false);
    TURN_UNTIL(&office.loop, roster_take(office.roster, 0, &got));
    (void)close(got.socket);
    (void)close(peer);
    office_close(&office);
}

static bool is_refused(struct office *office, uint32_t worker)
{
    struct endpoint endpoint;
    const struct address address = local_address(office->ports[worker]);
    int made = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(endpoint_of(&address, &endpoint));
    bool is_refused = connect(made, endpoint_name(&endpoint), endpoint.size) != 0 && errno == ECONNREFUSED;
    (void)close(made);
    return is_refused;
}

static void one_that_stands_still_listens_no_more_when_it_retires(void **state)
{
    (void)state;
    struct office office;
    office_open(&office);
    tick(&office, STAND_IN_TICKS, true, false);
    stand_in_retire(office.stand_in);
    assert_true(is_refused(&office, 1));
    assert_false(is_refused(&office, 0));
    tick(&office, 1, true, true);
    assert_int_equal(office.told_count, 2);
    office_close(&office);
}

/* One that drains is woken as before, and may stand still as before. */
static void one_that_has_left_still_gives_signs_of_life_until_it_ends(void **state)
{
    (void)state;
    struct office office;
    office_open(&office);
    roster_leave(office.roster, 0);
    roster_leave(office.roster, 1);
    tick(&office, STAND_IN_TICKS, true, false);
    assert_false(is_stalled(&office, 0));
    assert_true(is_stalled(&office, 1));
    roster_end(office.roster, 0);
    roster_end(office.roster, 1);
    tick(&office, STAND_IN_TICKS, false, false);
    assert_false(is_stalled(&office, 0));
    assert_false(is_stalled(&office, 1));
    office_close(&office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_is_silent_for_some_ticks_stands_still),
        cmocka_unit_test(what_connects_to_it_goes_to_the_others),
        cmocka_unit_test(what_was_on_its_way_to_it_is_taken_back),
        cmocka_unit_test(when_all_stand_still_those_who_connect_wait),
        cmocka_unit_test(one_that_stands_still_listens_no_more_when_it_retires),
        cmocka_unit_test(one_that_has_left_still_gives_signs_of_life_until_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
