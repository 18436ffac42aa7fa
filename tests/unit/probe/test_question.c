/* SPDX-License-Identifier: PostgreSQL */
#include "probe/question.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The server is a script that is played in turn with the question. */

enum { PATIENCE_MS = 5000, REQUEST_MOST = 2048, LIMIT_US = 2000000 };

#define PLAIN        "user=asker dbname=postgres sslmode=disable gssencmode=disable"
#define IDLE         "Z\0\0\0\x05I"
#define VERSION_18   "S\0\0\0\x18server_version\00018.4\0"
#define TWO_FIELDS   "T\0\0\0\x2e\0\x02" FIELD("a") FIELD("b")
#define FIELD(name)  name "\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
#define ROW_X_NULL   "D\0\0\0\x0f\0\x02\0\0\0\x01x\xff\xff\xff\xff"
#define ROW_Y_Z      "D\0\0\0\x10\0\x02\0\0\0\x01y\0\0\0\x01z"
#define COMPLETE     "C\0\0\0\x0dSELECT 2\0"
#define ERROR_LATE   "E\0\0\0\x2bSERROR\0VERROR\0C57014\0Mtoo slow\nsecret\0\0"
#define SCRIPT(text) bytes_of(text, sizeof(text) - 1)

struct server {
    int listening;
    int accepted;
    struct address address;
    char request[REQUEST_MOST];
    size_t request_size;
};

static void server_init(struct server *server)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof name;
    *server = (struct server){ .accepted = -1, .listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    assert_int_equal(bind(server->listening, (struct sockaddr *)&name, size), 0);
    assert_int_equal(getsockname(server->listening, (struct sockaddr *)&name, &size), 0);
    server->address = (struct address){ ADDRESS_IPV4, ntohs(name.sin_port), { 127, 0, 0, 1 }, "" };
    assert_int_equal(listen(server->listening, 1), 0);
}

static void server_release(struct server *server)
{
    (void)close(server->accepted);
    (void)close(server->listening);
}

static void await(int socket, short events)
{
    struct pollfd waiting = { .fd = socket, .events = events };
    assert_int_equal(poll(&waiting, 1, PATIENCE_MS), 1);
}

static void server_read(struct server *server)
{
    await(server->accepted, POLLIN);
    ssize_t size = recv(server->accepted, server->request, sizeof server->request, 0);
    assert_true(size > 0);
    server->request_size = (size_t)size;
}

static bool request_holds(const struct server *server, struct bytes words)
{
    for (size_t at = 0; at + words.size <= server->request_size; at++) {
        if (memcmp(server->request + at, words.data, words.size) == 0)
            return true;
    }
    return false;
}

static void question_turn(struct question *question)
{
    static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
    await(question_socket(question), events[question_wants(question)]);
    question_step(question);
}

/* Up to where it is ready to be asked. */
static struct question *begin(struct server *server, const char *options)
{
    char conninfo[256];
    (void)snprintf(conninfo, sizeof conninfo, PLAIN " host=127.0.0.1 port=%u", server->address.port);
    const struct question_plan plan = {
        .place = { NULL, conninfo, "", "", "", "" },
        .application_name = "pgsluice-catalog",
        .statement_timeout_us = LIMIT_US,
        .lock_timeout_us = LIMIT_US / 4,
        .options = options,
    };
    struct question *question = question_start(&plan);
    assert_non_null(question);
    while (question_state(question) == QUESTION_WAITING && question_wants(question) == PROBE_TO_WRITE)
        question_turn(question);
    server->accepted = accept(server->listening, NULL, NULL);
    server_read(server);
    return question;
}

/* Says it in pieces of so many bytes; the question steps after each. */
static void server_say(struct server *server, struct question *question, struct bytes script, size_t piece)
{
    while (script.size > 0) {
        struct bytes part = bytes_take(&script, script.size < piece ? script.size : piece);
        assert_int_equal(send(server->accepted, part.data, part.size, MSG_NOSIGNAL), part.size);
        if (question_state(question) == QUESTION_WAITING)
            question_turn(question);
    }
}

static struct question *begin_asked(struct server *server, const char *options, size_t piece)
{
    struct question *question = begin(server, options);
    server_say(server, question, SCRIPT("R\0\0\0\x08\0\0\0\0" VERSION_18 IDLE), piece);
    assert_int_equal(question_state(question), QUESTION_READY);
    assert_int_equal(question_server(question), 180004);
    question_ask(question, "select 1");
    assert_int_equal(question_state(question), QUESTION_WAITING);
    return question;
}

static void rows_come_one_by_one_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece += piece < 4 ? 1 : 60) {
        struct server server;
        struct bytes fields[2];
        size_t count = 0;
        server_init(&server);
        struct question *question = begin_asked(&server, "", piece);
        struct bytes script = SCRIPT(TWO_FIELDS ROW_X_NULL ROW_Y_Z COMPLETE IDLE);
        while (script.size > 0) {
            server_say(&server, question, bytes_take(&script, script.size < piece ? script.size : piece),
                       piece);
            while (question_row(question, fields, 2)) {
                assert_true(bytes_equal_text(fields[0], count == 0 ? "x" : "y"));
                assert_true(bytes_equal_text(fields[1], count == 0 ? "" : "z"));
                count++;
            }
        }
        assert_int_equal(count, 2);
        assert_int_equal(question_state(question), QUESTION_DONE);
        question_cancel(question);
        server_release(&server);
    }
}

