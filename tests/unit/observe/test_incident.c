/* SPDX-License-Identifier: PostgreSQL */
#include "observe/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key hash_key = { { 41, 42 } };
static const int64_t second_us = 1000000;
static const int64_t begin_us = INT64_C(1767225600000000); /* 2026-01-01 */
static const struct incident_key status_check = {
    .service = "kds", .schema = "public", .table = "orders", .name = "orders_status_check"
};

enum { NEWS_MOST = 4096, MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* All that was told, and the time. */
struct stage {
    struct incident_watch watch;
    int64_t now_us;
    size_t count;
    enum incident_news news[NEWS_MOST];
    struct incident incidents[NEWS_MOST];
};

static void on_news(void *owner, enum incident_news news, const struct incident *incident)
{
    struct stage *stage = owner;
    assert_true(stage->count < NEWS_MOST);
    stage->news[stage->count] = news;
    stage->incidents[stage->count++] = *incident;
}

static struct stage *stage_of(void **state)
{
    return *state;
}

static void stage_begin(struct stage *stage, const struct incident_settings *settings, int64_t known_since_us)
{
    stage->count = 0;
    stage->now_us = begin_us;
    incident_watch_init(&stage->watch, settings, &hash_key, known_since_us, on_news, stage);
}

/* At the defaults. */
static void stage_known(struct stage *stage, int64_t known_since_us)
{
    struct incident_settings settings = incident_settings_default();
    stage_begin(stage, &settings, known_since_us);
}

/* Known for a week. */
static void stage_usual(struct stage *stage)
{
    stage_known(stage, begin_us - 7 * DAY * second_us);
}

static void pass(struct stage *stage, int64_t seconds)
{
    for (int64_t end_us = stage->now_us + seconds * second_us; stage->now_us < end_us;) {
        stage->now_us += 10 * second_us < end_us - stage->now_us ? 10 * second_us : end_us - stage->now_us;
        incident_watch_tick(&stage->watch, stage->now_us);
    }
}

static bool see(struct stage *stage, uint64_t count)
{
    return incident_watch_feed(&stage->watch, &status_check, stage->now_us, count);
}

/* One each `gap` seconds, so many. */
static void see_each(struct stage *stage, int count, int64_t gap)
{
    for (int i = 0; i < count; i++) {
        (void)see(stage, 1);
        pass(stage, gap);
    }
}

static void assert_news(const struct stage *stage, size_t at, enum incident_news news,
                        enum incident_state incident)
{
    assert_true(at < stage->count);
    assert_int_equal(stage->news[at], news);
    assert_int_equal(stage->incidents[at].state, incident);
}

static void the_first_ever_is_told_and_becomes_a_spike(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    pass(stage, 7);
    see_each(stage, 400, 2);
    pass(stage, HOUR);
    assert_news(stage, 0, INCIDENT_STARTED, INCIDENT_FIRST);
    assert_news(stage, 1, INCIDENT_GREW, INCIDENT_SPIKE);
    assert_news(stage, stage->count - 1, INCIDENT_ENDED, INCIDENT_SPIKE);
    const struct incident *last = &stage->incidents[stage->count - 1];
    assert_true(last->is_first);
    assert_int_equal(last->started_us, begin_us + 7 * second_us);
    assert_int_equal(last->detected_us, begin_us + 7 * second_us);
    assert_int_equal(last->ended_us, begin_us + (7 + 399 * 2) * second_us);
    assert_int_equal(last->count, 400);
    assert_true(last->peak >= 30 && last->peak <= 33);
    assert_true(last->baseline < 0.001);
    assert_int_equal(last->number, 1);
}

static void a_known_key_is_told_within_seconds_with_its_first_second(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    (void)see(stage, 1);
    pass(stage, 3 * DAY + 3);
    size_t before = stage->count;
    int64_t start_us = stage->now_us;
    for (int i = 0; i < 60 && stage->count == before; i++) {
        (void)see(stage, 1);
        if (stage->count == before)
            pass(stage, i % 2 == 0 ? 1 : 2);
    }
    assert_news(stage, before, INCIDENT_STARTED, INCIDENT_SPIKE);
    assert_false(stage->incidents[before].is_first);
    assert_int_equal(stage->incidents[before].started_us, start_us);
    assert_true(stage->incidents[before].detected_us - start_us <= 20 * second_us);
    assert_true(stage->incidents[before].rate > 20);
    assert_true(see(stage, 1));
}

static void one_that_pauses_is_one_incident(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    size_t ended = 0;
    for (int i = 0; i < 10; i++) {
        see_each(stage, 40, 2);
        pass(stage, 4 * MINUTE);
    }
    pass(stage, HOUR);
    for (size_t i = 0; i < stage->count; i++)
        ended += stage->news[i] == INCIDENT_ENDED ? 1 : 0;
    assert_int_equal(ended, 1);
    assert_int_equal(stage->watch.incidents, 1);
    assert_int_equal(stage->incidents[stage->count - 1].count, 400);
    assert_int_equal(stage->watch.active_count, 0);
}

static void a_slow_one_is_given_longer_to_go_on(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    see_each(stage, 20, MINUTE);
    pass(stage, 7 * MINUTE);
    see_each(stage, 5, MINUTE);
    for (size_t i = 0; i < stage->count; i++)
        assert_int_not_equal(stage->news[i], INCIDENT_ENDED);
    pass(stage, HOUR);
    assert_int_equal(stage->news[stage->count - 1], INCIDENT_ENDED);
    assert_int_equal(stage->incidents[stage->count - 1].count, 25);
    assert_int_equal(stage->watch.incidents, 1);
}

static void each_doubling_is_told_once(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    for (uint64_t rate = 1; rate <= 64; rate *= 2) {
        for (int i = 0; i < 300; i++) {
            (void)see(stage, rate);
            pass(stage, 1);
        }
    }
    assert_true(stage->count >= 7 && stage->count <= 9);
    for (size_t i = 1; i < stage->count; i++)
        assert_int_equal(stage->news[i], INCIDENT_GREW);
    assert_int_equal(stage->incidents[stage->count - 1].peak, 3840);
}

static void what_lasts_a_day_is_usual(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    see_each(stage, 12 * 60 * 26, 5);
    const struct incident *last = &stage->incidents[stage->count - 1];
    assert_news(stage, stage->count - 1, INCIDENT_ENDED, INCIDENT_SPIKE);
    assert_true(last->is_adopted);
    assert_int_equal(stage->watch.incidents, 1);
    assert_int_equal(stage->watch.active_count, 0);
}

static void within_the_first_hour_nothing_is_told(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident_settings settings = incident_settings_default();
    stage_begin(stage, &settings, begin_us);
    see_each(stage, 1000, 3);
    assert_int_equal(stage->count, 0);
}

static struct incident_key key_number(unsigned number)
{
    struct incident_key key = { .subject = INCIDENT_FAMILY, .service = "shop" };
    (void)snprintf(key.name, sizeof key.name, "%u", number);
    return key;
}

static void keys_without_room_are_other(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident_settings settings = incident_settings_default();
    settings.keys_most = 10;
    settings.first_most = 5;
    stage_begin(stage, &settings, begin_us - DAY * second_us);
    for (unsigned i = 0; i < 100; i++) {
        struct incident_key key = key_number(i);
        (void)incident_watch_feed(&stage->watch, &key, stage->now_us + i, 3);
    }
    assert_int_equal(stage->watch.keys.count, 10);
    assert_int_equal(stage->watch.total, 300);
    assert_int_equal(stage->watch.keys_gone, 90);
    assert_int_equal(stage->count, 5);
    assert_true(stage->watch.untold > 0);
    settings.keys_most = 0;
    incident_watch_release(&stage->watch);
    stage_begin(stage, &settings, begin_us);
    (void)see(stage, 7);
    assert_int_equal(stage->watch.other, 7);
    assert_int_equal(stage->watch.total, 7);
}

static void keys_in_an_incident_keep_their_place(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident_settings settings = incident_settings_default();
    settings.keys_most = 2;
    stage_begin(stage, &settings, begin_us - DAY * second_us);
    for (unsigned i = 0; i < 3; i++) {
        struct incident_key key = key_number(i);
        assert_int_equal(incident_watch_feed(&stage->watch, &key, stage->now_us, 1), i < 2);
    }
    assert_int_equal(stage->watch.other, 1);
    const struct incident *active[3];
    assert_int_equal(incident_watch_active(&stage->watch, active, 3), 2);
    assert_string_equal(active[0]->key.name, "0");
    assert_int_equal(incident_watch_active(&stage->watch, active, 1), 1);
}

static void only_so_many_incidents_are_told_at_a_time(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident_settings settings = incident_settings_default();
    settings.incidents_most = 3;
    stage_begin(stage, &settings, begin_us - DAY * second_us);
    for (unsigned i = 0; i < 8; i++) {
        struct incident_key key = key_number(i);
        (void)incident_watch_feed(&stage->watch, &key, stage->now_us, 50);
    }
    pass(stage, 2 * HOUR);
    assert_int_equal(stage->count, 6);
    assert_int_equal(stage->watch.untold, 5);
    assert_int_equal(stage->watch.incidents, 3);
}

/* Ten a minute for two days, whatever the clock does in between. */
static void assert_no_alarm(struct stage *stage, int64_t step_seconds)
{
    struct incident_settings settings = incident_settings_default();
    stage_begin(stage, &settings, begin_us);
    see_each(stage, 10 * 60 * 24, 6);
    stage->now_us += step_seconds * second_us;
    see_each(stage, 10 * 60 * 24, 6);
    assert_int_equal(stage->count, 0);
}

static void a_clock_that_steps_is_no_spike(void **state)
{
    static const int64_t steps[] = { -DAY, -HOUR, -61, -30, -3, -1, 1, 30, 59, 61, HOUR, 30 * (int64_t)DAY };
    struct stage *stage = stage_of(state);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_no_alarm(stage, steps[i]);
        incident_watch_release(&stage->watch);
    }
    stage_usual(stage);
}

