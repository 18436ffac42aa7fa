/* SPDX-License-Identifier: PostgreSQL */
/* Links that change between a set of sockets and its ring. */
#include "net/lane.h"
#include "net/uring.h"
#include "unit/net/office.h"

#include <pthread.h>

enum { MEMBERS = 4, PERIOD = 251, PIECE = 3000, STREAM = 4 * 1024 * 1024 };
enum { LONG = 8 * PIECE, STEPS = 12000 };

/* The stream from there on, LONG bytes of it. */
static const uint8_t *pattern_at(size_t position)
{
    static uint8_t pattern[LONG + PERIOD];
    if (pattern[1] == 0) {
        for (size_t index = 0; index < sizeof pattern; index++)
            pattern[index] = (uint8_t)(index % PERIOD);
    }
    return pattern + position % PERIOD;
}

static void expect_stream(const uint8_t *bytes, size_t size, size_t position)
{
    for (size_t at = 0; at < size; at += LONG)
        assert_memory_equal(bytes + at, pattern_at(position + at), size - at < LONG ? size - at : LONG);
}

/* What comes is one stream, whichever lane brings a part of it. */
static void on_bytes(struct link *link, struct bytes bytes)
{
    struct member *member = member_of(link);
    expect_stream(bytes.data, bytes.size, member->got);
    member->got += bytes.size;
    if (member->is_echoing)
        link_send(link, bytes);
    if (member->is_asking)
        assert_int_equal(send(member->peer, pattern_at(member->got), 1, MSG_NOSIGNAL), 1);
    if (member->is_hesitant) {
        link_read_stop(link);
        link_read_start(link);
    }
    if (link->is_full && member->is_echoing)
        link_read_stop(link);
}

static void on_drained(struct link *link)
{
    link_read_start(link);
}

static int open_office(void **state)
{
    struct problem problem;
    (void)state;
    office_open();
    assert_true(poll_set_add_ring(office_set(), false, &problem));
    return 0;
}

static struct member *hire(void)
{
    static const struct link_events events = {
        .on_bytes = on_bytes, .on_end = count_end, .on_drained = on_drained, .on_closed = count_closing
    };
    int ends[2];
    peer_pair(ends);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    struct member *member = office_hire(ends, &events);
    link_read_start(&member->link);
    return member;
}

/* So many more bytes of the stream. */
static void hear(struct member *member, size_t size)
{
    size_t before = member->got;
    assert_int_equal(send(member->peer, pattern_at(before), size, MSG_NOSIGNAL), (ssize_t)size);
    TURN_UNTIL(&office.loop, member->got == before + size);
}

static bool is_blocking(const struct link *link)
{
    return (fcntl(lane_socket(link), F_GETFL) & O_NONBLOCK) == 0;
}

static struct member *on_ring(void)
{
    struct member *member = hire();
    poll_set_pace(office_set(), true);
    hear(member, 1);
    assert_true(member->link.is_by_ring);
    return member;
}

/* ── When it changes ───────────────────────────────────────────────────────────────────────────────────────
 */

static void a_link_goes_to_the_ring_while_the_set_is_busy_and_back_when_it_is_not(void **state)
{
    (void)state;
    struct member *member = hire();
    hear(member, 1);
    assert_false(member->link.is_by_ring);
    for (int round = 0; round < 3; round++) {
        poll_set_pace(office_set(), true);
        hear(member, 2);
        assert_true(member->link.is_by_ring && is_blocking(&member->link));
        hear(member, 3); /* by the ring */
        assert_true(member->link.is_by_ring);
        poll_set_pace(office_set(), false);
        turn_for(&office.loop, 5);
        assert_true(member->link.is_by_ring); /* until something comes */
        hear(member, 4);
        TURN_UNTIL(&office.loop, !member->link.is_by_ring);
        assert_false(is_blocking(&member->link));
        hear(member, 5);
    }
}

static void one_that_is_read_a_few_times_only_stays(void **state)
{
    (void)state;
    office_set()->turns_before_ring = LANE_POLL_TURNS;
    poll_set_pace(office_set(), true);
    struct member *member = hire();
    for (int read = 1; read <= LANE_POLL_TURNS; read++) {
        assert_false(member->link.is_by_ring);
        hear(member, 1);
    }
    assert_true(member->link.is_by_ring);
}

