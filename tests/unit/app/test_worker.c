/* SPDX-License-Identifier: PostgreSQL */
#include "app/sluice.h"
#include "unit/net/peer.h"

#include <netdb.h>
#include <sys/wait.h>

/* The startup message of a user "a". */
#define STARTUP "\0\0\0\x10\0\3\0\0user\0a\0"
enum { LOOKUP_S = 3, PATH_SIZE = 64, LOG_SIZE = 65536 };

/* The whole program in a child, before an upstream whose name takes LOOKUP_S to be looked up. */
struct program {
    char folder[PATH_SIZE];
    uint16_t port;
    pid_t process;
    int looks_up; /* a byte comes for each lookup that begins */
};

/* In the child: where such a byte goes. */
static int lookup_begins = -1;

/* In the C library's place, for libuv too. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **found)
{
    const struct timespec slow = { .tv_sec = LOOKUP_S };
    (void)name;
    (void)service;
    (void)hints;
    (void)found;
    assert_int_equal(write(lookup_begins, "", 1), 1);
    (void)nanosleep(&slow, NULL);
    return EAI_AGAIN;
}

static const char *program_path(const struct program *program, const char *name)
{
    static char path[2 * PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", program->folder, name);
    return path;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;
    (void)close(peer_listen(&port, 0));
    return port;
}

static void program_configure(const struct program *program, const char *io)
{
    FILE *file = fopen(program_path(program, "yaml"), "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "listen: [{address: '127.0.0.1:%u', upstream: main}]\n"
                  "upstreams: [{name: main, hosts: ['slow.invalid:5432']}]\n"
                  "console: {address: '127.0.0.1:%u'}\n"
                  "log: {file: '%s'}\n"
                  "history: {record: false}\n"
                  "limits: {drain_timeout: 0s}\n"
                  "workers: 1\n"
                  "io: %s\n",
                  program->port, free_port(), program_path(program, "log"), io);
    assert_int_equal(fclose(file), 0);
}

static void program_start(struct program *program, const char *io)
{
    int ends[2];
    *program = (struct program){ .folder = "/tmp/pgsluice_worker.XXXXXX", .port = free_port() };
    assert_non_null(mkdtemp(program->folder));
    program_configure(program, io);
    assert_int_equal(pipe(ends), 0);
    program->looks_up = ends[0];
    program->process = fork();
    assert_true(program->process >= 0);
    if (program->process > 0) {
        (void)close(ends[1]);
        return;
    }
    lookup_begins = ends[1];
    _exit(sluice_run(program_path(program, "yaml")));
}

static int program_connect(const struct program *program)
{
    const struct address host = local_address(program->port);
    const struct timespec pause = { .tv_nsec = 10000000 };
    struct endpoint endpoint;
    assert_true(endpoint_of(&host, &endpoint));
    for (int tries = 0; tries < 1000; tries++) {
        int made = endpoint_socket(&endpoint);
        (void)fcntl(made, F_SETFL, 0);
        if (connect(made, endpoint_name(&endpoint), endpoint.size) == 0)
            return made;
        (void)close(made);
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("the program does not listen");
    return -1;
}

/* Its status; its log is told. */
static int program_end(struct program *program, char log[LOG_SIZE])
{
    int status;
    assert_int_equal(kill(program->process, SIGTERM), 0);
    assert_int_equal(waitpid(program->process, &status, 0), program->process);
    FILE *file = fopen(program_path(program, "log"), "r");
    assert_non_null(file);
    log[fread(log, 1, LOG_SIZE - 1, file)] = '\0';
    (void)fclose(file);
    (void)close(program->looks_up);
    (void)unlink(program_path(program, "log"));
    (void)unlink(program_path(program, "yaml"));
    (void)rmdir(program->folder);
    return status;
}

static void assert_one_that_waits_for_a_name_lives(const char *io)
{
    static char log[LOG_SIZE];
    struct program program;
    char begun;
    program_start(&program, io);
    int client = program_connect(&program);
    assert_int_equal(send(client, STARTUP, sizeof STARTUP, 0), sizeof STARTUP);
    struct pollfd waiting = { .fd = program.looks_up, .events = POLLIN };
    assert_int_equal(poll(&waiting, 1, PATIENCE_MS), 1);
    assert_int_equal(read(program.looks_up, &begun, 1), 1);
    (void)close(client);
    int status = program_end(&program, log);
    assert_non_null(strstr(log, "event=draining"));
    assert_null(strstr(log, "event=worker_"));
    assert_int_equal(status, 0);
}

/* Of a client that gave up, so that no session is left: what cannot be cut short is waited for. */
static void one_that_drains_and_waits_for_a_name_only_does_not_stand_still(void **state)
{
    (void)state;
    assert_one_that_waits_for_a_name_lives("uv");
    assert_one_that_waits_for_a_name_lives("auto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_drains_and_waits_for_a_name_only_does_not_stand_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
