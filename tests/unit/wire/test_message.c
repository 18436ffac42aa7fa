/* SPDX-License-Identifier: PostgreSQL */
#include "wire/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void expect_types(enum side from, const char *types)
{
    for (int type = 0; type < 256; type++) {
        bool is_expected = type != 0 && strchr(types, type) != NULL;
        assert_int_equal(message_form(from, (uint8_t)type) != NULL, is_expected);
    }
}

/* Manual: "Message Formats". */
static void each_side_has_its_types_and_no_others(void **state)
{
    (void)state;
    expect_types(SIDE_CLIENT, "QFPBDECHSdcfXp");
    expect_types(SIDE_SERVER, "RKSNAvZ123tTnDCIsEGHWdcV");
}

static void bounds_are_within_those_of_any_message(void **state)
{
    (void)state;
    for (int entry = 0; entry < 512; entry++) {
        const struct message_form *form =
            message_form(entry % 2 ? SIDE_SERVER : SIDE_CLIENT, (uint8_t)(entry / 2));
        if (form == NULL)
            continue;
        assert_true(form->least >= MESSAGE_LENGTH_SIZE && form->least <= form->most);
        assert_true(form->most <= (entry % 2 ? MESSAGE_BUILT : MESSAGE_LARGE));
    }
}

static void expect_bounds(enum side from, uint8_t type, uint32_t least, uint32_t most)
{
    const struct message_form *form = message_form(from, type);
    assert_non_null(form);
    assert_int_equal(form->least, least);
    assert_int_equal(form->most, most);
}

static void a_client_may_send_what_the_server_takes(void **state)
{
    (void)state;
    expect_bounds(SIDE_CLIENT, CLIENT_QUERY, 4, 0x3ffffffe);
    expect_bounds(SIDE_CLIENT, CLIENT_FUNCTION_CALL, 4, 0x3ffffffe);
    expect_bounds(SIDE_CLIENT, CLIENT_PARSE, 4, 0x3ffffffe);
    expect_bounds(SIDE_CLIENT, CLIENT_BIND, 4, 0x3ffffffe);
    expect_bounds(SIDE_CLIENT, CLIENT_EXECUTE, 4, 10000);
    expect_bounds(SIDE_CLIENT, CLIENT_DESCRIBE, 4, 10000);
    expect_bounds(SIDE_CLIENT, CLIENT_COPY_DATA, 4, 0x3ffffffe);
    expect_bounds(SIDE_CLIENT, CLIENT_AUTHENTICATION_REPLY, 4, 65535);
}

static void a_server_may_send_all_it_can_build(void **state)
{
    (void)state;
    expect_bounds(SIDE_SERVER, SERVER_DATA_ROW, 4 + 2, 0x40000002);
    expect_bounds(SIDE_SERVER, SERVER_COPY_DATA_OUT, 4, 0x40000002);
    expect_bounds(SIDE_SERVER, SERVER_BACKEND_KEY_DATA, 4 + 4 + 4, 4 + 4 + 256);
    expect_bounds(SIDE_SERVER, SERVER_READY_FOR_QUERY, 5, 5);
    expect_bounds(SIDE_SERVER, SERVER_ERROR_RESPONSE, 4, 0x40000002);
    expect_bounds(SIDE_SERVER, SERVER_FUNCTION_CALL_RESPONSE, 4 + 4, 0x40000002);
}

static void the_same_byte_is_another_message_from_the_other_side(void **state)
{
    (void)state;
    assert_string_equal(message_form(SIDE_CLIENT, 'E')->name, "Execute");
    assert_string_equal(message_form(SIDE_SERVER, 'E')->name, "ErrorResponse");
    assert_int_equal(message_form(SIDE_CLIENT, 'D')->disposition, DISPOSITION_HEAD);
    assert_int_equal(message_form(SIDE_SERVER, 'D')->disposition, DISPOSITION_PASS);
    assert_int_equal(side_other(SIDE_CLIENT), SIDE_SERVER);
    assert_int_equal(side_other(SIDE_SERVER), SIDE_CLIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_side_has_its_types_and_no_others),
        cmocka_unit_test(bounds_are_within_those_of_any_message),
        cmocka_unit_test(a_client_may_send_what_the_server_takes),
        cmocka_unit_test(a_server_may_send_all_it_can_build),
        cmocka_unit_test(the_same_byte_is_another_message_from_the_other_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
