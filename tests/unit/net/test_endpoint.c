/* SPDX-License-Identifier: PostgreSQL */
#include "net/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_kernel_is_told_reads_back_the_same),
        cmocka_unit_test(names_and_paths_too_long_have_no_form_in_the_kernel),
        cmocka_unit_test(other_families_and_lying_sizes_read_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
