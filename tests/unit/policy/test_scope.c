/* SPDX-License-Identifier: PostgreSQL */
#include "policy/scope.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static struct guard_subject subject(const char *service, const char *user, const char *database)
{
    return (struct guard_subject){ bytes_text(service), bytes_text(user), bytes_text(database), NULL };
}

static void what_asks_nothing_is_for_all(void **state)
{
    (void)state;
    struct guard_subject anybody = subject("", "", "");
    struct scope open = { .service = "" };
    assert_true(scope_is_open(&open));
    assert_true(scope_has(&open, &anybody));
    assert_false(scope_is_open(&(struct scope){ .service = "kds" }));
    assert_false(scope_is_open(&(struct scope){ .user = "kds" }));
    assert_false(scope_is_open(&(struct scope){ .database = "kds" }));
}

static void all_that_is_asked_must_hold(void **state)
{
    (void)state;
    struct scope scope = { .service = "kds*", .user = "deployer", .database = "orders" };
    struct guard_subject right = subject("kds-2", "deployer", "orders");
    struct guard_subject wrong[] = { subject("booking", "deployer", "orders"),
                                     subject("kds-2", "kds_app", "orders"),
                                     subject("kds-2", "deployer", "orders2") };
    assert_true(scope_has(&scope, &right));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(scope_has(&scope, &wrong[i]));
}

static void a_network_asks_for_an_address_in_it(void **state)
{
    (void)state;
    struct scope scope = { .user = "deployer", .has_network = true };
    struct guard_subject somebody = subject("", "deployer", "");
    struct address address;
    assert_true(network_parse("10.2.0.0/16", &scope.network, NULL));
    assert_false(scope_has(&scope, &somebody));
    somebody.address = &address;
    assert_true(address_parse("10.2.3.4:1", &address, NULL));
    assert_true(scope_has(&scope, &somebody));
    somebody.user = bytes_text("anna");
    assert_false(scope_has(&scope, &somebody));
    somebody.user = bytes_text("deployer");
    assert_true(address_parse("10.3.3.4:1", &address, NULL));
    assert_false(scope_has(&scope, &somebody));
    scope.user[0] = '\0';
    assert_false(scope_is_open(&scope));
    scope.has_network = false;
    assert_true(scope_is_open(&scope));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_asks_nothing_is_for_all),
        cmocka_unit_test(all_that_is_asked_must_hold),
        cmocka_unit_test(a_network_asks_for_an_address_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
