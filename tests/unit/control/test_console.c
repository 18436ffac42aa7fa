/* SPDX-License-Identifier: PostgreSQL */
#include "auth/base64.h"
#include "control/console.h"
#include "control/syntax.h"
#include "unit/control/conversation.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const char canary[] = "canary-7f3a";

/* One client at the console, and an owner who answers what he is asked. */
struct visit {
    struct console_options settings;
    struct console *console;
    struct console_world world;
    struct snapshot snapshot;
    struct totals totals;
    struct deploys deploys;
    struct journal journal;
    struct hash_key key;
    struct buffer said;
    struct buffer heard;
    unsigned asked[COMMAND_COUNT];
};

static const struct window_row windows[] = {
    { "sunday", WINDOW_WEEKLY, LEVEL_MODIFYING, WINDOW_CLOSED, 1795053845000000, 0, "America/New_York", NULL,
      "", NULL, NULL, NULL },
};
static const struct worker_row workers[] = { { .state = "running", .io = "uv" } };
static const struct rule_row rules[] = { { .kind = RULE_KIND_MODE, .mode = "enforce" } };
static const struct setting_row setting_rows[] = {
    { "console.password", "canary-7f3a", NULL, "the password", true },
    { "log.level", "info", "info", "how much is logged", false },
};
static const struct address loopback = { .family = ADDRESS_IPV4, .port = 1, .ip = { 127, 0, 0, 1 } };
static const struct address elsewhere = { .family = ADDRESS_IPV4, .port = 1, .ip = { 10, 2, 0, 1 } };

static void visit_begin(struct visit *visit, const struct address *peer)
{
    *visit = (struct visit){ .settings = { .version = "9.8.7", .opening_most_us = INT64_C(3600000000) } };
    snapshot_init(&visit->snapshot, &visit->key, 8);
    totals_init(&visit->totals, &visit->key, &(struct harvest_bounds){ 8, 8, 8 });
    assert_true(journal_init(&visit->journal, 4));
    visit->world = (struct console_world){ .now_us = 1,
                                           .snapshot = &visit->snapshot,
                                           .totals = &visit->totals,
                                           .deploys = &visit->deploys,
                                           .journal = &visit->journal,
                                           .windows = windows,
                                           .window_count = COUNT_OF(windows),
                                           .rules = rules,
                                           .rule_count = COUNT_OF(rules),
                                           .workers = workers,
                                           .worker_count = COUNT_OF(workers),
                                           .settings = setting_rows,
                                           .setting_count = COUNT_OF(setting_rows) };
    buffer_init(&visit->said, CONVERSATION_MOST);
    buffer_init(&visit->heard, CONVERSATION_MOST);
    visit->console = console_create(&visit->settings, peer);
    assert_non_null(visit->console);
}

static void visit_end(struct visit *visit)
{
    console_destroy(visit->console);
    snapshot_release(&visit->snapshot);
    totals_release(&visit->totals);
    journal_release(&visit->journal);
    buffer_release(&visit->said);
    buffer_release(&visit->heard);
}

static enum console_event visit_step(struct visit *visit, struct bytes input)
{
    enum console_event event;
    while ((event = console_step(visit->console, &input, &visit->heard)) == CONSOLE_ASK) {
        visit->asked[console_command(visit->console)->kind]++;
        answer(visit->console, &visit->world, &visit->heard);
    }
    assert_true(event == CONSOLE_CLOSE || input.size == 0);
    return event;
}

/* Feeds what was said in pieces of `size` bytes. */
static enum console_event visit_feed(struct visit *visit, size_t size)
{
    struct bytes rest = buffer_bytes(&visit->said);
    enum console_event event = CONSOLE_STARVED;
    while (rest.size > 0 && event == CONSOLE_STARVED)
        event = visit_step(visit, bytes_take(&rest, size < rest.size ? size : rest.size));
    buffer_clear(&visit->said);
    return event;
}

