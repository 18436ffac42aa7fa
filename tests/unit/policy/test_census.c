/* SPDX-License-Identifier: PostgreSQL */
#include "policy/census.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key key = { { 1, 2 } };

enum { STEPS = 20000, SERVICES = 40, ADDRESSES = 30, INSIDE_MOST = 300 };

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address, NULL));
    return address;
}

static struct census *census_of(uint32_t sessions, uint32_t per_service, uint32_t per_address)
{
    const struct census_limits limits = { sessions, per_service, per_address };
    struct census *census = census_create(&key, &limits);
    assert_non_null(census);
    return census;
}

static struct census_entry *enter(struct census *census, const char *service, const char *client)
{
    struct census_entry *entry = NULL;
    const struct address address = address_of(client);
    size_t before = census_count(census);
    assert_int_equal(census_enter(census, bytes_text(service), &address, &entry), CENSUS_ADMITTED);
    assert_non_null(entry);
    assert_int_equal(census_count(census), before + 1);
    return entry;
}

static void expect_refused(struct census *census, const char *service, const char *client,
                           enum census_result expected)
{
    struct census_entry *entry = NULL;
    const struct address address = address_of(client);
    size_t before = census_count(census);
    assert_int_equal(census_enter(census, bytes_text(service), &address, &entry), expected);
    assert_null(entry);
    assert_int_equal(census_count(census), before);
}

static void sessions_are_bounded_in_all(void **state)
{
    (void)state;
    struct census *census = census_of(2, 0, 0);
    struct census_entry *first = enter(census, "a", "1.1.1.1:1");
    struct census_entry *second = enter(census, "b", "2.2.2.2:1");
    expect_refused(census, "c", "3.3.3.3:1", CENSUS_FULL);
    census_leave(census, first);
    struct census_entry *third = enter(census, "c", "3.3.3.3:1");
    expect_refused(census, "a", "1.1.1.1:1", CENSUS_FULL);
    census_leave(census, second);
    census_leave(census, third);
    assert_int_equal(census_count(census), 0);
    census_destroy(census);
}

static void sessions_of_a_service_are_bounded(void **state)
{
    (void)state;
    struct census *census = census_of(0, 2, 0);
    struct census_entry *entries[] = { enter(census, "a", "1.1.1.1:1"), enter(census, "a", "2.2.2.2:1"),
                                       enter(census, "b", "1.1.1.1:1"), enter(census, "", "1.1.1.1:1") };
    expect_refused(census, "a", "3.3.3.3:1", CENSUS_SERVICE_FULL);
    expect_refused(census, "a", "3.3.3.3:1", CENSUS_SERVICE_FULL);
    census_leave(census, entries[0]);
    entries[0] = enter(census, "a", "3.3.3.3:1");
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        census_leave(census, entries[i]);
    census_destroy(census);
}

static void sessions_from_an_address_are_bounded(void **state)
{
    (void)state;
    struct census *census = census_of(0, 0, 1);
    struct census_entry *entries[] = { enter(census, "a", "1.1.1.1:1"), enter(census, "a", "2.2.2.2:1"),
                                       enter(census, "a", "[fd00::1]:1"), enter(census, "a", "[fd00::2]:1") };
    expect_refused(census, "b", "1.1.1.1:2", CENSUS_ADDRESS_FULL); /* the port does not count */
    expect_refused(census, "b", "[fd00::1]:2", CENSUS_ADDRESS_FULL);
    expect_refused(census, "b", "[::ffff:1.1.1.1]:2", CENSUS_ADDRESS_FULL);
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        census_leave(census, entries[i]);
    struct census_entry *mapped = enter(census, "a", "[::ffff:1.1.1.1]:1");
    expect_refused(census, "b", "1.1.1.1:2", CENSUS_ADDRESS_FULL);
    census_leave(census, mapped);
    census_destroy(census);
}

static void all_unix_sockets_are_one_address(void **state)
{
    (void)state;
    struct census *census = census_of(0, 0, 1);
    struct census_entry *entry = enter(census, "a", "/run/one");
    expect_refused(census, "b", "/run/two", CENSUS_ADDRESS_FULL);
    const struct address nameless = { .family = ADDRESS_UNIX };
    struct census_entry *other = NULL;
    assert_int_equal(census_enter(census, bytes_text("b"), &nameless, &other), CENSUS_ADDRESS_FULL);
    census_leave(census, entry);
    census_destroy(census);
}

