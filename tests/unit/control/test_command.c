/* SPDX-License-Identifier: PostgreSQL */
#include "control/argument.h"
#include "control/command.h"
#include "control/syntax.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * 1000000)

static enum command_result read_one(const char *query, struct console_command *command,
                                    struct console_outcome *failure)
{
    struct command_reader reader = command_reader_of(bytes_text(query), 24 * HOUR_US);
    return command_next(&reader, command, failure);
}

static struct console_command accepted(const char *query, enum command_kind kind)
{
    struct console_command command = { .kind = COMMAND_COUNT };
    struct console_outcome failure;
    assert_int_equal(read_one(query, &command, &failure), COMMAND_READY);
    assert_string_equal(failure.sqlstate, "");
    assert_int_equal(command.kind, kind);
    return command;
}

static struct console_outcome refused(const char *query, const char *sqlstate, const char *message,
                                      uint32_t position)
{
    struct console_command command;
    struct console_outcome failure;
    assert_int_equal(read_one(query, &command, &failure), COMMAND_REFUSED);
    assert_string_equal(failure.message, message);
    assert_string_equal(failure.sqlstate, sqlstate);
    assert_int_equal(failure.position, position);
    return failure;
}

static void commands_are_read_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(accepted("show violations", COMMAND_SHOW_VIOLATIONS).count, 0);
    assert_int_equal(accepted("SHOW Violations LiMiT 7;", COMMAND_SHOW_VIOLATIONS).count, 7);
    assert_int_equal(accepted(" /* x */ SHOW\nDDL limit 1000000 -- y", COMMAND_SHOW_DDL).count, 1000000);
    accepted("help", COMMAND_HELP);
    accepted("SHOW HELP", COMMAND_SHOW_HELP);
    accepted(";;reload;", COMMAND_RELOAD);
}

static void an_opening_says_all_it_needs(void **state)
{
    (void)state;
    struct console_command command =
        accepted("OPEN WINDOW FOR '30m' ALLOW modifying REASON 'it''s urgent'", COMMAND_OPEN_WINDOW);
    assert_string_equal(command.name, "");
    assert_int_equal(command.duration_us, HOUR_US / 2);
    assert_int_equal(command.level, LEVEL_MODIFYING);
    assert_string_equal(command.reason, "it's urgent");
    command = accepted("open window hot-fix for '24 hours' allow ADDITIVE reason 'r'", COMMAND_OPEN_WINDOW);
    assert_string_equal(command.name, "hot-fix");
    assert_int_equal(command.duration_us, 24 * HOUR_US);
    assert_int_equal(command.level, LEVEL_ADDITIVE);
    assert_string_equal(
        accepted("open window \"For\" for '1m' allow additive reason 'r'", COMMAND_OPEN_WINDOW).name, "For");
}

static void names_are_quoted_or_not(void **state)
{
    (void)state;
    assert_string_equal(accepted("CLOSE WINDOW peak-week", COMMAND_CLOSE_WINDOW).name, "peak-week");
    assert_string_equal(accepted("CLOSE WINDOW \"a \"\"b\"\"\"", COMMAND_CLOSE_WINDOW).name, "a \"b\"");
    assert_string_equal(accepted("CLOSE WINDOW 'a''b'", COMMAND_CLOSE_WINDOW).name, "a'b");
    assert_string_equal(accepted("CLOSE WINDOW \xc3\xa4", COMMAND_CLOSE_WINDOW).name, "\xc3\xa4");
}

static void a_query_is_one_command_up_to_its_semicolon(void **state)
{
    (void)state;
    struct console_outcome failure;
    struct console_command command;
    struct command_reader reader =
        command_reader_of(bytes_text("HELP; select ';' /* ; */ AS \"a;b\"; /* x */ Explain y"), 1);
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_READY);
    assert_int_equal(command.kind, COMMAND_HELP);
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_READY);
    assert_int_equal(command.kind, COMMAND_SELECT);
    assert_true(bytes_equal_text(command.sql, "select ';' /* ; */ AS \"a;b\""));
    assert_int_equal(command.sql_position, 6);
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_READY);
    assert_true(bytes_equal_text(command.sql, "Explain y"));
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_END);
}

