/* SPDX-License-Identifier: PostgreSQL */
#include "net/poll_set_state.h"
#include "unit/net/peer.h"

#include <sys/epoll.h>

/* More links of a kind than there is room for, and few enough for one wait. */
enum { MEMBERS_MOST = 2 * WRITE_BATCH_MOST + 20, SAID_MOST = 256 * 1024 };

struct hub;

struct member {
    struct link link;
    int peer;
    bool has_ended;
    int error;
    int drains;
    int closings;
    size_t filled; /* bytes */
};

/* Links that are ready in one turn; what each of them does then. */
struct hub {
    uv_loop_t loop;
    struct chunk chunk;
    struct member members[MEMBERS_MOST];
    size_t count;
    void (*act)(struct hub *hub, struct member *member);
    void (*drained)(struct hub *hub, struct member *member); /* or NULL */
    size_t acted;
};

static uint8_t said[SAID_MOST];

static struct hub *hub_of(const struct link *link)
{
    return CONTAINER_OF(link->chunk, struct hub, chunk);
}

static struct member *member_of(struct link *link)
{
    return CONTAINER_OF(link, struct member, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct hub *hub = hub_of(link);
    assert_int_equal(bytes.size, 1);
    hub->acted++;
    hub->act(hub, member_of(link));
}

static void on_end(struct link *link, int error)
{
    member_of(link)->has_ended = true;
    member_of(link)->error = error;
}

static void on_drained(struct link *link)
{
    struct hub *hub = hub_of(link);
    member_of(link)->drains++;
    if (hub->drained != NULL)
        hub->drained(hub, member_of(link));
}

static void on_closed(struct link *link)
{
    member_of(link)->closings++;
}

static const struct link_events hub_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static struct hub *hub_create_over(void (*pair)(int ends[2]), size_t count,
                                   void (*act)(struct hub *, struct member *))
{
    struct hub *hub = calloc(1, sizeof *hub);
    assert_non_null(hub);
    loop_open(&hub->loop, &hub->chunk);
    hub->count = count;
    hub->act = act;
    for (size_t i = 0; i < count; i++) {
        int ends[2];
        struct member *member = &hub->members[i];
        pair(ends);
        member->peer = ends[1];
        link_init(&member->link, &hub->chunk, &hub_events);
        assert_int_equal(link_open(&member->link, ends[0]), 0);
        link_read_start(&member->link);
    }
    return hub;
}

static struct hub *hub_create(size_t count, void (*act)(struct hub *, struct member *))
{
    return hub_create_over(peer_pair, count, act);
}

static void hub_destroy(struct hub *hub)
{
    for (size_t i = 0; i < hub->count; i++)
        link_close(&hub->members[i].link);
    poll_set_turn(hub->chunk.poll_set);
    for (size_t i = 0; i < hub->count; i++) {
        assert_int_equal(hub->members[i].closings, 1);
        if (hub->members[i].peer >= 0)
            (void)close(hub->members[i].peer);
    }
    loop_finish(&hub->loop);
    free(hub);
}

static struct write_batch *batch_of(struct hub *hub)
{
    return &hub->chunk.poll_set->batch;
}

/* All members have something to read, and one turn finds all of them ready. */
static void hub_turn(struct hub *hub)
{
    for (size_t i = 0; i < hub->count; i++)
        assert_int_equal(send(hub->members[i].peer, "?", 1, 0), 1);
    hub->acted = 0;
    poll_set_turn(hub->chunk.poll_set);
    assert_int_equal(hub->acted, hub->count);
}

/* A turn in which the members themselves look at what becomes of what they do. */
static void hub_do(size_t count, void (*act)(struct hub *, struct member *))
{
    struct hub *hub = hub_create(count, act);
    hub_turn(hub);
    hub_destroy(hub);
}

/* How many bytes lie at the peer. */
static size_t lying(const struct member *member)
{
    static uint8_t seen[SAID_MOST];
    ssize_t size = recv(member->peer, seen, sizeof seen, MSG_PEEK | MSG_DONTWAIT);
    return size > 0 ? (size_t)size : 0;
}

static void say(struct member *member, size_t size)
{
    link_send(&member->link, bytes_of(said, size));
}

/* ── What is put off ───────────────────────────────────────────────────────────────────────────────────────
 */

static void say_little(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
    assert_int_equal(lying(member), 0);
}

static void what_several_have_to_say_is_said_at_the_end_of_the_turn(void **state)
{
    (void)state;
    struct hub *hub = hub_create(5, say_little);
    assert_true(batch_of(hub)->context != 0);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++)
        assert_int_equal(lying(&hub->members[i]), 10);
    hub_destroy(hub);
}

