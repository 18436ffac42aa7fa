/* SPDX-License-Identifier: PostgreSQL */
/* Links that bring streams rest between reads, and nobody else has to wait for it. */
#include "net/lane.h"
#include "unit/net/peer.h"

#include <sys/ioctl.h>

enum { PIECE = 8192, PIECES = 3 * PIECE, MANY = 100000, PERIOD = 251, TRIES = 200 };

static uint8_t pattern[MANY + PERIOD];

/* What a link brought, which is a pattern. */
struct end {
    struct link link;
    int peer;
    size_t sent;
    size_t came;
    int ends;
    bool is_closed;
};

static struct house {
    uv_loop_t loop;
    struct chunk chunk;
    struct end stream;
    struct end other;
} house;

static struct end *end_of(struct link *link)
{
    return CONTAINER_OF(link, struct end, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct end *end = end_of(link);
    assert_true(bytes.size <= MANY);
    assert_memory_equal(bytes.data, pattern + end->came % PERIOD, bytes.size);
    end->came += bytes.size;
}

static void on_end(struct link *link, int error)
{
    assert_int_equal(error, 0);
    end_of(link)->ends++;
}

static void on_closed(struct link *link)
{
    end_of(link)->is_closed = true;
}

static void end_open(struct end *end)
{
    static const struct link_events events = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_drained = NULL,
        .on_closed = on_closed,
    };
    const int on = 1;
    int ends[2];
    peer_pair(ends);
    assert_int_equal(setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    *end = (struct end){ .peer = ends[1] };
    link_init(&end->link, &house.chunk, &events);
    assert_int_equal(link_open(&end->link, ends[0]), 0);
    link_read_start(&end->link);
}

static int open_house(void **state)
{
    (void)state;
    memset(&house, 0, sizeof house);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % PERIOD);
    loop_open(&house.loop, &house.chunk);
    end_open(&house.stream);
    end_open(&house.other);
    turn_for(&house.loop, 1);
    return 0;
}

static void end_close(struct end *end)
{
    link_close(&end->link);
    TURN_UNTIL(&house.loop, end->is_closed);
    (void)close(end->peer);
}

static int close_house(void **state)
{
    (void)state;
    if (!house.stream.is_closed)
        end_close(&house.stream);
    end_close(&house.other);
    loop_finish(&house.loop);
    return 0;
}

/* The next bytes of the pattern, up to MANY. */
static const uint8_t *next_said(struct end *end, size_t size)
{
    const uint8_t *next = pattern + end->sent % PERIOD;
    end->sent += size;
    return next;
}

static void peer_says(struct end *end, size_t size)
{
    peer_send(&house.loop, end->peer, next_said(end, size), size);
}

/* Without a turn of the loop: the kernel has it when this returns. */
static void peer_whispers(struct end *end, size_t size)
{
    uint64_t begun = uv_hrtime();
    int there = 0;
    assert_int_equal(send(end->peer, next_said(end, size), size, 0), size);
    do {
        assert_int_equal(ioctl(lane_socket(&end->link), FIONREAD, &there), 0);
        assert_true(uv_hrtime() - begun < (uint64_t)PATIENCE_MS * 1000000);
    } while ((size_t)there < end->sent - end->came);
}

/* One piece at a time, each taken before the next. */
static void peer_says_pieces(struct end *end, int count, size_t size)
{
    while (count-- > 0) {
        peer_says(end, size);
        TURN_UNTIL(&house.loop, end->came == end->sent);
    }
}

/* What was given up or asked for anew is so after a few turns, which take less than a rest. */
static void turn_at_once(void)
{
    for (int turns = 0; turns < 3; turns++)
        loop_turn(&house.loop);
}

/* Such turns do not wait, so that the rest that begins with what they bring lasts. */
static void turn_until_all_came(struct end *end)
{
    uint64_t begun = uv_hrtime();
    while (end->came < end->sent) {
        loop_turn(&house.loop);
        assert_true(uv_hrtime() - begun < (uint64_t)PATIENCE_MS * 1000000);
    }
}

/* Whether it rests, or will at the end of the turn. */
static bool stream_rests(void)
{
    const struct link *link = &house.stream.link;
    if (!link->is_by_ring)
        return link->socket.poll.is_resting && link_is_stream(link);
    return (link->socket.ring.is_to_rest || link->socket.ring.is_resting) && link_is_stream(link);
}

static void what_comes_with_nothing_said_in_return_is_a_stream(void **state)
{
    (void)state;
    peer_says_pieces(&house.stream, LINK_STREAK - 1, PIECE);
    assert_false(stream_rests());
    peer_says_pieces(&house.stream, 1, PIECE);
    assert_true(stream_rests());
    for (int round = 0; round < 5; round++) {
        peer_whispers(&house.stream, PIECES);
        turn_until_all_came(&house.stream);
        assert_true(stream_rests());
    }
}

