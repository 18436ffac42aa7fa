/* SPDX-License-Identifier: PostgreSQL */
#include "net/link.h"
#include "net/responder.h"
#include "unit/net/peer.h"

#include <stdio.h>
#include <sys/stat.h>

enum { ANSWER_MOST = 100000 };

/* An answerer that sends back what it gets: 'q' asks it to close, 'l' to answer when it is resumed, 'x' for
 * an answer that is too long, 'b' for the longest. */
struct echo {
    uv_loop_t loop;
    struct chunk chunk;
    struct responder *responder;
    struct address address;
    struct address last_peer;
    struct responder_connection *last;
    bool is_resumed;
    size_t open;
    size_t taken;
    bool is_closed;
    bool gives_way; /* the last makes room for the next */
};

static void *echo_create(void *context, const struct address *peer, struct responder_connection *connection)
{
    struct echo *echo = context;
    if (echo->is_closed)
        return NULL;
    echo->open++;
    echo->last_peer = *peer;
    echo->last = connection;
    return echo;
}

static enum answer echo_take(void *state, struct bytes *taken, struct buffer *out)
{
    static const uint8_t filling[ANSWER_MOST + 1] = { 0 };
    struct echo *echo = state;
    assert_int_equal(out->size, 0);
    if (taken->size > 0 && taken->data[0] == 'l' && !echo->is_resumed)
        return ANSWER_LATER;
    struct bytes bytes = bytes_take(taken, taken->size);
    echo->taken += bytes.size;
    if (bytes.size == 0)
        return ANSWER_MORE;
    if (bytes.data[0] == 'b')
        buffer_append(out, bytes_of(filling, ANSWER_MOST));
    else if (bytes.data[0] == 'x')
        buffer_append(out, bytes_of(filling, ANSWER_MOST + 1));
    else
        buffer_append(out, bytes);
    return bytes.data[0] == 'q' ? ANSWER_CLOSE : ANSWER_MORE;
}

static void echo_destroy(void *state)
{
    ((struct echo *)state)->open--;
}

static void echo_make_room(void *context)
{
    struct echo *echo = context;
    if (echo->gives_way)
        responder_drop(echo->last);
}

static struct answerer echo_answerer(struct echo *echo)
{
    return (struct answerer){
        .create = echo_create,
        .take = echo_take,
        .destroy = echo_destroy,
        .make_room = echo_make_room,
        .context = echo,
        .connections_most = 2,
        .answer_most = ANSWER_MOST,
    };
}

static struct echo *echo_open(struct address address)
{
    struct echo *echo = calloc(1, sizeof *echo);
    struct problem problem;
    assert_non_null(echo);
    loop_open(&echo->loop, &echo->chunk);
    const struct answerer answerer = echo_answerer(echo);
    if (address.family == ADDRESS_IPV4) {
        int reserved = peer_refusing(&address.port);
        (void)close(reserved);
    }
    echo->address = address;
    assert_true(responder_open(&echo->loop, &address, &answerer, &echo->chunk, &echo->responder, &problem));
    return echo;
}

static void echo_close(struct echo *echo)
{
    responder_close(echo->responder);
    loop_finish(&echo->loop);
    assert_int_equal(echo->open, 0);
    free(echo);
}

static void what_is_asked_is_answered(void **state)
{
    (void)state;
    char got[5];
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    for (int i = 0; i < 3; i++) {
        peer_send(&echo->loop, peer, "hello", 5);
        peer_read(&echo->loop, peer, got, sizeof got);
        assert_memory_equal(got, "hello", 5);
    }
    assert_int_equal(echo->last_peer.family, ADDRESS_IPV4);
    assert_int_equal(echo->last_peer.ip[0], 127);
    (void)close(peer);
    TURN_UNTIL(&echo->loop, echo->open == 0);
    echo_close(echo);
}

static void an_answer_that_comes_later_holds_what_came_meanwhile(void **state)
{
    (void)state;
    char got[11];
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    peer_send(&echo->loop, peer, "later", 5);
    peer_send(&echo->loop, peer, " comes", 6);
    turn_for(&echo->loop, 20);
    assert_int_equal(echo->taken, 0);
    echo->is_resumed = true;
    responder_resume(echo->last);
    peer_read(&echo->loop, peer, got, sizeof got);
    assert_memory_equal(got, "later comes", sizeof got);
    peer_send(&echo->loop, peer, "hello", 5);
    peer_read(&echo->loop, peer, got, 5);
    assert_memory_equal(got, "hello", 5);
    (void)close(peer);
    TURN_UNTIL(&echo->loop, echo->open == 0);
    echo_close(echo);
}

