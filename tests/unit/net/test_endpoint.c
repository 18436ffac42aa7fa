/* SPDX-License-Identifier: PostgreSQL */
#include "net/endpoint.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static void what_the_kernel_is_told_reads_back_the_same(void **state)
{
    static const char *const texts[] = { "127.0.0.1:5432", "255.1.2.3:65535", "[::1]:1", "[fd00:1::2:3]:5432",
                                         "/tmp/.s" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char storage[ADDRESS_TEXT_SIZE];
        struct text shown;
        struct address address;
        struct address again;
        struct endpoint endpoint;
        memset(&endpoint, 'x', sizeof endpoint);
        memset(&again, 'x', sizeof again);
        text_init(&shown, storage, sizeof storage);
        assert_true(address_parse(texts[i], &address, NULL));
        assert_true(endpoint_of(&address, &endpoint));
        endpoint_read(endpoint_name(&endpoint), endpoint.size, &again);
        address_describe(&again, &shown);
        assert_string_equal(storage, texts[i]);
    }
}

static void names_and_paths_too_long_have_no_form_in_the_kernel(void **state)
{
    (void)state;
    struct endpoint endpoint;
    struct address address = { .family = ADDRESS_NAME, .text = "localhost" };
    assert_false(endpoint_of(&address, &endpoint));
    address = (struct address){ .family = ADDRESS_UNIX };
    memset(address.text, 'p', 108);
    assert_false(endpoint_of(&address, &endpoint));
    address.text[107] = '\0';
    assert_true(endpoint_of(&address, &endpoint));
}

static void other_families_and_lying_sizes_read_as_none(void **state)
{
    (void)state;
    struct address address;
    struct endpoint endpoint = { .storage = { .ss_family = AF_INET }, .size = 4 };
    endpoint_read(endpoint_name(&endpoint), endpoint.size, &address);
    assert_int_equal(address.family, ADDRESS_NONE);
    endpoint.storage.ss_family = AF_INET6;
    endpoint_read(endpoint_name(&endpoint), endpoint.size, &address);
    assert_int_equal(address.family, ADDRESS_NONE);
    endpoint.storage.ss_family = AF_UNSPEC;
    endpoint.size = sizeof endpoint.storage;
    endpoint_read(endpoint_name(&endpoint), endpoint.size, &address);
    assert_int_equal(address.family, ADDRESS_NONE);
}

static struct endpoint endpoint_at(const char *text)
{
    struct endpoint endpoint;
    struct address address;
    assert_true(address_parse(text, &address, NULL));
    assert_true(endpoint_of(&address, &endpoint));
    return endpoint;
}

static int option_of(int socket, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(socket, level, option, &value, &size), 0);
    return value;
}

static void connections_neither_delay_nor_block_nor_outlive_a_vanished_peer(void **state)
{
    static const char *const texts[] = { "127.0.0.1:5432", "192.0.2.1:5432", "[::1]:5432", "[fd00::1]:5432" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct endpoint endpoint = endpoint_at(texts[i]);
        int made = endpoint_socket(&endpoint);
        assert_true(made >= 0);
        assert_int_equal(option_of(made, IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option_of(made, SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal(option_of(made, IPPROTO_TCP, TCP_KEEPIDLE), 60);
        assert_true(fcntl(made, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(made, F_GETFD) & FD_CLOEXEC);
        (void)close(made);
    }
}

static void assert_congestion(const char *text, const char *expected)
{
    char name[16] = "";
    socklen_t size = sizeof name;
    const struct endpoint endpoint = endpoint_at(text);
    int made = endpoint_socket(&endpoint);
    assert_int_equal(getsockopt(made, IPPROTO_TCP, TCP_CONGESTION, name, &size), 0);
    assert_string_equal(name, expected);
    (void)close(made);
}

static void only_the_loopback_is_not_paced(void **state)
{
    char system[16] = "";
    socklen_t size = sizeof system;
    (void)state;
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockopt(made, IPPROTO_TCP, TCP_CONGESTION, system, &size), 0);
    (void)close(made);
    assert_congestion("127.0.0.1:5432", "reno");
    assert_congestion("127.255.0.9:5432", "reno");
    assert_congestion("[::1]:5432", "reno");
    assert_congestion("0.0.0.0:5432", system);
    assert_congestion("192.0.2.1:5432", system);
    assert_congestion("[::]:5432", system);
    assert_congestion("[fd00::1]:5432", system);
}

static void a_unix_socket_has_none_of_this(void **state)
{
    (void)state;
    const struct endpoint endpoint = endpoint_at("/tmp/.s");
    int made = endpoint_socket(&endpoint);
    assert_true(made >= 0);
    assert_int_equal(option_of(made, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(option_of(made, SOL_SOCKET, SO_DOMAIN), AF_UNIX);
    assert_true(fcntl(made, F_GETFL) & O_NONBLOCK);
    (void)close(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_kernel_is_told_reads_back_the_same),
        cmocka_unit_test(names_and_paths_too_long_have_no_form_in_the_kernel),
        cmocka_unit_test(other_families_and_lying_sizes_read_as_none),
        cmocka_unit_test(connections_neither_delay_nor_block_nor_outlive_a_vanished_peer),
        cmocka_unit_test(only_the_loopback_is_not_paced),
        cmocka_unit_test(a_unix_socket_has_none_of_this),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