static void say_and_see(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
    assert_int_equal(lying(member), 10);
}

static void what_one_has_to_say_is_said_at_once(void **state)
{
    (void)state;
    hub_do(1, say_and_see);
}

static void without_the_kernels_help_all_is_said_at_once(void **state)
{
    (void)state;
    struct hub *hub = hub_create(5, say_and_see);
    write_batch_destroy(batch_of(hub));
    hub_turn(hub);
    hub_destroy(hub);
}

static void say_much(struct hub *hub, struct member *member)
{
    (void)hub;
    size_t before = lying(member);
    say(member, LINK_PIECE_ROOM + 1);
    assert_int_equal(lying(member), before + LINK_PIECE_ROOM + 1);
}

static void much_is_said_at_once(void **state)
{
    (void)state;
    hub_do(5, say_much);
}

static void say_little_and_much(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
    assert_int_equal(lying(member), 0);
    say(member, LINK_PIECE_ROOM + 1);
    assert_int_equal(lying(member), 10 + LINK_PIECE_ROOM + 1);
    say(member, 10);
}

static void much_behind_little_has_the_little_said_before_it(void **state)
{
    (void)state;
    struct hub *hub = hub_create(5, say_little_and_much);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++)
        assert_int_equal(lying(&hub->members[i]), 20 + LINK_PIECE_ROOM + 1);
    hub_destroy(hub);
}

static void say_often(struct hub *hub, struct member *member)
{
    (void)hub;
    for (unsigned i = 0; i < 5; i++)
        say(member, 300);
}

static void what_takes_several_pieces_is_said_in_order(void **state)
{
    (void)state;
    uint8_t heard[5 * 300];
    struct hub *hub = hub_create(5, say_often);
    for (size_t i = 0; i < sizeof said; i++)
        said[i] = (uint8_t)(i % 251);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), sizeof heard);
        for (size_t at = 0; at < sizeof heard; at += 300)
            assert_memory_equal(heard + at, said, 300);
    }
    hub_destroy(hub);
}

/* ── Many ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void say_a_word(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
}

static void more_than_there_is_room_for_are_all_said(void **state)
{
    (void)state;
    struct hub *hub = hub_create(MEMBERS_MOST, say_a_word);
    for (size_t turns = 1; turns <= 3; turns++) {
        hub_turn(hub);
        for (size_t i = 0; i < hub->count; i++)
            assert_int_equal(lying(&hub->members[i]), turns * 10);
    }
    hub_destroy(hub);
}

/* Each says something through all. */
static void say_for_all(struct hub *hub, struct member *member)
{
    (void)member;
    for (size_t i = 0; i < hub->count; i++)
        say(&hub->members[i], 1);
}

static void one_that_is_in_the_batch_is_not_put_in_again(void **state)
{
    (void)state;
    struct hub *hub = hub_create(MEMBERS_MOST, say_for_all);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        assert_int_equal(link_waiting(&hub->members[i].link), 0);
        TURN_UNTIL(&hub->loop, lying(&hub->members[i]) >= hub->count); /* the kernel may join small ones */
        assert_int_equal(lying(&hub->members[i]), hub->count);
    }
    hub_destroy(hub);
}