/* It would not live through a change. */
static void a_set_without_a_ring_keeps_them(void **state)
{
    struct problem problem;
    (void)state;
    assert_true(poll_set_has_ring(office_set()));
    poll_set_destroy(office_set());
    assert_true(poll_set_create(&office.loop, &office.chunk.poll_set, &problem));
    assert_false(poll_set_has_ring(office_set()));
    poll_set_pace(office_set(), true);
    struct member *member = hire();
    for (int read = 0; read < 2 * LANE_POLL_TURNS; read++)
        hear(member, 1);
    assert_false(member->link.is_by_ring);
}

static void where_the_ring_is_for_all_they_begin_and_stay_there(void **state)
{
    struct problem problem;
    (void)state;
    poll_set_destroy(office_set());
    assert_true(poll_set_create(&office.loop, &office.chunk.poll_set, &problem));
    assert_true(poll_set_add_ring(office_set(), true, &problem));
    struct member *member = hire();
    assert_true(member->link.is_by_ring);
    poll_set_pace(office_set(), false);
    for (int read = 0; read < 3; read++)
        hear(member, 1);
    assert_true(member->link.is_by_ring);
}

/* Sends until much of it waits; how much it was. */
static size_t stuff(struct member *member)
{
    size_t sent = 0;
    while (!member->link.is_full) {
        for (int piece = 0; piece < 32; piece++)
            link_send(&member->link, bytes_of(pattern_at(0), PERIOD));
        sent += (size_t)32 * PERIOD;
        loop_turn(&office.loop);
    }
    return sent;
}

static void drain(const struct member *member, size_t size)
{
    uint8_t bytes[PERIOD];
    for (; size > 0; size -= sizeof bytes) {
        peer_read(&office.loop, member->peer, bytes, sizeof bytes);
        expect_stream(bytes, sizeof bytes, 0);
    }
}

static void one_that_has_something_to_write_stays_until_it_is_written(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int round = 0; round < 2; round++) {
        bool was_by_ring = member->link.is_by_ring;
        size_t sent = stuff(member);
        poll_set_pace(office_set(), !was_by_ring);
        for (int read = 0; read < 3; read++)
            hear(member, 1); /* it is read all the same */
        assert_true(member->link.is_by_ring == was_by_ring);
        drain(member, sent);
        hear(member, 1);
        TURN_UNTIL(&office.loop, member->link.is_by_ring != was_by_ring);
    }
}

static void one_that_is_not_read_stays_until_it_is(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int round = 0; round < 2; round++) {
        bool was_by_ring = member->link.is_by_ring;
        size_t before = member->got;
        poll_set_pace(office_set(), !was_by_ring);
        link_read_stop(&member->link);
        assert_int_equal(send(member->peer, pattern_at(before), 2, 0), 2);
        turn_for(&office.loop, 5);
        assert_true(member->link.is_by_ring == was_by_ring && member->got == before);
        link_read_start(&member->link);
        TURN_UNTIL(&office.loop, member->got == before + 2);
        hear(member, 1);
        TURN_UNTIL(&office.loop, member->link.is_by_ring != was_by_ring);
    }
}

/* It asks for something anew while it is told of what was held: the ring has it on its list then. */
static void one_that_wants_something_of_the_ring_stays_until_it_has_it(void **state)
{
    (void)state;
    struct member *member = on_ring();
    hear(member, 1); /* now it is received for */
    link_read_stop(&member->link);
    assert_int_equal(send(member->peer, pattern_at(member->got), 1, 0), 1);
    TURN_UNTIL(&office.loop, member->link.socket.ring.held != NULL);
    TURN_UNTIL(&office.loop, !member->link.socket.ring.is_receiving);
    poll_set_pace(office_set(), false);
    member->is_hesitant = true;
    link_read_start(&member->link);
    TURN_UNTIL(&office.loop, !member->link.is_by_ring);
    for (int read = 0; read < 3; read++)
        hear(member, 1);
    assert_false(member->link.is_by_ring);
}

