/* SPDX-License-Identifier: PostgreSQL */
#include "base/slab.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { THINGS = 1000, THING_SIZE = 100 };

static void fill(void *thing, int number)
{
    memset(thing, number & 0xff, THING_SIZE);
}

static void check(const void *thing, int number)
{
    const uint8_t *bytes = thing;
    for (size_t i = 0; i < THING_SIZE; i++)
        assert_int_equal(bytes[i], number & 0xff);
}

static void things_do_not_touch_each_other(void **state)
{
    (void)state;
    struct slab slab;
    void *things[THINGS];
    slab_init(&slab, THING_SIZE);
    for (int i = 0; i < THINGS; i++) {
        things[i] = slab_take(&slab);
        assert_non_null(things[i]);
        assert_int_equal((uintptr_t)things[i] % alignof(uint64_t), 0);
        fill(things[i], i);
    }
    for (int i = 0; i < THINGS; i++)
        check(things[i], i);
    for (int i = 0; i < THINGS; i++)
        slab_give(&slab, things[i]);
    slab_release(&slab);
}

static void what_is_given_back_is_taken_again(void **state)
{
    (void)state;
    struct slab slab;
    void *things[THINGS];
    uint32_t random = 1;
    slab_init(&slab, THING_SIZE);
    memset(things, 0, sizeof(things));
    for (int round = 0; round < 20 * THINGS; round++) {
        random = random * 1664525 + 1013904223;
        int i = (int)(random >> 8) % THINGS;
        if (things[i] != NULL) {
            check(things[i], i);
            slab_give(&slab, things[i]);
            things[i] = NULL;
        } else {
            things[i] = slab_take_zeroed(&slab);
            check(things[i], 0);
            fill(things[i], i);
        }
    }
    for (int i = 0; i < THINGS; i++)
        slab_give(&slab, things[i]);
    slab_release(&slab);
}

static size_t block_count(const struct slab *slab)
{
    size_t count = 0;
    LIST_EACH(node, &slab->open)
    count++;
    LIST_EACH(node, &slab->full)
    count++;
    return count;
}

static void empty_blocks_are_given_back_but_for_one(void **state)
{
    (void)state;
    struct slab slab;
    void *things[THINGS];
    slab_init(&slab, THING_SIZE);
    for (int i = 0; i < THINGS; i++)
        things[i] = slab_take(&slab);
    size_t most = block_count(&slab);
    for (int i = 0; i < THINGS; i++)
        slab_give(&slab, things[i]);
    /* what is spare may hold a block each */
    assert_true(block_count(&slab) <= 2);
    assert_true(SLAB_IS_WATCHED || most * (SLAB_BLOCK_SIZE / THING_SIZE) >= THINGS);
    slab_release(&slab);
    assert_int_equal(block_count(&slab), 0);
}

static void a_thing_may_be_as_large_as_is_said(void **state)
{
    (void)state;
    struct slab slab;
    void *things[8];
    slab_init(&slab, SLAB_THING_MOST);
    for (size_t i = 0; i < COUNT_OF(things); i++) {
        things[i] = slab_take(&slab);
        memset(things[i], 0xaa, SLAB_THING_MOST);
    }
    for (size_t i = 0; i < COUNT_OF(things); i++)
        slab_give(&slab, things[i]);
    slab_give(&slab, NULL);
    slab_release(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_do_not_touch_each_other),
        cmocka_unit_test(what_is_given_back_is_taken_again),
        cmocka_unit_test(empty_blocks_are_given_back_but_for_one),
        cmocka_unit_test(a_thing_may_be_as_large_as_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
