/* SPDX-License-Identifier: PostgreSQL */
/* What a watch takes for usual after a start is what the file says. */
#include "app/clock.h"
#include "app/recollection.h"
#include "unit/history/diary.h"

enum { HOUR = 3600, KEYS_MOST = 100, NEWS_MOST = 10, SQL_SIZE = 1024 };

static const struct hash_key key;

struct scene {
    struct diary diary;
    struct settings settings;
    struct history *history;
    struct totals totals;
    struct vigil vigil;
    struct recollection recollection;
    struct aftermath aftermath;
    int64_t now_us;
    size_t told;
    struct incident_note notes[NEWS_MOST];
};

static void on_told(void *owner, const struct incident_note *note)
{
    struct scene *scene = owner;
    assert_true(scene->told < NEWS_MOST);
    scene->notes[scene->told++] = *note;
}

/* The file holds a run of six hours with ten violations a minute, that was last known to run so many minutes
 * ago; the service is "kds". */
static void write_past(const struct scene *scene, int minutes_ago)
{
    int begun = -minutes_ago - 360;
    char sql[SQL_SIZE];
    static const char past[] =
        "DELETE FROM runs; INSERT INTO runs (run, version, started, flushed)"
        " VALUES (1, '', datetime('now', '%+d minutes'), datetime('now', '%+d minutes'));"
        "INSERT INTO violation_counts WITH RECURSIVE minutes(at) AS (SELECT %d UNION ALL SELECT at + 1 FROM"
        " minutes WHERE at < %d) SELECT strftime('%%Y-%%m-%%d %%H:%%M:00', 'now', at || ' minutes'), 'kds',"
        " '', '', '23514', 'check', 'public', 'orders', '', 'orders_status_check', '', 10 FROM minutes";
    struct history *history = start(&scene->diary);
    assert_true(history_flush(history, 5 * SECOND_US));
    history_destroy(history);
    (void)snprintf(sql, sizeof sql, past, begun, -minutes_ago, begun, -minutes_ago - 1);
    execute_in_file(&scene->diary, sql);
}

static int scene_make(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    diary_make(&scene->diary);
    scene->settings.history.file = scene->diary.path;
    scene->settings.incidents = (struct incidents_settings){ .record = true,
                                                             .first = true,
                                                             .least = 5,
                                                             .learning = HOUR * (int64_t)SECOND_US,
                                                             .calm = 60 * (int64_t)SECOND_US,
                                                             .keys = KEYS_MOST };
    *state = scene;
    return 0;
}

static int scene_remove(void **state)
{
    struct scene *scene = *state;
    vigil_release(&scene->vigil);
    history_destroy(scene->history);
    totals_release(&scene->totals);
    diary_remove(&scene->diary);
    free(scene);
    return 0;
}

/* Starts on the file as it is now, and waits until all of it is learned. */
static void begin(struct scene *scene)
{
    static const struct harvest_bounds bounds = { KEYS_MOST, KEYS_MOST, KEYS_MOST };
    struct history_options options = diary_options(&scene->diary);
    options.holds_back = true;
    scene->now_us = clock_now();
    scene->history = history_create(&options);
    assert_non_null(scene->history);
    totals_init(&scene->totals, &key, &bounds);
    vigil_init(&scene->vigil, &scene->settings.incidents, &key, &bounds, &scene->totals, scene->history,
               scene->now_us);
    vigil_set_hooks(&scene->vigil, &(struct vigil_hooks){ .tell = on_told, .owner = scene });
    recollection_begin(&scene->recollection, &scene->vigil, scene->history, &scene->settings, scene->now_us);
    for (int i = 0; i < 1000 && scene->recollection.is_running; i++) {
        sleep_ms(10);
        recollection_tick(&scene->recollection, &scene->aftermath);
    }
    assert_false(scene->vigil.is_asleep);
}

static void pass(struct scene *scene, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++) {
        scene->now_us += SECOND_US;
        vigil_tick(&scene->vigil, scene->now_us);
    }
}

static void violate_each(struct scene *scene, int times, int64_t gap)
{
    static const struct incident_key status_check = {
        .service = "kds", .schema = "public", .table = "orders", .name = "orders_status_check"
    };
    for (int i = 0; i < times; i++) {
        (void)incident_watch_feed(&scene->vigil.watch, &status_check, scene->now_us, 1);
        pass(scene, gap);
    }
}

/* For ten minutes, and what is more is held against it. */
static void assert_ten_are_usual(struct scene *scene)
{
    size_t before = scene->told;
    violate_each(scene, 100, 6);
    assert_int_equal(scene->told, before);
    violate_each(scene, 60, 0);
    assert_int_equal(scene->told, before + 1);
    double baseline = scene->notes[before].incident.baseline;
    if (baseline < 8 || baseline > 12)
        print_error("%f a minute are usual\n", baseline);
    assert_true(baseline > 8 && baseline < 12);
}

