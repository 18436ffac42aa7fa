/* SPDX-License-Identifier: PostgreSQL */
#include "net/link_state.h"
#include "net/poll_set.h"
#include "net/poll_set_state.h"
#include "unit/net/office.h"

#include <sys/resource.h>

enum { MEMBERS = POLL_SET_RESTS_MOST + 2, NANOSECONDS = 1000 };

static const uint8_t pattern[LINK_LARGE_READ];

static void close_victim(struct member *member)
{
    if (member->victim != NULL)
        link_close(&member->victim->link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    member_of(link)->got += bytes.size;
    if (member_of(link)->is_hesitant)
        link_read_stop(link);
    close_victim(member_of(link));
}

static int open_office(void **state)
{
    (void)state;
    office_open();
    return 0;
}

static const struct link_events usual = { .on_bytes = on_bytes,
                                          .on_end = count_end,
                                          .on_closed = count_closing };

static struct member *hire_for(const struct link_events *events)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    return office_hire(ends, events);
}

static struct member *hire(void)
{
    return hire_for(&usual);
}

/* What was written to its peer is there. */
static void wait_for(int socket, short events)
{
    struct pollfd waiting = { .fd = socket, .events = events };
    assert_int_equal(poll(&waiting, 1, PATIENCE_MS), 1);
}

/* One over TCP, that reads and was told of all that there is: nothing. */
static struct member *hire_by_tcp(void)
{
    int ends[2];
    peer_pair(ends);
    struct member *member = office_hire(ends, &usual);
    link_read_start(&member->link);
    assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
    return member;
}

/* ── Waiting ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void a_set_that_was_stopped_returns_and_can_run_again(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int round = 0; round < 3; round++)
        assert_in_range(turns_in(5), 1, TURNS_MOST);
    assert_true(poll_set_is_alive(office_set()));
    link_close(&member->link);
    assert_true(poll_set_is_alive(office_set())); /* it is still to be told */
    assert_int_equal(member->closings, 0);
    poll_set_run(office_set(), NULL, NULL);
    assert_int_equal(member->closings, 1);
}

/* The kernel would tell of it again the next turn. */
static void an_end_is_not_waited_for_again(void **state)
{
    (void)state;
    struct member *member = hire();
    link_read_start(&member->link);
    assert_int_equal(shutdown(member->peer, SHUT_WR), 0);
    loop_turn(&office.loop);
    assert_int_equal(member->ends, 1);
    assert_int_equal(member->link.socket.poll.watched, 0);
}

static void the_loop_is_heard_while_the_set_waits(void **state)
{
    (void)state;
    uv_async_t call;
    assert_int_equal(uv_async_init(&office.loop, &call, stop_by_call), 0);
    TURN_UNTIL(&office.loop, uv_backend_timeout(&office.loop) == -1); /* nothing else wakes it */
    assert_int_equal(uv_async_send(&call), 0);
    (void)alarm(PATIENCE_MS / 1000); /* the end of this program, if it waits for good */
    poll_set_run(office_set(), NULL, NULL);
    (void)alarm(0);
}

static void a_link_that_was_closed_is_told_before_it_waits(void **state)
{
    (void)state;
    struct member *member = hire();
    uv_timer_t timer;
    assert_int_equal(uv_timer_init(&office.loop, &timer), 0);
    assert_int_equal(uv_timer_start(&timer, stop_by_timer, PATIENCE_MS, 0), 0);
    loop_turn(&office.loop);
    link_close(&member->link);
    office.stops_when_closed = true;
    poll_set_run(office_set(), NULL, NULL);
    assert_int_equal(member->closings, 1);
    assert_true(uv_is_active((uv_handle_t *)&timer)); /* so that it was not this that woke it */
    uv_close((uv_handle_t *)&timer, NULL);
    loop_turn(&office.loop);
}

