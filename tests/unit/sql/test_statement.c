/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"
#include "sql/shape.h"
#include "sql/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { ROOM = 1 << 16, CHURN = 20000, HELD = 16 };

static const struct hash_key key = { { 1, 2 } };
static const struct lexer_reading standard = { .has_standard_strings = true };
static const struct lexer_reading escaping = { .has_standard_strings = false };

static struct statement *of(struct statement_pool *pool, const char *text)
{
    struct statement *statement = statement_of(pool, bytes_text(text), standard);
    assert_non_null(statement);
    return statement;
}

static size_t size_of(size_t text_size)
{
    return sizeof(struct statement) + text_size;
}

static void a_text_that_comes_again_is_the_same_statement(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *one = of(&pool, "drop table t");
    struct statement *again = of(&pool, "drop table t");
    assert_ptr_equal(one, again);
    assert_int_equal(one->references, 2);
    assert_int_equal(one->verdict.class, CLASS_DESTRUCTIVE);
    assert_memory_equal(one->text, "drop table t", 12);
    assert_int_equal(one->full_size, 12);
    assert_false(one->is_cut);
    statement_release(&pool, one);
    statement_release(&pool, again);
    assert_ptr_equal(of(&pool, "drop table t"), one);
    statement_release(&pool, one);
    statement_pool_release(&pool);
}

static void other_texts_and_readings_are_other_statements(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *one = of(&pool, "select 1");
    struct statement *other = of(&pool, "select 2");
    struct statement *reading = statement_of(&pool, bytes_text("select 1"), escaping);
    assert_ptr_not_equal(one, other);
    assert_ptr_not_equal(one, reading);
    statement_release(&pool, one);
    statement_release(&pool, other);
    statement_release(&pool, reading);
    statement_pool_release(&pool);
}

/* A text whose hash is another's is compared byte by byte. */
static void equal_hashes_do_not_make_texts_equal(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *one = of(&pool, "select 1");
    table_remove(&pool.table, &one->node);
    assert_true(table_add(&pool.table, &one->node, hash_keyed(&key, bytes_text("select 2"))));
    struct statement *other = of(&pool, "select 2");
    assert_ptr_not_equal(one, other);
    statement_release(&pool, other);
    statement_release(&pool, one);
    statement_pool_release(&pool);
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, 2 * size_of(8), ROOM);
    struct statement *one = of(&pool, "select 1");
    statement_release(&pool, one);
    statement_release(&pool, of(&pool, "select 2"));
    statement_release(&pool, of(&pool, "select 1"));
    statement_release(&pool, of(&pool, "select 3"));
    assert_int_equal(pool.table.count, 2);
    assert_ptr_equal(of(&pool, "select 1"), one);
    assert_int_equal(pool.bytes, 2 * size_of(8));
    statement_release(&pool, one);
    statement_pool_release(&pool);
}

static void what_is_in_use_may_exceed_the_bound_of_the_unused(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, size_of(8), 2 * size_of(8));
    struct statement *one = of(&pool, "select 1");
    struct statement *two = of(&pool, "select 2");
    assert_int_equal(two->text_size, 8);
    struct statement *three = of(&pool, "drop  t3");
    assert_int_equal(three->text_size, 0);
    assert_true(three->is_cut && !three->is_shared);
    assert_int_equal(three->full_size, 8);
    assert_int_equal(three->verdict.class, CLASS_DESTRUCTIVE);
    assert_int_equal(pool.not_kept, 1);
    statement_release(&pool, three);
    statement_release(&pool, two);
    assert_int_equal(pool.bytes, size_of(8));
    statement_release(&pool, one);
    assert_int_equal(pool.bytes, size_of(8));
    statement_pool_release(&pool);
}

