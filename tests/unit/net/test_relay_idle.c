/* SPDX-License-Identifier: PostgreSQL */
#include "unit/net/house.h"

#include <sys/syscall.h>
#include <time.h>

/* Long enough that a machine which stands still for a moment ends no session that is to go on. */
enum { TIMEOUT_MS = 1500, QUARTER_HOUR_S = 15 * 60 };

/* How far the wall clock was set, as by an operator or a time server. */
static int set_s;

/* In the C library's place. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += set_s;
    return result;
}

/* Whose sessions may rest no longer than TIMEOUT_MS. */
static struct house *house_open_hurried(void)
{
    set_s = 0;
    struct house *house = house_open();
    house->shared.idle_timeout_us = house->shared.idle_in_transaction_timeout_us = TIMEOUT_MS * INT64_C(1000);
    relay_sweep_start(&house->shared);
    return house;
}

static uint64_t since_ms(uint64_t begun_ns)
{
    return (uv_hrtime() - begun_ns) / 1000000;
}

static void a_session_that_rests_too_long_is_ended(void **state)
{
    (void)state;
    struct house *house = house_open_hurried();
    struct talk talk = house_log_in(house);
    uint64_t begun = 0;
    for (int i = 0; i < 5; i++) {
        turn_for(&house->loop, TIMEOUT_MS / 4);
        SAY(house, talk.client, QUERY);
        HEAR(house, talk.server, QUERY);
        begun = uv_hrtime();
        SAY(house, talk.server, READY);
        HEAR(house, talk.client, READY);
    }
    assert_non_null(strstr(house_hear_out(house, talk.client), "|C57P05|"));
    assert_in_range(since_ms(begun), TIMEOUT_MS, 5 * TIMEOUT_MS);
    assert_int_equal(counter_read(&house->counters.idle_timeouts), 1);
    talk_close(&talk);
    house_close(house);
}

static void one_that_waits_for_its_server_is_not(void **state)
{
    (void)state;
    struct house *house = house_open_hurried();
    struct talk talk = house_log_in(house);
    SAY(house, talk.client, QUERY);
    turn_for(&house->loop, 2 * TIMEOUT_MS);
    uint64_t begun = uv_hrtime();
    SAY(house, talk.server, "Z\0\0\0\5T");
    HEAR(house, talk.client, "Z\0\0\0\5T");
    assert_non_null(strstr(house_hear_out(house, talk.client), "|C25P03|"));
    assert_in_range(since_ms(begun), TIMEOUT_MS, 5 * TIMEOUT_MS);
    talk_close(&talk);
    house_close(house);
}

/* All would be ended at once, and what their transactions did be undone. */
static void a_wall_clock_that_is_set_forward_ends_none(void **state)
{
    (void)state;
    struct house *house = house_open_hurried();
    house->shared.idle_timeout_us = QUARTER_HOUR_S * INT64_C(1000000);
    struct talk talk = house_log_in(house);
    set_s = QUARTER_HOUR_S;
    turn_for(&house->loop, TIMEOUT_MS / 2);
    assert_int_equal(counter_read(&house->counters.idle_timeouts), 0);
    SAY(house, talk.client, QUERY);
    HEAR(house, talk.server, QUERY);
    talk_close(&talk);
    house_close(house);
}

static void one_that_is_set_back_keeps_none(void **state)
{
    (void)state;
    struct house *house = house_open_hurried();
    struct talk talk = house_log_in(house);
    set_s = -QUARTER_HOUR_S;
    assert_non_null(strstr(house_hear_out(house, talk.client), "|C57P05|"));
    talk_close(&talk);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_rests_too_long_is_ended),
        cmocka_unit_test(one_that_waits_for_its_server_is_not),
        cmocka_unit_test(a_wall_clock_that_is_set_forward_ends_none),
        cmocka_unit_test(one_that_is_set_back_keeps_none),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
