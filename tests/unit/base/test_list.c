/* SPDX-License-Identifier: PostgreSQL */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct entry {
    int number;
    struct list node;
};

static void entries_come_in_the_order_they_were_appended(void **state)
{
    (void)state;
    struct list head;
    struct entry entries[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
    int expected = 0;
    list_init(&head);
    assert_true(list_is_empty(&head));
    for (int i = 0; i < 3; i++)
        list_append(&head, &entries[i].node);
    assert_false(list_is_empty(&head));
    LIST_EACH(node, &head)
    assert_int_equal(CONTAINER_OF(node, struct entry, node)->number, expected++);
    assert_int_equal(expected, 3);
}

static void a_removed_node_is_in_no_list_and_may_be_removed_again(void **state)
{
    (void)state;
    struct list head;
    struct entry first = { .number = 1 }, second = { .number = 2 };
    list_init(&head);
    list_append(&head, &first.node);
    list_append(&head, &second.node);
    list_remove(&first.node);
    list_remove(&first.node);
    assert_ptr_equal(head.next, &second.node);
    assert_ptr_equal(head.previous, &second.node);
    assert_true(list_is_empty(&first.node));
    list_remove(&second.node);
    assert_true(list_is_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_the_order_they_were_appended),
        cmocka_unit_test(a_removed_node_is_in_no_list_and_may_be_removed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
