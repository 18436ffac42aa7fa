/* SPDX-License-Identifier: PostgreSQL */
#include "base/address.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address, NULL));
    return address;
}

static struct network network_parsed(const char *text)
{
    struct network network;
    assert_true(network_parse(text, &network, NULL));
    return network;
}

static void assert_described(const char *text, enum address_family family, const char *expected)
{
    char storage[ADDRESS_TEXT_SIZE];
    struct text out;
    struct address address = parsed(text);
    text_init(&out, storage, sizeof storage);
    address_describe(&address, &out);
    assert_int_equal(address.family, family);
    assert_string_equal(storage, expected);
}

static void addresses_are_shown_as_they_are_read(void **state)
{
    (void)state;
    assert_described("127.0.0.1:5432", ADDRESS_IPV4, "127.0.0.1:5432");
    assert_described("[::1]:1", ADDRESS_IPV6, "[::1]:1");
    assert_described("[FD00:0:0::00A]:65535", ADDRESS_IPV6, "[fd00::a]:65535");
    assert_described("[::ffff:10.1.2.3]:5432", ADDRESS_IPV6, "10.1.2.3:5432");
    assert_described("db-1.example.com:6432", ADDRESS_NAME, "db-1.example.com:6432");
    assert_described("/run/postgresql/.s.PGSQL.5432", ADDRESS_UNIX, "/run/postgresql/.s.PGSQL.5432");
}

static void ports_and_bytes_are_in_their_places(void **state)
{
    (void)state;
    struct address address = parsed("10.2.3.4:5433");
    assert_int_equal(address.port, 5433);
    assert_memory_equal(address.ip, "\x0a\x02\x03\x04", 4);
    assert_int_equal(parsed("/x:5").port, 0);
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "localhost",    "127.0.0.1",   "127.0.0.1:",    "127.0.0.1:0", "127.0.0.1:65536",
        "a:-1",       "a:+1",         "a:1x",        "a:000001",      "a: 1",        ":5432",
        "::1:5432",   "[::1]",        "[::1",        "[::1]5432",     "[]:1",        "[1.2.3.4]:1",
        "1.2.3:1",    "1.2.3.256:1",  "1.2.3.4.5:1", "1:1",           "a b:1",       "a/b:1",
        "\xc3\xa4:1", "[::1%eth0]:1", "[::g]:1",     "a:99999999999", "[1:2]:1",     "a]:1",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char storage[ADDRESS_TEXT_SIZE];
        struct address address;
        struct text why;
        text_init(&why, storage, sizeof storage);
        assert_false(address_parse(wrong[i], &address, &why));
        assert_int_not_equal(why.size, 0);
        assert_false(address_parse(wrong[i], &address, NULL));
    }
}

static void names_and_paths_have_a_largest_length(void **state)
{
    (void)state;
    struct address address;
    char text[400];
    memset(text, 'a', sizeof text);
    strcpy(text + 253, ":1");
    assert_true(address_parse(text, &address, NULL));
    strcpy(text + 253, "a:1");
    assert_false(address_parse(text, &address, NULL));
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[107] = '\0';
    assert_true(address_parse(text, &address, NULL));
    assert_int_equal(strlen(address.text), 107);
    text[107] = 'a';
    text[108] = '\0';
    assert_false(address_parse(text, &address, NULL));
    text[108] = 'a';
    text[sizeof text - 1] = '\0';
    assert_false(address_parse(text, &address, NULL));
}

static void loopback_is_what_only_this_machine_reaches(void **state)
{
    (void)state;
    static const char *const near[] = { "127.0.0.1:1",          "127.255.0.9:1", "[::1]:1",
                                        "[::ffff:127.0.0.1]:1", "/run/x",        "LocalHost:1" };
    static const char *const far[] = { "128.0.0.1:1", "0.0.0.0:1",  "[::]:1",
                                       "[::2]:1",     "[1::1]:1",   "[::ffff:10.0.0.1]:1",
                                       "db:1",        "localhos:1", "[fe80::1]:1" };
    for (size_t i = 0; i < COUNT_OF(near); i++) {
        struct address address = parsed(near[i]);
        assert_true(address_is_loopback(&address));
    }
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        struct address address = parsed(far[i]);
        assert_false(address_is_loopback(&address));
    }
}

