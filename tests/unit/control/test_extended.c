/* SPDX-License-Identifier: PostgreSQL */
#include "control/console.h"
#include "control/extended.h"
#include "unit/control/conversation.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

struct visit {
    struct console_options settings;
    struct console *console;
    struct console_world world;
    struct snapshot snapshot;
    struct totals totals;
    struct deploys deploys;
    struct hash_key key;
    struct buffer said;
    struct buffer heard;
    unsigned reloads;
};

static void visit_feed(struct visit *visit, size_t size)
{
    struct bytes rest = buffer_bytes(&visit->said);
    while (rest.size > 0) {
        struct bytes input = bytes_take(&rest, size < rest.size ? size : rest.size);
        enum console_event event;
        while ((event = console_step(visit->console, &input, &visit->heard)) == CONSOLE_ASK) {
            visit->reloads += console_command(visit->console)->kind == COMMAND_RELOAD;
            answer(visit->console, &visit->world, &visit->heard);
        }
        assert_int_equal(event, CONSOLE_STARVED);
    }
    buffer_clear(&visit->said);
}

static void assert_heard(struct visit *visit, const char *expected)
{
    static char storage[TRANSCRIPT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    visit_feed(visit, SIZE_MAX);
    hear(buffer_bytes(&visit->heard), &text);
    assert_string_equal(storage, expected);
    buffer_clear(&visit->heard);
}

static void visit_begin(struct visit *visit, const char *user)
{
    static const struct address loopback = { .family = ADDRESS_UNIX };
    *visit = (struct visit){ .settings = { .version = "9.8.7", .opening_most_us = INT64_C(3600000000) } };
    snapshot_init(&visit->snapshot, &visit->key, 8);
    totals_init(&visit->totals, &visit->key, &(struct harvest_bounds){ 8, 8, 8 });
    visit->world.snapshot = &visit->snapshot;
    visit->world.totals = &visit->totals;
    visit->world.deploys = &visit->deploys;
    buffer_init(&visit->said, CONVERSATION_MOST);
    buffer_init(&visit->heard, CONVERSATION_MOST);
    visit->console = console_create(&visit->settings, &loopback);
    assert_non_null(visit->console);
    say_hello(&visit->said, user);
    assert_heard(visit, "R0\nK\nZ\n");
}

static void visit_end(struct visit *visit)
{
    console_destroy(visit->console);
    snapshot_release(&visit->snapshot);
    totals_release(&visit->totals);
    buffer_release(&visit->said);
    buffer_release(&visit->heard);
}

static void say_parse(struct visit *visit, const char *name, const char *query)
{
    struct writer writer = writer_of(&visit->said);
    writer_begin(&writer, CLIENT_PARSE);
    writer_string(&writer, bytes_text(name));
    writer_string(&writer, bytes_text(query));
    writer_int16(&writer, 1);
    writer_int32(&writer, 25);
    writer_end(&writer);
}

/* formats: "" for none, else one digit for each. */
static void say_bind(struct visit *visit, const char *portal, const char *statement, uint16_t parameters,
                     const char *formats)
{
    struct writer writer = writer_of(&visit->said);
    writer_begin(&writer, CLIENT_BIND);
    writer_string(&writer, bytes_text(portal));
    writer_string(&writer, bytes_text(statement));
    writer_int16(&writer, 0);
    writer_int16(&writer, parameters);
    for (uint16_t i = 0; i < parameters; i++)
        writer_int32(&writer, 0);
    writer_int16(&writer, (uint16_t)strlen(formats));
    for (; *formats != '\0'; formats++)
        writer_int16(&writer, (uint16_t)(*formats - '0'));
    writer_end(&writer);
}

static void say_target(struct visit *visit, uint8_t type, char kind, const char *name)
{
    struct writer writer = writer_of(&visit->said);
    writer_begin(&writer, type);
    writer_byte(&writer, (uint8_t)kind);
    writer_string(&writer, bytes_text(name));
    writer_end(&writer);
}

static void say_execute_some(struct visit *visit, const char *portal, uint32_t most)
{
    struct writer writer = writer_of(&visit->said);
    writer_begin(&writer, CLIENT_EXECUTE);
    writer_string(&writer, bytes_text(portal));
    writer_int32(&writer, most);
    writer_end(&writer);
}

static void say_execute(struct visit *visit, const char *portal)
{
    say_execute_some(visit, portal, 0);
}

static void say_sync(struct visit *visit)
{
    say_message(&visit->said, CLIENT_SYNC, BYTES_NONE);
}

static void say_all(struct visit *visit, const char *query)
{
    say_parse(visit, "", query);
    say_bind(visit, "", "", 0, "");
    say_target(visit, CLIENT_DESCRIBE, 'P', "");
    say_execute(visit, "");
    say_sync(visit);
}

static void a_driver_gets_its_rows(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    say_all(&visit, "SHOW VERSION");
    assert_heard(&visit, "1\n2\nT version:25\nD 9.8.7\nC SHOW\nZ\n");
    say_all(&visit, "RELOAD;");
    assert_heard(&visit, "1\n2\nn\nC RELOAD\nZ\n");
    assert_int_equal(visit.reloads, 1);
    say_all(&visit, " -- nothing");
    assert_heard(&visit, "1\n2\nn\nI\nZ\n");
    visit_end(&visit);
}

static void a_named_statement_is_executed_again(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    say_parse(&visit, "s", "RELOAD");
    say_target(&visit, CLIENT_DESCRIBE, 'S', "s");
    say_sync(&visit);
    assert_heard(&visit, "1\nt\nn\nZ\n");
    for (int i = 0; i < 2; i++) {
        say_bind(&visit, "p", "s", 0, "0");
        say_execute(&visit, "p");
        say_sync(&visit);
        assert_heard(&visit, "2\nC RELOAD\nZ\n"); /* the portal ended with Sync, so its name is free */
    }
    say_target(&visit, CLIENT_CLOSE, 'S', "s");
    say_target(&visit, CLIENT_CLOSE, 'P', "none");
    say_bind(&visit, "", "s", 0, "");
    say_sync(&visit);
    assert_heard(&visit, "3\n3\nE C=26000|M=prepared statement does not exist\nZ\n");
    assert_int_equal(visit.reloads, 2);
    visit_end(&visit);
}

static void integers_come_in_binary_where_asked(void **state)
{
    (void)state;
    static const char row[] = "D\0\0\0\x44\0\3\0\0\0\x0fsessions_opened\0\0\0\x08\1\2\3\4\5\6\7\x08\0\0\0\x1b"
                              "client connections accepted";
    static const char *const formats[] = { "1", "010" };
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct visit visit;
        visit_begin(&visit, "alice");
        counter_add(&visit.snapshot.counters.sessions_opened, 0x0102030405060708);
        say_parse(&visit, "", "SHOW STATS");
        say_bind(&visit, "", "", 0, formats[i]);
        say_execute(&visit, "");
        say_sync(&visit);
        visit_feed(&visit, SIZE_MAX);
        assert_true(visit.heard.size > 10 + sizeof row);
        assert_memory_equal(visit.heard.data + 10, row, sizeof row - 1);
        buffer_clear(&visit.heard);
        say_bind(&visit, "", "", 0, formats[i]);
        say_target(&visit, CLIENT_DESCRIBE, 'P', "");
        say_sync(&visit);
        assert_heard(&visit, i == 0 ? "2\nT name:25b|value:20b|about:25b\nZ\n"
                                    : "2\nT name:25|value:20b|about:25\nZ\n");
        visit_end(&visit);
    }
}

