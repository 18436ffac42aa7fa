/* SPDX-License-Identifier: PostgreSQL */
#include "probe/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* The server is a script that is played in turn with the probe. */

enum { PATIENCE_MS = 5000, REQUEST_MOST = 2048 };

#define PLAIN     "user=asker dbname=postgres sslmode=disable gssencmode=disable"
#define LOGGED_IN "R\0\0\0\x08\0\0\0\0"
#define READY     "Z\0\0\0\x05I"
#define STANDBY   "S\0\0\0\x16in_hot_standby\0on\0"
#define PRIMARY   "S\0\0\0\x17in_hot_standby\0off\0"
#define READ_ONLY                                                                                            \
    "S\0\0\0\x25"                                                                                            \
    "default_transaction_read_only\0on\0"
#define READ_WRITE                                                                                           \
    "S\0\0\0\x26"                                                                                            \
    "default_transaction_read_only\0off\0"
#define ROWS         "T\0\0\0\x2e\0\x01transaction_read_only\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
#define DONE         "C\0\0\0\x09SHOW\0" READY
#define SCRIPT(text) bytes_of(text, sizeof(text) - 1)

struct server {
    int listening;
    struct address address;
    int accepted;
    uint8_t request[REQUEST_MOST]; /* the last one */
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
    if (server->accepted >= 0)
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
    if (server->accepted < 0) {
        await(server->listening, POLLIN);
        server->accepted = accept(server->listening, NULL, NULL);
    }
    await(server->accepted, POLLIN);
    ssize_t size = recv(server->accepted, server->request, sizeof server->request, 0);
    assert_true(size > 0);
    server->request_size = (size_t)size;
}

static void probe_turn(struct probe *probe)
{
    static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
    await(probe_socket(probe), events[probe_wants(probe)]);
    probe_step(probe);
}

static void probe_turn_until(struct probe *probe, enum probe_wish wish)
{
    while (probe_result(probe) == PROBE_WAITING && probe_wants(probe) != wish)
        probe_turn(probe);
}

/* The server says it, whole or byte by byte; the probe hears each piece, and has its result at the end, or
 * when nothing but ReadyForQuery is left. */
static void server_say(struct server *server, struct probe *probe, struct bytes script, size_t piece)
{
    while (script.size > sizeof READY - 1 || (script.size > 0 && probe_result(probe) == PROBE_WAITING)) {
        struct bytes part = bytes_take(&script, script.size < piece ? script.size : piece);
        assert_int_equal(probe_result(probe), PROBE_WAITING);
        assert_int_equal(send(server->accepted, part.data, part.size, MSG_NOSIGNAL), part.size);
        probe_turn(probe);
    }
}

static bool request_holds(const struct server *server, const char *text, size_t size)
{
    for (size_t at = 0; at + size <= server->request_size; at++) {
        if (memcmp(server->request + at, text, size) == 0)
            return true;
    }
    return false;
}
#define REQUEST_HOLDS(server, literal) request_holds(server, literal, sizeof(literal))

static struct probe *begin(const char *conninfo, const struct address *host)
{
    const struct probe_plan plan = { host, conninfo, "", "", "", "" };
    struct probe *probe = probe_start(&plan);
    assert_non_null(probe);
    return probe;
}

/* What becomes of a login to which the server says `login`, and `answer` to the question after it, if it
 * comes. */
