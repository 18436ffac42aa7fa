/* SPDX-License-Identifier: PostgreSQL */
#include "base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct record {
    uint64_t number;
    uint64_t inverse;
};

static bool put(struct ring *ring, uint64_t number)
{
    struct record *record = ring_reserve(ring);
    if (record == NULL)
        return false;
    *record = (struct record){ number, ~number };
    ring_publish(ring);
    return true;
}

static bool take(struct ring *ring, uint64_t expected)
{
    const struct record *record = ring_peek(ring);
    if (record == NULL)
        return false;
    assert_true(record->number == expected);
    assert_true(record->inverse == ~expected);
    ring_discard(ring);
    return true;
}

static void capacities_are_rounded_up_to_powers_of_two(void **state)
{
    (void)state;
    const size_t wanted[][2] = { { 0, 1 }, { 1, 1 }, { 2, 2 }, { 3, 4 }, { 5, 8 }, { 64, 64 }, { 65, 128 } };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        struct ring ring;
        assert_true(ring_init(&ring, sizeof(struct record), wanted[i][0]));
        assert_int_equal(ring.capacity, wanted[i][1]);
        ring_release(&ring);
    }
}

static void a_ring_too_large_for_memory_is_refused(void **state)
{
    (void)state;
    struct ring ring;
    assert_false(ring_init(&ring, sizeof(struct record), SIZE_MAX / 2));
    assert_false(ring_init(&ring, sizeof(struct record), SIZE_MAX));
    ring_release(&ring);
}

static void a_full_ring_takes_no_more_until_a_record_is_discarded(void **state)
{
    (void)state;
    struct ring ring;
    assert_true(ring_init(&ring, sizeof(struct record), 4));
    for (uint64_t i = 0; i < 4; i++)
        assert_true(put(&ring, i));
    assert_false(put(&ring, 99));
    assert_true(take(&ring, 0));
    assert_true(put(&ring, 4));
    assert_false(put(&ring, 99));
    for (uint64_t i = 1; i <= 4; i++)
        assert_true(take(&ring, i));
    assert_null(ring_peek(&ring));
    ring_release(&ring);
    ring_release(&ring); /* a second time does no harm */
}

static void a_reserved_record_is_invisible_until_it_is_published(void **state)
{
    (void)state;
    struct ring ring;
    assert_true(ring_init(&ring, sizeof(struct record), 2));
    struct record *record = ring_reserve(&ring);
    assert_null(ring_peek(&ring));
    assert_ptr_equal(ring_reserve(&ring), record);
    ring_publish(&ring);
    assert_ptr_equal(ring_peek(&ring), record);
    assert_ptr_equal(ring_peek(&ring), record);
    ring_release(&ring);
}

static void order_is_kept_through_many_turns_at_every_fill(void **state)
{
    (void)state;
    struct ring ring;
    uint64_t written = 0, read = 0;
    assert_true(ring_init(&ring, sizeof(struct record), 8));
    for (unsigned turn = 0; turn < 1000; turn++) {
        for (unsigned i = 0; i < turn % 9; i++)
            assert_true(put(&ring, written++));
        while (read < written)
            assert_true(take(&ring, read++));
        assert_null(ring_peek(&ring));
    }
    ring_release(&ring);
}

static void counters_may_wrap_around(void **state)
{
    (void)state;
    struct ring ring;
    assert_true(ring_init(&ring, sizeof(struct record), 4));
    atomic_store(&ring.written, SIZE_MAX - 1);
    atomic_store(&ring.read, SIZE_MAX - 1);
    for (uint64_t i = 0; i < 4; i++)
        assert_true(put(&ring, i));
    assert_false(put(&ring, 99));
    for (uint64_t i = 0; i < 4; i++)
        assert_true(take(&ring, i));
    assert_null(ring_peek(&ring));
    ring_release(&ring);
}

enum { RECORDS_SENT = 200000 };

static void *produce(void *argument)
{
    for (uint64_t i = 0; i < RECORDS_SENT; i++) {
        while (!put(argument, i))
            sched_yield();
    }
    return NULL;
}

static void two_threads_see_every_record_once_and_in_order(void **state)
{
    (void)state;
    struct ring ring;
    pthread_t producer;
    assert_true(ring_init(&ring, sizeof(struct record), 64));
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    for (uint64_t i = 0; i < RECORDS_SENT; i++) {
        while (!take(&ring, i))
            sched_yield();
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_null(ring_peek(&ring));
    ring_release(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacities_are_rounded_up_to_powers_of_two),
        cmocka_unit_test(a_ring_too_large_for_memory_is_refused),
        cmocka_unit_test(a_full_ring_takes_no_more_until_a_record_is_discarded),
        cmocka_unit_test(a_reserved_record_is_invisible_until_it_is_published),
        cmocka_unit_test(order_is_kept_through_many_turns_at_every_fill),
        cmocka_unit_test(counters_may_wrap_around),
        cmocka_unit_test(two_threads_see_every_record_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
