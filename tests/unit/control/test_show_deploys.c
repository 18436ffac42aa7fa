/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"
#include "unit/control/conversation.h"

#include <setjmp.h>

#include <cmocka.h>

static const int64_t start_us = INT64_C(1000000000000000);
static const int64_t minute_us = 60000000;
static const struct hash_key key;

struct showing {
    struct deploys deploys;
    struct console_command command;
    struct console_outcome notice;
    char storage[TRANSCRIPT_SIZE];
};

static void showing_init(struct showing *showing)
{
    struct deploys_settings settings = deploys_settings_default();
    memset(showing, 0, sizeof *showing);
    assert_true(deploys_init(&showing->deploys, &settings, &key, start_us - 10 * minute_us));
}

static void assert_shown(struct showing *showing, const char *expected)
{
    struct console_world world = { .deploys = &showing->deploys };
    struct show_source source = { &showing->command, &world, "1.2.3" };
    struct buffer heard;
    struct text text;
    buffer_init(&heard, CONVERSATION_MOST);
    struct result result = result_of(&heard, 0);
    assert_true(show_deploys.fill(&source, &result, &showing->notice));
    text_init(&text, showing->storage, sizeof showing->storage);
    hear(buffer_bytes(&heard), &text);
    assert_string_equal(showing->storage, expected);
    buffer_release(&heard);
}

static void change(struct showing *showing, const char *application, int64_t time_us)
{
    struct suspect_change change = { .is_complete = true,
                                     .database = "shop",
                                     .objects = "public.orders",
                                     .suspect = { .time_us = time_us,
                                                  .service = "deployer",
                                                  .user = "ann",
                                                  .command = "ALTER TABLE",
                                                  .statement = "ALTER TABLE orders ADD x" } };
    assert_true(bytes_copy_text(bytes_text(application), change.suspect.application_name, NAME_SIZE));
    deploys_change(&showing->deploys, &change);
}

/* Calls of a service, and violations of the table, in the second that ends then. */
static void count(struct showing *showing, const char *service, int violations, int64_t time_us)
{
    struct deploy_verdict verdict;
    struct harvest *harvest = harvest_create(&key, &(struct harvest_bounds){ 9, 9, 9 });
    struct statement_call call = { .service = service, .database = "shop", .user = "u", .duration_us = 10 };
    struct violation violation = { .database = "shop", .schema = "public", .table = "orders" };
    assert_non_null(harvest);
    assert_true(bytes_copy_text(bytes_text(service), violation.service, NAME_SIZE));
    (void)statements_record(&harvest->statements, &call, time_us);
    for (int i = 0; i < violations; i++)
        ledger_record(&harvest->violations, &violation, time_us);
    deploys_take(&showing->deploys, harvest, time_us);
    while (deploys_tick(&showing->deploys, time_us, &verdict))
        continue;
    harvest_destroy(harvest);
}

#define HEAD(number, application)                                                                            \
    "D " number "|2001-09-09T01:46:40Z|shop|deployer|ann|" application "|public.orders|1|ALTER TABLE|"
#define TAIL "|ALTER TABLE orders ADD x\n"

static void each_service_has_a_row_for_each_deploy_the_newest_first(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    change(&showing, "alone", start_us);
    assert_shown(&showing, HEAD("1", "alone") "~|~|~|~|~|~|~|~|~|~|~|0|0" TAIL);
    count(&showing, "kds", 1, start_us);
    change(&showing, "second", start_us);
    count(&showing, "kds", 59, start_us + minute_us);
    count(&showing, "web", 0, start_us + minute_us);
    assert_shown(
        &showing,
        HEAD("2",
             "second") "60000000|kds|worse|violations: 0.10 a minute before, 59.00 since|"
                       "2001-09-09T01:47:40Z|0.10|59.00|0.00|0.00|10|10|1|1" TAIL HEAD(
                           "2",
                           "second") "60000000|web|too_early|nothing is worse so far|"
                                     "~|0.00|0.00|0.00|0.00|~|10|0|1" TAIL HEAD(
                                         "1",
                                         "alone") "60000000|kds|worse|violations: 0.00 a minute before, "
                                                  "60.00 since|"
                                                  "2001-09-09T01:47:40Z|0.00|60.00|0.00|0.00|~|10|0|2" TAIL
                                                      HEAD("1",
                                                           "alone") "60000000|web|too_early|nothing is worse "
                                                                    "so far|"
                                                                    "~|0.00|0.00|0.00|0.00|~|10|0|1" TAIL);
    deploys_release(&showing.deploys);
}

static void a_limit_holds_for_rows(void **state)
{
    (void)state;
    struct showing showing;
    showing_init(&showing);
    change(&showing, "one", start_us);
    change(&showing, "two", start_us);
    showing.command.count = 1;
    assert_shown(&showing, HEAD("2", "two") "~|~|~|~|~|~|~|~|~|~|~|0|0" TAIL);
    assert_string_equal(showing.notice.message, "");
    showing.deploys.pulses.unfollowed = 1;
    assert_shown(&showing, HEAD("2", "two") "~|~|~|~|~|~|~|~|~|~|~|0|0" TAIL);
    assert_string_equal(showing.notice.message,
                        "More than 64 services and databases were active: not all are followed.");
    deploys_release(&showing.deploys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_service_has_a_row_for_each_deploy_the_newest_first),
        cmocka_unit_test(a_limit_holds_for_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