/* The kernel tells of the peers in the order in which they had something to read. */
static void servers_come_first(void **state)
{
    (void)state;
    struct epoll_event ready[6];
    struct hub *hub = hub_create(6, say_a_word);
    int order = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < hub->count; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };
        hub->members[i].link.is_of_server = i % 2 == 1;
        assert_int_equal(epoll_ctl(order, EPOLL_CTL_ADD, hub->members[i].peer, &event), 0);
    }
    hub_turn(hub);
    assert_int_equal(epoll_wait(order, ready, 6, 0), 6);
    for (size_t i = 0; i < hub->count; i++)
        assert_int_equal(ready[i].data.u64, i < 3 ? 2 * i + 1 : 2 * (i - 3));
    (void)close(order);
    hub_destroy(hub);
}

/* ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────
 */

static void say_and_close(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
    link_close(&member->link);
}

static void one_that_is_closed_says_what_it_had_to_say(void **state)
{
    (void)state;
    uint8_t heard[20];
    struct hub *hub = hub_create(3, say_and_close);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        assert_int_equal(hub->members[i].closings, 1);
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 10);
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 0);
    }
    hub_destroy(hub);
}

static void say_and_shut(struct hub *hub, struct member *member)
{
    say_a_word(hub, member);
    link_shutdown(&member->link);
}

static void the_end_comes_behind_what_was_put_off(void **state)
{
    (void)state;
    uint8_t heard[20];
    struct hub *hub = hub_create(3, say_and_shut);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 10);
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 0);
    }
    hub_destroy(hub);
}

/* Of which the kernel takes nothing more, once it is full, until the peer has read. */
static void unix_pair(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

/* Writes as much as the socket takes, behind the link's back; returns how much that is. */
static size_t fill_socket(const struct member *member)
{
    size_t filled = 0;
    ssize_t size;
    while ((size = send(member->link.socket.poll.descriptor, said, 1000, MSG_DONTWAIT)) > 0)
        filled += (size_t)size;
    assert_int_equal(errno, EAGAIN);
    return filled;
}

/* What the peer hears until it has so much. */
static void hear(struct hub *hub, struct member *member, size_t expected)
{
    static uint8_t heard[SAID_MOST];
    size_t got = 0;
    while (got < expected) {
        ssize_t size = peer_take(member->peer, heard, sizeof heard);
        got += size > 0 ? (size_t)size : 0;
        poll_set_turn(hub->chunk.poll_set);
    }
    assert_int_equal(got, expected);
    assert_int_equal(lying(member), 0);
}

static void fill_and_say(struct hub *hub, struct member *member)
{
    member->filled = fill_socket(member);
    say_a_word(hub, member);
}

static void what_finds_no_room_is_said_when_there_is_some(void **state)
{
    (void)state;
    struct hub *hub = hub_create_over(unix_pair, 3, fill_and_say);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        struct member *member = &hub->members[i];
        assert_int_equal(link_waiting(&member->link), 10);
        assert_true(member->link.socket.poll.waits_for_room);
        hear(hub, member, member->filled + 10);
        assert_int_equal(link_waiting(&member->link), 0);
    }
    hub_destroy(hub);
}

/* The owner was told not to bring more, and then all was said at once before something long. */
static void say_when_full(struct hub *hub, struct member *member)
{
    (void)hub;
    say(member, 10);
    member->link.is_full = true;
    say(member, LINK_PIECE_ROOM + 1);
    assert_int_equal(link_waiting(&member->link), 0);
    assert_int_equal(member->drains, 0);
}

static void one_that_has_said_all_before_the_end_of_the_turn_has_room_again(void **state)
{
    (void)state;
    struct hub *hub = hub_create(3, say_when_full);
    hub_turn(hub);
    for (size_t i = 0; i < hub->count; i++) {
        assert_false(hub->members[i].link.is_full);
        assert_int_equal(hub->members[i].drains, 1);
    }
    hub_destroy(hub);
}

/* The first is written in the call, the others behind it: they take several pieces. */
static void say_in_pieces(struct hub *hub, struct member *member)
{
    if (member == &hub->members[0]) {
        say(member, 10);
        member->link.is_full = true;
    } else {
        say_often(hub, member);
    }
}

static void close_others(struct hub *hub, struct member *member)
{
    assert_ptr_equal(member, &hub->members[0]);
    for (size_t i = 1; i < hub->count; i++)
        link_close(&hub->members[i].link);
}

