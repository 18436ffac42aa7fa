/* SPDX-License-Identifier: PostgreSQL */
#include "policy/service.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static void patterns_know_runs_and_single_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool is_match;
    } rows[] = {
        { "", "", true },          { "", "a", false },          { "*", "", true },
        { "*", "anything", true }, { "**", "", true },          { "?", "", false },
        { "?", "a", true },        { "?", "ab", false },        { "kds*", "kds", true },
        { "kds*", "kds-7", true }, { "kds*", "akds", false },   { "kds", "kds7", false },
        { "kds", "kd", false },    { "*kds", "a-kds", true },   { "*kds", "kds-a", false },
        { "a*b*c", "abc", true },  { "a*b*c", "aXbYc", true },  { "a*b*c", "aXbYcZ", false },
        { "a*b*c", "acb", false }, { "*a*", "bab", true },      { "*a*", "bbb", false },
        { "a?c", "abc", true },    { "a?c", "ac", false },      { "*?", "", false },
        { "*?", "x", true },       { "?*", "x", true },         { "*ab", "aab", true },
        { "*aab", "aaab", true },  { "*abab", "ababab", true }, { "[a]", "a", false },
        { "[a]", "[a]", true },    { "a\\*", "a\\b", true },    { "A", "a", false },
        { "*.*", "a.b", true },    { "a*", "*", false },        { "*a?", "bac", true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(pattern_matches(rows[i].pattern, bytes_text(rows[i].text)), rows[i].is_match);
}

static void any_byte_may_stand_in_the_text(void **state)
{
    (void)state;
    assert_true(pattern_matches("a?b", bytes_of("a\0b", 3)));
    assert_true(pattern_matches("a*", bytes_of("a\0\xff", 3)));
    assert_true(pattern_matches("\xff*", bytes_of("\xff\xfe", 2)));
    assert_false(pattern_matches("a", bytes_of("a\0", 2)));
    assert_true(pattern_matches("*", BYTES_NONE));
}

/* By the definition, in exponential time. */
static bool naive_matches(const char *pattern, struct bytes text)
{
    if (*pattern == '\0')
        return text.size == 0;
    if (*pattern == '*')
        return naive_matches(pattern + 1, text) ||
               (text.size > 0 && naive_matches(pattern, bytes_of(text.data + 1, text.size - 1)));
    return text.size > 0 && (*pattern == '?' || (uint8_t)*pattern == text.data[0]) &&
           naive_matches(pattern + 1, bytes_of(text.data + 1, text.size - 1));
}

/* The digits of `number` to the base `base` as letters of `alphabet`. */
static void spell(char *out, size_t size, unsigned number, const char *alphabet)
{
    unsigned base = (unsigned)strlen(alphabet);
    for (size_t i = 0; i < size; i++, number /= base)
        out[i] = alphabet[number % base];
    out[size] = '\0';
}

static void all_short_patterns_match_as_defined(void **state)
{
    (void)state;
    char pattern[8];
    char text[8];
    for (unsigned i = 0; i < 4 * 4 * 4 * 4 * 4; i++) {
        spell(pattern, 5, i, "ab*?");
        for (unsigned j = 0; j < 128; j++) {
            spell(text, j % 8 % 7, j / 2, "ab");
            assert_int_equal(pattern_matches(pattern, bytes_text(text)),
                             naive_matches(pattern, bytes_text(text)));
        }
    }
}

static void hostile_patterns_take_no_longer_than_their_product(void **state)
{
    (void)state;
    static char text[100001];
    char pattern[SERVICE_PATTERN_SIZE];
    memset(text, 'a', sizeof text - 1);
    for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
        memcpy(pattern + i, "a*", 2);
    memcpy(pattern + sizeof pattern - 2, "b", 2);
    assert_false(pattern_matches(pattern, bytes_text(text)));
    memset(pattern, '*', sizeof pattern - 2);
    assert_false(pattern_matches(pattern, bytes_text(text)));
    memset(pattern, 'a', sizeof pattern - 2);
    pattern[0] = '*';
    assert_false(pattern_matches(pattern, bytes_text(text)));
}

static struct bytes resolve(const struct service_rule *rules, size_t count, const char *application_name,
                            const char *user, const char *database, const struct address *address)
{
    struct identity identity = { bytes_text(application_name), bytes_text(user), bytes_text(database),
                                 address };
    return service_resolve(rules, count, &identity);
}

static void the_first_rule_that_holds_names_the_service(void **state)
{
    (void)state;
    static const struct service_rule rules[] = {
        { .name = "kds", .application_name = "kds*" },
        { .name = "kitchen", .application_name = "*", .user = "kitchen" },
        { .name = "reports", .database = "report?" },
    };
    assert_true(bytes_equal_text(resolve(rules, 3, "kds-1", "kitchen", "shop", NULL), "kds"));
    assert_true(bytes_equal_text(resolve(rules, 3, "x", "kitchen", "reports", NULL), "kitchen"));
    assert_true(bytes_equal_text(resolve(rules, 3, "x", "u", "reports", NULL), "reports"));
}

static void every_condition_of_a_rule_must_hold(void **state)
{
    (void)state;
    struct service_rule rule = { .name = "booking", .user = "booking_app", .has_network = true };
    struct address near;
    struct address far;
    assert_true(network_parse("10.2.0.0/16", &rule.network, NULL));
    assert_true(address_parse("10.2.7.7:999", &near, NULL));
    assert_true(address_parse("10.3.7.7:999", &far, NULL));
    assert_true(bytes_equal_text(resolve(&rule, 1, "x", "booking_app", "d", &near), "booking"));
    assert_true(bytes_equal_text(resolve(&rule, 1, "x", "booking_app", "d", &far), "x"));
    assert_true(bytes_equal_text(resolve(&rule, 1, "x", "other", "d", &near), "x"));
    assert_true(bytes_equal_text(resolve(&rule, 1, "x", "booking_app", "d", NULL), "x"));
}

static void without_a_rule_it_is_the_application_else_the_user(void **state)
{
    (void)state;
    assert_true(bytes_equal_text(resolve(NULL, 0, "psql", "anna", "d", NULL), "psql"));
    assert_true(bytes_equal_text(resolve(NULL, 0, "", "anna", "d", NULL), "anna"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_know_runs_and_single_bytes),
        cmocka_unit_test(any_byte_may_stand_in_the_text),
        cmocka_unit_test(all_short_patterns_match_as_defined),
        cmocka_unit_test(hostile_patterns_take_no_longer_than_their_product),
        cmocka_unit_test(the_first_rule_that_holds_names_the_service),
        cmocka_unit_test(every_condition_of_a_rule_must_hold),
        cmocka_unit_test(without_a_rule_it_is_the_application_else_the_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