static void assert_heard_text(struct visit *visit, const char *expected)
{
    static char storage[TRANSCRIPT_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    hear(buffer_bytes(&visit->heard), &text);
    assert_string_equal(storage, expected);
    buffer_clear(&visit->heard);
}

static bool has_heard(const struct visit *visit, struct bytes wanted)
{
    for (size_t at = 0; at + wanted.size <= visit->heard.size; at++)
        if (bytes_equal(bytes_of(visit->heard.data + at, wanted.size), wanted))
            return true;
    return false;
}

static void visit_login(struct visit *visit, const char *user)
{
    say_hello(&visit->said, user);
    assert_int_equal(visit_feed(visit, SIZE_MAX), CONSOLE_STARVED);
    assert_true(console_has_logged_in(visit->console));
    assert_heard_text(visit, "R0\nK\nZ\n");
}

static void visit_ask(struct visit *visit, const char *query, const char *expected)
{
    say_query(&visit->said, query);
    assert_int_equal(visit_feed(visit, SIZE_MAX), CONSOLE_STARVED);
    assert_heard_text(visit, expected);
}

static void a_login_ends_with_ready(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    assert_false(console_has_logged_in(visit.console));
    assert_string_equal(console_user(visit.console), "");
    visit_login(&visit, "alice");
    assert_string_equal(console_user(visit.console), "alice");
    visit_end(&visit);
}

static void a_login_that_takes_too_long_is_told_so(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    console_expire(visit.console, &visit.heard);
    assert_heard_text(&visit, "E FATAL C=57014|M=the login took too long\n");
    say_hello(&visit.said, "alice");
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    visit_end(&visit);
}

static void drivers_are_told_what_they_ask_for(void **state)
{
    (void)state;
    static const char version[] = "server_version\0"
                                  "15.0 (pgsluice 9.8.7)";
    static const char encoding[] = "client_encoding\0UTF8";
    struct visit visit;
    visit_begin(&visit, &loopback);
    say_hello(&visit.said, "alice");
    (void)visit_feed(&visit, SIZE_MAX);
    assert_true(has_heard(&visit, bytes_of(version, sizeof version)));
    assert_true(has_heard(&visit, bytes_of(encoding, sizeof encoding)));
    visit_end(&visit);
}

static void encryption_is_declined_once_each(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    say_request(&visit.said, 5680);
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
    say_request(&visit.said, 5679);
    assert_int_equal(visit_feed(&visit, 3), CONSOLE_STARVED);
    assert_true(bytes_equal_text(buffer_bytes(&visit.heard), "NN"));
    buffer_clear(&visit.heard);
    say_request(&visit.said, 5679);
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    assert_heard_text(&visit, "E FATAL C=08P01|M=the same kind of encryption was requested twice\n");
    visit_end(&visit);
}

static void bytes_behind_a_request_for_encryption_close(void **state)
{
    static const uint16_t codes[] = { 5679, 5680 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct visit visit;
        visit_begin(&visit, &loopback);
        say_request(&visit.said, codes[i]);
        say_hello(&visit.said, "alice");
        assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
        assert_heard_text(&visit, "E FATAL C=08P01|M=received data behind a request for encryption\n");
        visit_end(&visit);
    }
}

static void whoever_is_no_client_is_turned_away(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *heard;
    } strangers[] = {
        { "\x16\x03\x01\x02", 4, "" },
        { "GET / HTTP/1.1\r\n", 16, "E FATAL C=08P01|M=invalid length of startup packet\n" },
        { "\0\0\0\7\0\3\0\0", 8, "E FATAL C=08P01|M=invalid length of startup packet\n" },
        { "\xff\xff\xff\xff", 4, "E FATAL C=08P01|M=invalid length of startup packet\n" },
        { "\0\0\0\x08\0\2\0\0", 8,
          "E FATAL C=0A000|M=unsupported frontend protocol 2.0: the console speaks 3.0\n" },
        { "\0\0\0\x09\0\3\0\0\0", 9,
          "E FATAL C=08P01|M=invalid startup packet: its parameters do not end as they must, or no user is "
          "named\n" },
        { "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2", 16, "" }, /* CancelRequest */
    };
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        for (size_t cut = 1; cut <= strangers[i].size; cut++) {
            struct visit visit;
            visit_begin(&visit, &loopback);
            buffer_append(&visit.said, bytes_of(strangers[i].bytes, strangers[i].size));
            assert_int_equal(visit_feed(&visit, cut), CONSOLE_CLOSE);
            assert_heard_text(&visit, strangers[i].heard);
            assert_false(console_has_logged_in(visit.console));
            assert_int_equal(visit_step(&visit, bytes_text("more")), CONSOLE_CLOSE);
            assert_heard_text(&visit, "");
            visit_end(&visit);
        }
    }
}

