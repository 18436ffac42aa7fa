/* SPDX-License-Identifier: PostgreSQL */
#include "base/shared_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 3, 4 } };

static void equal_texts_are_one(void **state)
{
    (void)state;
    struct shared_texts texts;
    shared_texts_init(&texts, &key);
    struct shared_text *first = shared_texts_take(&texts, bytes_text("till"));
    struct shared_text *again = shared_texts_take(&texts, bytes_text("till"));
    struct shared_text *other = shared_texts_take(&texts, bytes_text("tills"));
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    assert_string_equal(shared_text_string(first), "till");
    assert_true(bytes_equal_text(shared_text_bytes(other), "tills"));
    shared_texts_give(&texts, first);
    assert_string_equal(shared_text_string(again), "till");
    shared_texts_give(&texts, again);
    shared_texts_give(&texts, other);
    assert_int_equal(texts.table.count, 0);
    shared_texts_release(&texts);
}

static void a_text_may_be_empty_or_hold_a_nul(void **state)
{
    (void)state;
    struct shared_texts texts;
    shared_texts_init(&texts, &key);
    struct shared_text *empty = shared_texts_take(&texts, BYTES_NONE);
    struct shared_text *odd = shared_texts_take(&texts, bytes_of("a\0b", 3));
    assert_string_equal(shared_text_string(empty), "");
    assert_int_equal(shared_text_bytes(empty).size, 0);
    assert_true(bytes_equal(shared_text_bytes(odd), bytes_of("a\0b", 3)));
    shared_texts_give(&texts, empty);
    shared_texts_give(&texts, odd);
    shared_texts_give(&texts, NULL);
    assert_string_equal(shared_text_string(NULL), "");
    assert_int_equal(shared_text_bytes(NULL).size, 0);
    shared_texts_release(&texts);
}

static void many_come_and_go(void **state)
{
    (void)state;
    enum { TEXTS = 500 };
    struct shared_texts texts;
    struct shared_text *kept[TEXTS];
    char name[16];
    shared_texts_init(&texts, &key);
    for (int i = 0; i < TEXTS; i++) {
        (void)snprintf(name, sizeof(name), "user%d", i);
        kept[i] = shared_texts_take(&texts, bytes_text(name));
        assert_non_null(kept[i]);
    }
    for (int i = 0; i < TEXTS; i++) {
        (void)snprintf(name, sizeof(name), "user%d", i);
        assert_string_equal(shared_text_string(kept[i]), name);
        shared_texts_give(&texts, kept[i]);
    }
    assert_int_equal(texts.table.count, 0);
    shared_texts_release(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_are_one),
        cmocka_unit_test(a_text_may_be_empty_or_hold_a_nul),
        cmocka_unit_test(many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