static void unknown_commands_point_to_help(void **state)
{
    (void)state;
    assert_string_equal(refused("DELETE 1", "42601", "unknown command at or near \"DELETE\"", 1).hint,
                        "HELP lists the commands.");
    assert_string_equal(refused("  show violation", "42601", "unknown command at or near \"show\"", 3).hint,
                        "Did you mean SHOW VIOLATIONS? HELP lists the commands.");
    assert_string_equal(refused("HLEP", "42601", "unknown command at or near \"HLEP\"", 1).hint,
                        "Did you mean HELP? HELP lists the commands.");
    refused("SHOW", "42601", "unknown command at or near \"SHOW\"", 1);
    refused("SHOW \"VIOLATIONS\"", "42601", "unknown command at or near \"SHOW\"", 1);
    refused("'x", "42601", "unknown command at or near \"'x\"", 1);
    refused("/* x", "42601", "unknown command at or near \"/* x\"", 1);
}

static void what_is_missing_is_named_with_its_place(void **state)
{
    (void)state;
    struct console_outcome failure =
        refused("OPEN WINDOW FOR '30m' ALLOW additive", "42601", "expected REASON at the end", 37);
    assert_string_equal(failure.hint,
                        "The command is: OPEN WINDOW [name] FOR 'duration' ALLOW level REASON 'reason' "
                        "[SERVICE service] [USER user] [DATABASE database]");
    refused("OPEN WINDOW a b", "42601", "expected FOR at or near \"b\"", 15);
    refused("OPEN WINDOW", "42601", "expected FOR at the end", 12);
    refused("CLOSE WINDOW", "42601", "expected a name at the end", 13);
    refused("CLOSE WINDOW;", "42601", "expected a name at or near \";\"", 13);
    refused("CLOSE WINDOW a b", "42601", "expected the end of the command at or near \"b\"", 16);
    refused("SHOW DDL LIMIT x", "42601", "expected a whole number at or near \"x\"", 16);
    refused("SHOW DDL LIMIT '5'", "42601", "expected a whole number at or near \"'5'\"", 16);
    refused("SHOW DDL LIMIT", "42601", "expected a whole number at the end", 15);
    refused("SHOW DDL LIMT 5", "42601", "expected the end of the command at or near \"LIMT\"", 10);
    refused("OPEN WINDOW FOR 30m", "42601", "expected a span of time in single quotes at or near \"30m\"",
            17);
    refused("OPEN WINDOW FOR '1h' ALLOW none", "42601", "expected ADDITIVE or MODIFYING at or near \"none\"",
            28);
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON \"x\"", "42601",
            "expected a text in single quotes at or near \"\"x\"\"", 44);
    refused("RELOAD now", "42601", "expected the end of the command at or near \"now\"", 8);
    refused("RELOAD 'x", "42601", "expected the end of the command at or near \"'x\"", 8);
}

static void values_out_of_bounds_are_refused(void **state)
{
    (void)state;
    refused("SHOW DDL LIMIT 0", "22023", "a count is from 1 to 1000000", 16);
    refused("SHOW DDL LIMIT 1000001", "22023", "a count is from 1 to 1000000", 16);
    refused("SHOW DDL LIMIT 99999999999999999999", "22023", "a count is from 1 to 1000000", 16);
    refused("OPEN WINDOW FOR 'soon' ALLOW additive REASON 'r'", "22023", "not a span of time", 17);
    refused("OPEN WINDOW FOR '24h1s' ALLOW additive REASON 'r'", "22023",
            "longer than the longest allowed, 1d", 17);
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON ''", "22023", "a reason must not be empty", 44);
    refused("CLOSE WINDOW \"\"", "22023", "a name must not be empty", 14);
}