static void a_gap_is_neither_silence_nor_an_end(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    see_each(stage, 100, 2);
    size_t before = stage->count;
    stage->now_us += 5 * HOUR * second_us;
    see_each(stage, 100, 2);
    assert_int_equal(stage->count, before);
    assert_int_equal(stage->watch.gaps, 1);
    assert_int_equal(stage->watch.active_count, 1);
    pass(stage, HOUR);
    assert_news(stage, stage->count - 1, INCIDENT_ENDED, INCIDENT_SPIKE);
    assert_int_equal(stage->incidents[stage->count - 1].count, 200);
}

static void threads_heard_out_of_order_are_no_gap(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    for (int i = 0; i < 1000; i++) {
        (void)incident_watch_feed(&stage->watch, &status_check, stage->now_us + i * 1000 - (i % 2) * 1500000,
                                  1);
    }
    assert_int_equal(stage->watch.gaps, 0);
    assert_int_equal(stage->watch.offset_us, 0);
    assert_int_equal(stage->watch.total, 1000);
}

static void after_a_restart_what_was_taught_is_usual(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident_settings settings = incident_settings_default();
    stage_begin(stage, &settings, begin_us - 2 * DAY * second_us);
    for (int64_t minute = -2 * 1440; minute < 0; minute++)
        incident_watch_learn(&stage->watch, &status_check, begin_us + minute * MINUTE * second_us, 20);
    see_each(stage, 2000, 3);
    assert_int_equal(stage->count, 0);
    for (int i = 0; i < 60; i++) {
        (void)see(stage, 5);
        pass(stage, 1);
    }
    assert_news(stage, 0, INCIDENT_STARTED, INCIDENT_SPIKE);
    assert_false(stage->incidents[0].is_first);
    assert_true(stage->incidents[0].baseline > 15 && stage->incidents[0].baseline < 30);
}