static void the_session_cannot_write_and_has_limits(void **state)
{
    (void)state;
    struct server server;
    server_init(&server);
    struct question *question = begin(&server, " -c quote_all_identifiers=off");
    assert_true(request_holds(
        &server, SCRIPT("options\0 -c search_path=pg_catalog -c default_transaction_read_only=on -c "
                        "statement_timeout=2000 -c lock_timeout=500 -c quote_all_identifiers=off\0")));
    assert_true(request_holds(&server, SCRIPT("application_name\0pgsluice-catalog\0")));
    question_cancel(question);
    server_release(&server);
}

static void an_error_behind_rows_fails_with_its_first_line(void **state)
{
    (void)state;
    struct server server;
    struct bytes fields[2];
    server_init(&server);
    struct question *question = begin_asked(&server, "", 1000);
    server_say(&server, question, SCRIPT(TWO_FIELDS ROW_X_NULL ERROR_LATE IDLE), 1000);
    assert_true(question_row(question, fields, 2));
    assert_false(question_row(question, fields, 2));
    assert_int_equal(question_state(question), QUESTION_FAILED);
    assert_string_equal(question_reason(question), "ERROR:  57014: too slow");
    question_cancel(question);
    server_release(&server);
}

static void rows_of_another_form_fail(void **state)
{
    (void)state;
    struct server server;
    struct bytes fields[3];
    server_init(&server);
    struct question *question = begin_asked(&server, "", 1000);
    server_say(&server, question, SCRIPT(TWO_FIELDS ROW_X_NULL ROW_Y_Z COMPLETE IDLE), 1000);
    assert_false(question_row(question, fields, 3));
    assert_int_equal(question_state(question), QUESTION_FAILED);
    question_cancel(question);
    server_release(&server);
}

static void a_server_that_goes_away_fails(void **state)
{
    (void)state;
    struct server server;
    struct bytes fields[2];
    server_init(&server);
    struct question *question = begin_asked(&server, "", 1000);
    server_say(&server, question, SCRIPT(TWO_FIELDS ROW_X_NULL "D\0\0"), 1000);
    assert_true(question_row(question, fields, 2));
    server_read(&server);
    (void)shutdown(server.accepted, SHUT_RDWR);
    while (question_state(question) == QUESTION_WAITING) {
        question_turn(question);
        while (question_row(question, fields, 2))
            continue;
    }
    assert_int_equal(question_state(question), QUESTION_FAILED);
    assert_true(strlen(question_reason(question)) > 0);
    question_step(question);
    question_ask(question, "select 1");
    assert_false(question_row(question, fields, 2));
    question_cancel(question);
    server_release(&server);
}

static void what_cannot_begin_is_a_failure_with_a_reason(void **state)
{
    (void)state;
    struct question_plan plan = { .place = { NULL, "secret", "", "", "", "" },
                                  .application_name = "x",
                                  .options = "" };
    struct question *question = question_start(&plan);
    assert_int_equal(question_state(question), QUESTION_FAILED);
    assert_non_null(strstr(question_reason(question), "no libpq connection string"));
    assert_null(strstr(question_reason(question), "secret"));
    question_cancel(question);
    char *options = calloc(1, 4096);
    memset(options, ' ', 4095);
    plan.place.conninfo = PLAIN;
    plan.options = options;
    question = question_start(&plan);
    assert_string_equal(question_reason(question), "the session's options are too long");
    question_cancel(question);
    free(options);
    question_cancel(NULL);
}

static void a_connection_string_may_name_its_host(void **state)
{
    (void)state;
    char storage[256] = "";
    struct text why;
    text_init(&why, storage, sizeof storage);
    assert_true(question_conninfo_check("host=db port=1 user=reader", &why));
    assert_true(question_conninfo_check("postgresql://reader:secret@db/x", &why));
    assert_false(question_conninfo_check("host=secret secret", &why));
    assert_null(strstr(storage, "secret"));
}

static void a_password_that_a_uri_would_take_for_a_host_or_port_is_refused(void **state)
{
    (void)state;
    static const char *const cut[] = { "postgresql://reader:pass@secret@db/x",
                                       "postgresql://reader:secret/word@db/x", "host=db port=secret" };
    static const char *const whole[] = { "postgresql://reader:pass%40secret@db:5432,other:5433/x",
                                         "host=@abstract user=reader", "host=/run/a@b port=5432,5433" };
    char storage[256] = "";
    struct text why;
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        text_init(&why, storage, sizeof storage);
        assert_false(question_conninfo_check(cut[i], &why));
        assert_non_null(strstr(storage, "%40"));
        assert_null(strstr(storage, "secret"));
    }
    for (size_t i = 0; i < COUNT_OF(whole); i++)
        assert_true(question_conninfo_check(whole[i], &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_one_by_one_however_they_are_cut),
        cmocka_unit_test(the_session_cannot_write_and_has_limits),
        cmocka_unit_test(an_error_behind_rows_fails_with_its_first_line),
        cmocka_unit_test(rows_of_another_form_fail),
        cmocka_unit_test(a_server_that_goes_away_fails),
        cmocka_unit_test(what_cannot_begin_is_a_failure_with_a_reason),
        cmocka_unit_test(a_connection_string_may_name_its_host),
        cmocka_unit_test(a_password_that_a_uri_would_take_for_a_host_or_port_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