static void a_long_text_is_cut_and_not_shared(void **state)
{
    (void)state;
    static char text[STATEMENT_TEXT_MOST + 1];
    struct statement_pool pool;
    memset(text, ' ', sizeof(text));
    memcpy(text, "select", 6);
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *fits = statement_of(&pool, bytes_of(text, STATEMENT_TEXT_MOST), standard);
    assert_true(fits->is_shared && !fits->is_cut);
    struct statement *cut = statement_of(&pool, bytes_of(text, sizeof(text)), standard);
    assert_true(!cut->is_shared && cut->is_cut);
    assert_int_equal(cut->text_size, STATEMENT_TEXT_MOST);
    assert_int_equal(cut->full_size, STATEMENT_TEXT_MOST + 1);
    statement_release(&pool, cut);
    assert_int_equal(pool.bytes, size_of(STATEMENT_TEXT_MOST));
    statement_release(&pool, fits);
    statement_pool_release(&pool);
}

static void a_streamed_text_keeps_its_beginning_and_verdict(void **state)
{
    (void)state;
    struct statement_pool pool;
    struct verdict verdict = { .class = CLASS_MODIFYING, .level = LEVEL_MODIFYING, .is_guarded = true };
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *statement =
        statement_of_streamed(&pool, bytes_text("alter table"), UINT64_C(5000000000), standard, &verdict);
    assert_true(statement->is_cut && !statement->is_shared);
    assert_int_equal(statement->text_size, 11);
    assert_int_equal(statement->full_size, UINT32_MAX);
    assert_memory_equal(&statement->verdict, &verdict, sizeof(verdict));
    assert_ptr_equal(statement_share(statement), statement);
    statement_release(&pool, statement);
    statement_release(&pool, statement);
    assert_int_equal(pool.bytes, 0);
    statement_release(&pool, NULL);
    statement_pool_release(&pool);
}

static void churn_stays_within_the_bounds_and_loses_nothing(void **state)
{
    (void)state;
    struct statement_pool pool;
    struct statement *held[HELD] = { NULL };
    uint32_t seed = 7;
    statement_pool_init(&pool, &key, 10 * size_of(20), 20 * size_of(20));
    for (uint32_t i = 0; i < CHURN; i++) {
        char text[32];
        seed = seed * 1664525 + 1013904223;
        int size = snprintf(text, sizeof(text), "select %u from t", (seed >> 16) % 40);
        statement_release(&pool, held[i % HELD]);
        held[i % HELD] = of(&pool, text);
        assert_int_equal(held[i % HELD]->full_size, size);
        assert_memory_equal(held[i % HELD]->text, text, held[i % HELD]->text_size);
        assert_true(pool.bytes <= 20 * size_of(20));
    }
    for (size_t i = 0; i < HELD; i++)
        statement_release(&pool, held[i]);
    assert_true(pool.bytes <= pool.bytes_most);
    statement_pool_release(&pool);
}

static void what_may_be_either_of_two_asks_for_what_both_ask_for(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *dropped = of(&pool, "drop table t");
    struct statement *granted = of(&pool, "grant select on u to v; execute p");
    struct statement *united = statement_unite(&pool, dropped, granted);
    assert_true(united->is_cut);
    assert_memory_equal(united->text, dropped->text, dropped->text_size);
    assert_int_equal(united->verdict.class, CLASS_DESTRUCTIVE);
    assert_int_equal(united->verdict.classes, 1u << CLASS_DESTRUCTIVE | 1u << CLASS_DCL | 1u << CLASS_NONE);
    assert_true(name_list_holds(&united->verdict.executes, "p"));
    struct statement *again = statement_unite(&pool, united, granted);
    assert_ptr_equal(again, united);
    statement_release(&pool, again);
    again = statement_unite(&pool, dropped, united);
    assert_ptr_equal(again, united);
    statement_release(&pool, again);
    statement_release(&pool, united);
    statement_release(&pool, dropped);
    statement_release(&pool, granted);
    statement_pool_release(&pool);
}