static void a_query_ends_the_portals(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    say_parse(&visit, "", "RELOAD");
    say_bind(&visit, "p", "", 0, "");
    say_query(&visit.said, "");
    say_execute(&visit, "p");
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nI\nZ\nE C=34000|M=portal does not exist\nZ\n");
    visit_end(&visit);
}

static void an_error_skips_to_sync_and_is_said_once(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    say_parse(&visit, "", "RELOAD now");
    say_bind(&visit, "", "", 0, "");
    say_execute(&visit, "");
    say_query(&visit.said, "RELOAD"); /* goes unanswered, as at PostgreSQL */
    say_message(&visit.said, CLIENT_FLUSH, BYTES_NONE);
    assert_heard(&visit, "E C=42601|M=expected the end of the command at or near \"now\"|"
                         "H=The command is: RELOAD|P=8\n");
    say_sync(&visit);
    assert_heard(&visit, "Z\n");
    assert_int_equal(visit.reloads, 0);
    say_all(&visit, "RELOAD");
    assert_heard(&visit, "1\n2\nn\nC RELOAD\nZ\n");
    visit_end(&visit);
}

static void a_failed_effect_skips_to_sync(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    outcome_fail(&visit.world.outcome, "F0000", "no");
    say_parse(&visit, "", "RELOAD");
    say_bind(&visit, "", "", 0, "");
    say_execute(&visit, "");
    say_execute(&visit, "");
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nE C=F0000|M=no\nZ\n");
    assert_int_equal(visit.reloads, 1);
    visit_end(&visit);
}

