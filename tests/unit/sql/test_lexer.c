/* SPDX-License-Identifier: PostgreSQL */
#include "base/text.h"
#include "sql/lexer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SHOWN_SIZE = 4096 };

static const struct lexer_reading standard = { .has_standard_strings = true };
static const struct lexer_reading escaping = { .has_standard_strings = false };
static const struct lexer_reading unsafe = { .has_standard_strings = true, .has_unsafe_encoding = true };

static const char *const kind_names[] = {
    [TOKEN_NONE] = "none",         [TOKEN_WORD] = "word",
    [TOKEN_QUOTED_NAME] = "name",  [TOKEN_STRING] = "string",
    [TOKEN_NUMBER] = "number",     [TOKEN_PARAMETER] = "parameter",
    [TOKEN_OPERATOR] = "operator", [TOKEN_DOT] = "dot",
    [TOKEN_COMMA] = "comma",       [TOKEN_OPEN] = "open",
    [TOKEN_CLOSE] = "close",       [TOKEN_SEMICOLON] = "semicolon",
    [TOKEN_COMMENT] = "comment",   [TOKEN_UNTERMINATED] = "open end",
};

static void show(struct text *out, struct bytes whole, const struct token *token)
{
    text_append_format(out, "%s<", kind_names[token->kind]);
    text_append(out, bytes_of(whole.data + token->start, (size_t)(token->end - token->start)));
    bool has_word =
        token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED_NAME || token->kind == TOKEN_OPERATOR;
    if (has_word)
        text_append_format(out, "|%s%s%s", token->word, token->is_word_cut ? "..." : "",
                           token->is_unicode ? "&" : "");
    text_append_string(out, "> ");
}

/* The tokens of a text that comes in pieces of the given sizes and a rest. */
static void lex(struct bytes whole, size_t first, size_t second, struct lexer_reading reading,
                struct text *out)
{
    struct bytes rest = whole;
    struct bytes pieces[3];
    struct lexer lexer;
    struct token token;
    pieces[0] = bytes_take(&rest, first);
    pieces[1] = bytes_take(&rest, second);
    pieces[2] = rest;
    lexer_init(&lexer, reading);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        while (lexer_next(&lexer, &pieces[i], &token) == LEXER_TOKEN)
            show(out, whole, &token);
        assert_int_equal(pieces[i].size, 0);
    }
    while (lexer_finish(&lexer, &token))
        show(out, whole, &token);
    assert_int_equal(lexer.offset, whole.size);
}

static void lex_bytes(struct bytes whole, struct lexer_reading reading, struct text *out)
{
    struct lexer lexer;
    struct token token;
    lexer_init(&lexer, reading);
    for (size_t i = 0; i < whole.size; i++) {
        struct bytes piece = { whole.data + i, 1 };
        while (lexer_next(&lexer, &piece, &token) == LEXER_TOKEN)
            show(out, whole, &token);
    }
    while (lexer_finish(&lexer, &token))
        show(out, whole, &token);
}

/* Whole, byte by byte and at every pair of cuts. */
static void assert_tokens_of(struct bytes text, const char *expected, struct lexer_reading reading)
{
    char storage[SHOWN_SIZE];
    struct text shown;
    text_init(&shown, storage, sizeof(storage));
    lex(text, text.size, 0, reading, &shown);
    assert_string_equal(storage, expected);
    text_init(&shown, storage, sizeof(storage));
    lex_bytes(text, reading, &shown);
    assert_string_equal(storage, expected);
    for (size_t i = 0; i <= text.size; i++) {
        for (size_t j = 0; i + j <= text.size; j++) {
            text_init(&shown, storage, sizeof(storage));
            lex(text, i, j, reading, &shown);
            assert_string_equal(storage, expected);
        }
    }
}

static void assert_tokens(const char *text, const char *expected)
{
    assert_tokens_of(bytes_text(text), expected, standard);
}

