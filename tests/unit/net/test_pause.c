/* SPDX-License-Identifier: PostgreSQL */
#include "net/pause.h"
#include "unit/net/peer.h"

enum { MICROSECONDS = 1000, NANOSECONDS = 1000 };

struct waiting {
    uv_loop_t loop;
    int calls;
};

static void on_over(void *owner)
{
    ((struct waiting *)owner)->calls++;
}

static void waiting_init(struct waiting *waiting)
{
    waiting->calls = 0;
    assert_int_equal(uv_loop_init(&waiting->loop), 0);
    waiting->loop.data = NULL;
}

static uint64_t us_since(uint64_t begun)
{
    return (uv_hrtime() - begun) / NANOSECONDS;
}

static void it_is_over_once_and_not_before_its_time(void **state)
{
    (void)state;
    struct waiting waiting;
    waiting_init(&waiting);
    struct pause *pause = pause_create(&waiting.loop, on_over, &waiting);
    assert_non_null(pause);
    for (int round = 1; round <= 3; round++) {
        uint64_t begun = uv_hrtime();
        pause_begin(pause, 300);
        while (waiting.calls < round)
            (void)uv_run(&waiting.loop, UV_RUN_ONCE);
        assert_true(us_since(begun) >= 300);
    }
    turn_for(&waiting.loop, 3);
    assert_int_equal(waiting.calls, 3);
    pause_destroy(pause);
    loop_finish(&waiting.loop);
}

static void begun_again_it_counts_anew(void **state)
{
    (void)state;
    struct waiting waiting;
    waiting_init(&waiting);
    struct pause *pause = pause_create(&waiting.loop, on_over, &waiting);
    pause_begin(pause, 100);
    uint64_t begun = uv_hrtime();
    pause_begin(pause, 20 * MICROSECONDS);
    while (waiting.calls == 0)
        (void)uv_run(&waiting.loop, UV_RUN_ONCE);
    assert_true(us_since(begun) >= 20 * MICROSECONDS);
    assert_int_equal(waiting.calls, 1);
    pause_destroy(pause);
    loop_finish(&waiting.loop);
}

static void destroyed_it_is_never_over(void **state)
{
    (void)state;
    struct waiting waiting;
    waiting_init(&waiting);
    struct pause *pause = pause_create(&waiting.loop, on_over, &waiting);
    pause_begin(pause, 100);
    pause_destroy(pause);
    turn_for(&waiting.loop, 3);
    loop_finish(&waiting.loop);
    assert_int_equal(waiting.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_over_once_and_not_before_its_time),
        cmocka_unit_test(begun_again_it_counts_anew),
        cmocka_unit_test(destroyed_it_is_never_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
