/* SPDX-License-Identifier: PostgreSQL */
#define _GNU_SOURCE /* pipe2, closefrom */
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20, ENDS = 2, FIRST_OTHER_DESCRIPTOR = 3 };

struct program {
    struct receiver receiver;
    int64_t timeout_us;
    char *words[]; /* NULL behind the last */
};

/* A run of it: its process leads a group of its own, which is killed as a whole. */
struct run {
    pid_t process;
    int input; /* -1: all was written, or nobody reads */
    struct bytes rest;
    int status;
    bool is_unknown; /* it has ended, and nobody can say how */
};

static struct program *program_of(struct receiver *receiver)
{
    return CONTAINER_OF(receiver, struct program, receiver);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* It looks at is_ending often enough. */
static void program_wake(struct receiver *receiver)
{
    (void)receiver;
}

static void program_destroy(struct receiver *receiver)
{
    free(program_of(receiver));
}

/* Signals as a shell's child has them; nothing of our descriptors. */
static int attributes_fill(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, int input)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                         POSIX_SPAWN_SETSIGDEF);
    error = error != 0 ? error : posix_spawnattr_setsigmask(attributes, &none);
    error = error != 0 ? error : posix_spawnattr_setsigdefault(attributes, &all);
    error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
    error = error != 0 ? error
                       : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    error = error != 0 ? error
                       : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return error != 0 ? error : posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OTHER_DESCRIPTOR);
}

static int spawn(const struct program *program, int input, pid_t *process)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LANG=C.UTF-8";
    char *environment[] = { path, language, NULL };
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = attributes_fill(&attributes, &actions, input);
        if (error == 0)
            error =
                posix_spawn(process, program->words[0], &actions, &attributes, program->words, environment);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)posix_spawnattr_destroy(&attributes);
    return error;
}

static int run_begin(const struct program *program, struct bytes body, struct run *run)
{
    int ends[ENDS];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    *run = (struct run){ .input = ends[1], .rest = body };
    int error = fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
    if (error == 0)
        error = spawn(program, ends[0], &run->process);
    (void)close(ends[0]);
    if (error != 0)
        (void)close(ends[1]);
    return error;
}

static void run_close_input(struct run *run)
{
    if (run->input >= 0)
        (void)close(run->input);
    run->input = -1;
}

/* Writes what its pipe takes within a moment; without input it only waits that long. */
static void run_write(struct run *run)
{
    struct pollfd wish = { .fd = run->input, .events = POLLOUT };
    if (poll(&wish, run->input >= 0 ? 1 : 0, LOOK_MS) <= 0 || run->input < 0)
        return;
    ssize_t written = write(run->input, run->rest.data, run->rest.size);
    if (written > 0)
        (void)bytes_take(&run->rest, (size_t)written);
    if (run->rest.size == 0 || (written < 0 && errno != EAGAIN && errno != EINTR))
        run_close_input(run);
}

static bool run_has_ended(struct run *run)
{
    pid_t ended = waitpid(run->process, &run->status, WNOHANG);
    run->is_unknown = ended < 0 && errno == ECHILD;
    return ended > 0 || run->is_unknown;
}

static void run_kill(struct run *run)
{
    (void)kill(-run->process, SIGKILL);
    while (waitpid(run->process, &run->status, 0) < 0 && errno == EINTR) {
    }
}

static enum receipt judge(int status, struct text *reason)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return RECEIPT_DELIVERED;
    if (WIFEXITED(status))
        text_append_format(reason, "exit status %d", WEXITSTATUS(status));
    else
        text_append_format(reason, "ended by signal %d", WTERMSIG(status));
    return RECEIPT_TRY_AGAIN;
}

static enum receipt program_deliver(struct receiver *receiver, struct bytes body, struct text *reason)
{
    const struct program *program = program_of(receiver);
    struct run run = { .input = -1 };
    int64_t until_us = now_us() + program->timeout_us;
    int error = run_begin(program, body, &run);
    if (error != 0) {
        text_append_string(reason, strerror(error));
        return RECEIPT_TRY_AGAIN;
    }
    bool has_ended = run_has_ended(&run);
    while (!has_ended && now_us() < until_us && !atomic_load(receiver->is_ending)) {
        run_write(&run);
        has_ended = run_has_ended(&run);
    }
    run_close_input(&run);
    if (run.is_unknown) {
        text_append_string(reason, "how it ended is not known");
        return RECEIPT_TRY_AGAIN;
    }
    if (has_ended)
        return judge(run.status, reason);
    run_kill(&run);
    text_append_string(reason, "it did not end within its time and was killed");
    return RECEIPT_TRY_AGAIN;
}

struct receiver *program_create(const struct alert_options *options)
{
    struct program *program = calloc(1, sizeof *program + (options->command_count + 1) * sizeof(char *));
    if (program == NULL)
        return NULL;
    program->receiver =
        (struct receiver){ .deliver = program_deliver, .wake = program_wake, .destroy = program_destroy };
    program->timeout_us = options->command_timeout_us;
    memcpy(program->words, options->command, options->command_count * sizeof(char *));
    struct text name;
    text_init(&name, program->receiver.name, sizeof program->receiver.name);
    text_append_printable(&name, bytes_text(options->command[0]));
    return &program->receiver;
}