static void words_are_folded_and_keep_dollars_and_high_bytes(void **state)
{
    (void)state;
    assert_tokens("SELECT a$$ _b1 \xc3\xa4X",
                  "word<SELECT|select> word<a$$|a$$> word<_b1|_b1> word<\xc3\xa4X|\xc3\xa4x> ");
    assert_tokens("CREATE_x", "word<CREATE_x|create_x> ");
    assert_tokens("\xc2\xa0"
                  "create",
                  "word<\xc2\xa0"
                  "create|\xc2\xa0"
                  "create> ");
}

static void a_long_word_is_cut_at_63_bytes(void **state)
{
    (void)state;
    assert_tokens("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc",
                  "word<abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc|"
                  "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc> ");
    assert_tokens("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd",
                  "word<abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd|"
                  "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc...> ");
}

static void a_word_behind_a_cut_one_is_whole(void **state)
{
    (void)state;
    assert_tokens("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd b",
                  "word<abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd|"
                  "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc...> word<b|b> ");
}

static void all_blanks_part_tokens(void **state)
{
    (void)state;
    assert_tokens(" a\tb\nc\rd\fe ", "word<a|a> word<b|b> word<c|c> word<d|d> word<e|e> ");
}

static void a_vertical_tab_is_blank_where_the_reading_says_so(void **state)
{
    (void)state;
    struct lexer_reading reading = standard;
    assert_tokens("a\vb", "word<a|a> operator<\v|\v> word<b|b> ");
    reading.has_vertical_tab = true;
    assert_tokens_of(bytes_text("a\vb 'c'\v\n'd'"), "word<a|a> word<b|b> string<'c'\v\n'd'> ", reading);
}

static void a_line_comment_ends_at_line_feed_or_carriage_return(void **state)
{
    (void)state;
    assert_tokens("-- a\nb", "comment<-- a> word<b|b> ");
    assert_tokens("-- a\rb", "comment<-- a> word<b|b> ");
    assert_tokens("a--b", "word<a|a> comment<--b> ");
    assert_tokens("--", "comment<--> ");
}

static void block_comments_nest(void **state)
{
    (void)state;
    assert_tokens("/* a /* b */ c */ d", "comment</* a /* b */ c */> word<d|d> ");
    assert_tokens("/**/a/***/b/*/*/**/*/*/c",
                  "comment</**/> word<a|a> comment</***/> word<b|b> comment</*/*/**/*/*/> word<c|c> ");
    assert_tokens("/* /** */ */ a", "comment</* /** */ */> word<a|a> ");
    assert_tokens("/*/ a", "open end</*/ a> ");
    assert_tokens("/* /* */", "open end</* /* */> ");
}

static void an_operator_ends_where_a_comment_begins(void **state)
{
    (void)state;
    assert_tokens("1 +-- x\n2", "number<1> operator<+|+> comment<-- x> number<2> ");
    assert_tokens("2*/*c*/3", "number<2> operator<*|*> comment</*c*/> number<3> ");
    assert_tokens("@--x", "operator<@|@> comment<--x> ");
    assert_tokens("*---x", "operator<*|*> comment<---x> ");
    assert_tokens("*+/*c*/", "operator<*|*> operator<+|+> comment</*c*/> ");
    assert_tokens("@-/*c*/", "operator<@-|@-> comment</*c*/> ");
    assert_tokens("+-/*c*/", "operator<+|+> operator<-|-> comment</*c*/> ");
}

static void an_operator_ends_in_a_sign_only_with_a_special_character(void **state)
{
    (void)state;
    assert_tokens("a*-1", "word<a|a> operator<*|*> operator<-|-> number<1> ");
    assert_tokens("a@-1", "word<a|a> operator<@-|@-> number<1> ");
    assert_tokens("a+-+1", "word<a|a> operator<+|+> operator<-|-> operator<+|+> number<1> ");
    assert_tokens("a<=-1", "word<a|a> operator<<=|<=> operator<-|-> number<1> ");
    assert_tokens("a-!-1", "word<a|a> operator<-!-|-!-> number<1> ");
    assert_tokens("a->>-1", "word<a|a> operator<->>|->>> operator<-|-> number<1> ");
}