static void hostile_names_are_refused(void **state)
{
    (void)state;
    refused("CLOSE WINDOW \"a\nb\"", "22023", "a name must not hold control characters", 14);
    refused("CLOSE WINDOW \"\x1b[2J\"", "22023", "a name must not hold control characters", 14);
    refused("CLOSE WINDOW \"\xe2\x80\xae\"", "22023", "a name must not hold control characters", 14);
    refused("CLOSE WINDOW \xff", "22023", "a name must not hold control characters", 14);
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON 'a\rb'", "22023",
            "a reason must not hold control characters", 44);
}

static void names_are_taken_up_to_63_bytes(void **state)
{
    (void)state;
    char query[128] = "CLOSE WINDOW ";
    memset(query + 13, 'a', 63);
    assert_int_equal(strlen(accepted(query, COMMAND_CLOSE_WINDOW).name), 63);
    query[13 + 63] = 'a';
    refused(query, "22023", "a name has at most 63 bytes", 14);
}

static void the_commands_of_a_text_follow_each_other(void **state)
{
    (void)state;
    struct command_reader reader = command_reader_of(bytes_text("; HELP;;RELOAD ; SHOW STATS"), HOUR_US);
    static const enum command_kind expected[] = { COMMAND_HELP, COMMAND_RELOAD, COMMAND_SHOW_STATS };
    struct console_command command;
    struct console_outcome failure;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(command_next(&reader, &command, &failure), COMMAND_READY);
        assert_int_equal(command.kind, expected[i]);
    }
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_END);
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_END);
}

static void nothing_is_read_behind_a_mistake(void **state)
{
    (void)state;
    struct command_reader reader = command_reader_of(bytes_text("HELP now; RELOAD"), HOUR_US);
    struct console_command command;
    struct console_outcome failure;
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_REFUSED);
    assert_int_equal(command_next(&reader, &command, &failure), COMMAND_END);
}

static void texts_without_a_command_are_empty(void **state)
{
    static const char *const texts[] = { "", " ", ";", " ; ;\n", "-- x", "/* x */;" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct console_command command;
        struct console_outcome failure;
        assert_int_equal(read_one(texts[i], &command, &failure), COMMAND_END);
    }
}

static void what_drivers_say_of_their_own_accord_is_taken(void **state)
{
    (void)state;
    accepted("begin", COMMAND_BEGIN);
    accepted("BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY;", COMMAND_BEGIN);
    accepted("start transaction", COMMAND_BEGIN);
    accepted("COMMIT", COMMAND_COMMIT);
    accepted("rollback;;", COMMAND_ROLLBACK);
    accepted("SET extra_float_digits = 3", COMMAND_SET);
    accepted("set Application_Name to 'it''s'", COMMAND_SET);
    accepted("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", COMMAND_SET);
    refused("SET READONLU ON REASON 'r'", "42601",
            "expected READONLY or a setting that drivers make at or near \"READONLU\"", 5);
    refused("start", "42601", "unknown command at or near \"start\"", 1);
}

static void every_value_of_the_table_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *syntax = command_forms[i].syntax;
        struct syntax_element element;
        while (syntax_next(&syntax, &element))
            assert_true(element.is_keyword || argument_kind_find(element.text) != NULL);
    }
    assert_null(argument_kind_find("nothing"));
}

static void an_opening_may_be_for_some_only(void **state)
{
    (void)state;
    struct console_command command = accepted(
        "OPEN WINDOW a FOR '1h' ALLOW additive REASON 'r' SERVICE 'kds*' USER deployer DATABASE \"Shop\"",
        COMMAND_OPEN_WINDOW);
    assert_string_equal(command.scope.service, "kds*");
    assert_string_equal(command.scope.user, "deployer");
    assert_string_equal(command.scope.database, "Shop");
    command = accepted("open window for '1h' allow additive reason 'r' user x", COMMAND_OPEN_WINDOW);
    assert_string_equal(command.scope.service, "");
    assert_string_equal(command.scope.user, "x");
    assert_string_equal(command.scope.database, "");
    command = accepted("OPEN WINDOW FOR '1h' ALLOW additive REASON 'r'", COMMAND_OPEN_WINDOW);
    assert_true(scope_is_open(&command.scope));
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON 'r' USER", "42601", "expected a user at the end", 52);
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON 'r' USER ''", "22023", "a pattern must not be empty",
            53);
    refused("OPEN WINDOW FOR '1h' ALLOW additive REASON 'r' SCHEMA x", "42601",
            "expected the end of the command at or near \"SCHEMA\"", 48);
}