static void there_is_one_database(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    say_startup(&visit.said, 3 << 16, (const char *const[]){ "user", "alice", "database", "postgres", NULL });
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    assert_heard_text(
        &visit, "E FATAL C=3D000|M=this is the console of pgsluice: its one database is \"pgsluice\"\n");
    visit_end(&visit);
    visit_begin(&visit, &loopback);
    say_startup(&visit.said, 3 << 16, (const char *const[]){ "user", "pgsluice", NULL });
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
    assert_heard_text(&visit, "R0\nK\nZ\n");
    visit_end(&visit);
}

static void what_is_beyond_3_0_is_negotiated_once(void **state)
{
    static const uint32_t protocols[] = { (3 << 16) + 2, (3 << 16) + 9999, 3 << 16 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        struct visit visit;
        visit_begin(&visit, &loopback);
        say_startup(&visit.said, protocols[i],
                    (const char *const[]){ "user", "a", "_pq_.one", "1", "database", "pgsluice", "_pq_.two",
                                           "", NULL });
        assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
        static const char expected[] = "v\0\0\0\x1e\0\3\0\0\0\0\0\2_pq_.one\0_pq_.two";
        assert_true(visit.heard.size > sizeof expected);
        assert_memory_equal(visit.heard.data, expected, sizeof expected);
        assert_heard_text(&visit, "v\nR0\nK\nZ\n");
        visit_end(&visit);
    }
}

static void without_a_password_only_this_machine_comes_in(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &elsewhere);
    say_hello(&visit.said, "alice");
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    assert_heard_text(&visit,
                      "E FATAL C=28000|M=the console has no password and is open to its own machine only\n");
    assert_false(console_has_logged_in(visit.console));
    visit_end(&visit);
}

/* What the last Authentication message of the console carries behind its code. */
static struct bytes heard_data(const struct visit *visit)
{
    struct reader reader = reader_of(buffer_bytes(&visit->heard));
    (void)reader_byte(&reader);
    uint32_t size = reader_int32(&reader);
    (void)reader_int32(&reader);
    struct bytes data = reader_bytes(&reader, size - 8);
    assert_false(reader.has_failed);
    return data;
}

static void append_proof(const char *messages, const char *password, const struct scram_secret *secret,
                         struct text *out)
{
    uint8_t key[DIGEST_SIZE];
    uint8_t stored[DIGEST_SIZE];
    uint8_t signature[DIGEST_SIZE];
    uint8_t salted[DIGEST_SIZE];
    assert_true(digest_stretch(bytes_text(password), bytes_of(secret->salt, SCRAM_SALT_SIZE),
                               secret->iterations, salted));
    assert_true(digest_hmac(bytes_of(salted, DIGEST_SIZE), bytes_text("Client Key"), key));
    assert_true(digest_sha256(bytes_of(key, DIGEST_SIZE), stored));
    assert_true(digest_hmac(bytes_of(stored, DIGEST_SIZE), bytes_text(messages), signature));
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        key[i] ^= signature[i];
    text_append_string(out, ",p=");
    base64_append(out, bytes_of(key, DIGEST_SIZE));
}

