/* SPDX-License-Identifier: PostgreSQL */
#include "net/acceptor.h"
#include "unit/net/peer.h"

#include <stdio.h>
#include <sys/resource.h>

struct door {
    uv_loop_t loop;
    struct acceptor *acceptor;
    int accepted;
    bool is_full;
    bool is_tuned; /* the last one that was accepted */
};

static bool has_option(int socket, int level, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(socket, level, option, &value, &size) == 0 && value != 0;
}

static void on_accepted(void *owner, int socket)
{
    struct door *door = owner;
    door->accepted++;
    char congestion[16] = "";
    socklen_t size = sizeof congestion;
    (void)getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, congestion, &size);
    door->is_tuned = has_option(socket, IPPROTO_TCP, TCP_NODELAY) &&
                     has_option(socket, SOL_SOCKET, SO_KEEPALIVE) && strcmp(congestion, "reno") == 0;
    (void)close(socket);
}

static bool door_open(struct door *door, const struct address *address, bool is_shared,
                      struct problem *problem)
{
    *door = (struct door){ .acceptor = NULL };
    assert_int_equal(uv_loop_init(&door->loop), 0);
    const struct acceptor_plan plan = {
        .address = address,
        .is_shared = is_shared,
        .mode = 0600,
        .on_accepted = on_accepted,
        .owner = door,
    };
    return acceptor_open(&door->loop, &plan, &door->acceptor, problem);
}

static void door_close(struct door *door)
{
    if (door->acceptor != NULL)
        acceptor_close(door->acceptor);
    loop_finish(&door->loop);
}

static struct address free_address(void)
{
    uint16_t port = 0;
    (void)close(peer_refusing(&port));
    return local_address(port);
}

static void assert_in_use(const struct address *address, const struct problem *problem)
{
    char storage[PROBLEM_TEXT_SIZE];
    struct text expected;
    assert_string_equal(problem->file, "");
    text_init(&expected, storage, sizeof storage);
    text_append_string(&expected, "address ");
    address_describe(address, &expected);
    text_append_string(&expected, " is in use");
    assert_string_equal(problem->text, storage);
}

static void many_that_connect_at_once_are_all_accepted(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    int peers[100];
    const struct address address = free_address();
    assert_true(door_open(&door, &address, true, &problem));
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        peers[i] = peer_connect(&address);
    TURN_UNTIL(&door.loop, door.accepted == COUNT_OF(peers));
    assert_true(door.is_tuned);
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        (void)close(peers[i]);
    door_close(&door);
}

static void an_ipv6_address_takes_no_ipv4(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    struct address address = free_address();
    uint16_t port = address.port;
    int ipv4 = peer_bind(&port);
    address = (struct address){ .family = ADDRESS_IPV6, .port = port };
    assert_true(door_open(&door, &address, true, &problem));
    (void)close(ipv4);
    door_close(&door);
}

static int lowest_free_descriptor(void)
{
    int lowest = dup(STDERR_FILENO);
    assert_true(lowest >= 0);
    (void)close(lowest);
    return lowest;
}

static void a_port_in_use_is_a_problem_in_words(void **state)
{
    (void)state;
    struct door first;
    struct door second;
    struct problem problem;
    const struct address address = free_address();
    assert_true(door_open(&first, &address, false, &problem));
    memset(&problem, 'x', sizeof problem);
    int lowest = lowest_free_descriptor();
    assert_false(acceptor_probe(&address, &problem));
    assert_int_equal(lowest_free_descriptor(), lowest);
    assert_false(door_open(&second, &address, true, &problem));
    assert_in_use(&address, &problem);
    door_close(&second);
    door_close(&first);
}

static void workers_share_a_port_and_a_probe_sees_that_it_is_taken(void **state)
{
    (void)state;
    struct door first;
    struct door second;
    struct problem problem;
    const struct address address = free_address();
    assert_true(acceptor_probe(&address, &problem));
    assert_true(door_open(&first, &address, true, &problem));
    assert_true(door_open(&second, &address, true, &problem));
    assert_false(acceptor_probe(&address, &problem));
    assert_in_use(&address, &problem);
    door_close(&second);
    door_close(&first);
    assert_true(acceptor_probe(&address, &problem));
}

static void a_port_is_free_again_at_once_after_use(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    const struct address address = free_address();
    assert_true(door_open(&door, &address, true, &problem));
    int peer = peer_connect(&address);
    TURN_UNTIL(&door.loop, door.accepted == 1); /* our side closes first: it waits in TIME_WAIT */
    (void)close(peer);
    acceptor_close(door.acceptor);
    door.acceptor = NULL;
    assert_true(acceptor_probe(&address, &problem));
    door_close(&door);
}