/* Pieces that come one by one are no stream that could be taken in larger ones. */
static void a_rest_that_brings_little_is_the_last(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        peer_says_pieces(&house.stream, LINK_STREAK, PIECE);
        assert_true(stream_rests());
        peer_says_pieces(&house.stream, 1, PIECE);
        assert_false(stream_rests());
    }
}

static void answers_are_none(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        link_send(&house.stream.link, bytes_text("and?"));
        peer_says_pieces(&house.stream, LINK_STREAK / 2, PIECE);
        assert_false(stream_rests());
    }
}

static void nor_are_many_small_messages(void **state)
{
    (void)state;
    peer_says_pieces(&house.stream, 100, LINK_LARGE_READ - 1);
    assert_false(stream_rests());
}

static void a_stream_comes_whole_and_so_does_its_end(void **state)
{
    (void)state;
    for (int part = 0; part < 100; part++)
        peer_says(&house.stream, MANY);
    assert_int_equal(shutdown(house.stream.peer, SHUT_WR), 0);
    TURN_UNTIL(&house.loop, house.stream.ends > 0);
    assert_int_equal(house.stream.came, 100 * MANY);
    assert_int_equal(house.stream.ends, 1);
}

static void what_is_said_ends_the_rest_at_once(void **state)
{
    (void)state;
    for (int round = 0; round < TRIES; round++) {
        peer_says_pieces(&house.stream, LINK_STREAK - 1, PIECE);
        peer_whispers(&house.stream, PIECE);
        turn_until_all_came(&house.stream);
        turn_at_once();
        link_send(&house.stream.link, bytes_text("and?"));
        peer_whispers(&house.stream, 10);
        turn_at_once();
        assert_int_equal(house.stream.came, house.stream.sent);
    }
}

static void others_do_not_wait_while_it_rests(void **state)
{
    (void)state;
    bool has_passed = false;
    uint64_t begun = uv_hrtime();
    while (!has_passed && uv_hrtime() - begun < (uint64_t)PATIENCE_MS * 1000000) {
        if (!link_is_stream(&house.stream.link))
            peer_says_pieces(&house.stream, LINK_STREAK, PIECE);
        peer_whispers(&house.stream, PIECES);
        turn_until_all_came(&house.stream);
        turn_at_once();
        peer_whispers(&house.stream, PIECES);
        peer_whispers(&house.other, 1);
        turn_until_all_came(&house.other);
        turn_at_once();
        has_passed = house.stream.came == house.stream.sent - PIECES;
        turn_until_all_came(&house.stream);
    }
    assert_true(has_passed);
}

static void stopped_while_it_rests_it_stays_stopped(void **state)
{
    (void)state;
    peer_says_pieces(&house.stream, LINK_STREAK, PIECE);
    link_read_stop(&house.stream.link);
    size_t came = house.stream.came;
    peer_says(&house.stream, PIECE);
    turn_for(&house.loop, 5);
    assert_int_equal(house.stream.came, came);
    link_read_start(&house.stream.link);
    TURN_UNTIL(&house.loop, house.stream.came == house.stream.sent);
    peer_says_pieces(&house.stream, 3, PIECE);
}

static void closed_while_it_rests_it_closes_once(void **state)
{
    (void)state;
    peer_says_pieces(&house.stream, LINK_STREAK, PIECE);
    assert_true(stream_rests());
    peer_whispers(&house.stream, PIECE);
    loop_turn(&house.loop); /* by the ring the timer is asked for now */
    size_t came = house.stream.came;
    end_close(&house.stream);
    assert_int_equal(house.stream.came, came);
    turn_for(&house.loop, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_with_nothing_said_in_return_is_a_stream, open_house,
                                        close_house),
        cmocka_unit_test_setup_teardown(answers_are_none, open_house, close_house),
        cmocka_unit_test_setup_teardown(nor_are_many_small_messages, open_house, close_house),
        cmocka_unit_test_setup_teardown(a_stream_comes_whole_and_so_does_its_end, open_house, close_house),
        cmocka_unit_test_setup_teardown(a_rest_that_brings_little_is_the_last, open_house, close_house),
        cmocka_unit_test_setup_teardown(what_is_said_ends_the_rest_at_once, open_house, close_house),
        cmocka_unit_test_setup_teardown(others_do_not_wait_while_it_rests, open_house, close_house),
        cmocka_unit_test_setup_teardown(stopped_while_it_rests_it_stays_stopped, open_house, close_house),
        cmocka_unit_test_setup_teardown(closed_while_it_rests_it_closes_once, open_house, close_house),
    };
    loop_try();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