static void say_initial_response(struct visit *visit, const char *mechanism, const char *data)
{
    struct writer writer = writer_of(&visit->said);
    writer_begin(&writer, CLIENT_AUTHENTICATION_REPLY);
    writer_string(&writer, bytes_text(mechanism));
    writer_int32(&writer, (uint32_t)strlen(data));
    writer_bytes(&writer, bytes_text(data));
    writer_end(&writer);
}

/* The client's whole side of a login with a password, in pieces of `size` bytes. */
static enum console_event visit_authenticate(struct visit *visit, const char *password, size_t size)
{
    char challenge[512];
    char final[512];
    char messages[2048];
    struct text text;
    assert_true(scram_secret_create(&visit->settings.secret, bytes_text(canary)));
    visit->settings.has_password = true;
    say_hello(&visit->said, "alice");
    assert_int_equal(visit_feed(visit, size), CONSOLE_STARVED);
    assert_true(bytes_equal(heard_data(visit), bytes_of("SCRAM-SHA-256\0", 15)));
    assert_heard_text(visit, "R10\n");

    say_initial_response(visit, "SCRAM-SHA-256", "n,,n=,r=abc");
    assert_int_equal(visit_feed(visit, size), CONSOLE_STARVED);
    assert_true(bytes_copy_text(heard_data(visit), challenge, sizeof challenge));
    assert_heard_text(visit, "R11\n");

    text_init(&text, final, sizeof final);
    text_append_format(&text, "c=biws,%.*s", (int)strcspn(challenge, ","), challenge);
    (void)snprintf(messages, sizeof messages, "n=,r=abc,%s,%s", challenge, final);
    append_proof(messages, password, &visit->settings.secret, &text);
    say_message(&visit->said, CLIENT_AUTHENTICATION_REPLY, text_bytes(&text));
    return visit_feed(visit, size);
}

static void a_password_lets_anybody_in(void **state)
{
    (void)state;
    for (size_t size = 1; size < 64; size++) {
        struct visit visit;
        visit_begin(&visit, &elsewhere);
        assert_int_equal(visit_authenticate(&visit, canary, size), CONSOLE_STARVED);
        assert_heard_text(&visit, "R12\nR0\nK\nZ\n");
        assert_true(console_has_logged_in(visit.console));
        visit_ask(&visit, "RELOAD", "C RELOAD\nZ\n");
        visit_end(&visit);
    }
}

static void a_wrong_password_keeps_out(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    assert_int_equal(visit_authenticate(&visit, "canary-7f3b", SIZE_MAX), CONSOLE_CLOSE);
    assert_heard_text(&visit, "E FATAL C=28P01|M=password authentication failed for user \"alice\"\n");
    assert_false(console_has_logged_in(visit.console));
    assert_true(console_has_wrong_password(visit.console));
    visit_end(&visit);
}

/* Sends one message where an answer to the request for a password is due. */
static void assert_refused_instead_of_password(uint8_t type, struct bytes body, const char *expected)
{
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit.settings.has_password = true;
    assert_true(scram_secret_create(&visit.settings.secret, bytes_text(canary)));
    say_hello(&visit.said, "alice");
    (void)visit_feed(&visit, SIZE_MAX);
    assert_heard_text(&visit, "R10\n");
    say_message(&visit.said, type, body);
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    assert_heard_text(&visit, expected);
    assert_false(console_has_logged_in(visit.console));
    assert_false(console_has_wrong_password(visit.console));
    visit_end(&visit);
}