static void a_viewer_is_refused_at_execute(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "viewer");
    say_all(&visit, "RELOAD");
    assert_heard(&visit, "1\n2\nn\nE C=42501|M=permission denied: the command needs the role operator|"
                         "H=Any user name but \"viewer\" has it.\nZ\n");
    assert_int_equal(visit.reloads, 0);
    visit_end(&visit);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, "alice");
    say_parse(&visit, "", "RELOAD; RELOAD");
    say_sync(&visit);
    assert_heard(&visit, "E C=42601|M=a prepared statement holds one command\nZ\n");
    say_parse(&visit, "s", "RELOAD");
    say_parse(&visit, "s", "HELP");
    say_sync(&visit);
    assert_heard(&visit, "1\nE C=42P05|M=the name is in use\nZ\n");
    say_bind(&visit, "", "s", 1, "");
    say_sync(&visit);
    assert_heard(&visit, "E C=08P01|M=commands of the console have no parameters\nZ\n");
    say_bind(&visit, "", "s", 0, "2");
    say_sync(&visit);
    assert_heard(&visit, "E C=08P01|M=invalid message format\nZ\n");
    say_bind(&visit, "", "s", 0, "00");
    say_sync(&visit);
    assert_heard(&visit, "E C=08P01|M=invalid message format\nZ\n");
    say_execute(&visit, "");
    say_sync(&visit);
    assert_heard(&visit, "E C=34000|M=portal does not exist\nZ\n");
    say_target(&visit, CLIENT_DESCRIBE, 'X', "s");
    say_sync(&visit);
    assert_heard(&visit, "E C=08P01|M=invalid message format\nZ\n");
    visit_end(&visit);
}

static void names_are_bounded_in_number_and_length(void **state)
{
    (void)state;
    struct visit visit;
    char name[POLICY_NAME_SIZE + 1];
    visit_begin(&visit, "alice");
    for (int i = 0; i < PREPARED_MOST; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        say_parse(&visit, name, "HELP");
        assert_heard(&visit, "1\n");
    }
    say_parse(&visit, "one more", "HELP");
    say_sync(&visit);
    assert_heard(&visit, "E C=54000|M=too many prepared statements and portals\nZ\n");
    say_target(&visit, CLIENT_CLOSE, 'S', "s0");
    memset(name, 'a', POLICY_NAME_SIZE);
    name[POLICY_NAME_SIZE] = '\0';
    say_parse(&visit, name, "HELP");
    say_sync(&visit);
    assert_heard(&visit, "3\nE C=42622|M=a name has at most 63 bytes\nZ\n");
    say_parse(&visit, name + 1, "HELP");
    assert_heard(&visit, "1\n");
    visit_end(&visit);
}

/* Every length that a message may lie about: cut bodies must be refused, never read past. */
static void cut_messages_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *body;
        size_t size;
    } messages[] = {
        { 'P', "s\0HELP\0\0\1\0\0\0\x19", 13 },
        { 'B', "\0s\0\0\1\0\0\0\0\0\1\0\0", 13 },
        { 'D', "Ss", 3 },
        { 'E', "p\0\0\0\0\0", 6 },
        { 'C', "Pp", 3 },
    };
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        for (size_t size = 0; size < messages[i].size; size++) {
            struct extended extended = { 0 };
            struct console_outcome failure;
            struct prepared *run;
            struct buffer out;
            uint8_t *body = malloc(size);
            memcpy(body, messages[i].body, size);
            struct inbox_message message = { messages[i].type, bytes_of(body, size) };
            prepared_init(&extended.names);
            buffer_init(&out, CONVERSATION_MOST);
            assert_int_equal(extended_take(&extended, &message, &out, &run, &failure), EXTENDED_REFUSED);
            assert_int_equal(out.size, 0);
            prepared_release(&extended.names);
            buffer_release(&out);
            free(body);
        }
    }
}

static void a_query_is_described_before_it_is_executed(void **state)
{
    struct visit visit;
    (void)state;
    visit_begin(&visit, "viewer");
    say_parse(&visit, "", "SELECT n FROM t");
    say_bind(&visit, "", "", 0, "");
    say_target(&visit, CLIENT_DESCRIBE, 'P', "");
    say_execute(&visit, "");
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nT n:20\nD 7\nC SELECT 1\nZ\n");
    say_parse(&visit, "s", "SELECT n FROM t WHERE n > $1");
    say_target(&visit, CLIENT_DESCRIBE, 'S', "s");
    say_bind(&visit, "", "s", 0, "");
    say_execute(&visit, "");
    say_sync(&visit);
    assert_heard(&visit, "1\nt\nT n:20\n2\nD 7\nC SELECT 1\nZ\n");
    visit_end(&visit);
}