static int64_t days_before(int64_t days)
{
    return begin_us - days * DAY * second_us;
}

static void teach(struct stage *stage, int64_t from_us, int64_t minutes, uint64_t count)
{
    for (int64_t i = 0; i < minutes; i++)
        incident_watch_learn(&stage->watch, &status_check, from_us + i * MINUTE * second_us, count);
}

static void silence_before_a_restart_is_known(void **state)
{
    struct stage *stage = stage_of(state);
    stage_known(stage, days_before(10));
    teach(stage, days_before(10) + 300 * second_us, 1, 1);
    incident_watch_learn_absence(&stage->watch, begin_us - HOUR * second_us, begin_us);
    assert_int_equal(stage->watch.known_since_us, days_before(10) + HOUR * second_us);
    const struct incident_key other = {
        .service = "kds", .schema = "public", .table = "orders", .name = "n"
    };
    assert_true(incident_watch_feed(&stage->watch, &other, stage->now_us, 1));
    assert_news(stage, 0, INCIDENT_STARTED, INCIDENT_FIRST);
    see_each(stage, 20, 1);
    assert_news(stage, 1, INCIDENT_STARTED, INCIDENT_SPIKE);
    assert_int_equal(stage->watch.gaps, 0);
}

static void what_fell_silent_before_a_restart_is_not_usual(void **state)
{
    struct stage *stage = stage_of(state);
    stage_known(stage, days_before(24));
    teach(stage, days_before(24), 2 * 1440, 20);
    incident_watch_learn_absence(&stage->watch, begin_us - 2 * second_us, begin_us);
    see_each(stage, 100, 3);
    assert_news(stage, 0, INCIDENT_STARTED, INCIDENT_SPIKE);
    assert_true(stage->incidents[0].baseline < 1);
}

