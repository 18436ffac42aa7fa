/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void taking_cuts_the_front_and_leaves_the_rest(void **state)
{
    (void)state;
    struct bytes rest = bytes_text("abcdef");
    struct bytes front = bytes_take(&rest, 2);
    assert_true(bytes_equal_text(front, "ab"));
    assert_true(bytes_equal_text(rest, "cdef"));
    front = bytes_take(&rest, 4);
    assert_true(bytes_equal_text(front, "cdef"));
    assert_int_equal(rest.size, 0);
}

static void nothing_can_be_taken_from_no_bytes(void **state)
{
    (void)state;
    struct bytes rest = BYTES_NONE;
    assert_int_equal(bytes_take(&rest, 0).size, 0);
    assert_null(rest.data);
}

static void equality_looks_at_every_byte_and_the_size(void **state)
{
    (void)state;
    assert_true(bytes_equal(BYTES_NONE, bytes_text("")));
    assert_true(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0b", 3)));
    assert_false(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
    assert_false(bytes_equal_text(bytes_text("ab"), "abc"));
    assert_false(bytes_equal_text(bytes_text("abc"), "ab"));
}

static void folding_ignores_the_case_of_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(bytes_equal_folded(bytes_text("SeLeCt"), "sElEcT"));
    assert_true(bytes_equal_folded(bytes_text("AZaz09"), "azAZ09"));
    assert_true(bytes_equal_folded(BYTES_NONE, ""));
    assert_false(bytes_equal_folded(bytes_text("@["), "`{"));
    assert_false(bytes_equal_folded(bytes_text("\xc3\x84"), "\xc3\xa4"));
    assert_false(bytes_equal_folded(bytes_text("select"), "selec"));
    assert_false(bytes_equal_folded(bytes_text("select"), "selecT "));
    assert_false(bytes_equal_folded(bytes_text("selecta"), "selectb"));
}

static void a_prefix_is_found_at_the_start_only(void **state)
{
    (void)state;
    assert_true(bytes_start_with(bytes_text("pq-user"), "pq-"));
    assert_true(bytes_start_with(bytes_text("pq-"), "pq-"));
    assert_true(bytes_start_with(BYTES_NONE, ""));
    assert_false(bytes_start_with(bytes_text("pq"), "pq-"));
    assert_false(bytes_start_with(bytes_text("xpq-"), "pq-"));
}

static void finding_gives_the_first_place_or_the_size(void **state)
{
    (void)state;
    assert_int_equal(bytes_find(bytes_text("a.b.c"), '.'), 1);
    assert_int_equal(bytes_find(bytes_text("a.b.c"), 'a'), 0);
    assert_int_equal(bytes_find(bytes_text("a.b.c"), 'z'), 5);
    assert_int_equal(bytes_find(BYTES_NONE, 'z'), 0);
    assert_int_equal(bytes_find(bytes_of("ab\0", 3), 0), 2);
}

static void copying_cuts_at_every_capacity_and_ends_with_nul(void **state)
{
    (void)state;
    const char *whole = "abcdef";
    for (size_t capacity = 1; capacity <= 9; capacity++) {
        char *field = malloc(capacity); /* its own allocation, so that a sanitizer sees one byte too many */
        bool has_fitted = bytes_copy_text(bytes_text(whole), field, capacity);
        assert_int_equal(has_fitted, capacity > 6);
        assert_int_equal(strlen(field), has_fitted ? 6 : capacity - 1);
        assert_memory_equal(field, whole, strlen(field));
        free(field);
    }
}

static void copying_no_bytes_gives_an_empty_text(void **state)
{
    (void)state;
    char field[1] = { 'x' };
    assert_true(bytes_copy_text(BYTES_NONE, field, 1));
    assert_int_equal(field[0], '\0');
}

static void secrets_are_equal_only_when_every_byte_is(void **state)
{
    (void)state;
    assert_true(bytes_equal_secret(BYTES_NONE, bytes_text("")));
    assert_true(bytes_equal_secret(bytes_text("secret"), bytes_text("secret")));
    assert_false(bytes_equal_secret(bytes_text("secret"), bytes_text("Secret")));
    assert_false(bytes_equal_secret(bytes_text("secret"), bytes_text("secreT")));
    assert_false(bytes_equal_secret(bytes_text("secret"), bytes_text("secre")));
    assert_false(bytes_equal_secret(bytes_text("secre"), bytes_text("secret")));
    /* differences that cancel each other out in a sum */
    assert_false(bytes_equal_secret(bytes_text("ab"), bytes_text("ba")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_cuts_the_front_and_leaves_the_rest),
        cmocka_unit_test(nothing_can_be_taken_from_no_bytes),
        cmocka_unit_test(equality_looks_at_every_byte_and_the_size),
        cmocka_unit_test(folding_ignores_the_case_of_ascii_letters_only),
        cmocka_unit_test(a_prefix_is_found_at_the_start_only),
        cmocka_unit_test(finding_gives_the_first_place_or_the_size),
        cmocka_unit_test(copying_cuts_at_every_capacity_and_ends_with_nul),
        cmocka_unit_test(copying_no_bytes_gives_an_empty_text),
        cmocka_unit_test(secrets_are_equal_only_when_every_byte_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
