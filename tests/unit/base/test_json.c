/* SPDX-License-Identifier: PostgreSQL */
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_written(struct buffer *buffer, const char *expected)
{
    assert_false(buffer->has_failed);
    assert_int_equal(buffer->size, strlen(expected));
    assert_memory_equal(buffer->data, expected, buffer->size);
    buffer_release(buffer);
}

static void values_stand_in_objects_and_arrays_with_commas_between(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    struct json json = json_of(&buffer);
    json_object_begin(&json, NULL);
    json_integer(&json, "a", -5);
    json_array_begin(&json, "b");
    json_array_end(&json);
    json_array_begin(&json, "c");
    json_object_begin(&json, NULL);
    json_boolean(&json, "d", true);
    json_object_end(&json);
    json_null(&json, NULL);
    json_boolean(&json, NULL, false);
    json_array_end(&json);
    json_text(&json, "e", "");
    json_text(&json, "f", "x");
    json_string(&json, "g", "");
    json_object_end(&json);
    assert_written(&buffer,
                   "{\"a\":-5,\"b\":[],\"c\":[{\"d\":true},null,false],\"e\":null,\"f\":\"x\",\"g\":\"\"}");
}

static void a_string_is_escaped_and_valid_whatever_it_holds(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    struct json json = json_of(&buffer);
    json_string(&json, NULL,
                "q\"b\\n\nt\t\x01\x7f"
                "u\xc3\xbc e\xe2\x82\xac s\xf0\x9f\x98\x80 l\xe2\x80\xa8 r\xe2\x80\xae c\xc2\x85 i\xff o\xc3 "
                "h\xed\xa0\x80");
    assert_written(&buffer,
                   "\"q\\\"b\\\\n\\u000at\\u0009\\u0001\\u007f"
                   "u\xc3\xbc e\xe2\x82\xac s\xf0\x9f\x98\x80 l\\u2028 r\\u202e c\\u0085 i\xef\xbf\xbd "
                   "o\xef\xbf\xbd h\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void what_is_no_number_and_no_time_is_null(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    struct json json = json_of(&buffer);
    json_array_begin(&json, NULL);
    json_real(&json, NULL, 0.25);
    json_real(&json, NULL, NAN);
    json_real(&json, NULL, INFINITY);
    json_time(&json, NULL, 0);
    json_time(&json, NULL, 1500000);
    json_array_end(&json);
    assert_written(&buffer, "[0.2500,null,null,null,\"1970-01-01T00:00:01.500000Z\"]");
}

static void what_does_not_fit_is_known(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4);
    struct json json = json_of(&buffer);
    json_string(&json, NULL, "longer");
    assert_true(buffer.has_failed);
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_in_objects_and_arrays_with_commas_between),
        cmocka_unit_test(a_string_is_escaped_and_valid_whatever_it_holds),
        cmocka_unit_test(what_is_no_number_and_no_time_is_null),
        cmocka_unit_test(what_does_not_fit_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