/* What has failed is ready for good: nobody who does not read it is to be kept awake by that. */
static void a_failure_that_nobody_waits_for_does_not_keep_it_awake(void **state)
{
    (void)state;
    struct member *ended = hire();
    struct member *stopped = hire();
    link_read_start(&stopped->link);
    link_read_stop(&stopped->link);
    (void)close(ended->peer);
    (void)close(stopped->peer);
    assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
    assert_int_equal(ended->ends + stopped->ends, 0);
    link_read_start(&ended->link);
    link_read_start(&stopped->link);
    TURN_UNTIL(&office.loop, ended->ends == 1 && stopped->ends == 1);
    ended->peer = stopped->peer = -1;
}

/* Another process that was just made has all descriptors, until it becomes another program. */
static void nothing_is_told_of_a_socket_that_another_process_still_has(void **state)
{
    (void)state;
    struct member *member = hire();
    link_read_start(&member->link);
    int kept = dup(member->link.socket.poll.descriptor);
    assert_true(kept >= 0);
    link_close(&member->link);
    TURN_UNTIL(&office.loop, member->closings == 1);
    assert_int_equal(write(member->peer, "late", 4), 4);
    assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
    assert_int_equal(member->got, 0);
    (void)close(kept);
}

/* Of both the kernel tells in one turn. */
static void what_is_closed_by_another_in_the_same_turn_is_told_nothing(void **state)
{
    (void)state;
    struct member *first = hire();
    struct member *second = hire();
    first->victim = second;
    second->victim = first;
    link_read_start(&first->link);
    link_read_start(&second->link);
    assert_int_equal(write(first->peer, "a", 1), 1);
    assert_int_equal(write(second->peer, "b", 1), 1);
    loop_turn(&office.loop);
    assert_int_equal(first->got + second->got, 1);
    assert_int_equal(first->closings + second->closings, 1);
}

/* ── Told once ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static int told_by_kernel(void)
{
    struct epoll_event events[2];
    return epoll_wait(office_set()->sockets, events, 2, 0);
}

static void nothing_is_told_twice_unless_it_is_asked_for(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    int socket = member->link.socket.poll.descriptor;
    assert_int_equal(write(member->peer, "a", 1), 1);
    wait_for(socket, POLLIN);
    assert_int_equal(told_by_kernel(), 1);
    assert_int_equal(told_by_kernel(), 0);
    poll_set_change(office_set(), &member->link, socket, EPOLLIN);
    assert_int_equal(told_by_kernel(), 1);
    poll_set_change(office_set(), &member->link, socket, EPOLLIN);
    TURN_UNTIL(&office.loop, member->got == 1);
}

static void an_end_right_behind_bytes_is_heard(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    assert_int_equal(write(member->peer, "last", 4), 4);
    assert_int_equal(shutdown(member->peer, SHUT_WR), 0);
    TURN_UNTIL(&office.loop, member->ends == 1);
    assert_int_equal(member->got, 4);
}

static void an_end_right_behind_bytes_is_heard_by_one_that_stops_in_between(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    member->is_hesitant = true;
    assert_int_equal(write(member->peer, "last", 4), 4);
    assert_int_equal(shutdown(member->peer, SHUT_WR), 0);
    TURN_UNTIL(&office.loop, member->got == 4);
    assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
    assert_int_equal(member->ends, 0);
    link_read_start(&member->link);
    TURN_UNTIL(&office.loop, member->ends == 1);
}

static void more_than_is_read_at_once_comes_all_the_same(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    member->link.read_most = 1;
    assert_int_equal(write(member->peer, pattern, sizeof pattern), sizeof pattern);
    wait_for(member->link.socket.poll.descriptor, POLLIN);
    loop_turn(&office.loop);
    assert_in_range(member->got, 1, sizeof pattern / 2); /* others have their turn */
    assert_false(member->link.socket.poll.is_spent);     /* the kernel was asked to look again */
    TURN_UNTIL(&office.loop, member->got == sizeof pattern);
}

