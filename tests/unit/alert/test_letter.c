/* SPDX-License-Identifier: PostgreSQL */
#include "alert/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static struct letter *letter(uint64_t number)
{
    static const struct incident_note empty;
    struct incident_note note = empty;
    note.incident.number = number;
    struct letter *made = letter_create(&note, bytes_text("{}"), 5);
    assert_non_null(made);
    return made;
}

static void assert_next(struct letter_queue *queue, uint64_t number)
{
    struct letter *next = letter_queue_take(queue);
    assert_non_null(next);
    assert_int_equal(next->incident, number);
    free(next);
}

static void letters_come_in_the_order_in_which_they_were_posted(void **state)
{
    (void)state;
    struct letter_queue queue;
    letter_queue_init(&queue, 3);
    assert_true(letter_queue_due(&queue) == INT64_MAX);
    letter_queue_add(&queue, letter(1));
    letter_queue_add(&queue, letter(2));
    assert_true(letter_queue_due(&queue) == 5);
    assert_next(&queue, 1);
    assert_next(&queue, 2);
    assert_null(letter_queue_take(&queue));
    assert_int_equal(queue.count, 0);
}

static void one_that_is_tried_again_stays_the_oldest(void **state)
{
    (void)state;
    struct letter_queue queue;
    letter_queue_init(&queue, 3);
    letter_queue_add(&queue, letter(1));
    letter_queue_add(&queue, letter(2));
    struct letter *first = letter_queue_take(&queue);
    first->due_us = 77;
    letter_queue_return(&queue, first);
    assert_true(letter_queue_due(&queue) == 77);
    assert_next(&queue, 1);
    assert_next(&queue, 2);
    assert_int_equal(queue.lost, 0);
}

static void the_oldest_is_lost_where_there_is_no_room(void **state)
{
    (void)state;
    struct letter_queue queue;
    letter_queue_init(&queue, 2);
    for (uint64_t number = 1; number <= 3; number++)
        letter_queue_add(&queue, letter(number));
    assert_int_equal(queue.lost, 1);
    assert_int_equal(queue.count, 2);
    struct letter *second = letter_queue_take(&queue);
    assert_int_equal(second->incident, 2);
    letter_queue_add(&queue, letter(4));
    letter_queue_return(&queue, second);
    assert_int_equal(queue.lost, 2);
    assert_next(&queue, 3);
    assert_int_equal(letter_queue_release(&queue), 1);
}

static void waits_double_up_to_five_minutes_and_are_spread(void **state)
{
    (void)state;
    assert_true(letter_wait_us(1, 0) == SECOND / 2);
    assert_true(letter_wait_us(1, SECOND / 2) == SECOND);
    assert_true(letter_wait_us(2, SECOND) == 2 * SECOND);
    assert_true(letter_wait_us(3, 2 * SECOND) == 4 * SECOND);
    for (uint32_t attempts = 10; attempts < 100; attempts += 7) {
        assert_true(letter_wait_us(attempts, 0) == 150 * SECOND);
        assert_true(letter_wait_us(attempts, 150 * SECOND) == 300 * SECOND);
    }
    for (uint64_t random = 1; random < UINT64_MAX / 3; random *= 3)
        assert_in_range(letter_wait_us(3, random), 2 * SECOND, 4 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_come_in_the_order_in_which_they_were_posted),
        cmocka_unit_test(one_that_is_tried_again_stays_the_oldest),
        cmocka_unit_test(the_oldest_is_lost_where_there_is_no_room),
        cmocka_unit_test(waits_double_up_to_five_minutes_and_are_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
