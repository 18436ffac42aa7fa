/* SPDX-License-Identifier: PostgreSQL */
#include "observe/docket.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 41, 42 } };

static struct event event_make(const char *service, int64_t time_us)
{
    struct event event = { .kind = EVENT_DDL_WOULD_REFUSE,
                           .time_us = time_us,
                           .reason = "no window is open",
                           .violation = { .database = "shop",
                                          .user = "app",
                                          .fingerprint = "f00d",
                                          .statement = "DROP TABLE orders" },
                           .command = "DROP TABLE",
                           .class = "destructive",
                           .level = 3,
                           .ground = "closed",
                           .window = "sunday",
                           .rule = "strict",
                           .objects = "public.orders" };
    assert_true(
        bytes_copy_text(bytes_text(service), event.violation.service, sizeof event.violation.service));
    return event;
}

static void record(struct docket *docket, const char *service, int64_t time_us)
{
    struct event event = event_make(service, time_us);
    docket_record(docket, &event);
}

static void an_entry_says_all_of_its_first_event(void **state)
{
    (void)state;
    const struct docket_entry *top[2];
    struct docket docket;
    struct event later = event_make("kds", 9);
    strcpy(later.violation.statement, "later");
    later.level = 2;
    docket_init(&docket, &key, 10);
    record(&docket, "kds", 5);
    docket_record(&docket, &later);
    assert_int_equal(docket_top(&docket, top, 2), 1);
    assert_int_equal(top[0]->entry.count, 2);
    assert_int_equal(top[0]->entry.first_us, 5);
    assert_int_equal(top[0]->entry.last_us, 9);
    assert_int_equal(top[0]->level, 3);
    assert_string_equal(top[0]->class, "destructive");
    assert_string_equal(top[0]->command, "DROP TABLE");
    assert_string_equal(top[0]->ground, "closed");
    assert_string_equal(top[0]->window, "sunday");
    assert_string_equal(top[0]->rule, "strict");
    assert_string_equal(top[0]->reason, "no window is open");
    assert_string_equal(top[0]->service, "kds");
    assert_string_equal(top[0]->database, "shop");
    assert_string_equal(top[0]->user, "app");
    assert_string_equal(top[0]->objects, "public.orders");
    assert_string_equal(top[0]->fingerprint, "f00d");
    assert_string_equal(top[0]->statement, "DROP TABLE orders");
    docket_release(&docket);
}

static size_t entries_of(const struct event *first, const struct event *second)
{
    struct docket docket;
    docket_init(&docket, &key, 10);
    docket_record(&docket, first);
    docket_record(&docket, second);
    size_t entries = docket.tally.table.count;
    assert_int_equal(docket.tally.total, 2);
    docket_release(&docket);
    return entries;
}

/* How many entries an event makes with another that differs in the text at an offset of the structure. */
static size_t entries_when_changed(size_t offset)
{
    struct event first = event_make("kds", 1);
    struct event second = first;
    ((char *)&second)[offset] = 'x';
    return entries_of(&first, &second);
}

static void every_part_of_the_key_parts_entries(void **state)
{
    (void)state;
    static const size_t offsets[] = {
        offsetof(struct event, violation.service),
        offsetof(struct event, violation.database),
        offsetof(struct event, violation.user),
        offsetof(struct event, class),
        offsetof(struct event, command),
        offsetof(struct event, rule),
        offsetof(struct event, violation.fingerprint),
    };
    for (size_t i = 0; i < COUNT_OF(offsets); i++)
        assert_int_equal(entries_when_changed(offsets[i]), 2);
    struct event first = event_make("kds", 1);
    struct event second = first;
    second.ground = "freeze";
    assert_int_equal(entries_of(&first, &second), 2);
}