static void one_that_stops_in_between_hears_the_rest_later(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    member->link.read_most = 1000;
    member->is_hesitant = true;
    assert_int_equal(write(member->peer, pattern, 2500), 2500);
    for (size_t told = 1000; told <= 2500; told += told < 2000 ? 1000 : 500) {
        TURN_UNTIL(&office.loop, member->got == told);
        assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
        assert_int_equal(member->got, told);
        link_read_start(&member->link);
    }
    assert_int_equal(write(member->peer, "more", 4), 4);
    TURN_UNTIL(&office.loop, member->got == 2504);
}

static void on_more_bytes(struct link *link, struct bytes bytes)
{
    member_of(link)->got += bytes.size;
    link->read_most = CHUNK_SIZE;
}

static void one_that_reads_more_from_then_on_hears_the_rest(void **state)
{
    (void)state;
    static const struct link_events events = { .on_bytes = on_more_bytes,
                                               .on_end = count_end,
                                               .on_closed = count_closing };
    struct member *member = hire_for(&events);
    member->link.read_most = 1000;
    link_read_start(&member->link);
    assert_int_equal(write(member->peer, pattern, 1500), 1500);
    TURN_UNTIL(&office.loop, member->got == 1500);
}

/* The peer has gone altogether: it hears the end first, and answers. */
static void say_at_the_end(struct link *link, int error)
{
    member_of(link)->ends++;
    if (error == 0)
        link_send(link, bytes_of("too late", 8));
    else
        link_close(link);
}

static void a_write_that_fails_while_the_end_is_told_is_told_too(void **state)
{
    (void)state;
    static const struct link_events events = { .on_bytes = on_bytes,
                                               .on_end = say_at_the_end,
                                               .on_closed = count_closing };
    struct member *member = hire_for(&events);
    link_read_start(&member->link);
    (void)close(member->peer);
    member->peer = -1;
    TURN_UNTIL(&office.loop, member->ends == 2);
    TURN_UNTIL(&office.loop, member->closings == 1);
}

/* A read ends before the urgent byte, though there is more behind it. */
static void what_is_behind_urgent_data_is_heard(void **state)
{
    (void)state;
    struct member *member = hire_by_tcp();
    assert_int_equal(write(member->peer, "before", 6), 6);
    assert_int_equal(send(member->peer, "!", 1, MSG_OOB), 1);
    assert_int_equal(write(member->peer, "behind", 6), 6);
    TURN_UNTIL(&office.loop, member->got == 12);
}

/* ── Rests ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool rests(const struct member *member)
{
    return member->link.socket.poll.is_resting;
}

static void rest(struct member *member)
{
    member->link.socket.poll.is_resting = poll_set_rest(office_set(), &member->link);
}

static uint64_t us_since(uint64_t begun_ns)
{
    return (uv_hrtime() - begun_ns) / NANOSECONDS;
}

static void a_rest_is_not_over_before_its_time(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int round = 0; round < 3; round++) {
        uint64_t begun_ns = uv_hrtime();
        rest(member);
        TURN_UNTIL(&office.loop, !rests(member));
        assert_true(us_since(begun_ns) >= LINK_REST_US);
    }
}

static void each_rest_of_several_is_over(void **state)
{
    (void)state;
    struct member *first = hire();
    struct member *second = hire();
    rest(first);
    const struct timespec half = { .tv_nsec = (long)LINK_REST_US * NANOSECONDS / 2 };
    (void)nanosleep(&half, NULL);
    uint64_t begun_ns = uv_hrtime();
    rest(second);
    TURN_UNTIL(&office.loop, !rests(first) && !rests(second));
    assert_true(us_since(begun_ns) >= LINK_REST_US);
}

static void one_too_many_does_not_rest(void **state)
{
    (void)state;
    for (size_t index = 0; index < POLL_SET_RESTS_MOST; index++) {
        struct member *member = hire();
        rest(member);
        assert_true(rests(member));
    }
    struct member *last = hire();
    rest(last);
    assert_false(rests(last));
    for (size_t index = 0; index < office.count; index++)
        TURN_UNTIL(&office.loop, !rests(&office.members[index]));
    rest(last);
    assert_true(rests(last));
}

static void woken_its_rest_is_never_over(void **state)
{
    (void)state;
    struct member *woken = hire();
    struct member *other = hire();
    rest(woken);
    rest(other);
    poll_set_wake(office_set(), &woken->link);
    TURN_UNTIL(&office.loop, !rests(other));
    assert_true(rests(woken)); /* nobody told it */
    woken->link.socket.poll.is_resting = false;
}

