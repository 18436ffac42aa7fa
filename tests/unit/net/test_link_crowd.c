/* SPDX-License-Identifier: PostgreSQL */
/* More links than a ring has room for what comes of them at once. */
#include "net/link.h"
#include "net/uring.h"
#include "unit/net/peer.h"

#include <sys/resource.h>

enum { LINKS = URING_COMPLETIONS + 504, DESCRIPTORS = 2 * LINKS + 100, PER_LINK = 16 * 1024 };

struct member {
    struct link link;
    int peer;
    size_t got;   /* bytes that the link was told of */
    size_t taken; /* bytes that its peer took */
    int closings;
};

struct crowd {
    uv_loop_t loop;
    struct chunk chunk;
    struct member members[LINKS];
    size_t arrived; /* members that were told of all */
    size_t served;  /* members whose peer has all */
    size_t closed;
};

static struct crowd *crowd_of(struct link *link)
{
    return CONTAINER_OF(link->chunk, struct crowd, chunk);
}

static struct member *member_of(struct link *link)
{
    return CONTAINER_OF(link, struct member, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct member *member = member_of(link);
    member->got += bytes.size;
    assert_int_equal(member->got, 1);
    assert_int_equal(bytes.data[0], (uint8_t)(member - crowd_of(link)->members));
    crowd_of(link)->arrived++;
}

static void on_end(struct link *link, int error)
{
    (void)link;
    fail_msg("a link ended: %s", error == 0 ? "the peer's end" : uv_strerror(error));
}

static void on_drained(struct link *link)
{
    (void)link;
}

static void on_closed(struct link *link)
{
    member_of(link)->closings++;
    crowd_of(link)->closed++;
}

static const struct link_events crowd_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static void member_open(struct crowd *crowd, struct member *member)
{
    static const int least = 1; /* the kernel makes it its own least */
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    member->peer = ends[1];
    link_init(&member->link, &crowd->chunk, &crowd_events);
    assert_int_equal(link_open(&member->link, ends[0]), 0);
    link_read_start(&member->link);
}

static void member_take(struct crowd *crowd, struct member *member)
{
    static uint8_t nowhere[PER_LINK];
    if (member->taken == PER_LINK)
        return;
    ssize_t taken = peer_take(member->peer, nowhere, sizeof nowhere);
    assert_true(taken > 0 || (taken < 0 && errno == EAGAIN));
    member->taken += taken > 0 ? (size_t)taken : 0;
    assert_true(member->taken <= PER_LINK);
    crowd->served += member->taken == PER_LINK;
}

static bool all_is_taken(struct crowd *crowd)
{
    for (size_t index = 0; index < LINKS; index++)
        member_take(crowd, &crowd->members[index]);
    return crowd->served == LINKS;
}

static struct crowd *crowd_create(void)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    loop_open(&crowd->loop, &crowd->chunk);
    for (size_t index = 0; index < LINKS; index++)
        member_open(crowd, &crowd->members[index]);
    return crowd;
}

static void crowd_destroy(struct crowd *crowd)
{
    for (size_t index = 0; index < LINKS; index++)
        link_close(&crowd->members[index].link);
    TURN_UNTIL(&crowd->loop, crowd->closed >= LINKS);
    for (size_t index = 0; index < LINKS; index++) {
        assert_int_equal(crowd->members[index].closings, 1);
        (void)close(crowd->members[index].peer);
    }
    loop_finish(&crowd->loop);
    free(crowd);
}

/* More than the sockets take at once: the kernel tells of each write that it did not do it all. */
static void answer_all(struct crowd *crowd)
{
    static const uint8_t answer[PER_LINK] = { 'a' };
    for (size_t index = 0; index < LINKS; index++)
        link_send(&crowd->members[index].link, bytes_of(answer, sizeof answer));
    TURN_UNTIL(&crowd->loop, all_is_taken(crowd));
    for (size_t index = 0; index < LINKS; index++)
        assert_int_equal(link_waiting(&crowd->members[index].link), 0);
}

static void what_comes_of_all_at_once_is_told_once_and_all_is_written(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < DESCRIPTORS) {
        print_message("%d descriptors are needed\n", (int)DESCRIPTORS);
        exit(NOT_HERE);
    }
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct crowd *crowd = crowd_create();
    for (int turns = 0; turns < 3; turns++)
        loop_turn(&crowd->loop); /* until all receive */
    for (size_t index = 0; index < LINKS; index++) {
        const uint8_t byte = (uint8_t)index;
        assert_int_equal(send(crowd->members[index].peer, &byte, 1, 0), 1);
    }
    TURN_UNTIL(&crowd->loop, crowd->arrived == LINKS);
    answer_all(crowd);
    crowd_destroy(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_of_all_at_once_is_told_once_and_all_is_written),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