static void a_short_restart_is_no_gap(void **state)
{
    struct stage *stage = stage_of(state);
    stage_known(stage, days_before(1));
    incident_watch_learn_absence(&stage->watch, begin_us + 10 * second_us, begin_us + 40 * second_us);
    pass(stage, 45);
    assert_true(see(stage, 1));
    assert_int_equal(stage->watch.gaps, 0);
    assert_int_equal(stage->watch.known_since_us, days_before(1));
    pass(stage, HOUR);
}

static void time_away_between_lessons_teaches_nothing(void **state)
{
    struct stage *stage = stage_of(state);
    stage_known(stage, days_before(21));
    teach(stage, days_before(21), 1440, 20);
    incident_watch_learn_absence(&stage->watch, days_before(20) + second_us,
                                 days_before(0) - 300 * second_us);
    teach(stage, begin_us - 300 * second_us, 5, 20);
    assert_int_equal(stage->watch.known_since_us, begin_us - (DAY + 300) * second_us);
    incident_watch_learn_absence(&stage->watch, begin_us, begin_us + 59 * MINUTE * second_us);
    assert_int_equal(stage->watch.known_since_us, begin_us - (DAY + 300) * second_us);
    see_each(stage, 200, 3);
    assert_int_equal(stage->count, 0);
    see_each(stage, 60, 0);
    assert_news(stage, 0, INCIDENT_STARTED, INCIDENT_SPIKE);
    assert_true(stage->incidents[0].baseline > 15 && stage->incidents[0].baseline < 30);
}

static void an_absence_that_ends_before_it_begins_teaches_nothing(void **state)
{
    struct stage *stage = stage_of(state);
    stage_known(stage, days_before(1));
    teach(stage, days_before(1), 1440, 20);
    incident_watch_learn_absence(&stage->watch, begin_us + 10000 * DAY * second_us, begin_us);
    see_each(stage, 200, 3);
    assert_int_equal(stage->count, 0);
    assert_int_equal(stage->watch.gaps, 0);
}