static void one_that_rests_stays(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int read = 0; read < LINK_STREAK - 1; read++)
        hear(member, LINK_LARGE_READ);
    poll_set_pace(office_set(), true);
    hear(member, LINK_LARGE_READ);
    assert_true(member->link.socket.poll.is_resting && !member->link.is_by_ring);
    turn_for(&office.loop, 5);
    assert_false(member->link.is_by_ring);
    hear(member, 1);
    assert_true(member->link.is_by_ring);
}

/* The bytes of a stream, in large pieces. */
static void one_that_brings_a_stream_changes_behind_it(void **state)
{
    (void)state;
    struct member *member = hire();
    for (int round = 0; round < 2; round++) {
        bool was_by_ring = member->link.is_by_ring;
        poll_set_pace(office_set(), was_by_ring);
        size_t sent = member->got;
        for (size_t end = sent + STREAM; sent < end;) {
            ssize_t taken = send(member->peer, pattern_at(sent), LONG, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += taken > 0 ? (size_t)taken : 0;
            loop_turn(&office.loop);
            if (sent > end - STREAM / 2)
                poll_set_pace(office_set(), !was_by_ring);
        }
        TURN_UNTIL(&office.loop, member->got == sent);
        for (int reads = 0; reads < 10 && member->link.is_by_ring == was_by_ring; reads++)
            hear(member, 1);
        assert_true(member->link.is_by_ring != was_by_ring);
    }
}

/* The set has its socket already: the kernel will not have it twice. */
static void one_that_cannot_go_back_stays(void **state)
{
    (void)state;
    struct member *member = on_ring();
    struct epoll_event nothing = { .events = EPOLLET, .data.ptr = NULL };
    int socket = lane_socket(&member->link);
    assert_int_equal(epoll_ctl(office_set()->sockets, EPOLL_CTL_ADD, socket, &nothing), 0);
    poll_set_pace(office_set(), false);
    for (int read = 0; read < 5; read++)
        hear(member, 1);
    assert_true(member->link.is_by_ring);
    assert_int_equal(epoll_ctl(office_set()->sockets, EPOLL_CTL_DEL, socket, NULL), 0);
    hear(member, 1);
    TURN_UNTIL(&office.loop, !member->link.is_by_ring);
    hear(member, 1);
}

/* On its way back, after so many turns. */
static struct member *on_its_way(int turns_since)
{
    struct member *member = on_ring();
    hear(member, 1);
    poll_set_pace(office_set(), false);
    assert_int_equal(send(member->peer, pattern_at(member->got), 1, 0), 1);
    TURN_UNTIL(&office.loop, member->got == 3);
    for (int turn_since = 0; turn_since < turns_since; turn_since++)
        loop_turn(&office.loop);
    return member;
}

static void one_that_ends_on_its_way_is_told(void **state)
{
    (void)state;
    for (int turns_since = 0; turns_since < 4; turns_since++) {
        struct member *member = on_its_way(turns_since);
        assert_int_equal(shutdown(member->peer, SHUT_WR), 0);
        TURN_UNTIL(&office.loop, member->ends == 1);
    }
}

static void one_that_is_closed_on_its_way_closes_once(void **state)
{
    (void)state;
    for (int turns_since = 0; turns_since < 4; turns_since++) {
        struct member *member = on_its_way(turns_since);
        link_close(&member->link);
        TURN_UNTIL(&office.loop, member->closings == 1);
        turn_for(&office.loop, 1);
    }
}

/* What it sent back, as far as it is there. */
static void take_back(struct member *member)
{
    static uint8_t bytes[PIECE];
    ssize_t taken = peer_take(member->peer, bytes, sizeof bytes);
    if (taken <= 0)
        return;
    expect_stream(bytes, (size_t)taken, member->taken_back);
    member->taken_back += (size_t)taken;
}

static bool is_all_back(void)
{
    bool is_all = true;
    for (int index = 0; index < MEMBERS; index++) {
        take_back(&office.members[index]);
        is_all = is_all && office.members[index].taken_back == office.members[index].sent;
    }
    return is_all;
}

/* Whatever the pace does meanwhile, each hears its stream, and sends it back. */
static void nothing_is_lost_however_often_they_change(void **state)
{
    unsigned changes = 0;
    bool was_by_ring = false;
    (void)state;
    for (int index = 0; index < MEMBERS; index++)
        hire()->is_echoing = true;
    for (unsigned step = 0; step < STEPS; step++) {
        struct member *member = &office.members[step % MEMBERS];
        size_t size = step * 37 % PIECE + 1;
        poll_set_pace(office_set(), step % 23 < 11);
        ssize_t taken = send(member->peer, pattern_at(member->sent), size, MSG_DONTWAIT | MSG_NOSIGNAL);
        member->sent += taken > 0 ? (size_t)taken : 0;
        loop_turn(&office.loop);
        if (step % 3 != 0)
            take_back(member);
        changes += was_by_ring != office.members[0].link.is_by_ring;
        was_by_ring = office.members[0].link.is_by_ring;
    }
    TURN_UNTIL(&office.loop, is_all_back());
    assert_in_range(changes, 20, UINT32_MAX);
}

/* ── What wakes it ─────────────────────────────────────────────────────────────────────────────────────────
 */

enum { CROWD = 100 };

/* Sends a byte each to so many after a while, from a thread of its own, and then calls. */
struct caller {
    pthread_t thread;
    struct member *members;
    size_t count;
    uv_async_t *call; /* or NULL */
    bool has_failed;
};

static void *send_after_a_while(void *argument)
{
    const struct timespec pause = { .tv_nsec = A_WHILE_MS * 1000000L };
    struct caller *caller = argument;
    (void)nanosleep(&pause, NULL);
    for (size_t index = 0; index < caller->count; index++)
        caller->has_failed |= send(caller->members[index].peer, "", 1, MSG_NOSIGNAL) != 1;
    caller->has_failed |= caller->call != NULL && uv_async_send(caller->call) != 0;
    return NULL;
}

static bool have_all_heard(const struct caller *caller)
{
    for (size_t index = 0; index < caller->count; index++) {
        if (caller->members[index].got % PERIOD == 0)
            return false;
    }
    return true;
}

static void stop_once_all_have_heard(void *argument)
{
    const struct caller *caller = argument;
    if (caller->count > 0 && have_all_heard(caller))
        poll_set_stop(office_set());
}

/* Nothing but what the thread does wakes the set. */
static void expect_to_be_woken(struct caller caller)
{
    while (uv_backend_timeout(&office.loop) >= 0 && uv_loop_alive(&office.loop))
        loop_turn(&office.loop);
    assert_int_equal(pthread_create(&caller.thread, NULL, send_after_a_while, &caller), 0);
    (void)alarm(PATIENCE_MS / 1000); /* the end of this program, if it waits for good */
    poll_set_run(office_set(), stop_once_all_have_heard, &caller);
    (void)alarm(0);
    assert_int_equal(pthread_join(caller.thread, NULL), 0);
    assert_false(caller.has_failed);
}

/* All heard the stream up to where a zero is what comes next. */
static void begin_anew(struct member *members, size_t count)
{
    for (size_t index = 0; index < count; index++)
        hear(&members[index], PERIOD - members[index].got % PERIOD);
}

/* Twice, since what comes the first time may have been called for by the change of pace. */
static void a_set_that_is_not_busy_hears_the_ring(void **state)
{
    (void)state;
    struct member *member = on_ring();
    struct member *other = on_ring();
    begin_anew(member, 2);
    poll_set_pace(office_set(), false);
    expect_to_be_woken((struct caller){ .members = member, .count = 1 });
    assert_true(other->link.is_by_ring);
    expect_to_be_woken((struct caller){ .members = other, .count = 1 });
}

/* More than the kernel looks at in one call. */
static void it_hears_many_at_once(void **state)
{
    (void)state;
    for (int index = 0; index < CROWD; index++)
        (void)on_ring();
    begin_anew(office.members, CROWD);
    poll_set_pace(office_set(), false);
    turn_for(&office.loop, 5);
    expect_to_be_woken((struct caller){ .members = office.members, .count = CROWD });
}

static void a_busy_set_hears_the_ring(void **state)
{
    (void)state;
    struct member *member = on_ring();
    begin_anew(member, 1);
    expect_to_be_woken((struct caller){ .members = member, .count = 1 });
}

static void a_busy_set_hears_a_socket_that_the_ring_has_not(void **state)
{
    (void)state;
    struct member *member = hire();
    poll_set_pace(office_set(), true);
    expect_to_be_woken((struct caller){ .members = member, .count = 1 });
}

static void the_loop_is_heard_at_any_pace(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        uv_async_t call;
        assert_int_equal(uv_async_init(&office.loop, &call, stop_by_call), 0);
        poll_set_pace(office_set(), round % 2 == 1);
        expect_to_be_woken((struct caller){ .call = &call });
        TURN_UNTIL(&office.loop, !uv_loop_alive(&office.loop));
    }
}