static void nothing_but_a_password_is_taken_when_one_is_due(void **state)
{
    (void)state;
    static const uint8_t long_body[4096];
    static const char expected[] = "E FATAL C=08P01|M=expected an answer to the request for a password\n";
    static const char malformed[] =
        "E FATAL C=08P01|M=malformed SASL message, or a mechanism other than SCRAM-SHA-256\n";
    assert_refused_instead_of_password('Q', bytes_of("RELOAD", 7), expected);
    assert_refused_instead_of_password('S', BYTES_NONE, expected);
    assert_refused_instead_of_password('!', BYTES_NONE, expected);
    assert_refused_instead_of_password('p', bytes_of(long_body, sizeof long_body), expected);
    assert_refused_instead_of_password('X', BYTES_NONE, "");
    assert_refused_instead_of_password('p', BYTES_NONE, malformed);
    assert_refused_instead_of_password('p', bytes_text("canary-7f3a"), malformed);
    assert_refused_instead_of_password('p', bytes_of("SCRAM-SHA-256\0\xff\xff\xff\xffn,,n=,r=a", 27),
                                       malformed);
    assert_refused_instead_of_password('p', bytes_of("SCRAM-SHA-256-PLUS\0\0\0\0\0", 23), malformed);
    assert_refused_instead_of_password('p', bytes_of("SCRAM-SHA-256\0\0\0\0\3n,,", 21),
                                       "E FATAL C=08P01|M=malformed SCRAM message\n");
}

static void several_commands_are_answered_in_order(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(
        &visit, "SHOW VERSION; RELOAD;; SHOW WINDOWS",
        "T version:25\nD 9.8.7\nC SHOW\nC RELOAD\n"
        "T name:25|kind:25|allow:25|state:25|opens:25|closes:25|timezone:25|reason:25|opened_by:25|"
        "service:25|user_name:25|database:25\n"
        "D sunday|weekly|modifying|closed|2026-11-19T02:04:05Z|~|America/New_York|~|~|~|~|~\nC SHOW\nZ\n");
    assert_int_equal(visit.asked[COMMAND_RELOAD], 1);
    visit_end(&visit);
}

static void an_empty_query_is_answered_as_such(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(&visit, "", "I\nZ\n");
    visit_ask(&visit, " ; -- nothing", "I\nZ\n");
    visit_end(&visit);
}

static void a_mistake_in_the_last_command_keeps_all_from_running(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(&visit, "RELOAD; SHOW STATSS",
              "E C=42601|M=unknown command at or near \"SHOW\"|H=Did you mean SHOW STATS? HELP lists the "
              "commands.|P=9\nZ\n");
    assert_int_equal(visit.asked[COMMAND_RELOAD], 0);
    visit_end(&visit);
}

static void an_effect_that_failed_ends_the_query(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    outcome_fail(&visit.world.outcome, "F0000", "the settings were refused");
    (void)snprintf(visit.world.outcome.detail, sizeof visit.world.outcome.detail,
                   "conf.yaml:3:4: error:\x1b[2J");
    visit_ask(&visit, "RELOAD; RELOAD",
              "E C=F0000|M=the settings were refused|D=conf.yaml:3:4: error:\\x1b[2J\nZ\n");
    assert_int_equal(visit.asked[COMMAND_RELOAD], 1);
    /* what shows is not touched by it */
    visit_ask(&visit, "SHOW VERSION", "T version:25\nD 9.8.7\nC SHOW\nZ\n");
    visit_ask(
        &visit, "SHOW DDL",
        "T time:25|decision:25|outcome:25|outcome_reason:25|sqlstate:25|duration_us:20|command:25|class:25|"
        "level:25|objects:25|service:25|user_name:25|database:25|address:25|application_name:25|ground:25|"
        "rule:25|window:25|reason:25|fingerprint:25|statement:25\nC SHOW\nZ\n");
    visit_end(&visit);
}

static void an_effect_may_say_something(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    (void)snprintf(visit.world.outcome.message, OUTCOME_TEXT_SIZE, "window opening-1 is open");
    visit_ask(&visit, "OPEN WINDOW FOR '30m' ALLOW additive REASON 'x'",
              "N C=00000|M=window opening-1 is open\nC OPEN WINDOW\nZ\n");
    visit_end(&visit);
}

static void a_window_opens_no_longer_than_the_settings_allow(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(&visit, "OPEN WINDOW FOR '61m' ALLOW additive REASON 'x'",
              "E C=22023|M=longer than the longest allowed, 1h|P=17\nZ\n");
    visit.settings.opening_most_us *= 2;
    visit_ask(&visit, "OPEN WINDOW FOR '61m' ALLOW additive REASON 'x'", "C OPEN WINDOW\nZ\n");
    visit_end(&visit);
}

