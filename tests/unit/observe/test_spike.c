/* SPDX-License-Identifier: PostgreSQL */
#include "observe/spike.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEPS = 30000, BUCKETS_OF_DAY = 17280 };

static const int lengths[SPIKE_WINDOW_COUNT] = { 3, 12, 60, 360 };

static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static void begin(struct spike *spike, struct spike_settings *settings, double silent_minutes)
{
    *settings = spike_settings_default();
    spike_init(spike, settings, 1000, silent_minutes);
}

/* An array with all that ever was, and sums over it. */
static void assert_like_history(const struct spike *spike, const uint16_t *history)
{
    for (int window = 0; window < SPIKE_WINDOW_COUNT; window++) {
        uint32_t sum = 0;
        uint32_t active = 0;
        for (int64_t bucket = spike->bucket - lengths[window] + 1; bucket <= spike->bucket; bucket++) {
            sum += bucket >= 1000 ? history[bucket] : 0;
            active += bucket >= 1000 && history[bucket] > 0 ? 1 : 0;
        }
        assert_int_equal(spike->sums[SPIKE_OCCURRENCES][window], sum);
        assert_int_equal(spike->sums[SPIKE_ACTIVE_BUCKETS][window], active);
        assert_int_equal(spike_count_since(spike, SPIKE_OCCURRENCES, spike->bucket - lengths[window] + 1),
                         sum);
    }
}

static void windows_are_sums_over_all_that_was(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    uint64_t random = 5;
    uint16_t *history = calloc(STEPS * 8, sizeof *history);
    (void)state;
    assert_non_null(history);
    begin(&spike, &settings, 0);
    for (int i = 0; i < STEPS / 8; i++) {
        uint64_t count = draw(&random) % 4;
        int64_t pause = (int64_t)(draw(&random) % 50 == 0 ? draw(&random) % 900 : draw(&random) % 5);
        spike_add(&spike, count, 7);
        history[spike.bucket] = (uint16_t)(history[spike.bucket] + count);
        spike_advance(&spike, spike.bucket + pause, 0);
        assert_like_history(&spike, history);
    }
    free(history);
}

static void a_bucket_holds_so_many_and_no_more(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    (void)state;
    begin(&spike, &settings, 0);
    spike_add(&spike, UINT64_MAX, 1);
    spike_add(&spike, 9, 2);
    assert_int_equal(spike.sums[SPIKE_OCCURRENCES][SPIKE_SECONDS], UINT16_MAX);
    assert_int_equal(spike.sums[SPIKE_ACTIVE_BUCKETS][SPIKE_SECONDS], 1);
    spike_advance(&spike, spike.bucket + 3, 0);
    assert_int_equal(spike.sums[SPIKE_OCCURRENCES][SPIKE_SECONDS], 0);
}

static void silence_passed_at_once_is_silence_bucket_by_bucket(void **state)
{
    struct spike at_once;
    struct spike_settings settings;
    (void)state;
    begin(&at_once, &settings, 50);
    spike_add(&at_once, 40, 1);
    struct spike stepwise = at_once;
    spike_advance(&at_once, at_once.bucket + 2 * BUCKETS_OF_DAY, 0);
    for (int i = 0; i < 2 * BUCKETS_OF_DAY; i++)
        spike_advance(&stepwise, stepwise.bucket + 1, 0);
    assert_true(fabs(spike_baseline(&at_once) / spike_baseline(&stepwise) - 1) < 0.02);
    assert_true(fabs(at_once.levels[0].minutes / stepwise.levels[0].minutes - 1) < 0.02);
    for (int hour = 0; hour < SPIKE_HOURS; hour++)
        assert_true(fabsf(at_once.hours[hour].minutes - stepwise.hours[hour].minutes) < 0.1F);
}

/* `a_minute` evenly, for so many minutes. */
static void pass_minutes(struct spike *spike, int minutes, unsigned a_minute)
{
    for (int i = 0; i < minutes; i++)
        spike_learn_minute(spike, spike->bucket, 0, a_minute);
}

static void the_baseline_is_the_rate_of_the_past(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    (void)state;
    begin(&spike, &settings, 0);
    pass_minutes(&spike, 600, 30);
    assert_true(fabs(spike_baseline(&spike) - 30) < 0.5);
}

static void what_is_held_is_not_learned(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    (void)state;
    begin(&spike, &settings, 0);
    pass_minutes(&spike, 600, 30);
    spike_hold(&spike, spike.bucket);
    pass_minutes(&spike, 600, 3000);
    assert_true(fabs(spike_baseline(&spike) - 30) < 0.5);
    spike_release(&spike);
    pass_minutes(&spike, 60, 30);
    assert_true(fabs(spike_baseline(&spike) - 30) < 0.5);
    spike_adopt(&spike);
    assert_true(fabs(spike_baseline(&spike) - 30) < 1);
}

