/* SPDX-License-Identifier: PostgreSQL */
/* Clients that stay connected to all targets, which take turns of some hundred ms: what disturbs the machine
 * for a second disturbs all of them alike, and a hundred turns tell a difference of 2 % where as long runs of
 * pgbench tell one of 10 %. All clients are in one thread, as with pgbench -j 1, and do what it does:
 *
 *     prepared    pgbench -S -M prepared
 *     connect     pgbench -S -C: connect, one SELECT, disconnect; times are those of all three
 *
 * Prints a line for each turn: its number, the target, mode and clients, then transactions a second, of their
 * times in ms the mean, the median, the 99th percentile and the longest, the proxy's CPU time for a
 * transaction in us, and 0 that failed. What ends in the first fifth of a turn is not counted.
 *
 *     bench_turns MODE CLIENTS MS FIRST COUNT NAME:PORT[:PID]...   turns FIRST to FIRST + COUNT - 1 of MS
 * each */
#include <dirent.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TARGETS_MOST = 16,
    CLIENTS_MOST = 500,
    PROCESSES_MOST = 16,
    TIMES_MOST = 1024 * 1024,
    PATH_MOST = 300,
    ACCOUNTS = 1000000, /* pgbench -i -s 10 */
    REST_US = 20000     /* the server ends the processes of those that left */
};

#define SELECT_PREPARED "SELECT abalance FROM pgbench_accounts WHERE aid = $1;"
#define SELECT_SIMPLE   "SELECT abalance FROM pgbench_accounts WHERE aid = %d;"

struct client {
    PGconn *connection; /* NULL: none */
    uint64_t asked_ns;
};

struct target {
    char name[64];
    char address[128];
    int processes[PROCESSES_MOST]; /* the proxy and its children */
    size_t process_count;
    struct client clients[CLIENTS_MOST];
};

struct turn {
    uint64_t begun_ns; /* since when it counts */
    uint64_t cpu_ns;   /* until then, later since then */
    uint64_t taken_ns; /* 0: not over */
    size_t count;
};

struct load {
    struct target targets[TARGETS_MOST];
    size_t target_count;
    const char *mode;
    bool stays; /* connected, between two transactions */
    unsigned clients;
    uint64_t turn_ns;
    uint32_t *times_us; /* of the turn */
    struct turn turn;
};

static void fail(const char *target, const char *what)
{
    (void)fprintf(stderr, "bench_turns: %s: %s\n", target, what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The first number of a file, or 0. */
static uint64_t number_of(const char *path)
{
    unsigned long long number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu", &number) != 1)
        number = 0;
    (void)fclose(file);
    return number;
}

static uint64_t cpu_of_process(int process)
{
    char path[PATH_MOST];
    uint64_t sum = 0;
    struct dirent *thread;
    (void)snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    while (threads != NULL && (thread = readdir(threads)) != NULL) {
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", process, thread->d_name);
        sum += thread->d_name[0] == '.' ? 0 : number_of(path);
    }
    if (threads != NULL)
        (void)closedir(threads);
    return sum;
}

/* All threads of the proxy and of its children. */
static uint64_t cpu_of(const struct target *target)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < target->process_count; i++)
        sum += cpu_of_process(target->processes[i]);
    return sum;
}

static void find_processes(struct target *target, int process)
{
    char path[PATH_MOST];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", process, process);
    FILE *children = fopen(path, "re");
    target->processes[target->process_count++] = process;
    if (children == NULL)
        return;
    while (target->process_count < PROCESSES_MOST &&
           fscanf(children, "%d", &target->processes[target->process_count]) == 1)
        target->process_count++;
    (void)fclose(children);
}

static void client_open(const struct target *target, struct client *client)
{
    client->connection = PQconnectdb(target->address);
    if (PQstatus(client->connection) != CONNECTION_OK)
        fail(target->name, PQerrorMessage(client->connection));
}