static void a_name_is_not_listened_on(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    const struct address address = { .family = ADDRESS_NAME, .port = 1, .text = "localhost" };
    assert_false(door_open(&door, &address, true, &problem));
    assert_non_null(strstr(problem.text, "address localhost:1 is a name"));
    door_close(&door);
}

static void the_file_of_a_dead_unix_socket_is_replaced(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    struct endpoint endpoint;
    const struct address address = path_address();
    assert_true(endpoint_of(&address, &endpoint));
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, endpoint_name(&endpoint), endpoint.size), 0);
    (void)close(dead);
    assert_true(door_open(&door, &address, true, &problem));
    int peer = peer_connect(&address);
    TURN_UNTIL(&door.loop, door.accepted == 1);
    (void)close(peer);
    door_close(&door);
}

static void a_unix_socket_that_answers_is_left_alone(void **state)
{
    (void)state;
    struct door first;
    struct door second;
    struct problem problem;
    const struct address address = path_address();
    assert_true(door_open(&first, &address, true, &problem));
    assert_false(door_open(&second, &address, true, &problem));
    assert_in_use(&address, &problem);
    int peer = peer_connect(&address);
    TURN_UNTIL(&first.loop, first.accepted == 2); /* one of them looked whether somebody answers */
    (void)close(peer);
    door_close(&second);
    door_close(&first);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    const struct address address = path_address();
    FILE *file = fopen(address.text, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_false(door_open(&door, &address, true, &problem));
    assert_in_use(&address, &problem);
    assert_int_equal(unlink(address.text), 0);
    door_close(&door);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void stop_running(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Runs the loop as a worker does, sleeping where it sleeps. */
static double cpu_seconds_of_running(uv_loop_t *loop, uint64_t ms)
{
    uv_timer_t timer;
    (void)uv_timer_init(loop, &timer);
    (void)uv_timer_start(&timer, stop_running, ms, 0);
    double before = cpu_seconds();
    (void)uv_run(loop, UV_RUN_DEFAULT);
    double used = cpu_seconds() - before;
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(loop, UV_RUN_NOWAIT);
    return used;
}

static void without_descriptors_it_rests_and_takes_those_who_wait_later(void **state)
{
    (void)state;
    struct door door;
    struct problem problem;
    struct rlimit before;
    const struct address address = free_address();
    assert_true(door_open(&door, &address, true, &problem));
    int peer = peer_connect(&address);
    int lowest_free = lowest_free_descriptor();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = { .rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    double used = cpu_seconds_of_running(&door.loop, 500);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(door.accepted, 0);
    assert_true(used < 0.1);
    TURN_UNTIL(&door.loop, door.accepted == 1);
    (void)close(peer);
    door_close(&door);
}

static bool may_accept(void *owner)
{
    return !((struct door *)owner)->is_full;
}

static void another_loop_may_accept_from_the_same_socket(void **state)
{
    (void)state;
    struct door first;
    struct door second = { .is_full = true };
    struct problem problem;
    const struct address address = free_address();
    assert_true(door_open(&first, &address, true, &problem));
    int listening = acceptor_duplicate(first.acceptor);
    assert_true(listening >= 0);
    assert_int_equal(uv_loop_init(&second.loop), 0);
    const struct acceptor_plan plan = { .on_accepted = on_accepted,
                                        .may_accept = may_accept,
                                        .owner = &second };
    assert_true(acceptor_adopt(&second.loop, &plan, listening, &second.acceptor));
    int peer = peer_connect(&address); /* the first stands still: its loop is not run */
    turn_for(&second.loop, ACCEPTOR_REST_MS / 2);
    assert_int_equal(second.accepted, 0);
    second.is_full = false;
    TURN_UNTIL(&second.loop, second.accepted == 1);
    door_close(&second);
    int other = peer_connect(&address);
    TURN_UNTIL(&first.loop, first.accepted == 1);
    (void)close(other);
    (void)close(peer);
    (void)close(listening);
    door_close(&first);
    assert_true(acceptor_probe(&address, &problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_that_connect_at_once_are_all_accepted),
        cmocka_unit_test(an_ipv6_address_takes_no_ipv4),
        cmocka_unit_test(a_port_in_use_is_a_problem_in_words),
        cmocka_unit_test(workers_share_a_port_and_a_probe_sees_that_it_is_taken),
        cmocka_unit_test(a_port_is_free_again_at_once_after_use),
        cmocka_unit_test(a_name_is_not_listened_on),
        cmocka_unit_test(the_file_of_a_dead_unix_socket_is_replaced),
        cmocka_unit_test(a_unix_socket_that_answers_is_left_alone),
        cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(another_loop_may_accept_from_the_same_socket),
        cmocka_unit_test(without_descriptors_it_rests_and_takes_those_who_wait_later),
    };
    return cmocka_run_group_tests(tests, NULL, drop_path);
}