/* How often the ring has called since it was asked last. */
static uint64_t calls(void)
{
    uint64_t count = 0;
    ssize_t got = read(uring_call(office_set()->uring), &count, sizeof count);
    assert_true(got == (ssize_t)sizeof count || errno == EAGAIN);
    return count;
}

/* Each call is a turn of a set that is not busy, and to others a cost. */
static void the_ring_calls_only_a_set_that_is_not_busy(void **state)
{
    (void)state;
    struct member *member = on_ring();
    hear(member, 1);
    (void)calls();
    hear(member, 1);
    assert_int_equal(calls(), 0);
    poll_set_pace(office_set(), false);
    begin_anew(member, 1);
    TURN_UNTIL(&office.loop, !member->link.is_by_ring);
    assert_true(calls() > 0);
}

/* It watches the sockets no more, and has nothing to hand over, when the pace changes. */
static void a_set_that_was_busy_with_a_socket_hears_the_ring(void **state)
{
    (void)state;
    struct member *member = on_ring();
    struct member *other = hire();
    begin_anew(member, 1);
    office_set()->turns_before_ring = LANE_POLL_TURNS;
    hear(other, 1);
    poll_set_pace(office_set(), false);
    expect_to_be_woken((struct caller){ .members = member, .count = 1 });
}