static void client_prepare(const struct target *target, struct client *client)
{
    PGresult *result = PQprepare(client->connection, "P0_0", SELECT_PREPARED, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(target->name, PQerrorMessage(client->connection));
    PQclear(result);
}

static bool client_send(const struct load *load, const struct client *client)
{
    char text[sizeof SELECT_SIMPLE + 16];
    const char *values[] = { text };
    int account = 1 + (int)(random() % ACCOUNTS);
    if (!load->stays) {
        (void)snprintf(text, sizeof text, SELECT_SIMPLE, account);
        return PQsendQuery(client->connection, text) == 1;
    }
    (void)snprintf(text, sizeof text, "%d", account);
    return PQsendQueryPrepared(client->connection, "P0_0", 1, values, NULL, NULL, 0) == 1;
}

static void client_begin(const struct load *load, const struct target *target, struct client *client)
{
    client->asked_ns = now_ns();
    if (client->connection == NULL)
        client_open(target, client);
    if (!client_send(load, client))
        fail(target->name, PQerrorMessage(client->connection));
}

/* Reads what came; returns whether that was all of the answer. */
static bool client_hear(const struct target *target, struct client *client)
{
    PGresult *result;
    if (PQconsumeInput(client->connection) == 0)
        fail(target->name, PQerrorMessage(client->connection));
    if (PQisBusy(client->connection))
        return false;
    while ((result = PQgetResult(client->connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
            fail(target->name, "an answer is not one row");
        PQclear(result);
    }
    return true;
}

static void client_end(const struct load *load, struct client *client)
{
    if (load->stays)
        return;
    PQfinish(client->connection);
    client->connection = NULL;
}

/* Begins to count when a fifth is over, and ends when all is. */
static void turn_look(struct load *load, const struct target *target, uint64_t since_ns)
{
    struct turn *turn = &load->turn;
    uint64_t now = now_ns();
    if (turn->begun_ns == 0 && now - since_ns >= load->turn_ns / 5) {
        turn->cpu_ns = cpu_of(target);
        turn->begun_ns = now_ns();
    } else if (turn->begun_ns != 0 && turn->taken_ns == 0 && now - since_ns >= load->turn_ns) {
        turn->taken_ns = now - turn->begun_ns;
        turn->cpu_ns = cpu_of(target) - turn->cpu_ns;
    }
}

static void turn_count(struct load *load, const struct client *client)
{
    struct turn *turn = &load->turn;
    if (turn->begun_ns != 0 && turn->taken_ns == 0 && turn->count < TIMES_MOST)
        load->times_us[turn->count++] = (uint32_t)((now_ns() - client->asked_ns) / 1000);
}

/* All clients ask again and again until the time is over, and have their last answers. */
static void turn_run(struct load *load, struct target *target)
{
    static struct pollfd polled[CLIENTS_MOST];
    unsigned open = load->clients;
    uint64_t since_ns = now_ns();
    load->turn = (struct turn){ 0 };
    for (unsigned i = 0; i < load->clients; i++) {
        client_begin(load, target, &target->clients[i]);
        polled[i] = (struct pollfd){ PQsocket(target->clients[i].connection), POLLIN, 0 };
    }
    while (open > 0 && poll(polled, load->clients, -1) >= 0) {
        turn_look(load, target, since_ns);
        for (unsigned i = 0; i < load->clients; i++) {
            struct client *client = &target->clients[i];
            if (polled[i].revents == 0 || !client_hear(target, client))
                continue;
            turn_count(load, client);
            client_end(load, client);
            if (load->turn.taken_ns == 0) {
                client_begin(load, target, client);
                polled[i].fd = PQsocket(client->connection);
            } else {
                polled[i].fd = -1;
                open--;
            }
        }
    }
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The time that so many percent do not exceed, in ms. */
static double time_at(const struct load *load, size_t percent)
{
    size_t rank = (load->turn.count * percent + 99) / 100;
    return load->times_us[rank > 0 ? rank - 1 : 0] / 1000.0;
}

static void turn_report(struct load *load, const struct target *target, unsigned number)
{
    const struct turn *turn = &load->turn;
    double count = (double)turn->count;
    double sum = 0;
    if (turn->count == 0)
        fail(target->name, "nothing ended in a turn: it is too short");
    qsort(load->times_us, turn->count, sizeof *load->times_us, by_number);
    for (size_t i = 0; i < turn->count; i++)
        sum += load->times_us[i];
    (void)printf("%u %s %s %u %.1f %.4f %.3f %.3f %.3f %.3f 0\n", number, target->name, load->mode,
                 load->clients, count / (double)turn->taken_ns * 1e9, sum / count / 1000, time_at(load, 50),
                 time_at(load, 99), time_at(load, 100), (double)turn->cpu_ns / 1000 / count);
}

/* NAME:PORT[:PID] */
static bool target_read(struct target *target, const char *text)
{
    int port = 0;
    int process = 0;
    if (sscanf(text, "%63[^:]:%d:%d", target->name, &port, &process) < 2)
        return false;
    (void)snprintf(target->address, sizeof target->address,
                   "host=127.0.0.1 port=%d user=postgres dbname=postgres", port);
    if (process > 0)
        find_processes(target, process);
    return true;
}

static void connect_all(struct load *load)
{
    for (size_t i = 0; i < load->target_count; i++)
        for (unsigned j = 0; j < load->clients; j++) {
            client_open(&load->targets[i], &load->targets[i].clients[j]);
            client_prepare(&load->targets[i], &load->targets[i].clients[j]);
        }
}

/* Each target follows each of the others as often: what one leaves behind (processes on this core or that,
 * warm caches) is found by all. */
static void shuffle(size_t *order, size_t count)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t)random() % (i + 1);
        size_t kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void run_turn(struct load *load, unsigned number)
{
    size_t order[TARGETS_MOST];
    for (size_t i = 0; i < load->target_count; i++)
        order[i] = i;
    shuffle(order, load->target_count);
    for (size_t i = 0; i < load->target_count; i++) {
        struct target *target = &load->targets[order[i]];
        turn_run(load, target);
        turn_report(load, target, number);
        if (!load->stays)
            (void)usleep(REST_US);
    }
}

static void run(struct load *load, unsigned first, unsigned count)
{
    if (load->stays)
        connect_all(load);
    srandom(first + 1);
    for (unsigned number = first; number < first + count; number++)
        run_turn(load, number);
    for (size_t i = 0; i < load->target_count; i++)
        for (unsigned j = 0; j < load->clients; j++)
            PQfinish(load->targets[i].clients[j].connection);
}

/* Whether all that was given can be run. */
static bool load_read(struct load *load, int count, char **arguments)
{
    if (count < 7 || count > 6 + TARGETS_MOST)
        return false;
    load->mode = arguments[1];
    load->stays = strcmp(load->mode, "prepared") == 0;
    load->clients = (unsigned)strtoul(arguments[2], NULL, 10);
    load->turn_ns = strtoul(arguments[3], NULL, 10) * 1000000;
    for (int i = 6; i < count; i++)
        if (!target_read(&load->targets[load->target_count++], arguments[i]))
            return false;
    return (load->stays || strcmp(load->mode, "connect") == 0) && load->clients > 0 &&
           load->clients <= CLIENTS_MOST && load->turn_ns > 0;
}

int main(int count, char **arguments)
{
    static struct load load;
    if (!load_read(&load, count, arguments)) {
        (void)fprintf(stderr,
                      "usage: bench_turns prepared|connect CLIENTS MS FIRST COUNT NAME:PORT[:PID]...\n");
        return 2;
    }
    load.times_us = calloc(TIMES_MOST, sizeof *load.times_us);
    if (load.times_us == NULL)
        fail("times", "no memory");
    run(&load, (unsigned)strtoul(arguments[4], NULL, 10), (unsigned)strtoul(arguments[5], NULL, 10));
    free(load.times_us);
    return 0;
}