static void what_is_no_part_of_the_key_parts_nothing(void **state)
{
    (void)state;
    static const size_t offsets[] = {
        offsetof(struct event, violation.statement),
        offsetof(struct event, violation.table),
        offsetof(struct event, window),
        offsetof(struct event, reason),
        offsetof(struct event, objects),
        offsetof(struct event, address),
        offsetof(struct event, application_name),
    };
    for (size_t i = 0; i < COUNT_OF(offsets); i++)
        assert_int_equal(entries_when_changed(offsets[i]), 1);
    /* A ground is its text, wherever that lies. */
    char ground[] = "closed";
    struct event first = event_make("kds", 1);
    struct event second = first;
    second.ground = ground;
    assert_int_equal(entries_of(&first, &second), 1);
}

static void an_event_without_a_ground_has_an_empty_one(void **state)
{
    (void)state;
    const struct docket_entry *top;
    struct docket docket;
    struct event event = event_make("kds", 1);
    event.ground = NULL;
    docket_init(&docket, &key, 10);
    docket_record(&docket, &event);
    assert_int_equal(docket_top(&docket, &top, 1), 1);
    assert_string_equal(top->ground, "");
    docket_release(&docket);
}

/* The longest texts there can be still make keys of their own, by their last bytes. */
static void the_longest_key_fits(void **state)
{
    (void)state;
    struct event first = event_make("", 1);
    memset(first.violation.service, 's', NAME_SIZE - 1);
    memset(first.violation.database, 'd', NAME_SIZE - 1);
    memset(first.violation.user, 'u', NAME_SIZE - 1);
    memset(first.class, 'c', sizeof first.class - 1);
    memset(first.command, 'C', EVENT_COMMAND_SIZE - 1);
    memset(first.rule, 'r', NAME_SIZE - 1);
    memset(first.violation.fingerprint, 'f', FINGERPRINT_TEXT_SIZE - 1);
    struct event second = first;
    assert_int_equal(entries_of(&first, &second), 1);
    second.violation.fingerprint[FINGERPRINT_TEXT_SIZE - 2] = 'g';
    assert_int_equal(entries_of(&first, &second), 2);
}

static void what_does_not_fit_is_counted_under_other(void **state)
{
    (void)state;
    const struct docket_entry *top[4];
    struct docket docket;
    docket_init(&docket, &key, 2);
    record(&docket, "a", 1);
    record(&docket, "a", 2);
    record(&docket, "b", 3);
    record(&docket, "c", 4);
    record(&docket, "c", 5);
    assert_int_equal(docket.tally.other, 2);
    assert_int_equal(docket.tally.total, 5);
    assert_int_equal(docket_top(&docket, top, 4), 2);
    assert_string_equal(top[0]->service, "c");
    assert_string_equal(top[1]->service, "b");
    docket_release(&docket);
}

static void dockets_of_several_workers_make_one(void **state)
{
    (void)state;
    const struct docket_entry *top[4];
    struct docket into;
    struct docket from;
    struct event earlier = event_make("b", 1);
    strcpy(earlier.violation.statement, "earlier");
    docket_init(&into, &key, 2);
    docket_init(&from, &key, 4);
    record(&into, "a", 2);
    record(&into, "b", 3);
    docket_record(&from, &earlier);
    record(&from, "c", 4);
    record(&from, "b", 5);
    docket_merge(&into, &from);
    assert_int_equal(into.tally.total, 5);
    assert_int_equal(into.tally.other, 1);
    assert_int_equal(docket_top(&into, top, 4), 2);
    assert_string_equal(top[0]->service, "b");
    assert_int_equal(top[0]->entry.count, 3);
    assert_int_equal(top[0]->entry.first_us, 1);
    assert_int_equal(top[0]->entry.last_us, 5);
    assert_string_equal(top[0]->statement, "earlier");
    assert_string_equal(top[1]->service, "c");
    docket_release(&into);
    docket_release(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_all_of_its_first_event),
        cmocka_unit_test(every_part_of_the_key_parts_entries),
        cmocka_unit_test(what_is_no_part_of_the_key_parts_nothing),
        cmocka_unit_test(an_event_without_a_ground_has_an_empty_one),
        cmocka_unit_test(the_longest_key_fits),
        cmocka_unit_test(what_does_not_fit_is_counted_under_other),
        cmocka_unit_test(dockets_of_several_workers_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