/* Writes, timers and all others would wait for as long as what comes is no slower than what is done with it.
 */
static void what_comes_meanwhile_is_of_the_next_turn(void **state)
{
    (void)state;
    struct member *member = on_ring();
    for (int round = 0; round < 4; round++) {
        poll_set_pace(office_set(), round % 2 == 0);
        member->is_asking = true;
        assert_int_equal(send(member->peer, pattern_at(member->got), 1, MSG_NOSIGNAL), 1);
        for (int turns = 0; turns < TURNS_MOST; turns++) {
            size_t before = member->got;
            poll_set_turn(office_set());
            assert_in_range(member->got - before, 0, 1);
        }
        member->is_asking = false;
        turn_for(&office.loop, 1);
    }
}

/* Neither the change nor the ring's own call has it turn for nothing. */
static void it_rests_at_any_pace_while_nothing_comes(void **state)
{
    (void)state;
    (void)on_ring();
    for (int round = 0; round < 4; round++) {
        poll_set_pace(office_set(), round % 2 == 1);
        assert_in_range(turns_in(A_WHILE_MS), 1, TURNS_MOST);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_office, close_office)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_link_goes_to_the_ring_while_the_set_is_busy_and_back_when_it_is_not),
        EACH(one_that_is_read_a_few_times_only_stays),
        EACH(a_set_without_a_ring_keeps_them),
        EACH(where_the_ring_is_for_all_they_begin_and_stay_there),
        EACH(one_that_has_something_to_write_stays_until_it_is_written),
        EACH(one_that_is_not_read_stays_until_it_is),
        EACH(one_that_wants_something_of_the_ring_stays_until_it_has_it),
        EACH(one_that_rests_stays),
        EACH(one_that_brings_a_stream_changes_behind_it),
        EACH(one_that_cannot_go_back_stays),
        EACH(one_that_ends_on_its_way_is_told),
        EACH(one_that_is_closed_on_its_way_closes_once),
        EACH(nothing_is_lost_however_often_they_change),
        EACH(a_set_that_is_not_busy_hears_the_ring),
        EACH(it_hears_many_at_once),
        EACH(a_busy_set_hears_the_ring),
        EACH(a_busy_set_hears_a_socket_that_the_ring_has_not),
        EACH(the_ring_calls_only_a_set_that_is_not_busy),
        EACH(a_set_that_was_busy_with_a_socket_hears_the_ring),
        EACH(the_loop_is_heard_at_any_pace),
        EACH(what_comes_meanwhile_is_of_the_next_turn),
        EACH(it_rests_at_any_pace_while_nothing_comes),
    };
    ring_try();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
