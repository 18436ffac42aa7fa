/* SPDX-License-Identifier: PostgreSQL */
#include "base/list.h"
#include "net/roster.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

static void wake(void *owner)
{
    atomic_fetch_add((atomic_int *)owner, 1);
}

struct hall {
    struct roster *roster;
    atomic_int woken;
};

static void hall_open(struct hall *hall, uint32_t workers)
{
    atomic_init(&hall->woken, 0);
    hall->roster = roster_create(workers);
    assert_non_null(hall->roster);
    for (uint32_t worker = 0; worker < workers; worker++)
        roster_join(hall->roster, worker, wake, &hall->woken);
}

static void hall_close(struct hall *hall)
{
    roster_destroy(hall->roster);
}

static uint64_t connections(const struct hall *hall, uint32_t worker)
{
    return roster_view(hall->roster, worker).connections;
}

static int open_socket(void)
{
    int opened = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(opened >= 0);
    return opened;
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static void a_worker_keeps_what_it_accepts_unless_another_has_fewer(void **state)
{
    (void)state;
    struct hall hall;
    hall_open(&hall, 3);
    assert_int_equal(roster_place(hall.roster, 1), 1);
    assert_int_equal(roster_place(hall.roster, 1), 0);
    assert_int_equal(roster_place(hall.roster, 1), 2);
    assert_int_equal(roster_place(hall.roster, 1), 1);
    assert_int_equal(roster_place(hall.roster, 2), 2);
    assert_int_equal(roster_place(hall.roster, 2), 0);
    hall_close(&hall);
}

static void of_many_at_once_none_gets_more_than_the_others(void **state)
{
    (void)state;
    struct hall hall;
    hall_open(&hall, 4);
    for (int i = 0; i < 202; i++)
        assert_in_range(roster_place(hall.roster, 0), 0, 3);
    for (uint32_t worker = 0; worker < 4; worker++)
        assert_in_range(connections(&hall, worker), 50, 51);
    hall_close(&hall);
}

static void what_is_gone_makes_room(void **state)
{
    (void)state;
    struct hall hall;
    hall_open(&hall, 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(roster_place(hall.roster, 0), i % 2);
        roster_keep(hall.roster, (uint32_t)(i % 2));
    }
    roster_tell(hall.roster, 1, 0);
    assert_int_equal(connections(&hall, 1), 0);
    assert_int_equal(roster_place(hall.roster, 0), 1);
    assert_int_equal(roster_place(hall.roster, 0), 1);
    assert_int_equal(roster_place(hall.roster, 0), 0);
    hall_close(&hall);
}

static void what_is_handed_arrives_once_and_wakes(void **state)
{
    (void)state;
    struct hall hall;
    struct arrival got;
    hall_open(&hall, 2);
    assert_false(roster_take(hall.roster, 1, &got));
    for (int i = 0; i < 3; i++) {
        roster_place_with(hall.roster, 1);
        assert_true(
            roster_hand(hall.roster, 1, (struct arrival){ .socket = i, .listener = 7U + (uint32_t)i }));
    }
    assert_int_equal(atomic_load(&hall.woken), 3);
    assert_int_equal(connections(&hall, 1), 3);
    assert_false(roster_take(hall.roster, 0, &got));
    for (int i = 0; i < 3; i++) {
        assert_true(roster_take(hall.roster, 1, &got));
        assert_int_equal(got.socket, i);
        assert_int_equal(got.listener, 7 + i);
    }
    assert_false(roster_take(hall.roster, 1, &got));
    assert_int_equal(connections(&hall, 1), 3);
    assert_int_equal(roster_view(hall.roster, 1).handed, 3);
    hall_close(&hall);
}

static void nobody_hands_to_one_that_is_away_or_has_left(void **state)
{
    (void)state;
    struct hall hall;
    hall_open(&hall, 3);
    roster_set_away(hall.roster, 0, true);
    roster_leave(hall.roster, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(roster_place(hall.roster, ROSTER_NOBODY), 2);
    assert_true(roster_has_room(hall.roster));
    roster_set_away(hall.roster, 2, true);
    assert_false(roster_has_room(hall.roster));
    assert_int_equal(roster_place(hall.roster, ROSTER_NOBODY), ROSTER_NOBODY);
    assert_int_equal(roster_place(hall.roster, 2), 2); /* it accepts: so it lives */
    roster_set_away(hall.roster, 0, false);
    assert_int_equal(roster_place(hall.roster, 2), 0);
    hall_close(&hall);
}

static void one_that_leaves_takes_what_is_on_its_way_and_then_nothing(void **state)
{
    (void)state;
    struct hall hall;
    struct arrival got;
    hall_open(&hall, 2);
    roster_place_with(hall.roster, 0);
    assert_true(roster_hand(hall.roster, 0, (struct arrival){ .socket = 0, .listener = 3 }));
    roster_leave(hall.roster, 0);
    assert_true(roster_take(hall.roster, 0, &got));
    assert_int_equal(got.socket, 0);
    assert_false(roster_take(hall.roster, 0, &got));
    roster_place_with(hall.roster, 0); /* by one that looked before it left */
    assert_false(roster_hand(hall.roster, 0, (struct arrival){ .socket = 5 }));
    assert_int_equal(connections(&hall, 0), 1);
    hall_close(&hall);
}

static void no_more_are_on_their_way_than_there_may_be(void **state)
{
    (void)state;
    struct hall hall;
    struct arrival got;
    hall_open(&hall, 2);
    roster_set_away(hall.roster, 0, true);
    int held = open_socket();
    for (int i = 0; i < ROSTER_UNDERWAY_MOST; i++) {
        assert_int_equal(roster_place(hall.roster, ROSTER_NOBODY), 1);
        assert_true(roster_hand(hall.roster, 1, (struct arrival){ .socket = held }));
    }
    assert_false(roster_has_room(hall.roster));
    assert_int_equal(roster_place(hall.roster, ROSTER_NOBODY), ROSTER_NOBODY);
    roster_place_with(hall.roster, 1);
    assert_false(roster_hand(hall.roster, 1, (struct arrival){ .socket = held }));
    assert_int_equal(connections(&hall, 1), ROSTER_UNDERWAY_MOST);
    while (roster_take(hall.roster, 1, &got))
        assert_int_equal(got.socket, held);
    assert_true(roster_has_room(hall.roster));
    (void)close(held);
    hall_close(&hall);
}

static void what_is_taken_back_counts_no_more(void **state)
{
    (void)state;
    struct hall hall;
    struct arrival got;
    hall_open(&hall, 2);
    roster_place_with(hall.roster, 0);
    assert_true(roster_hand(hall.roster, 0, (struct arrival){ .socket = 9, .listener = 1 }));
    assert_true(roster_take_back(hall.roster, 0, &got));
    assert_int_equal(got.socket, 9);
    assert_int_equal(connections(&hall, 0), 0);
    assert_false(roster_take_back(hall.roster, 0, &got));
    assert_false(roster_take(hall.roster, 0, &got));
    hall_close(&hall);
}

static void what_nobody_took_is_closed_in_the_end(void **state)
{
    (void)state;
    struct hall hall;
    int left = open_socket();
    hall_open(&hall, 2);
    roster_place_with(hall.roster, 1);
    assert_true(roster_hand(hall.roster, 1, (struct arrival){ .socket = left }));
    hall_close(&hall);
    assert_false(is_open(left));
}

/* ── Threads ───────────────────────────────────────────────────────────────────────────────────────────────
 */

enum { WORKERS = 3, ARRIVALS = 20000, KEPT_MOST = 10 };

struct shift {
    struct hall *hall;
    uint32_t worker;
    uint64_t came;
    uint64_t sum; /* of the sockets that came */
    atomic_int *others_working;
};

static void shift_take(struct shift *shift)
{
    struct arrival got;
    while (roster_take(shift->hall->roster, shift->worker, &got)) {
        shift->came++;
        shift->sum += (uint64_t)got.socket;
    }
    roster_tell(shift->hall->roster, shift->worker, shift->came % KEPT_MOST);
}

static void shift_work(void *argument)
{
    struct shift *shift = argument;
    struct roster *roster = shift->hall->roster;
    for (int i = 0; i < ARRIVALS; i++) {
        uint32_t to = roster_place(roster, shift->worker);
        if (to != shift->worker && roster_hand(roster, to, (struct arrival){ .socket = i, .listener = to }))
            continue;
        if (to != shift->worker)
            roster_place_with(roster, shift->worker);
        roster_keep(roster, shift->worker);
        shift->came++;
        shift->sum += (uint64_t)i;
        shift_take(shift);
    }
    shift_take(shift);
    roster_leave(roster, shift->worker);
    shift_take(shift);
    atomic_fetch_sub(shift->others_working, 1);
}

static void nothing_is_lost_or_doubled_between_threads(void **state)
{
    (void)state;
    struct hall hall;
    struct shift shifts[WORKERS];
    uv_thread_t threads[WORKERS];
    atomic_int working;
    uint64_t came = 0;
    uint64_t sum = 0;
    uint64_t taken_back = 0;
    hall_open(&hall, WORKERS);
    atomic_init(&working, WORKERS);
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        shifts[worker] = (struct shift){ .hall = &hall, .worker = worker, .others_working = &working };
        assert_int_equal(uv_thread_create(&threads[worker], shift_work, &shifts[worker]), 0);
    }
    while (atomic_load(&working) > 0) { /* as who stands in for one that stands still */
        struct arrival got;
        if (roster_take_back(hall.roster, 0, &got)) {
            taken_back++;
            sum += (uint64_t)got.socket;
        }
    }
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        (void)uv_thread_join(&threads[worker]);
        came += shifts[worker].came;
        sum += shifts[worker].sum;
    }
    assert_int_equal(came + taken_back, WORKERS * ARRIVALS);
    assert_int_equal(sum, (uint64_t)WORKERS * ARRIVALS * (ARRIVALS - 1) / 2);
    for (uint32_t worker = 0; worker < WORKERS; worker++)
        assert_int_equal(connections(&hall, worker), shifts[worker].came % KEPT_MOST);
    hall_close(&hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_keeps_what_it_accepts_unless_another_has_fewer),
        cmocka_unit_test(of_many_at_once_none_gets_more_than_the_others),
        cmocka_unit_test(what_is_gone_makes_room),
        cmocka_unit_test(what_is_handed_arrives_once_and_wakes),
        cmocka_unit_test(nobody_hands_to_one_that_is_away_or_has_left),
        cmocka_unit_test(one_that_leaves_takes_what_is_on_its_way_and_then_nothing),
        cmocka_unit_test(no_more_are_on_their_way_than_there_may_be),
        cmocka_unit_test(what_is_taken_back_counts_no_more),
        cmocka_unit_test(what_nobody_took_is_closed_in_the_end),
        cmocka_unit_test(nothing_is_lost_or_doubled_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
