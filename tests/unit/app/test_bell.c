/* SPDX-License-Identifier: PostgreSQL */
#include "app/bell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CALLS = 200000, CALLERS = 3 };

struct house {
    uv_loop_t loop;
    struct bell bell;
    atomic_uint done[CALLERS]; /* what each caller has done */
    unsigned seen[CALLERS];    /* of that, when the thread last looked */
    unsigned heard;
};

static void on_heard(void *owner)
{
    struct house *house = owner;
    house->heard++;
    for (size_t i = 0; i < CALLERS; i++)
        house->seen[i] = atomic_load_explicit(&house->done[i], memory_order_relaxed);
}

static void house_open(struct house *house)
{
    *house = (struct house){ .heard = 0 };
    assert_int_equal(uv_loop_init(&house->loop), 0);
    assert_int_equal(bell_init(&house->bell, &house->loop, on_heard, house), 0);
}

static void house_close(struct house *house)
{
    bell_close(&house->bell);
    (void)uv_run(&house->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&house->loop), 0);
}

/* Turns of the loop, each of which waits for something. */
static void turn(struct house *house, unsigned times)
{
    while (times-- > 0)
        (void)uv_run(&house->loop, UV_RUN_ONCE);
}

static void the_first_call_is_heard_at_once_and_those_behind_it_soon(void **state)
{
    (void)state;
    struct house house;
    house_open(&house);
    bell_ring(&house.bell);
    bell_ring(&house.bell);
    turn(&house, 1);
    assert_int_equal(house.heard, 1);
    for (unsigned round = 2; round < 5; round++) {
        uint64_t begun = uv_hrtime();
        bell_ring(&house.bell);
        turn(&house, 1);
        assert_int_equal(house.heard, round);
        assert_true((uv_hrtime() - begun) / 1000000 >= BELL_PAUSE_MS / 2);
    }
    turn(&house, 1); /* nothing came: the thread sleeps again */
    assert_int_equal(house.heard, 4);
    assert_false(uv_is_active((uv_handle_t *)&house.bell.timer));
    bell_ring(&house.bell);
    turn(&house, 1);
    assert_int_equal(house.heard, 5);
    house_close(&house);
}

static void a_loud_call_is_heard_at_once(void **state)
{
    (void)state;
    struct house house;
    house_open(&house);
    bell_ring(&house.bell);
    turn(&house, 1);
    uint64_t begun = uv_hrtime();
    for (unsigned i = 0; i < 20; i++) {
        bell_ring_loudly(&house.bell);
        turn(&house, 1);
    }
    assert_true(house.heard >= 21);
    assert_true((uv_hrtime() - begun) / 1000000 < 20 * BELL_PAUSE_MS);
    house_close(&house);
}

struct caller {
    struct house *house;
    size_t number;
};

static void call(void *argument)
{
    struct caller *caller = argument;
    for (unsigned i = 0; i < CALLS; i++) {
        atomic_fetch_add_explicit(&caller->house->done[caller->number], 1, memory_order_relaxed);
        bell_ring(&caller->house->bell);
        if (i % 1000 == 0)
            uv_sleep(i % 3000 == 0 ? 1 : 0);
    }
}

/* Callers that never rest but for moments; when the last has called, all that they did is seen without
 * another call. */
static void no_call_is_lost(void **state)
{
    (void)state;
    struct house house;
    struct caller callers[CALLERS];
    uv_thread_t threads[CALLERS];
    house_open(&house);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){ &house, i };
        assert_int_equal(uv_thread_create(&threads[i], call, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        while (house.seen[i] < CALLS)
            turn(&house, 1);
    for (size_t i = 0; i < CALLERS; i++)
        (void)uv_thread_join(&threads[i]);
    assert_true(house.heard < CALLS);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_call_is_heard_at_once_and_those_behind_it_soon),
        cmocka_unit_test(a_loud_call_is_heard_at_once),
        cmocka_unit_test(no_call_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
