/* SPDX-License-Identifier: PostgreSQL */
#include "base/buffer.h"
#include "catalog/nearness.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void list_add(struct buffer *buffer, size_t *count, struct bytes value)
{
    size_t start = value_begin(buffer);
    buffer_append(buffer, value);
    value_end(buffer, start);
    (*count)++;
}

/* The values are parted by |. */
static struct value_list list_of(struct buffer *buffer, const char *values)
{
    size_t count = 0;
    struct bytes rest = bytes_text(values);
    buffer_clear(buffer);
    while (rest.size > 0) {
        list_add(buffer, &count, bytes_take(&rest, bytes_find(rest, '|')));
        (void)bytes_take(&rest, rest.size > 0 ? 1 : 0);
    }
    return (struct value_list){ buffer_bytes(buffer), count };
}

static void expect(const char *attempted, const char *allowed, const char *told)
{
    char storage[512];
    struct text text;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    text_init(&text, storage, sizeof storage);
    struct nearness nearness = nearness_of(bytes_text(attempted), list_of(&buffer, allowed));
    nearness_describe(&nearness, bytes_text(attempted), &text);
    assert_string_equal(storage, told);
    buffer_release(&buffer);
}

static void a_slip_is_told(void **state)
{
    (void)state;
    expect("cancelled", "open|canceled|done", "'cancelled' is 1 letter off 'canceled', which is allowed");
    expect("canceled", "open|cancelled", "'canceled' is 1 letter off 'cancelled', which is allowed");
    expect("recieved", "received", "'recieved' is 1 letter off 'received', which is allowed");
    expect("prepering", "preparing|ready", "'prepering' is 1 letter off 'preparing', which is allowed");
    expect("acknowlegdet", "acknowledged",
           "'acknowlegdet' is 2 letters off 'acknowledged', which is allowed");
    expect("Cancelled", "canceled", "'Cancelled' is 1 letter off 'canceled', which is allowed");
    expect("gr\303\266\303\237er", "gr\303\266sser|other", "");
    expect("gel\303\266scht", "geloscht", "'gel\303\266scht' is 1 letter off 'geloscht', which is allowed");
    expect("member_program_item_shedule", "member_program_item_schedule|order",
           "'member_program_item_shedule' is 1 letter off 'member_program_item_schedule', which is allowed");
}

static void another_form_is_told_of_short_values_too(void **state)
{
    (void)state;
    expect("Y", "y|n", "'Y' differs only in case or spaces from 'y', which is allowed");
    expect("in progress", "in_progress|done",
           "'in progress' differs only in case or spaces from 'in_progress', which is allowed");
    expect(" OPEN", "open", "' OPEN' differs only in case or spaces from 'open', which is allowed");
    expect("inprogress", "In-Progress",
           "'inprogress' differs only in case or spaces from 'In-Progress', which is allowed");
}

static void what_is_allowed_is_said_to_be(void **state)
{
    (void)state;
    expect("open", "Open|open", "'open' is allowed");
}

static void other_values_are_not_taken_for_slips(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "paid", "said" },
        { "a", "b" },
        { "", "a" },
        { "a", "" },
        { "", "_" },
        { "xs", "xl|s|m" },
        { "new", "now" },
        { "open", "oven" },
        { "active", "inactive" },
        { "confirmed", "unconfirmed" },
        { "unconfirmed", "confirmed" },
        { "import", "export" },
        { "enabled", "disabled" },
        { "level1", "level2" },
        { "status_10", "status_1" },
        { "2024-01-01", "2024-01-02" },
        { "credit", "debit" },
        { "increase", "decrease" },
        { "OPEN", "Open|oPEN" },
        { "colour", "colon" },
        { "cancelled", "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect(rows[i][0], rows[i][1], "");
}

static void of_two_that_are_as_near_none_is_told(void **state)
{
    (void)state;
    expect("shipper", "shipped|shipper_",
           "'shipper' differs only in case or spaces from 'shipper_', which is allowed");
    expect("delivere", "delivered|deliverer", "");
    expect("delivered", "deliverer|deliveres", "");
    expect("confirmedx", "confirmed|confirmmedxy",
           "'confirmedx' is 1 letter off 'confirmed', which is allowed");
}

static void long_and_hostile_values_do_no_harm(void **state)
{
    (void)state;
    static char huge[10241];
    memset(huge, 'a', sizeof huge - 1);
    expect(huge, "a|aa", "");
    expect("a\n\033[31m'b", "a\n\033[31m'c",
           "'a\\x0a\\x1b[31m'b' is 1 letter off 'a\\x0a\\x1b[31m'c', which is allowed");
    expect("\377\376\375\374\373", "\377\376\375\374\372",
           "'\\xff\\xfe\\xfd\\xfc\\xfb' is 1 letter off "
           "'\\xff\\xfe\\xfd\\xfc\\xfa', which is allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_is_told),
        cmocka_unit_test(another_form_is_told_of_short_values_too),
        cmocka_unit_test(what_is_allowed_is_said_to_be),
        cmocka_unit_test(other_values_are_not_taken_for_slips),
        cmocka_unit_test(of_two_that_are_as_near_none_is_told),
        cmocka_unit_test(long_and_hostile_values_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