static void networks_are_shown_as_they_are_read(void **state)
{
    static const char *const cases[][2] = {
        { "10.2.0.0/16", "10.2.0.0/16" },
        { "10.2.3.4", "10.2.3.4/32" },
        { "fd00::/8", "fd00::/8" },
        { "::ffff:10.0.0.0/104", "10.0.0.0/8" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char storage[64];
        struct text out;
        struct network network = network_parsed(cases[i][0]);
        text_init(&out, storage, sizeof storage);
        network_describe(&network, &out);
        assert_string_equal(storage, cases[i][1]);
    }
}

static void assert_holds(const char *network_text, const char *address_text, bool expected)
{
    struct network network = network_parsed(network_text);
    struct address address = parsed(address_text);
    assert_int_equal(network_holds(&network, &address), expected);
}

static void a_network_holds_its_addresses_only(void **state)
{
    (void)state;
    assert_holds("10.2.0.0/16", "10.2.255.1:1", true);
    assert_holds("10.2.0.0/16", "10.3.0.1:1", false);
    assert_holds("10.2.3.4", "10.2.3.4:1", true);
    assert_holds("10.2.3.4", "10.2.3.5:1", false);
    assert_holds("10.128.0.0/9", "10.200.0.1:1", true);
    assert_holds("10.128.0.0/9", "10.127.0.1:1", false);
    assert_holds("0.0.0.0/0", "9.9.9.9:1", true);
    assert_holds("fd00::/8", "[fdff::1]:1", true);
    assert_holds("fd00::/8", "[fe00::1]:1", false);
    assert_holds("2001:db8::/33", "[2001:db8:7fff::1]:1", true);
    assert_holds("2001:db8::/33", "[2001:db8:8000::1]:1", false);
    assert_holds("::1", "[::1]:1", true);
    assert_holds("::1/128", "[::2]:1", false);
}

static void families_are_not_mixed_but_for_mapped_addresses(void **state)
{
    (void)state;
    assert_holds("0.0.0.0/0", "[::1]:1", false);
    assert_holds("::/0", "1.2.3.4:1", false);
    assert_holds("10.0.0.0/8", "[::ffff:10.1.2.3]:1", true);
    assert_holds("::ffff:10.0.0.0/104", "10.1.2.3:1", true);
    assert_holds("::ffff:0.0.0.0/96", "10.1.2.3:1", true);
    assert_holds("::ffff:10.0.0.0/104", "[::ffff:11.1.2.3]:1", false);
    assert_holds("0.0.0.0/0", "/run/x", false);
    assert_holds("::/0", "db:1", false);
}

static void every_prefix_length_cuts_at_its_bit(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 128; bits++) {
        struct network network = { .family = ADDRESS_IPV6, .prefix = (uint8_t)bits };
        struct address address = { .family = ADDRESS_IPV6 };
        address.ip[(bits - 1) / 8] = (uint8_t)(0x80 >> (bits - 1) % 8);
        assert_false(network_holds(&network, &address));
        network.prefix--;
        assert_true(network_holds(&network, &address));
    }
}

static void what_is_no_network_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",           "10.2.0.0/",     "0.0.0.0/",    "10.2.0.0/33",
                                         "10.2.0.0/x", "10.2.0.0/16/1", "10.2.3.4/16", "10.2.0/16",
                                         "fd00::/129", "fd00::1/8",     "name/8",      "/8",
                                         "fd00::/-1",  "10.0.0.1/31",   "/run/x",      "10.2.0.0 /16" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char storage[ADDRESS_TEXT_SIZE];
        struct network network;
        struct text why;
        text_init(&why, storage, sizeof storage);
        assert_false(network_parse(wrong[i], &network, &why));
        assert_int_not_equal(why.size, 0);
    }
}

static void assert_network_reason(const char *text, const char *expected)
{
    char storage[ADDRESS_TEXT_SIZE];
    struct network network;
    struct text why;
    text_init(&why, storage, sizeof storage);
    assert_false(network_parse(text, &network, &why));
    assert_non_null(strstr(storage, expected));
    assert_false(network_parse(text, &network, NULL));
}

static void host_bits_are_refused_with_the_right_network(void **state)
{
    (void)state;
    assert_network_reason("10.2.3.4/16", "the network is 10.2.0.0/16");
    assert_network_reason("10.2.3.5/31", "the network is 10.2.3.4/31");
    assert_network_reason("255.255.255.255/0", "the network is 0.0.0.0/0");
    assert_network_reason("fd00::1/8", "the network is fd00::/8");
    assert_network_reason("2001:db8:ffff::/33", "the network is 2001:db8:8000::/33");
    assert_network_reason("::ffff:10.1.2.3/104", "the network is 10.0.0.0/8");
    assert_network_reason("10.0.0.0/33", "from 0 to 32");
    assert_network_reason("fd00::/129", "from 0 to 128");
}

static void the_reason_says_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        { "localhost", "HOST:PORT" }, { "::1:5432", "[::1]:5432" },  { "*:5432", "0.0.0.0:PORT" },
        { "a:0", "1 to 65535" },      { "1.2.3.400:1", "0 to 255" }, { "[x]:1", "IPv6" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char storage[ADDRESS_TEXT_SIZE];
        struct address address;
        struct text why;
        text_init(&why, storage, sizeof storage);
        assert_false(address_parse(rows[i].text, &address, &why));
        assert_non_null(strstr(storage, rows[i].expected));
    }
}

static void peers_without_an_address_have_a_word(void **state)
{
    (void)state;
    char storage[ADDRESS_TEXT_SIZE];
    struct text out;
    text_init(&out, storage, sizeof storage);
    address_describe(&(struct address){ .family = ADDRESS_UNIX }, &out);
    text_append_byte(&out, ' ');
    address_describe(&(struct address){ .family = ADDRESS_NONE }, &out);
    assert_string_equal(storage, "[local] unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_shown_as_they_are_read),
        cmocka_unit_test(ports_and_bytes_are_in_their_places),
        cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
        cmocka_unit_test(names_and_paths_have_a_largest_length),
        cmocka_unit_test(loopback_is_what_only_this_machine_reaches),
        cmocka_unit_test(networks_are_shown_as_they_are_read),
        cmocka_unit_test(a_network_holds_its_addresses_only),
        cmocka_unit_test(families_are_not_mixed_but_for_mapped_addresses),
        cmocka_unit_test(every_prefix_length_cuts_at_its_bit),
        cmocka_unit_test(what_is_no_network_is_refused_with_a_reason),
        cmocka_unit_test(host_bits_are_refused_with_the_right_network),
        cmocka_unit_test(the_reason_says_what_would_be_right),
        cmocka_unit_test(peers_without_an_address_have_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