static void rows_come_in_the_portions_that_are_asked_for(void **state)
{
    struct visit visit;
    (void)state;
    visit_begin(&visit, "viewer");
    say_parse(&visit, "", "SELECT n FROM t LIMIT 5");
    for (int is_described = 0; is_described < 2; is_described++) {
        say_bind(&visit, "", "", 0, "");
        if (is_described)
            say_target(&visit, CLIENT_DESCRIBE, 'P', "");
        say_execute_some(&visit, "", 2);
        say_execute_some(&visit, "", 1);
        say_execute_some(&visit, "", (uint32_t)-1);
        say_execute(&visit, "");
        say_sync(&visit);
        assert_heard(&visit, is_described
                                 ? "2\nT n:20\nD 7\nD 8\ns\nD 9\ns\nD 10\nD 11\nC SELECT 2\nC SELECT 0\nZ\n"
                                 : "1\n2\nD 7\nD 8\ns\nD 9\ns\nD 10\nD 11\nC SELECT 2\nC SELECT 0\nZ\n");
    }
    say_bind(&visit, "", "", 0, "");
    say_execute_some(&visit, "", 5); /* whether there are more is not known yet */
    say_execute_some(&visit, "", 5);
    say_bind(&visit, "", "", 0, "");
    say_execute_some(&visit, "", 6);
    say_sync(&visit);
    assert_heard(
        &visit, "2\nD 7\nD 8\nD 9\nD 10\nD 11\ns\nC SELECT 0\n2\nD 7\nD 8\nD 9\nD 10\nD 11\nC SELECT 5\nZ\n");
    visit_end(&visit);
}

static void portions_of_what_a_command_shows_end_with_its_tag(void **state)
{
    struct visit visit;
    (void)state;
    visit_begin(&visit, "viewer");
    say_parse(&visit, "", "SHOW VERSION");
    say_bind(&visit, "", "", 0, "");
    say_execute_some(&visit, "", 1);
    say_execute_some(&visit, "", 1);
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nD 9.8.7\ns\nC SHOW\nZ\n");
    visit_end(&visit);
}

/* A cursor of a driver: each portion behind a Sync of its own. */
static void a_portal_stays_as_long_as_the_drivers_transaction(void **state)
{
    struct visit visit;
    (void)state;
    visit_begin(&visit, "viewer");
    say_query(&visit.said, "BEGIN");
    say_parse(&visit, "", "SELECT n FROM t LIMIT 3");
    say_bind(&visit, "c", "", 0, "");
    say_target(&visit, CLIENT_DESCRIBE, 'P', "c");
    say_sync(&visit);
    say_execute_some(&visit, "c", 2);
    say_sync(&visit);
    say_query(&visit.said, "RELOAD now");
    say_execute_some(&visit, "c", 2);
    say_sync(&visit);
    assert_heard(&visit,
                 "C BEGIN\nZ in a transaction\n1\n2\nT n:20\nZ in a transaction\nD 7\nD 8\ns\n"
                 "Z in a transaction\nE C=42601|M=expected the end of the command at or near \"now\"|"
                 "H=The command is: RELOAD|P=8\nZ in a transaction\nD 9\nC SELECT 1\nZ in a transaction\n");
    say_parse(&visit, "end", "ROLLBACK");
    say_bind(&visit, "", "end", 0, "");
    say_execute(&visit, "");
    say_sync(&visit);
    say_execute(&visit, "c");
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nC ROLLBACK\nZ\nE C=34000|M=portal does not exist\nZ\n");
    say_query(&visit.said, "BEGIN");
    say_bind(&visit, "c", "end", 0, "");
    say_query(&visit.said, "COMMIT");
    say_execute(&visit, "c");
    say_sync(&visit);
    assert_heard(&visit,
                 "C BEGIN\nZ in a transaction\n2\nC COMMIT\nZ\nE C=34000|M=portal does not exist\nZ\n");
    visit_end(&visit);
}