static void writes_are_stopped_longer_than_windows_may_be_open(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(&visit, "SET READONLY ON FOR '31d' REASON 'x'", "C SET READONLY ON\nZ\n");
    visit_ask(&visit, "SET READONLY ON FOR '31d1s' REASON 'x'",
              "E C=22023|M=longer than the longest allowed, 31d|P=21\nZ\n");
    visit_ask(&visit, "SET READONLY OFF", "C SET READONLY OFF\nZ\n");
    visit_end(&visit);
}

/* A command of this form: its keywords and a sample for each value. */
static void write_sample(const struct command_form *form, struct text *out)
{
    static const char *const samples[][2] = { { "name", "w" },          { "count", "1" },
                                              { "order", "time" },      { "level", "additive" },
                                              { "'duration'", "'1m'" }, { "'reason'", "'r'" },
                                              { "setting", "timezone" } };
    const char *syntax = form->syntax;
    struct syntax_element element;
    while (syntax_next(&syntax, &element)) {
        const char *word = element.text;
        for (size_t i = 0; i < COUNT_OF(samples); i++)
            word = strcmp(samples[i][0], element.text) == 0 ? samples[i][1] : word;
        text_append_format(out, "%s ", word);
    }
}

static void every_command_keeps_to_its_role(void **state)
{
    static const char refusal[] = "E C=42501|M=permission denied: the command needs the role operator|"
                                  "H=Any user name but \"viewer\" has it.\nZ\n";
    size_t operators = 0;
    (void)state;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        bool is_for_operators = command_forms[i].role == ROLE_OPERATOR;
        char storage[256];
        struct text sample;
        struct visit visit;
        text_init(&sample, storage, sizeof storage);
        write_sample(&command_forms[i], &sample);
        visit_begin(&visit, &loopback);
        visit_login(&visit, "viewer");
        say_query(&visit.said, storage);
        assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
        assert_true(visit.heard.size > 0 && (visit.heard.data[0] == 'E') == is_for_operators);
        if (is_for_operators)
            assert_heard_text(&visit, refusal);
        assert_int_equal(visit.asked[i],
                         !is_for_operators && command_forms[i].needs != COMMAND_NEEDS_NOTHING);
        visit_end(&visit);
        operators += is_for_operators;
        /* whatever has an effect is not for viewers */
        assert_true(is_for_operators || command_forms[i].needs != COMMAND_NEEDS_EFFECT);

        visit_begin(&visit, &loopback);
        visit_login(&visit, "viewers");
        say_query(&visit.said, storage);
        assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
        assert_true(visit.heard.size > 0 && visit.heard.data[0] != 'E');
        visit_end(&visit);
    }
    assert_true(operators >= 3);
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &elsewhere);
    assert_int_equal(visit_authenticate(&visit, canary, SIZE_MAX), CONSOLE_STARVED);
    buffer_clear(&visit.heard);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char storage[256];
        struct text sample;
        text_init(&sample, storage, sizeof storage);
        write_sample(&command_forms[i], &sample);
        say_query(&visit.said, storage);
    }
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
    assert_false(has_heard(&visit, bytes_text(canary)));
    buffer_clear(&visit.heard);
    visit_ask(&visit, "SHOW SETTINGS",
              "T setting:25|value:25|default:25|about:25\nD console.password|********|~|the password\n"
              "D log.level|info|info|how much is logged\nC SHOW\nZ\n");
    visit_end(&visit);
}

static void say_conversation(struct buffer *said)
{
    say_hello(said, "alice");
    say_query(said, "SHOW VERSION; RELOAD");
    say_query(said, "");
    say_query(said, "nonsense");
    say_message(said, CLIENT_FLUSH, BYTES_NONE);
    say_query(said, "show settings");
    say_message(said, CLIENT_TERMINATE, BYTES_NONE);
}