static void writes_are_stopped_for_all_or_for_some(void **state)
{
    (void)state;
    struct console_command command = accepted("SET READONLY ON REASON 'incident 7'", COMMAND_SET_READONLY_ON);
    assert_int_equal(command.duration_us, 0);
    assert_true(scope_is_open(&command.scope));
    assert_string_equal(command.reason, "incident 7");
    command = accepted("set readonly on for '25h' service \"kds*\" user app database shop reason 'r'",
                       COMMAND_SET_READONLY_ON);
    assert_int_equal(command.duration_us, 25 * HOUR_US);
    assert_string_equal(command.scope.service, "kds*");
    assert_string_equal(command.scope.user, "app");
    assert_string_equal(command.scope.database, "shop");
    assert_string_equal(
        accepted("SET READONLY ON DATABASE x REASON 'r'", COMMAND_SET_READONLY_ON).scope.database, "x");
    refused("SET READONLY ON", "42601", "expected REASON at the end", 16);
    refused("SET READONLY ON FOR '31d1s' REASON 'r'", "22023", "longer than the longest allowed, 31d", 21);
    refused("SET READONLY ON REASON 'r' FOR '1h'", "42601",
            "expected the end of the command at or near \"FOR\"", 28);
    refused("SET READONLY ON USER x SERVICE y REASON 'r'", "42601", "expected REASON at or near \"SERVICE\"",
            24);
}

static void orders_are_taken_back_with_or_without_a_reason(void **state)
{
    (void)state;
    struct console_command command = accepted("SET READONLY OFF", COMMAND_SET_READONLY_OFF);
    assert_true(scope_is_open(&command.scope));
    assert_string_equal(command.reason, "");
    command = accepted("SET READONLY OFF REASON 'mended'", COMMAND_SET_READONLY_OFF);
    assert_true(scope_is_open(&command.scope));
    assert_string_equal(command.reason, "mended");
    command =
        accepted("SET READONLY OFF SERVICE kds DATABASE \"Shop\" REASON 'mended'", COMMAND_SET_READONLY_OFF);
    assert_string_equal(command.scope.service, "kds");
    assert_string_equal(command.scope.user, "");
    assert_string_equal(command.scope.database, "Shop");
    refused("SET READONLY OFF FOR '1h'", "42601", "expected the end of the command at or near \"FOR\"", 18);
    refused("SET READONLY", "42601",
            "expected READONLY or a setting that drivers make at or near \"READONLY\"", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_read_in_any_case),
        cmocka_unit_test(an_opening_says_all_it_needs),
        cmocka_unit_test(names_are_quoted_or_not),
        cmocka_unit_test(a_query_is_one_command_up_to_its_semicolon),
        cmocka_unit_test(unknown_commands_point_to_help),
        cmocka_unit_test(what_is_missing_is_named_with_its_place),
        cmocka_unit_test(values_out_of_bounds_are_refused),
        cmocka_unit_test(hostile_names_are_refused),
        cmocka_unit_test(names_are_taken_up_to_63_bytes),
        cmocka_unit_test(the_commands_of_a_text_follow_each_other),
        cmocka_unit_test(nothing_is_read_behind_a_mistake),
        cmocka_unit_test(texts_without_a_command_are_empty),
        cmocka_unit_test(what_drivers_say_of_their_own_accord_is_taken),
        cmocka_unit_test(every_value_of_the_table_is_known),
        cmocka_unit_test(an_opening_may_be_for_some_only),
        cmocka_unit_test(writes_are_stopped_for_all_or_for_some),
        cmocka_unit_test(orders_are_taken_back_with_or_without_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