static void punctuation_stands_alone(void **state)
{
    (void)state;
    assert_tokens("(a.b,[c];d)",
                  "open<(> word<a|a> dot<.> word<b|b> comma<,> operator<[|[> word<c|c> operator<]|]> "
                  "semicolon<;> word<d|d> close<)> ");
    assert_tokens("a::b:=c:d",
                  "word<a|a> operator<::|::> word<b|b> operator<:=|:=> word<c|c> operator<:|:> word<d|d> ");
    assert_tokens("\\ { }", "operator<\\|\\> operator<{|{> operator<}|}> ");
}

static void strings_double_their_quotes(void **state)
{
    (void)state;
    assert_tokens("'it''s' a", "string<'it''s'> word<a|a> ");
    assert_tokens("'a''' '' ''''", "string<'a'''> string<''> string<''''> ");
    assert_tokens("'a' 'b'", "string<'a'> string<'b'> ");
    assert_tokens("'abc", "open end<'abc> ");
}

static void a_string_continues_behind_a_line_end(void **state)
{
    (void)state;
    assert_tokens("'a'\n'b' c", "string<'a'\n'b'> word<c|c> ");
    assert_tokens("'a' \t\r 'b'", "string<'a' \t\r 'b'> ");
    assert_tokens("'a' -- x'\n 'b'", "string<'a' -- x'\n 'b'> ");
    assert_tokens("'a'\n-- x\n-- y\n'b'", "string<'a'\n-- x\n-- y\n'b'> ");
    assert_tokens("'a'\n/* x */'b'", "string<'a'> comment</* x */> string<'b'> ");
    assert_tokens("'a'\nb", "string<'a'> word<b|b> ");
    assert_tokens("E'a'\n'\\'' b", "string<E'a'\n'\\''> word<b|b> ");
}

static void comments_behind_a_string_that_ends_are_one(void **state)
{
    (void)state;
    assert_tokens("'a' -- x\nb", "string<'a'> comment<-- x> word<b|b> ");
    assert_tokens("'a' -- x\n\n-- y\nb", "string<'a'> comment<-- x\n\n-- y> word<b|b> ");
    assert_tokens("'a' -- x", "string<'a'> comment<-- x> ");
    assert_tokens("'a'-1", "string<'a'> operator<-|-> number<1> ");
    assert_tokens("'a'-", "string<'a'> operator<-|-> ");
    assert_tokens("'a'\n-- x\n-+ 'b'", "string<'a'> comment<-- x> operator<-|-> operator<+|+> string<'b'> ");
}

static void escapes_count_in_e_strings_only(void **state)
{
    (void)state;
    assert_tokens("'\\' a", "string<'\\'> word<a|a> ");
    assert_tokens("E'\\' a' b", "string<E'\\' a'> word<b|b> ");
    assert_tokens("e'\\\\' b", "string<e'\\\\'> word<b|b> ");
    assert_tokens("E'a\\", "open end<E'a\\> ");
    assert_tokens("E 'a'", "word<E|e> string<'a'> ");
    assert_tokens("be'\\'", "word<be|be> string<'\\'> ");
}

static void escapes_count_in_plain_strings_without_the_standard_setting(void **state)
{
    (void)state;
    assert_tokens_of(bytes_text("'\\' a' b"), "string<'\\' a'> word<b|b> ", escaping);
    assert_tokens_of(bytes_text("N'\\' a' b"), "string<N'\\' a'> word<b|b> ", escaping);
    assert_tokens_of(bytes_text("B'\\' a"), "string<B'\\'> word<a|a> ", escaping);
    assert_tokens_of(bytes_text("$$\\$$ a"), "string<$$\\$$> word<a|a> ", escaping);
    assert_tokens_of(bytes_text("\"\\\" a"), "name<\"\\\"|\\> word<a|a> ", escaping);
}

