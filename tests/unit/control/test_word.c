/* SPDX-License-Identifier: PostgreSQL */
#include "control/word.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* All words of a text as "kind:value ", kinds as w q s ; o !. */
static void assert_words(const char *query, const char *expected)
{
    static const char kinds[] = "$;wqso!";
    char storage[512];
    struct text text;
    struct word_reader reader = { bytes_text(query), 0 };
    struct word word;
    text_init(&text, storage, sizeof storage);
    while ((word = word_next(&reader)).kind != WORD_END) {
        text_append_byte(&text, kinds[word.kind]);
        text_append_byte(&text, ':');
        if (word.kind != WORD_OPEN_ENDED)
            word_append_value(&word, &text);
        text_append_byte(&text, ' ');
    }
    assert_int_equal(reader.at, reader.query.size);
    assert_string_equal(storage, expected);
}

static void words_are_told_apart(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" \t\r\n\f\v", "");
    assert_words("SHOW violations LIMIT 20", "w:SHOW w:violations w:LIMIT w:20 ");
    assert_words("a;b", "w:a ;:; w:b ");
    assert_words("low-traffic a.b_$1 \xc3\xa4", "w:low-traffic w:a.b_$1 w:\xc3\xa4 ");
    assert_words("(a,b)", "o:( w:a o:, w:b o:) ");
}

static void doubled_quotes_are_one(void **state)
{
    (void)state;
    assert_words("'it''s' \"a\"\"b\"", "s:it's q:a\"b ");
    assert_words("'' \"\" ''''", "s: q: s:' ");
    assert_words("'a;b--c/*d*/'x", "s:a;b--c/*d*/ w:x ");
    assert_words("'a\\'b", "s:a\\ w:b ");
}

static void comments_lie_between(void **state)
{
    (void)state;
    assert_words("a--b\nc -- d", "w:a w:c ");
    assert_words("a -- b\rc", "w:a w:c ");
    assert_words("a/*x*/b /* /* ; */ ' */ c", "w:a w:b w:c ");
    assert_words("a-b--", "w:a-b ");
    assert_words("/ * -", "o:/ o:* o:- ");
}

static void what_has_no_end_is_said_so(void **state)
{
    (void)state;
    assert_words("a 'b", "w:a !: ");
    assert_words("a 'b''", "w:a !: ");
    assert_words("\"", "!: ");
    assert_words("a /* b", "w:a !: ");
    assert_words("a /* /* */", "w:a !: ");
    assert_words("a /*/", "w:a !: ");
}

static void positions_count_characters(void **state)
{
    (void)state;
    struct word_reader reader = { bytes_text("\xc3\xa4\xe2\x82\xac \xf0\x9f\x90\x98 x"), 0 };
    struct word word = word_next(&reader);
    assert_int_equal(word_position(&reader, &word), 1);
    word = word_next(&reader);
    assert_int_equal(word_position(&reader, &word), 4);
    word = word_next(&reader);
    assert_int_equal(word_position(&reader, &word), 6);
    word = word_next(&reader);
    assert_int_equal(word.kind, WORD_END);
    assert_int_equal(word_position(&reader, &word), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_told_apart),       cmocka_unit_test(doubled_quotes_are_one),
        cmocka_unit_test(comments_lie_between),       cmocka_unit_test(what_has_no_end_is_said_so),
        cmocka_unit_test(positions_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