static void every_cut_gives_the_same_answers(void **state)
{
    (void)state;
    struct visit whole;
    visit_begin(&whole, &loopback);
    say_conversation(&whole.said);
    size_t size = whole.said.size;
    assert_int_equal(visit_feed(&whole, SIZE_MAX), CONSOLE_CLOSE);
    for (size_t first = 0; first < size; first++) {
        struct visit visit;
        visit_begin(&visit, &loopback);
        say_conversation(&visit.said);
        assert_int_equal(visit_step(&visit, bytes_of(visit.said.data, first)), CONSOLE_STARVED);
        buffer_consume(&visit.said, first);
        assert_int_equal(visit_feed(&visit, first % 7 == 0 ? 1 : SIZE_MAX), CONSOLE_CLOSE);
        assert_true(bytes_equal(buffer_bytes(&visit.heard), buffer_bytes(&whole.heard)));
        visit_end(&visit);
    }
    visit_end(&whole);
}

static void half_a_message_is_waited_for(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    assert_int_equal(visit_step(&visit, bytes_of("Q\0\0\0\x0cREL", 8)), CONSOLE_STARVED);
    assert_heard_text(&visit, "");
    assert_int_equal(visit_step(&visit, bytes_of("OAD \0", 5)), CONSOLE_STARVED);
    assert_heard_text(&visit, "C RELOAD\nZ\n");
    visit_end(&visit);
}

static void what_is_not_the_protocol_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *heard;
    } broken[] = {
        { "!\0\0\0\4", 5, "E FATAL C=08P01|M=invalid frontend message type\n" },
        { "Q\0\0\0\3", 5, "E FATAL C=08P01|M=invalid message length\n" },
        { "Q\x80\0\0\0", 5, "E FATAL C=08P01|M=invalid message length\n" },
        { "Q\xff\xff\xff\xff", 5, "E FATAL C=08P01|M=invalid message length\n" },
        { "Q\0\0\0\x0aRELOAD", 11, "E FATAL C=08P01|M=invalid message format\n" },
        { "Q\0\0\0\x0cRELOAD\0x", 13, "E FATAL C=08P01|M=invalid message format\n" },
        { "Q\0\0\0\x0cHELP\0\0\0\0", 13, "E FATAL C=08P01|M=invalid message format\n" },
        { "p\0\0\0\4", 5, "E FATAL C=08P01|M=a password came that nobody asked for\n" },
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        struct visit visit;
        visit_begin(&visit, &loopback);
        visit_login(&visit, "alice");
        buffer_append(&visit.said, bytes_of(broken[i].bytes, broken[i].size));
        assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
        assert_heard_text(&visit, broken[i].heard);
        assert_int_equal(visit.asked[COMMAND_RELOAD], 0);
        visit_end(&visit);
    }
}

static void a_giant_query_is_refused_and_forgotten(void **state)
{
    (void)state;
    static char query[CONSOLE_QUERY_MOST + 2];
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    memset(query, ' ', sizeof query);
    memcpy(query, "RELOAD", 6);
    for (size_t size = CONSOLE_QUERY_MOST - 1; size <= CONSOLE_QUERY_MOST; size++) {
        query[size] = '\0';
        say_query(&visit.said, query);
        assert_int_equal(visit_feed(&visit, 1000), CONSOLE_STARVED);
        assert_heard_text(&visit, size < CONSOLE_QUERY_MOST
                                      ? "C RELOAD\nZ\n"
                                      : "E C=54000|M=a message to the console has at most 65536 bytes\nZ\n");
        query[size] = ' ';
    }
    visit_ask(&visit, "RELOAD", "C RELOAD\nZ\n");
    visit_end(&visit);
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    visit_ask(&visit, "CLOSE WINDOW \"\xff\"",
              "E C=22021|M=invalid byte sequence for encoding \"UTF8\"\nZ\n");
    visit_ask(&visit, "\x1b[2J",
              "E C=42601|M=unknown command at or near \"\\x1b\"|H=HELP lists the commands.|P=1\nZ\n");
    visit_end(&visit);
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    buffer_release(&visit.heard);
    buffer_init(&visit.heard, 300);
    visit_ask(&visit, "HELP; RELOAD",
              "E C=54000|M=the answer is too long|H=LIMIT shortens it, where the command has one.\nZ\n");
    assert_int_equal(visit.asked[COMMAND_RELOAD], 0);
    visit.heard.limit = 50;
    say_query(&visit.said, "HELP");
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_CLOSE);
    visit_end(&visit);
}