/* An incident began three hours ago, and goes on. */
static void assert_goes_on(struct scene *scene)
{
    execute_in_file(&scene->diary,
                    "INSERT INTO incidents VALUES (datetime('now', '-180 minutes'), datetime('now',"
                    " '-179 minutes'), NULL, 'kds', '', 'public', 'orders', 'constraint',"
                    " 'orders_status_check', '23514', 'check', 0, 1, 0, 9000, 50, 10, 60, '', '', '', '', '',"
                    " '', '', 1, 7, 0)");
    begin(scene);
    pass(scene, 600);
    const struct incident *incident = &scene->notes[0].incident;
    assert_int_equal(scene->told, 1);
    assert_int_equal(scene->notes[0].news, INCIDENT_ENDED);
    assert_int_equal(incident->number, 7);
    assert_true(incident->ended_us > scene->now_us - 720 * (int64_t)SECOND_US);
    assert_true(incident->ended_us < scene->now_us);
    assert_false(incident->is_adopted);
    assert_ten_are_usual(scene);
}

static void what_was_usual_before_an_incident_is_so_after_a_restart_within_it(void **state)
{
    struct scene *scene = *state;
    write_past(scene, 180);
    execute_in_file(&scene->diary, "UPDATE runs SET flushed = datetime('now', '-1 minutes')");
    assert_goes_on(scene);
}

static void so_it_is_where_the_clock_was_set_back(void **state)
{
    struct scene *scene = *state;
    write_past(scene, 180);
    execute_in_file(&scene->diary,
                    "UPDATE runs SET flushed = '2099-01-01 00:00:00.5';"
                    "INSERT INTO violation_counts VALUES (strftime('%Y-%m-%d %H:%M:00', 'now', '-2 minutes'),"
                    " 'kds', '', '', '23514', 'check', 'public', 'orders', '', 'another_check', '', 1)");
    assert_goes_on(scene);
}

/* Ten a minute until now, and this beside it. */
static void assert_ten_are_usual_beside(struct scene *scene, const char *sql)
{
    write_past(scene, 0);
    execute_in_file(&scene->diary, sql);
    begin(scene);
    assert_ten_are_usual(scene);
}

static void a_run_that_ended_in_the_future_teaches_no_silence(void **state)
{
    assert_ten_are_usual_beside(*state, "UPDATE runs SET flushed = '2099-01-01 00:00:00.5'");
}

/* As where the clock was set back a little: another ended long before, but this one was there since. */
static void a_run_that_ended_a_little_ahead_was_there_all_the_same(void **state)
{
    assert_ten_are_usual_beside(*state,
                                "UPDATE runs SET flushed = datetime('now', '+30 seconds');"
                                "INSERT INTO runs (run, version, started, flushed) VALUES"
                                " (0, '', datetime('now', '-20 hours'), datetime('now', '-19 hours'))");
}

static void runs_in_the_future_teach_no_silence(void **state)
{
    assert_ten_are_usual_beside(*state, "INSERT INTO runs (run, version, started, flushed) VALUES"
                                        " (2, '', '2099-01-01 00:00:00.5', '2099-01-01 01:00:00.5'),"
                                        " (3, '', '2099-01-02 00:00:00.5', '2099-01-02 01:00:00.5')");
}

static void what_was_counted_in_the_future_is_no_lesson(void **state)
{
    assert_ten_are_usual_beside(*state,
                                "INSERT INTO violation_counts VALUES ('2099-01-01 00:00:00', 'kds', '', '',"
                                " '23514', 'check', 'public', 'orders', '', 'orders_status_check', '', 10)");
}

static void a_clock_set_back_by_an_hour_is_no_reason_to_forget(void **state)
{
    struct scene *scene = *state;
    write_past(scene, -60);
    begin(scene);
    assert_ten_are_usual(scene);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scene_make, scene_remove)
    const struct CMUnitTest tests[] = {
        CASE(what_was_usual_before_an_incident_is_so_after_a_restart_within_it),
        CASE(so_it_is_where_the_clock_was_set_back),
        CASE(a_run_that_ended_in_the_future_teaches_no_silence),
        CASE(a_run_that_ended_a_little_ahead_was_there_all_the_same),
        CASE(runs_in_the_future_teach_no_silence),
        CASE(what_was_counted_in_the_future_is_no_lesson),
        CASE(a_clock_set_back_by_an_hour_is_no_reason_to_forget),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