static void what_is_adopted_is_usual(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    (void)state;
    begin(&spike, &settings, 10000);
    pass_minutes(&spike, 6, 60);
    spike_adopt(&spike);
    assert_true(spike_baseline(&spike) > 55 && spike_baseline(&spike) < 62);
}

static void an_hour_that_was_busy_yesterday_may_be_busy(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    (void)state;
    settings = spike_settings_default();
    spike_init(&spike, &settings, 0, 0);
    for (int day = 0; day < 4; day++) {
        pass_minutes(&spike, 600, 10);
        pass_minutes(&spike, 60, 100);
        pass_minutes(&spike, 780, 10);
    }
    pass_minutes(&spike, 480, 10);
    assert_true(spike_baseline(&spike) < 12);
    pass_minutes(&spike, 150, 10);
    assert_true(spike_baseline(&spike) > 60 && spike_baseline(&spike) < 101);
}

static void nothing_is_a_spike_before_enough_is_known(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    for (int learned = 0; learned < 2; learned++) {
        begin(&spike, &settings, learned == 0 ? 59.9 : 60);
        spike_add(&spike, 1000, 1);
        assert_int_equal(spike_test(&spike, &settings, &finding), learned);
    }
}

static void fewer_than_the_least_are_no_spike(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    begin(&spike, &settings, 10000);
    settings.least = 30;
    spike_add(&spike, 29, 1);
    assert_false(spike_test(&spike, &settings, &finding));
    spike_add(&spike, 1, 1);
    assert_true(spike_test(&spike, &settings, &finding));
    assert_true(finding.log_probability < -20);
    assert_true(finding.baseline < 0.001);
}

static void a_rate_within_the_factor_is_no_spike_however_sure(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    begin(&spike, &settings, 0);
    pass_minutes(&spike, 6000, 12000);
    pass_minutes(&spike, 30, 15000);
    assert_false(spike_test(&spike, &settings, &finding));
    pass_minutes(&spike, 30, 25000);
    assert_true(spike_test(&spike, &settings, &finding));
}

static void a_key_with_bursts_is_not_surprised_by_one(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    begin(&spike, &settings, 10000);
    spike_learn_burst(&spike, 20, 2);
    spike_add(&spike, 20, 1);
    assert_false(spike_test(&spike, &settings, &finding));
    spike_add(&spike, 200, 1);
    assert_true(spike_test(&spike, &settings, &finding));
}

static void a_run_starts_where_the_rate_changed(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    begin(&spike, &settings, 0);
    pass_minutes(&spike, 300, 12);
    int64_t changed = spike.bucket;
    for (int i = 0; i < 6; i++) {
        spike_add(&spike, 10, 1);
        spike_advance(&spike, spike.bucket + 1, 0);
    }
    spike_add(&spike, 10, 1);
    assert_true(spike_test(&spike, &settings, &finding));
    assert_int_equal(spike_run_start(&spike, &finding), changed);
}

static void a_run_starts_with_the_few_at_the_end_of_a_bucket(void **state)
{
    struct spike spike;
    struct spike_settings settings;
    struct spike_finding finding;
    (void)state;
    begin(&spike, &settings, 0);
    pass_minutes(&spike, 300, 0);
    int64_t changed = spike.bucket;
    spike_add(&spike, 1, 4990);
    spike_advance(&spike, spike.bucket + 1, 0);
    spike_add(&spike, 49, 0);
    assert_true(spike_test(&spike, &settings, &finding));
    assert_int_equal(spike_run_start(&spike, &finding), changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_sums_over_all_that_was),
        cmocka_unit_test(a_bucket_holds_so_many_and_no_more),
        cmocka_unit_test(silence_passed_at_once_is_silence_bucket_by_bucket),
        cmocka_unit_test(the_baseline_is_the_rate_of_the_past),
        cmocka_unit_test(what_is_held_is_not_learned),
        cmocka_unit_test(what_is_adopted_is_usual),
        cmocka_unit_test(an_hour_that_was_busy_yesterday_may_be_busy),
        cmocka_unit_test(nothing_is_a_spike_before_enough_is_known),
        cmocka_unit_test(fewer_than_the_least_are_no_spike),
        cmocka_unit_test(a_rate_within_the_factor_is_no_spike_however_sure),
        cmocka_unit_test(a_key_with_bursts_is_not_surprised_by_one),
        cmocka_unit_test(a_run_starts_where_the_rate_changed),
        cmocka_unit_test(a_run_starts_with_the_few_at_the_end_of_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