static void a_function_call_is_refused_without_a_sync(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    say_message(&visit.said, CLIENT_FUNCTION_CALL, bytes_of("\0\0\0\1\0\0\0\0\0\0", 10));
    assert_int_equal(visit_feed(&visit, SIZE_MAX), CONSOLE_STARVED);
    assert_heard_text(&visit, "E C=0A000|M=the console has no functions\nZ\n");
    visit_end(&visit);
}

static void nothing_is_taken_while_a_command_waits(void **state)
{
    (void)state;
    struct visit visit;
    visit_begin(&visit, &loopback);
    visit_login(&visit, "alice");
    say_query(&visit.said, "RELOAD");
    say_query(&visit.said, "SHOW VERSION");
    struct bytes input = buffer_bytes(&visit.said);
    assert_int_equal(console_step(visit.console, &input, &visit.heard), CONSOLE_ASK);
    size_t left = input.size;
    assert_true(left > 0);
    assert_int_equal(console_step(visit.console, &input, &visit.heard), CONSOLE_ASK);
    assert_int_equal(input.size, left);
    assert_int_equal(visit.heard.size, 0);
    console_answer(visit.console, &visit.world, &visit.heard);
    assert_int_equal(console_step(visit.console, &input, &visit.heard), CONSOLE_STARVED);
    assert_heard_text(&visit, "C RELOAD\nZ\nT version:25\nD 9.8.7\nC SHOW\nZ\n");
    visit_end(&visit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_ends_with_ready),
        cmocka_unit_test(a_login_that_takes_too_long_is_told_so),
        cmocka_unit_test(drivers_are_told_what_they_ask_for),
        cmocka_unit_test(encryption_is_declined_once_each),
        cmocka_unit_test(bytes_behind_a_request_for_encryption_close),
        cmocka_unit_test(whoever_is_no_client_is_turned_away),
        cmocka_unit_test(there_is_one_database),
        cmocka_unit_test(what_is_beyond_3_0_is_negotiated_once),
        cmocka_unit_test(without_a_password_only_this_machine_comes_in),
        cmocka_unit_test(a_password_lets_anybody_in),
        cmocka_unit_test(a_wrong_password_keeps_out),
        cmocka_unit_test(nothing_but_a_password_is_taken_when_one_is_due),
        cmocka_unit_test(several_commands_are_answered_in_order),
        cmocka_unit_test(an_empty_query_is_answered_as_such),
        cmocka_unit_test(a_mistake_in_the_last_command_keeps_all_from_running),
        cmocka_unit_test(an_effect_that_failed_ends_the_query),
        cmocka_unit_test(an_effect_may_say_something),
        cmocka_unit_test(a_window_opens_no_longer_than_the_settings_allow),
        cmocka_unit_test(writes_are_stopped_longer_than_windows_may_be_open),
        cmocka_unit_test(every_command_keeps_to_its_role),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(every_cut_gives_the_same_answers),
        cmocka_unit_test(half_a_message_is_waited_for),
        cmocka_unit_test(what_is_not_the_protocol_ends_the_connection),
        cmocka_unit_test(a_giant_query_is_refused_and_forgotten),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
        cmocka_unit_test(an_answer_that_does_not_fit_is_an_error),
        cmocka_unit_test(a_function_call_is_refused_without_a_sync),
        cmocka_unit_test(nothing_is_taken_while_a_command_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