/* The kernel told of it together with the timer that ended its rest, so that the next rest had begun and
 * nothing was left to read. */
static void what_was_told_before_a_rest_does_not_leave_it_unheard(void **state)
{
    (void)state;
    struct member *member = hire();
    link_read_start(&member->link);
    member->link.streak = LINK_STREAK;
    assert_int_equal(write(member->peer, pattern, sizeof pattern), sizeof pattern);
    lane_poll_ready(&member->link, EPOLLIN);
    assert_true(rests(member));
    lane_poll_ready(&member->link, EPOLLIN);
    assert_false(rests(member));
    assert_int_equal(write(member->peer, "more", 4), 4);
    TURN_UNTIL(&office.loop, member->got == sizeof pattern + 4);
}

static void closed_it_rests_no_more(void **state)
{
    (void)state;
    struct member *member = hire();
    rest(member);
    link_close(&member->link);
    assert_int_equal(office_set()->rest_count, 1);
    assert_null(office_set()->rests[office_set()->first_rest].link);
}

/* ── Means ─────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void without_descriptors_it_says_so(void **state)
{
    (void)state;
    struct rlimit before;
    struct poll_set *set = NULL;
    struct problem problem = { .text = "" };
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(0);
    (void)close(lowest);
    for (rlim_t room = 0; room < 2; room++) {
        const struct rlimit short_of = { .rlim_cur = (rlim_t)lowest + room, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &short_of), 0);
        assert_false(poll_set_create(&office.loop, &set, &problem));
        assert_null(set);
        assert_non_null(strstr(problem.text, "epoll"));
        assert_non_null(strstr(problem.text, "too many open files"));
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    int after = dup(0);
    assert_int_equal(after, lowest); /* nothing stayed open */
    (void)close(after);
}

#define OFFICE_TEST(test) cmocka_unit_test_setup_teardown(test, open_office, close_office)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFFICE_TEST(a_set_that_was_stopped_returns_and_can_run_again),
        OFFICE_TEST(an_end_is_not_waited_for_again),
        OFFICE_TEST(the_loop_is_heard_while_the_set_waits),
        OFFICE_TEST(a_link_that_was_closed_is_told_before_it_waits),
        OFFICE_TEST(a_failure_that_nobody_waits_for_does_not_keep_it_awake),
        OFFICE_TEST(nothing_is_told_of_a_socket_that_another_process_still_has),
        OFFICE_TEST(what_is_closed_by_another_in_the_same_turn_is_told_nothing),
        OFFICE_TEST(nothing_is_told_twice_unless_it_is_asked_for),
        OFFICE_TEST(an_end_right_behind_bytes_is_heard),
        OFFICE_TEST(an_end_right_behind_bytes_is_heard_by_one_that_stops_in_between),
        OFFICE_TEST(more_than_is_read_at_once_comes_all_the_same),
        OFFICE_TEST(one_that_stops_in_between_hears_the_rest_later),
        OFFICE_TEST(one_that_reads_more_from_then_on_hears_the_rest),
        OFFICE_TEST(a_write_that_fails_while_the_end_is_told_is_told_too),
        OFFICE_TEST(what_is_behind_urgent_data_is_heard),
        OFFICE_TEST(a_rest_is_not_over_before_its_time),
        OFFICE_TEST(each_rest_of_several_is_over),
        OFFICE_TEST(one_too_many_does_not_rest),
        OFFICE_TEST(woken_its_rest_is_never_over),
        OFFICE_TEST(what_was_told_before_a_rest_does_not_leave_it_unheard),
        OFFICE_TEST(closed_it_rests_no_more),
        OFFICE_TEST(without_descriptors_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