static struct probe *play(struct server *server, struct bytes login, struct bytes answer, size_t piece)
{
    server_init(server);
    struct probe *probe = begin(PLAIN, &server->address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(server);
    server_say(server, probe, login, piece);
    if (answer.size > 0) {
        assert_int_equal(probe_result(probe), PROBE_WAITING);
        server_read(server);
        assert_memory_equal(server->request, "Q\0\0\0\x1fSHOW transaction_read_only\0", 32);
        server_say(server, probe, answer, piece);
    }
    return probe;
}

static void expect_verdict(struct bytes login, struct bytes answer, enum probe_result expected)
{
    for (size_t piece = 1; piece <= 1000; piece += 999) {
        struct server server;
        struct probe *probe = play(&server, login, answer, piece);
        assert_int_equal(probe_result(probe), expected);
        assert_string_equal(probe_reason(probe), "");
        probe_step(probe);
        assert_int_equal(probe_result(probe), expected);
        probe_cancel(probe);
        server_release(&server);
    }
}

static void a_server_that_reports_is_not_asked(void **state)
{
    (void)state;
    expect_verdict(SCRIPT(LOGGED_IN PRIMARY READ_WRITE READY), BYTES_NONE, PROBE_FIT);
    expect_verdict(SCRIPT(LOGGED_IN STANDBY READ_WRITE READY), BYTES_NONE, PROBE_UNFIT);
    expect_verdict(SCRIPT(LOGGED_IN PRIMARY READ_ONLY READY), BYTES_NONE, PROBE_UNFIT);
    expect_verdict(SCRIPT(LOGGED_IN STANDBY READ_ONLY READY), BYTES_NONE, PROBE_UNFIT);
}

static void an_older_server_is_asked(void **state)
{
    (void)state;
    expect_verdict(SCRIPT(LOGGED_IN READY), SCRIPT(ROWS "D\0\0\0\x0d\0\x01\0\0\0\x03off" DONE), PROBE_FIT);
    expect_verdict(SCRIPT(LOGGED_IN READY), SCRIPT(ROWS "D\0\0\0\x0c\0\x01\0\0\0\x02on" DONE), PROBE_UNFIT);
    expect_verdict(SCRIPT(LOGGED_IN PRIMARY READY), SCRIPT(ROWS "D\0\0\0\x0c\0\x01\0\0\0\x02on" DONE),
                   PROBE_UNFIT);
}

static void expect_reason(struct bytes login, struct bytes answer, const char *expected)
{
    struct server server;
    struct probe *probe = play(&server, login, answer, 1000);
    assert_int_equal(probe_result(probe), PROBE_FAILED);
    assert_non_null(strstr(probe_reason(probe), expected));
    assert_null(strpbrk(probe_reason(probe), "\n\r\x1b"));
    assert_null(strstr(probe_reason(probe), "detail"));
    probe_cancel(probe);
    server_release(&server);
}

static void a_refusal_is_told_with_its_sqlstate_in_one_harmless_line(void **state)
{
    (void)state;
    expect_reason(SCRIPT("E\0\0\0\x35SFATAL\0VFATAL\0C28P01\0Mno \x1b[1mway\nsecond\0Ddetail\0\0"),
                  BYTES_NONE, "FATAL:  28P01: no \\x1b[1mway");
    expect_reason(SCRIPT(LOGGED_IN READY),
                  SCRIPT("E\0\0\0\x28SERROR\0VERROR\0C42704\0Mnone\0Ddetail\0\0" READY),
                  "ERROR:  42704: none");
}

static void an_answer_that_is_none_is_a_failure(void **state)
{
    (void)state;
    static const char expected[] = "neither on nor off";
    expect_reason(SCRIPT(LOGGED_IN READY),
                  SCRIPT(ROWS "D\0\0\0\x0e\0\x01\0\0\0\x04"
                              "that" DONE),
                  expected);
    expect_reason(SCRIPT(LOGGED_IN READY), SCRIPT(ROWS "D\0\0\0\x0a\0\x01\xff\xff\xff\xff" DONE), expected);
    expect_reason(SCRIPT(LOGGED_IN READY), SCRIPT(ROWS DONE), expected);
    expect_reason(SCRIPT(LOGGED_IN READY), SCRIPT("I\0\0\0\x04" READY), expected);
}

static void a_server_that_goes_away_is_a_failure(void **state)
{
    (void)state;
    const struct bytes logins[] = { BYTES_NONE, SCRIPT(LOGGED_IN), SCRIPT(LOGGED_IN READY) };
    for (size_t i = 0; i < COUNT_OF(logins); i++) {
        struct server server;
        struct probe *probe = play(&server, logins[i], BYTES_NONE, 1000);
        assert_int_equal(probe_result(probe), PROBE_WAITING);
        (void)close(server.accepted);
        server.accepted = -1;
        probe_turn(probe);
        assert_int_equal(probe_result(probe), PROBE_FAILED);
        assert_string_not_equal(probe_reason(probe), "");
        probe_cancel(probe);
        server_release(&server);
    }
}

static void the_settings_of_the_session_are_ours(void **state)
{
    (void)state;
    struct server server;
    server_init(&server);
    struct probe *probe =
        begin(PLAIN " client_encoding=LATIN1 fallback_application_name=x options='-c geqo=off'"
                    " target_session_attrs=read-write",
              &server.address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(&server);
    assert_true(REQUEST_HOLDS(&server, "user\0asker\0database\0postgres"));
    assert_true(REQUEST_HOLDS(&server, "options\0-c geqo=off -c search_path=pg_catalog"));
    assert_true(REQUEST_HOLDS(&server, "application_name\0pgsluice"));
    assert_true(REQUEST_HOLDS(&server, "client_encoding\0UTF8"));
    server_say(&server, probe, SCRIPT(LOGGED_IN STANDBY READ_WRITE READY), 1000);
    assert_int_equal(probe_result(probe), PROBE_UNFIT);
    probe_cancel(probe);
    server_release(&server);
}

static void notices_are_not_printed(void **state)
{
    (void)state;
    FILE *printed = tmpfile();
    int error = dup(STDERR_FILENO);
    assert_true(printed != NULL && error >= 0 && dup2(fileno(printed), STDERR_FILENO) >= 0);
    struct server server;
    struct probe *probe =
        play(&server,
             SCRIPT(LOGGED_IN "N\0\0\0\x26SWARNING\0VWARNING\0C01000\0Mbeware\0\0" PRIMARY READ_WRITE READY),
             BYTES_NONE, 1000);
    enum probe_result result = probe_result(probe);
    assert_true(dup2(error, STDERR_FILENO) >= 0);
    assert_int_equal(result, PROBE_FIT);
    assert_int_equal(lseek(fileno(printed), 0, SEEK_END), 0);
    probe_cancel(probe);
    server_release(&server);
    (void)close(error);
    (void)fclose(printed);
}

static void a_silent_host_is_given_up_by_its_owner(void **state)
{
    (void)state;
    struct server server;
    char byte;
    server_init(&server);
    struct probe *probe = begin(PLAIN, &server.address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(&server);
    struct pollfd waiting = { .fd = probe_socket(probe), .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, 20), 0);
    assert_int_equal(probe_result(probe), PROBE_WAITING);
    probe_cancel(probe);
    await(server.accepted, POLLIN);
    assert_int_equal(recv(server.accepted, &byte, 1, 0), 0);
    server_release(&server);
    probe_cancel(NULL);
}

static void expect_failure(const char *conninfo, const struct address *host, const char *expected)
{
    struct probe *probe = begin(conninfo, host);
    while (probe_result(probe) == PROBE_WAITING)
        probe_turn(probe);
    assert_int_equal(probe_result(probe), PROBE_FAILED);
    assert_non_null(strstr(probe_reason(probe), expected));
    probe_cancel(probe);
}

static void a_port_where_nobody_listens_is_a_failure(void **state)
{
    (void)state;
    struct server server;
    server_init(&server);
    server_release(&server);
    expect_failure(PLAIN, &server.address, "refused");
    server.address.family = ADDRESS_NAME;
    (void)snprintf(server.address.text, sizeof server.address.text, "localhost");
    expect_failure(PLAIN, &server.address, "\"localhost\" (127.0.0.1)");
}

#define SOCKET ".s.PGSQL.7777"

static int make_folder(void **state)
{
    static const char pattern[] = "/tmp/pgsluice_probe_XXXXXX";
    char *folder = malloc(sizeof pattern);
    assert_non_null(folder);
    memcpy(folder, pattern, sizeof pattern);
    *state = mkdtemp(folder);
    return *state != NULL ? 0 : -1;
}

static int drop_folder(void **state)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/" SOCKET, (const char *)*state);
    (void)unlink(path);
    (void)rmdir(*state);
    free(*state);
    return 0;
}

static void hosts_are_reached_by_name_and_by_socket(void **state)
{
    const char *folder = *state;
    struct server server;
    server_init(&server);
    server.address.family = ADDRESS_NAME;
    (void)snprintf(server.address.text, sizeof server.address.text, "localhost");
    struct probe *probe = begin(PLAIN, &server.address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(&server);
    probe_cancel(probe);
    server_release(&server);

    struct sockaddr_un name = { .sun_family = AF_UNIX };
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/" SOCKET, folder);
    server = (struct server){ .accepted = -1, .listening = socket(AF_UNIX, SOCK_STREAM, 0) };
    assert_int_equal(bind(server.listening, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(server.listening, 1), 0);
    assert_true(address_parse(name.sun_path, &server.address, NULL));
    probe = begin(PLAIN, &server.address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(&server);
    probe_cancel(probe);
    server_release(&server);
}

static void hosts_that_libpq_cannot_reach_are_told(void **state)
{
    (void)state;
    static const char *const paths[] = { "/run/other", "/run/.s.PGSQL.", "/run/a,b/.s.PGSQL.5432" };
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct address address;
        assert_true(address_parse(paths[i], &address, NULL));
        expect_failure(PLAIN, &address, ".s.PGSQL.PORT");
    }
    expect_failure(PLAIN, &(struct address){ 0 }, "no address");
    expect_failure("host=secret", &(struct address){ 0 }, "must not set host");
    expect_failure("user=x sslmode=perhaps", &(struct address){ ADDRESS_IPV4, 1, { 127, 0, 0, 1 }, "" },
                   "sslmode");
}

static void the_environment_does_not_lead_elsewhere(void **state)
{
    (void)state;
    struct server server;
    server_init(&server);
    assert_int_equal(setenv("PGHOSTADDR", "127.0.0.9", 1), 0);
    struct address named = server.address;
    named.family = ADDRESS_NAME;
    (void)snprintf(named.text, sizeof named.text, "localhost");
    expect_failure(PLAIN, &named, "hostaddr is set");
    struct probe *probe = begin(PLAIN, &server.address);
    probe_turn_until(probe, PROBE_TO_READ);
    server_read(&server);
    probe_cancel(probe);
    assert_int_equal(unsetenv("PGHOSTADDR"), 0);
    server_release(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_reports_is_not_asked),
        cmocka_unit_test(an_older_server_is_asked),
        cmocka_unit_test(a_refusal_is_told_with_its_sqlstate_in_one_harmless_line),
        cmocka_unit_test(an_answer_that_is_none_is_a_failure),
        cmocka_unit_test(a_server_that_goes_away_is_a_failure),
        cmocka_unit_test(the_settings_of_the_session_are_ours),
        cmocka_unit_test(notices_are_not_printed),
        cmocka_unit_test(a_silent_host_is_given_up_by_its_owner),
        cmocka_unit_test(a_port_where_nobody_listens_is_a_failure),
        cmocka_unit_test_setup_teardown(hosts_are_reached_by_name_and_by_socket, make_folder, drop_folder),
        cmocka_unit_test(hosts_that_libpq_cannot_reach_are_told),
        cmocka_unit_test(the_environment_does_not_lead_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