static void what_may_not_have_been_taught_is_no_first_occurrence(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    incident_watch_doubt(&stage->watch, begin_us);
    assert_false(see(stage, 1));
    assert_int_equal(stage->count, 0);
    incident_watch_release(&stage->watch);
    stage_usual(stage);
    assert_true(see(stage, 1));
    assert_true(stage->incidents[0].is_first);
    incident_watch_release(&stage->watch);
}

static void an_incident_goes_on_after_a_restart(void **state)
{
    struct stage *stage = stage_of(state);
    stage_usual(stage);
    see_each(stage, 100, 2);
    const struct incident *active[1];
    assert_int_equal(incident_watch_active(&stage->watch, active, 1), 1);
    struct incident kept = *active[0];
    incident_watch_release(&stage->watch);
    stage_usual(stage);
    stage->now_us = begin_us + 250 * second_us;
    assert_true(incident_watch_resume(&stage->watch, &kept, stage->now_us));
    assert_false(incident_watch_resume(&stage->watch, &kept, stage->now_us));
    see_each(stage, 100, 2);
    assert_int_equal(stage->count, 0);
    pass(stage, HOUR);
    assert_int_equal(stage->count, 1);
    assert_news(stage, 0, INCIDENT_ENDED, INCIDENT_SPIKE);
    assert_int_equal(stage->incidents[0].count, 200);
    assert_int_equal(stage->incidents[0].number, kept.number);
    assert_int_equal(stage->incidents[0].started_us, kept.started_us);
}

static void one_that_does_not_go_on_after_a_restart_ended_before_it(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident kept = { .key = status_check,
                             .number = 7,
                             .state = INCIDENT_SPIKE,
                             .started_us = begin_us - 600 * second_us,
                             .ended_us = begin_us - 30 * second_us,
                             .count = 900,
                             .peak = 90 };
    stage_usual(stage);
    assert_true(incident_watch_resume(&stage->watch, &kept, stage->now_us));
    const struct incident *active[1];
    assert_int_equal(incident_watch_active(&stage->watch, active, 1), 1);
    assert_int_equal(active[0]->ended_us, 0);
    pass(stage, HOUR);
    assert_int_equal(stage->count, 1);
    assert_news(stage, 0, INCIDENT_ENDED, INCIDENT_SPIKE);
    assert_int_equal(stage->incidents[0].ended_us, kept.ended_us);
    see_each(stage, 100, 2);
    assert_int_equal(stage->incidents[1].number, 8);
}

/* At ten a minute there is no spike, and the next one is held against ten. */
static void assert_ten_are_usual(struct stage *stage)
{
    size_t before = stage->count;
    see_each(stage, 100, 6);
    assert_int_equal(stage->count, before);
    see_each(stage, 60, 0);
    assert_news(stage, before, INCIDENT_STARTED, INCIDENT_SPIKE);
    double baseline = stage->incidents[before].baseline;
    assert_true(baseline > 8 && baseline < 12);
}

static void what_was_usual_before_an_incident_is_so_after_a_restart_within_it(void **state)
{
    struct stage *stage = stage_of(state);
    struct incident kept = { .key = status_check,
                             .number = 7,
                             .state = INCIDENT_SPIKE,
                             .started_us = begin_us - 3 * HOUR * second_us + 7 * second_us,
                             .ended_us = begin_us - 100 * second_us,
                             .count = 9000,
                             .peak = 90 };
    struct incident other = kept;
    (void)snprintf(other.key.name, sizeof other.key.name, "other");
    stage_known(stage, begin_us - 9 * HOUR * second_us);
    teach(stage, begin_us - 9 * HOUR * second_us, 6 * 60, 10);
    incident_watch_learn_absence(&stage->watch, kept.ended_us, begin_us);
    incident_watch_hold(&stage->watch, &other);
    incident_watch_hold(&stage->watch, &kept);
    assert_true(incident_watch_resume(&stage->watch, &other, stage->now_us));
    assert_true(incident_watch_resume(&stage->watch, &kept, stage->now_us));
    pass(stage, 10 * MINUTE);
    assert_int_equal(stage->count, 2);
    assert_news(stage, 1, INCIDENT_ENDED, INCIDENT_SPIKE);
    assert_ten_are_usual(stage);
}