/* As where it came while the encoding was about to change. */
static void the_same_text_judged_by_other_readings_is_not_the_same(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct bytes text = bytes_text("select 1");
    struct verdict feared;
    classify(bytes_text("select 1 into t"), (struct lexer_reading){ .has_standard_strings = true }, &feared);
    struct statement *plain = of(&pool, "select 1");
    struct statement *other = statement_of_streamed(&pool, text, text.size, plain->reading, &feared);
    struct statement *united = statement_unite(&pool, plain, other);
    assert_true(united->verdict.is_guarded);
    statement_release(&pool, united);
    united = statement_unite(&pool, other, plain);
    assert_true(united->verdict.is_guarded);
    statement_release(&pool, united);
    statement_release(&pool, plain);
    statement_release(&pool, other);
    statement_pool_release(&pool);
}

static void what_is_guarded_is_shown(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *query = of(&pool, "select 1");
    struct statement *other = of(&pool, "commit");
    struct statement *change = of(&pool, "create table t (a int)");
    struct statement *united = statement_unite(&pool, query, change);
    assert_true(united->is_cut && united->verdict.is_guarded);
    assert_memory_equal(united->text, change->text, change->text_size);
    statement_release(&pool, united);
    united = statement_unite(&pool, query, other);
    assert_true(united->is_cut && !united->verdict.is_guarded);
    assert_memory_equal(united->text, query->text, query->text_size);
    statement_release(&pool, united);
    united = statement_unite(&pool, query, query);
    assert_ptr_equal(united, query);
    statement_release(&pool, united);
    statement_release(&pool, query);
    statement_release(&pool, other);
    statement_release(&pool, change);
    statement_pool_release(&pool);
}

static void shape_and_fingerprint_are_found_once_and_are_those_of_the_text(void **state)
{
    (void)state;
    struct statement_pool pool;
    char fingerprint[FINGERPRINT_SIZE];
    struct bytes sql = bytes_text("select a from b where c = 1");
    statement_pool_init(&pool, &key, ROOM, ROOM);
    struct statement *statement = statement_of(&pool, sql, standard);
    assert_non_null(statement);
    assert_int_equal(statement->shape, 0);
    fingerprint_sql(sql, false, standard, fingerprint);
    assert_string_equal(statement_fingerprint(statement), fingerprint);
    assert_int_equal(statement_shape(statement), shape_sql(sql, standard));
    statement->text[0] = 'x';
    assert_int_equal(statement_shape(statement), shape_sql(sql, standard));
    assert_string_equal(statement_fingerprint(statement), fingerprint);
    statement->text[0] = 's';
    statement_release(&pool, statement);
    statement_pool_release(&pool);
}

static void a_text_of_which_nothing_is_kept_has_no_shape(void **state)
{
    (void)state;
    struct statement_pool pool;
    statement_pool_init(&pool, &key, 0, 0);
    struct statement *lost = of(&pool, "select 1");
    struct statement *empty = of(&pool, "");
    assert_int_equal(lost->text_size, 0);
    assert_int_equal(statement_shape(lost), 0);
    statement_release(&pool, lost);
    statement_release(&pool, empty);
    statement_pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_comes_again_is_the_same_statement),
        cmocka_unit_test(other_texts_and_readings_are_other_statements),
        cmocka_unit_test(equal_hashes_do_not_make_texts_equal),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(what_is_in_use_may_exceed_the_bound_of_the_unused),
        cmocka_unit_test(a_long_text_is_cut_and_not_shared),
        cmocka_unit_test(a_streamed_text_keeps_its_beginning_and_verdict),
        cmocka_unit_test(what_may_be_either_of_two_asks_for_what_both_ask_for),
        cmocka_unit_test(the_same_text_judged_by_other_readings_is_not_the_same),
        cmocka_unit_test(what_is_guarded_is_shown),
        cmocka_unit_test(shape_and_fingerprint_are_found_once_and_are_those_of_the_text),
        cmocka_unit_test(a_text_of_which_nothing_is_kept_has_no_shape),
        cmocka_unit_test(churn_stays_within_the_bounds_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