static void the_widest_bound_that_is_reached_is_told(void **state)
{
    (void)state;
    struct census *census = census_of(1, 1, 1);
    struct census_entry *entry = enter(census, "a", "1.1.1.1:1");
    expect_refused(census, "a", "1.1.1.1:1", CENSUS_FULL);
    census_set_limits(census, &(struct census_limits){ 0, 1, 1 });
    expect_refused(census, "a", "1.1.1.1:1", CENSUS_SERVICE_FULL);
    census_set_limits(census, &(struct census_limits){ 0, 0, 1 });
    expect_refused(census, "a", "1.1.1.1:1", CENSUS_ADDRESS_FULL);
    census_leave(census, entry);
    census_destroy(census);
}

static void zero_is_no_bound(void **state)
{
    (void)state;
    struct census *census = census_of(0, 0, 0);
    struct census_entry *entries[100];
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        entries[i] = enter(census, "a", "1.1.1.1:1");
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        census_leave(census, entries[i]);
    census_destroy(census);
}

static void limits_may_shrink_below_what_is_there(void **state)
{
    (void)state;
    struct census *census = census_of(0, 0, 0);
    struct census_entry *entries[3];
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        entries[i] = enter(census, "a", "1.1.1.1:1");
    census_set_limits(census, &(struct census_limits){ 2, 0, 0 });
    assert_int_equal(census_count(census), 3);
    expect_refused(census, "b", "2.2.2.2:1", CENSUS_FULL);
    census_leave(census, entries[0]);
    expect_refused(census, "b", "2.2.2.2:1", CENSUS_FULL);
    census_leave(census, entries[1]);
    entries[0] = enter(census, "b", "2.2.2.2:1");
    census_set_limits(census, &(struct census_limits){ 0, 1, 0 });
    expect_refused(census, "a", "2.2.2.2:1", CENSUS_SERVICE_FULL);
    census_leave(census, entries[2]);
    census_leave(census, entries[0]);
    census_destroy(census);
}

/* A session that is in, as the model below counts it. */
struct guest {
    struct census_entry *entry;
    unsigned service, address;
};

struct model {
    struct guest inside[INSIDE_MOST];
    size_t count;
    unsigned services[SERVICES], addresses[ADDRESSES];
};

static enum census_result model_judge(const struct model *model, const struct census_limits *limits,
                                      const struct guest *guest)
{
    if (model->count >= limits->sessions)
        return CENSUS_FULL;
    if (model->services[guest->service] >= limits->per_service)
        return CENSUS_SERVICE_FULL;
    return model->addresses[guest->address] >= limits->per_address ? CENSUS_ADDRESS_FULL : CENSUS_ADMITTED;
}

static void model_enter(struct model *model, const struct census_limits *limits, struct census *census)
{
    char name[16];
    struct guest guest = { NULL, (unsigned)rand() % SERVICES, (unsigned)rand() % ADDRESSES };
    const struct address address = { .family = ADDRESS_IPV4, .ip = { 10, (uint8_t)guest.address } };
    (void)snprintf(name, sizeof name, "service %u", guest.service);
    enum census_result expected = model_judge(model, limits, &guest);
    assert_int_equal(census_enter(census, bytes_text(name), &address, &guest.entry), expected);
    if (expected != CENSUS_ADMITTED)
        return;
    model->services[guest.service]++;
    model->addresses[guest.address]++;
    model->inside[model->count++] = guest;
}

static void model_leave(struct model *model, struct census *census)
{
    size_t at = (size_t)rand() % model->count;
    struct guest guest = model->inside[at];
    model->inside[at] = model->inside[--model->count];
    model->services[guest.service]--;
    model->addresses[guest.address]--;
    census_leave(census, guest.entry);
}

static void much_coming_and_going_is_counted_right(void **state)
{
    (void)state;
    static struct model model;
    const struct census_limits limits = { INSIDE_MOST, 9, 12 };
    struct census *census = census_of(limits.sessions, limits.per_service, limits.per_address);
    srand(1);
    for (size_t i = 0; i < STEPS; i++) {
        bool is_growing = i / 1000 % 2 == 0;
        if (model.count > 0 && rand() % 4 < (is_growing ? 1 : 3))
            model_leave(&model, census);
        else
            model_enter(&model, &limits, census);
        assert_int_equal(census_count(census), model.count);
    }
    while (model.count > 0)
        model_leave(&model, census);
    census_destroy(census);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_bounded_in_all),
        cmocka_unit_test(sessions_of_a_service_are_bounded),
        cmocka_unit_test(sessions_from_an_address_are_bounded),
        cmocka_unit_test(all_unix_sockets_are_one_address),
        cmocka_unit_test(the_widest_bound_that_is_reached_is_told),
        cmocka_unit_test(zero_is_no_bound),
        cmocka_unit_test(limits_may_shrink_below_what_is_there),
        cmocka_unit_test(much_coming_and_going_is_counted_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