static void a_client_that_goes_before_its_answer_is_forgotten_at_once(void **state)
{
    (void)state;
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    peer_send(&echo->loop, peer, "later", 5);
    turn_for(&echo->loop, 20);
    assert_int_equal(echo->open, 1);
    (void)shutdown(peer, SHUT_WR);
    TURN_UNTIL(&echo->loop, echo->open == 0);
    (void)close(peer);
    echo_close(echo);
}

static void a_client_that_says_too_much_before_its_answer_is_not_read(void **state)
{
    (void)state;
    static const char words[65536] = "later";
    size_t sent = 0;
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    for (int i = 0; i < 2000; i++) {
        ssize_t size = send(peer, words, sizeof words, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += size > 0 ? (size_t)size : 0;
        turn_for(&echo->loop, 1);
    }
    assert_true(sent < 64U * 1024 * 1024);
    assert_int_equal(echo->open, 1);
    (void)close(peer);
    echo_close(echo);
}

static void the_answer_before_a_close_arrives(void **state)
{
    (void)state;
    char got[4];
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    peer_send(&echo->loop, peer, "quit", 4);
    peer_read(&echo->loop, peer, got, sizeof got);
    TURN_UNTIL(&echo->loop, peer_is_at_end(peer));
    assert_int_equal(echo->open, 0);
    peer_send(&echo->loop, peer, "more", 4);
    turn_for(&echo->loop, 10);
    assert_int_equal(echo->taken, 4);
    (void)close(peer);
    echo_close(echo);
}

static void an_answer_that_is_too_long_ends_the_connection(void **state)
{
    (void)state;
    char got[ANSWER_MOST];
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    peer_send(&echo->loop, peer, "b", 1);
    peer_read(&echo->loop, peer, got, ANSWER_MOST);
    peer_send(&echo->loop, peer, "x", 1);
    TURN_UNTIL(&echo->loop, peer_is_at_end(peer));
    assert_int_equal(echo->open, 0);
    (void)close(peer);
    echo_close(echo);
}

static void connections_beyond_the_bound_are_turned_away(void **state)
{
    (void)state;
    int peers[3];
    struct echo *echo = echo_open(local_address(0));
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        peers[i] = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, peer_is_at_end(peers[2]));
    assert_int_equal(echo->open, 2);
    (void)close(peers[0]);
    TURN_UNTIL(&echo->loop, echo->open == 1);
    int late = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, echo->open == 2);
    (void)close(late);
    (void)close(peers[1]);
    (void)close(peers[2]);
    echo_close(echo);
}

static void one_that_gives_way_leaves_its_place(void **state)
{
    (void)state;
    char got[2];
    int peers[3];
    struct echo *echo = echo_open(local_address(0));
    echo->gives_way = true;
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        peers[i] = peer_connect(&echo->address);
    peer_send(&echo->loop, peers[2], "hi", 2);
    peer_read(&echo->loop, peers[2], got, sizeof got);
    assert_true(peer_is_at_end(peers[1]));
    assert_int_equal(echo->open, 2);
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        (void)close(peers[i]);
    echo_close(echo);
}

static void those_that_do_not_leave_are_bounded_too(void **state)
{
    (void)state;
    char got[4];
    int peers[8];
    struct echo *echo = echo_open(local_address(0));
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        peers[i] = peer_connect(&echo->address);
        peer_send(&echo->loop, peers[i], "quit", 4);
        peer_read(&echo->loop, peers[i], got, sizeof got);
    }
    assert_int_equal(echo->open, 0);
    int late = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, peer_is_at_end(late));
    assert_int_equal(echo->open, 0);
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        (void)close(peers[i]);
    (void)close(late);
    echo_close(echo);
}

