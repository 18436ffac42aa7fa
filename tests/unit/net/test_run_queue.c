/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "net/link.h"
#include "net/run_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { LINKS = 64 };

struct probe {
    struct run_queue queue;
    struct link links[LINKS]; /* every third is of a server */
};

static void probe_init(struct probe *probe, size_t room)
{
    *probe = (struct probe){ .queue.room = 0 };
    for (size_t index = 0; index < LINKS; index++)
        probe->links[index].is_of_server = index % 3 == 0;
    assert_true(run_queue_make_room(&probe->queue, room));
}

static void expect_next(struct probe *probe, int number)
{
    const struct link *next = run_queue_next(&probe->queue);
    assert_ptr_equal(next, number < 0 ? NULL : &probe->links[number]);
    if (next != NULL)
        assert_false(next->socket.ring.is_listed);
}

static void add(struct probe *probe, size_t first, size_t end)
{
    for (size_t index = first; index < end; index++)
        run_queue_add(&probe->queue, &probe->links[index]);
}

static void servers_come_first_and_each_in_its_order(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe, 8);
    expect_next(&probe, -1);
    add(&probe, 1, 8);
    static const int order[] = { 3, 6, 1, 2, 4, 5, 7, -1, -1 };
    for (size_t at = 0; at < COUNT_OF(order); at++)
        expect_next(&probe, order[at]);
    run_queue_free(&probe.queue);
}

static void a_link_is_in_it_once(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe, 4);
    add(&probe, 1, 3);
    add(&probe, 1, 3);
    expect_next(&probe, 1);
    add(&probe, 1, 2); /* again, since it is out */
    expect_next(&probe, 2);
    expect_next(&probe, 1);
    expect_next(&probe, -1);
    run_queue_free(&probe.queue);
}

/* Has both circles begin at this place. */
static void turn_circles(struct probe *probe, size_t begin)
{
    for (size_t index = 0; index < begin; index++) {
        add(probe, 0, 2); /* a server and another */
        expect_next(probe, 0);
        expect_next(probe, 1);
    }
}

/* Those of a kind from one number to before another. */
static void add_of_kind(struct probe *probe, bool is_of_server, size_t from, size_t end)
{
    size_t number = 0;
    for (size_t index = 0; index < LINKS; index++) {
        if (probe->links[index].is_of_server != is_of_server)
            continue;
        if (number >= from && number < end)
            run_queue_add(&probe->queue, &probe->links[index]);
        number++;
    }
}

static void expect_of_kind(struct probe *probe, bool is_of_server, size_t count)
{
    for (int index = 0; count > 0; index++) {
        if (probe->links[index].is_of_server != is_of_server)
            continue;
        expect_next(probe, index);
        count--;
    }
}

static void grow_with(size_t room, size_t begin, size_t servers, size_t others)
{
    struct probe probe;
    probe_init(&probe, room);
    turn_circles(&probe, begin);
    add_of_kind(&probe, true, 0, servers);
    add_of_kind(&probe, false, 0, others);
    assert_true(run_queue_make_room(&probe.queue, 2 * room));
    add_of_kind(&probe, true, servers, 2 * room);
    add_of_kind(&probe, false, others, 2 * room);
    expect_of_kind(&probe, true, 2 * room);
    expect_of_kind(&probe, false, 2 * room);
    expect_next(&probe, -1);
    run_queue_free(&probe.queue);
}

/* Every place where the circles may begin, and every number of links in each. */
static void what_grows_while_it_goes_around_keeps_its_order(void **state)
{
    enum { ROOM = 8 };
    (void)state;
    for (size_t begin = 0; begin < ROOM; begin++) {
        for (size_t servers = 0; servers <= ROOM; servers++) {
            for (size_t others = 0; others <= ROOM; others++)
                grow_with(ROOM, begin, servers, others);
        }
    }
}

static void without_memory_nothing_is_lost(void **state)
{
    struct probe probe;
    (void)state;
    probe_init(&probe, 4);
    add(&probe, 1, 2);
    expect_next(&probe, 1);
    add(&probe, 0, 4); /* goes around */
    assert_false(run_queue_make_room(&probe.queue, SIZE_MAX / sizeof(struct link *) / 2 + 1));
    static const int order[] = { 0, 3, 1, 2, -1 };
    for (size_t at = 0; at < COUNT_OF(order); at++)
        expect_next(&probe, order[at]);
    run_queue_free(&probe.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_come_first_and_each_in_its_order),
        cmocka_unit_test(a_link_is_in_it_once),
        cmocka_unit_test(what_grows_while_it_goes_around_keeps_its_order),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