static void a_portal_that_has_run_gives_no_row_twice(void **state)
{
    struct visit visit;
    (void)state;
    visit_begin(&visit, "alice");
    say_query(&visit.said, "BEGIN");
    say_parse(&visit, "", "SELECT n FROM t LIMIT 2");
    say_bind(&visit, "c", "", 0, "");
    say_execute_some(&visit, "c", 9);
    say_sync(&visit);
    say_execute_some(&visit, "c", 9);
    say_execute(&visit, "c");
    say_sync(&visit);
    assert_heard(&visit, "C BEGIN\nZ in a transaction\n1\n2\nD 7\nD 8\nC SELECT 2\nZ in a transaction\n"
                         "C SELECT 0\nC SELECT 0\nZ in a transaction\n");
    say_parse(&visit, "", "RELOAD");
    say_bind(&visit, "once", "", 0, "");
    say_execute(&visit, "once");
    say_execute(&visit, "once");
    say_sync(&visit);
    assert_heard(&visit, "1\n2\nC RELOAD\nE C=55000|M=portal \"once\" cannot be run\nZ in a transaction\n");
    assert_int_equal(visit.reloads, 1);
    say_query(&visit.said, "COMMIT; BEGIN");
    say_execute(&visit, "c");
    say_sync(&visit);
    assert_heard(
        &visit,
        "C COMMIT\nC BEGIN\nZ in a transaction\nE C=34000|M=portal does not exist\nZ in a transaction\n");
    visit_end(&visit);
}

static void say_rows(struct buffer *out, unsigned count)
{
    struct writer writer = writer_of(out);
    for (unsigned i = 0; i < count; i++) {
        writer_begin(&writer, SERVER_DATA_ROW);
        writer_int16(&writer, 0);
        writer_end(&writer);
    }
    writer_command_complete(&writer, "SELECT 99");
}

static void rows_that_do_not_fit_are_still_the_next(void **state)
{
    enum { ROW = 7 };
    char storage[TRANSCRIPT_SIZE];
    struct text text;
    struct portion portion;
    struct buffer out;
    struct buffer narrow;
    (void)state;
    buffer_init(&out, CONVERSATION_MOST);
    buffer_init(&narrow, 5 * ROW);
    portion_init(&portion);
    say_rows(&out, 50);
    assert_false(portion_begin(&portion, 10, 20 * ROW, &out, 0));
    assert_false(portion.is_begun);
    assert_true(portion_begin(&portion, 0, 0, &out, 0)); /* what keeps no rows needs no room */
    portion_release(&portion);
    portion_init(&portion);
    assert_true(portion_begin(&portion, 10, 60 * ROW, &out, 0));
    assert_false(portion_next(&portion, 10, &narrow));
    assert_int_equal(narrow.size, 0);
    assert_true(portion_next(&portion, 4, &narrow));
    buffer_clear(&out);
    assert_true(portion_next(&portion, 0, &out));
    assert_true(portion.rest.size < 5 * ROW); /* what was given is not kept */
    assert_int_equal(out.size, 36 * ROW + 1 + 4 + sizeof "SELECT 36");
    buffer_clear(&out);
    assert_true(portion_next(&portion, 3, &out));
    text_init(&text, storage, sizeof storage);
    hear(buffer_bytes(&out), &text);
    assert_string_equal(storage, "C SELECT 0\n");
    portion_release(&portion);
    buffer_release(&out);
    buffer_release(&narrow);
}

static void every_cut_gives_the_same_answers(void **state)
{
    (void)state;
    static const char expected[] = "1\n2\nT version:25\nD 9.8.7\nC SHOW\nZ\n";
    for (size_t size = 1; size < 80; size++) {
        struct visit visit;
        visit_begin(&visit, "alice");
        say_all(&visit, "SHOW VERSION");
        visit_feed(&visit, size);
        assert_heard(&visit, expected);
        visit_end(&visit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_gets_its_rows),
        cmocka_unit_test(a_named_statement_is_executed_again),
        cmocka_unit_test(integers_come_in_binary_where_asked),
        cmocka_unit_test(a_query_ends_the_portals),
        cmocka_unit_test(an_error_skips_to_sync_and_is_said_once),
        cmocka_unit_test(a_failed_effect_skips_to_sync),
        cmocka_unit_test(a_viewer_is_refused_at_execute),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(names_are_bounded_in_number_and_length),
        cmocka_unit_test(cut_messages_are_refused),
        cmocka_unit_test(a_query_is_described_before_it_is_executed),
        cmocka_unit_test(rows_come_in_the_portions_that_are_asked_for),
        cmocka_unit_test(portions_of_what_a_command_shows_end_with_its_tag),
        cmocka_unit_test(a_portal_stays_as_long_as_the_drivers_transaction),
        cmocka_unit_test(a_portal_that_has_run_gives_no_row_twice),
        cmocka_unit_test(rows_that_do_not_fit_are_still_the_next),
        cmocka_unit_test(every_cut_gives_the_same_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