static void one_that_is_closed_while_others_are_told_says_what_it_had_to_say(void **state)
{
    (void)state;
    uint8_t heard[2000];
    struct hub *hub = hub_create(3, say_in_pieces);
    hub->drained = close_others;
    hub_turn(hub);
    assert_int_equal(hub->members[0].drains, 1);
    for (size_t i = 1; i < hub->count; i++) {
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 5 * 300);
        assert_int_equal(recv(hub->members[i].peer, heard, sizeof heard, MSG_DONTWAIT), 0);
    }
    hub_destroy(hub);
}

/* The kernel ends the call at the second, whose socket it does not know. */
static void say_without_a_socket(struct hub *hub, struct member *member)
{
    if (member == &hub->members[1])
        (void)close(member->link.socket.poll.descriptor);
    say(member, 10);
}

static void what_the_kernel_leaves_of_a_call_is_written_by_itself(void **state)
{
    (void)state;
    struct hub *hub = hub_create(5, say_without_a_socket);
    hub_turn(hub);
    assert_int_equal(hub->members[1].link.failure, UV_EBADF);
    for (size_t i = 0; i < hub->count; i++)
        assert_int_equal(lying(&hub->members[i]), i == 1 ? 0 : 10);
    hub_destroy(hub);
}

/* The peer is gone, with something unread, so that nothing can be written to it. */
static void lose_peer(struct hub *hub, struct member *member)
{
    if (member == &hub->members[1]) {
        assert_int_equal(send(member->link.socket.poll.descriptor, "unread", 6, 0), 6);
        (void)close(member->peer);
        member->peer = -1;
    }
    say(member, 10);
}

static void a_write_that_fails_is_told_of_and_harms_no_other(void **state)
{
    (void)state;
    struct hub *hub = hub_create(3, lose_peer);
    hub_turn(hub);
    for (unsigned turns = 0; turns < 3; turns++)
        poll_set_turn(hub->chunk.poll_set);
    assert_true(hub->members[1].has_ended);
    assert_true(hub->members[1].error < 0);
    for (size_t i = 0; i < hub->count; i += 2) {
        assert_false(hub->members[i].has_ended);
        assert_int_equal(lying(&hub->members[i]), 10);
    }
    hub_destroy(hub);
}

static void lose_peer_and_say(struct hub *hub, struct member *member)
{
    lose_peer(hub, member);
    say(member, LINK_PIECE_ROOM + 1);
}

static void the_first_error_is_the_one_that_is_told(void **state)
{
    (void)state;
    struct hub *hub = hub_create(3, lose_peer_and_say);
    hub_turn(hub);
    assert_int_equal(hub->members[1].link.failure, UV_ECONNRESET);
    hub_destroy(hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_several_have_to_say_is_said_at_the_end_of_the_turn),
        cmocka_unit_test(what_one_has_to_say_is_said_at_once),
        cmocka_unit_test(without_the_kernels_help_all_is_said_at_once),
        cmocka_unit_test(much_is_said_at_once),
        cmocka_unit_test(much_behind_little_has_the_little_said_before_it),
        cmocka_unit_test(what_takes_several_pieces_is_said_in_order),
        cmocka_unit_test(more_than_there_is_room_for_are_all_said),
        cmocka_unit_test(one_that_is_in_the_batch_is_not_put_in_again),
        cmocka_unit_test(servers_come_first),
        cmocka_unit_test(one_that_is_closed_says_what_it_had_to_say),
        cmocka_unit_test(the_end_comes_behind_what_was_put_off),
        cmocka_unit_test(what_finds_no_room_is_said_when_there_is_some),
        cmocka_unit_test(one_that_has_said_all_before_the_end_of_the_turn_has_room_again),
        cmocka_unit_test(one_that_is_closed_while_others_are_told_says_what_it_had_to_say),
        cmocka_unit_test(what_the_kernel_leaves_of_a_call_is_written_by_itself),
        cmocka_unit_test(a_write_that_fails_is_told_of_and_harms_no_other),
        cmocka_unit_test(the_first_error_is_the_one_that_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