static void bit_strings_do_not_double_their_quotes(void **state)
{
    (void)state;
    assert_tokens("b'1''0'", "string<b'1'> string<'0'> ");
    assert_tokens("X'1f'\n'2' N'a''b'", "string<X'1f'\n'2'> string<N'a''b'> ");
}

static void unicode_strings_and_names_need_their_ampersand(void **state)
{
    (void)state;
    assert_tokens("U&'\\0061''b' a", "string<U&'\\0061''b'> word<a|a> ");
    assert_tokens("u&\"\\0061\" a", "name<u&\"\\0061\"|\\0061&> word<a|a> ");
    assert_tokens("u&x", "word<u|u> operator<&|&> word<x|x> ");
    assert_tokens("u&&'x'", "word<u|u> operator<&&|&&> string<'x'> ");
    assert_tokens("xu&'a'", "word<xu|xu> operator<&|&> string<'a'> ");
    assert_tokens("u&--x", "word<u|u> operator<&|&> comment<--x> ");
    assert_tokens("u&", "word<u|u> operator<&|&> ");
}

static void quoted_names_keep_their_case(void **state)
{
    (void)state;
    assert_tokens("\"Ab\"\"c\".d", "name<\"Ab\"\"c\"|Ab\"c> dot<.> word<d|d> ");
    assert_tokens("\"a;'--\"", "name<\"a;'--\"|a;'--> ");
    assert_tokens("\"a", "open end<\"a> ");
    assert_tokens("\"a\"\"", "open end<\"a\"\"> ");
}

static void dollar_quotes_end_at_their_own_tag(void **state)
{
    (void)state;
    assert_tokens("$$a;'b$$ c", "string<$$a;'b$$> word<c|c> ");
    assert_tokens("$x$ $$ $y$ $X$ $x$ c", "string<$x$ $$ $y$ $X$ $x$> word<c|c> ");
    assert_tokens("$x$a$x$x$ c", "string<$x$a$x$> word<x$|x$> word<c|c> ");
    assert_tokens("$a1$ $a$a1$ b", "string<$a1$ $a$a1$> word<b|b> ");
    assert_tokens("$$ $ $$", "string<$$ $ $$> ");
    assert_tokens("$$ $a$$", "string<$$ $a$$> ");
    assert_tokens("$\xc3\xa4$ x $\xc3\xa4$ y", "string<$\xc3\xa4$ x $\xc3\xa4$> word<y|y> ");
    assert_tokens("$x$ $x", "open end<$x$ $x> ");
    assert_tokens("$$a$$ $$$$ b", "string<$$a$$> string<$$$$> word<b|b> ");
}

static void a_dollar_without_a_tag_is_a_character(void **state)
{
    (void)state;
    assert_tokens("$Ab c", "operator<$|$> word<Ab|ab> word<c|c> ");
    assert_tokens("$ a", "operator<$|$> word<a|a> ");
    assert_tokens("$e'\\' x'", "operator<$|$> string<e'\\' x'> ");
    assert_tokens("$a", "operator<$|$> word<a|a> ");
    assert_tokens("a$b$ c$b$", "word<a$b$|a$b$> word<c$b$|c$b$> ");
}

static void parameters_are_dollars_and_digits(void **state)
{
    (void)state;
    assert_tokens("$1,$23x", "parameter<$1> comma<,> parameter<$23> word<x|x> ");
    assert_tokens("$1$$a$$", "parameter<$1> string<$$a$$> ");
}

static void numbers_have_fractions_and_exponents(void **state)
{
    (void)state;
    assert_tokens(
        "1 1.5 .5 1. 1e5 1.5E-3 .5e+3 1.e2",
        "number<1> number<1.5> number<.5> number<1.> number<1e5> number<1.5E-3> number<.5e+3> number<1.e2> ");
    assert_tokens("1..2", "number<1> operator<..|..> number<2> ");
    assert_tokens("1...2", "number<1> operator<..|..> number<.2> ");
    assert_tokens("1.2.3", "number<1.2> number<.3> ");
    assert_tokens("a.5", "word<a|a> number<.5> ");
    assert_tokens("1.)", "number<1.> close<)> ");
}