static void one_that_is_not_waited_for_can_be_asked_again(void **state)
{
    (void)state;
    char got[2];
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, echo->open == 1);
    responder_resume(echo->last);
    peer_send(&echo->loop, peer, "hi", 2);
    peer_read(&echo->loop, peer, got, sizeof got);
    assert_memory_equal(got, "hi", 2);
    (void)close(peer);
    echo_close(echo);
}

static void who_is_not_wanted_is_turned_away(void **state)
{
    (void)state;
    struct echo *echo = echo_open(local_address(0));
    echo->is_closed = true;
    int peer = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, peer_is_at_end(peer));
    (void)close(peer);
    echo_close(echo);
}

static void who_does_not_read_answers_is_not_read(void **state)
{
    (void)state;
    static const char questions[1000] = { 'b' };
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    peer_limit(peer, SO_RCVBUF);
    peer_limit(peer, SO_SNDBUF);
    uint64_t sent = 0;
    uint64_t begun = uv_hrtime();
    for (uint64_t last = begun; uv_hrtime() - last < UINT64_C(200000000); turn(&echo->loop, begun)) {
        ssize_t taken = send(peer, questions, sizeof questions, MSG_NOSIGNAL);
        if (taken > 0) {
            sent += (uint64_t)taken;
            last = uv_hrtime();
        }
    }
    size_t taken = echo->taken;
    assert_true(taken < sent);
    static char got[1024 * 1024];
    TURN_UNTIL(&echo->loop, (peer_take(peer, got, sizeof got), echo->taken == sent));
    (void)close(peer);
    echo_close(echo);
}

static void who_leaves_is_forgotten(void **state)
{
    (void)state;
    struct echo *echo = echo_open(local_address(0));
    int quiet = peer_connect(&echo->address);
    int rude = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, echo->open == 2);
    peer_reset(rude);
    TURN_UNTIL(&echo->loop, echo->open == 1);
    assert_int_equal(shutdown(quiet, SHUT_WR), 0);
    TURN_UNTIL(&echo->loop, peer_is_at_end(quiet));
    TURN_UNTIL(&echo->loop, echo->open == 0);
    (void)close(quiet);
    echo_close(echo);
}

static void closing_ends_all_connections(void **state)
{
    (void)state;
    struct echo *echo = echo_open(local_address(0));
    int peer = peer_connect(&echo->address);
    TURN_UNTIL(&echo->loop, echo->open == 1);
    echo_close(echo);
    assert_true(peer_is_at_end(peer));
    (void)close(peer);
}

static void a_unix_socket_is_for_its_owner_and_goes_away_with_the_responder(void **state)
{
    (void)state;
    char got[2];
    struct stat file;
    const struct address address = path_address();
    struct echo *echo = echo_open(address);
    assert_int_equal(stat(address.text, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    int peer = peer_connect(&address);
    peer_send(&echo->loop, peer, "hi", 2);
    peer_read(&echo->loop, peer, got, sizeof got);
    assert_int_equal(echo->last_peer.family, ADDRESS_UNIX);
    assert_string_equal(echo->last_peer.text, address.text);
    (void)close(peer);
    echo_close(echo);
    assert_int_equal(stat(address.text, &file), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_is_answered),
        cmocka_unit_test(an_answer_that_comes_later_holds_what_came_meanwhile),
        cmocka_unit_test(a_client_that_goes_before_its_answer_is_forgotten_at_once),
        cmocka_unit_test(a_client_that_says_too_much_before_its_answer_is_not_read),
        cmocka_unit_test(the_answer_before_a_close_arrives),
        cmocka_unit_test(an_answer_that_is_too_long_ends_the_connection),
        cmocka_unit_test(connections_beyond_the_bound_are_turned_away),
        cmocka_unit_test(one_that_gives_way_leaves_its_place),
        cmocka_unit_test(those_that_do_not_leave_are_bounded_too),
        cmocka_unit_test(one_that_is_not_waited_for_can_be_asked_again),
        cmocka_unit_test(who_is_not_wanted_is_turned_away),
        cmocka_unit_test(who_does_not_read_answers_is_not_read),
        cmocka_unit_test(who_leaves_is_forgotten),
        cmocka_unit_test(closing_ends_all_connections),
        cmocka_unit_test(a_unix_socket_is_for_its_owner_and_goes_away_with_the_responder),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, drop_path);
}