static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

/* Whatever is fed: each incident starts, perhaps grows, and ends, in this order; its times and counts fit. */
static void all_news_follow_the_states(void **state)
{
    enum { KEYS = 6 };
    struct stage *stage = stage_of(state);
    uint64_t random = 3;
    uint64_t fed[KEYS] = { 0 };
    uint64_t open[KEYS] = { 0 };
    stage_usual(stage);
    for (int step = 0; step < 200000 && stage->count < NEWS_MOST - 8; step++) {
        unsigned number = (unsigned)(draw(&random) % KEYS);
        struct incident_key key = key_number(number);
        uint64_t count = draw(&random) % 100 == 0 ? draw(&random) % 200 : draw(&random) % 3;
        (void)incident_watch_feed(&stage->watch, &key, stage->now_us, count);
        fed[number] += count;
        pass(stage, (int64_t)(draw(&random) % 2000 == 0 ? draw(&random) % 9000 : draw(&random) % 20));
        if (draw(&random) % 5000 == 0)
            stage->now_us += ((int64_t)(draw(&random) % 2000) - 1000) * second_us;
    }
    assert_true(stage->count > 50);
    for (size_t i = 0; i < stage->count; i++) {
        const struct incident *incident = &stage->incidents[i];
        uint64_t *number = &open[incident->key.name[0] - '0'];
        assert_true(stage->news[i] == INCIDENT_STARTED ? *number == 0 : *number == incident->number);
        *number = stage->news[i] == INCIDENT_ENDED ? 0 : incident->number;
        assert_true(incident->peak <= incident->count);
        assert_true(incident->count <= fed[incident->key.name[0] - '0']);
        assert_true(incident->state != INCIDENT_QUIET);
    }
}

static int prepare(void **state)
{
    *state = test_calloc(1, sizeof(struct stage));
    return 0;
}

static int clear(void **state)
{
    incident_watch_release(&stage_of(state)->watch);
    test_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_ever_is_told_and_becomes_a_spike),
        TEST(a_known_key_is_told_within_seconds_with_its_first_second),
        TEST(one_that_pauses_is_one_incident),
        TEST(a_slow_one_is_given_longer_to_go_on),
        TEST(each_doubling_is_told_once),
        TEST(what_lasts_a_day_is_usual),
        TEST(within_the_first_hour_nothing_is_told),
        TEST(keys_without_room_are_other),
        TEST(keys_in_an_incident_keep_their_place),
        TEST(only_so_many_incidents_are_told_at_a_time),
        TEST(a_clock_that_steps_is_no_spike),
        TEST(a_gap_is_neither_silence_nor_an_end),
        TEST(threads_heard_out_of_order_are_no_gap),
        TEST(after_a_restart_what_was_taught_is_usual),
        TEST(silence_before_a_restart_is_known),
        TEST(what_fell_silent_before_a_restart_is_not_usual),
        TEST(a_short_restart_is_no_gap),
        TEST(time_away_between_lessons_teaches_nothing),
        TEST(an_absence_that_ends_before_it_begins_teaches_nothing),
        TEST(what_may_not_have_been_taught_is_no_first_occurrence),
        TEST(an_incident_goes_on_after_a_restart),
        TEST(one_that_does_not_go_on_after_a_restart_ended_before_it),
        TEST(what_was_usual_before_an_incident_is_so_after_a_restart_within_it),
        TEST(all_news_follow_the_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