static void what_is_behind_a_new_number_and_a_dollar_is_not_read(void **state)
{
    (void)state;
    assert_tokens("1_0$$ a", "number<1_0> open end<$$ a> ");
    assert_tokens("1_0.5$$ a", "number<1_0.5> open end<$$ a> ");
    assert_tokens("1.5_0$x$ a", "number<1.5_0> open end<$x$ a> ");
    assert_tokens("1e1_0$$", "number<1e1_0> open end<$$> ");
    assert_tokens("0x1$$ 0o1", "number<0x1> open end<$$ 0o1> ");
    assert_tokens("0b1$", "number<0b1> open end<$> ");
    assert_tokens("10$$ a$$", "number<10> string<$$ a$$> ");
    assert_tokens("1_0 10$$ a$$", "number<1_0> number<10> string<$$ a$$> ");
    assert_tokens("0x1 .5$$ a$$", "number<0x1> number<.5> string<$$ a$$> ");
    assert_tokens("1_0a$$", "number<1_0> word<a$$|a$$> ");
}

static void numbers_have_underscores_and_radixes(void **state)
{
    (void)state;
    assert_tokens("1_000 1_0.5_0e1_0", "number<1_000> number<1_0.5_0e1_0> ");
    assert_tokens("0x1F 0X_a 0o17 0b01 0b_1_0",
                  "number<0x1F> number<0X_a> number<0o17> number<0b01> number<0b_1_0> ");
    assert_tokens("1__0 1_ 1.5_ 1e5_ 0x1_",
                  "number<1> word<__0|__0> number<1> word<_|_> number<1.5> word<_|_> "
                  "number<1e5> word<_|_> number<0x1> word<_|_> ");
}

static void letters_behind_a_number_are_a_word(void **state)
{
    (void)state;
    assert_tokens("1DROP", "number<1> word<DROP|drop> ");
    assert_tokens("1into t", "number<1> word<into|into> word<t|t> ");
    assert_tokens("1e", "number<1> word<e|e> ");
    assert_tokens("1ex 1e+x", "number<1> word<ex|ex> number<1> word<e|e> operator<+|+> word<x|x> ");
    assert_tokens("1e--x\n2", "number<1> word<e|e> comment<--x> number<2> ");
    assert_tokens("1e'\\' x'", "number<1> string<e'\\' x'> ");
    assert_tokens("0x 0xg 0x_g 0b2",
                  "number<0> word<x|x> number<0> word<xg|xg> number<0> word<x_g|x_g> number<0> word<b2|b2> ");
    assert_tokens("0b'1' 0x", "number<0> string<b'1'> number<0> word<x|x> ");
    assert_tokens("1.5a 1.a", "number<1.5> word<a|a> number<1.> word<a|a> ");
    assert_tokens("12$$a$$", "number<12> string<$$a$$> ");
}

static void a_byte_behind_a_high_one_is_a_letter_in_an_unsafe_encoding(void **state)
{
    (void)state;
    assert_tokens_of(bytes_text("E'\x95\\' a"), "string<E'\x95\\'> word<a|a> ", unsafe);
    assert_tokens_of(bytes_text("E'\x95\\' a"), "open end<E'\x95\\' a> ", standard);
    assert_tokens_of(bytes_text("\x83|b \x95\\"), "word<\x83|b|\x83|b> word<\x95\\|\x95\\> ", unsafe);
    assert_tokens_of(bytes_text("$\x83|$ ' $\x83|$ a"), "string<$\x83|$ ' $\x83|$> word<a|a> ", unsafe);
    assert_tokens_of(bytes_text("'\x95' ;"), "string<'\x95'> semicolon<;> ", unsafe);
}

static void a_tag_too_long_is_said_to_be_lost(void **state)
{
    (void)state;
    static const char text[] = "$abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd$ x $a$ y";
    struct lexer lexer;
    struct token token;
    struct bytes rest = bytes_text(text);
    lexer_init(&lexer, standard);
    assert_int_equal(lexer_next(&lexer, &rest, &token), LEXER_STARVED);
    assert_true(lexer_finish(&lexer, &token));
    assert_int_equal(token.kind, TOKEN_UNTERMINATED);
    assert_true(token.is_word_cut);
    assert_int_equal(token.start, 0);
    assert_int_equal(token.end, sizeof(text) - 1);
    assert_false(lexer_finish(&lexer, &token));
}

static void an_open_token_is_known_by_its_start(void **state)
{
    (void)state;
    struct lexer lexer;
    struct token token;
    uint64_t start;
    struct bytes piece = bytes_text("a 'b");
    lexer_init(&lexer, standard);
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_TOKEN);
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_STARVED);
    assert_true(lexer_is_open(&lexer, &start));
    assert_int_equal(start, 2);
    piece = bytes_text("';");
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_TOKEN);
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_TOKEN);
    assert_false(lexer_is_open(&lexer, &start));
}

static void a_reading_can_be_changed_before_the_first_backslash(void **state)
{
    (void)state;
    struct lexer lexer;
    struct token token;
    struct bytes piece = bytes_text("'a");
    lexer_init(&lexer, standard);
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_STARVED);
    lexer_reread(&lexer, false);
    piece = bytes_text("\\' b' c");
    assert_int_equal(lexer_next(&lexer, &piece, &token), LEXER_TOKEN);
    assert_int_equal(token.end, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_and_keep_dollars_and_high_bytes),
        cmocka_unit_test(a_long_word_is_cut_at_63_bytes),
        cmocka_unit_test(a_word_behind_a_cut_one_is_whole),
        cmocka_unit_test(all_blanks_part_tokens),
        cmocka_unit_test(a_vertical_tab_is_blank_where_the_reading_says_so),
        cmocka_unit_test(a_line_comment_ends_at_line_feed_or_carriage_return),
        cmocka_unit_test(block_comments_nest),
        cmocka_unit_test(an_operator_ends_where_a_comment_begins),
        cmocka_unit_test(an_operator_ends_in_a_sign_only_with_a_special_character),
        cmocka_unit_test(punctuation_stands_alone),
        cmocka_unit_test(strings_double_their_quotes),
        cmocka_unit_test(a_string_continues_behind_a_line_end),
        cmocka_unit_test(comments_behind_a_string_that_ends_are_one),
        cmocka_unit_test(escapes_count_in_e_strings_only),
        cmocka_unit_test(escapes_count_in_plain_strings_without_the_standard_setting),
        cmocka_unit_test(bit_strings_do_not_double_their_quotes),
        cmocka_unit_test(unicode_strings_and_names_need_their_ampersand),
        cmocka_unit_test(quoted_names_keep_their_case),
        cmocka_unit_test(dollar_quotes_end_at_their_own_tag),
        cmocka_unit_test(a_dollar_without_a_tag_is_a_character),
        cmocka_unit_test(parameters_are_dollars_and_digits),
        cmocka_unit_test(numbers_have_fractions_and_exponents),
        cmocka_unit_test(numbers_have_underscores_and_radixes),
        cmocka_unit_test(what_is_behind_a_new_number_and_a_dollar_is_not_read),
        cmocka_unit_test(letters_behind_a_number_are_a_word),
        cmocka_unit_test(a_byte_behind_a_high_one_is_a_letter_in_an_unsafe_encoding),
        cmocka_unit_test(a_tag_too_long_is_said_to_be_lost),
        cmocka_unit_test(an_open_token_is_known_by_its_start),
        cmocka_unit_test(a_reading_can_be_changed_before_the_first_backslash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
