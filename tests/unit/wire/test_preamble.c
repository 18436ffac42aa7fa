/* SPDX-License-Identifier: PostgreSQL */
#include "wire/preamble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VERSION_3_0 = 3 << 16, REQUEST = 1234 << 16, PACKET_SIZE = PREAMBLE_MOST + 64 };

struct packet {
    uint8_t data[PACKET_SIZE];
    size_t size;
};

static void put_int32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void packet_make(struct packet *packet, uint32_t code, const void *body, size_t body_size)
{
    packet->size = 8 + body_size;
    put_int32(packet->data, (uint32_t)packet->size);
    put_int32(packet->data + 4, code);
    if (body_size > 0)
        memcpy(packet->data + 8, body, body_size);
}

/* Every start of the packet, each in memory of just its size, starves or gives the verdict already; bytes
 * behind the packet change nothing. */
static enum preamble_result packet_read(const struct packet *packet, struct preamble *out)
{
    struct bytes bytes = bytes_of(packet->data, packet->size);
    enum preamble_result verdict = preamble_read(bytes, out);
    for (size_t size = 0; size < packet->size; size++) {
        struct preamble part;
        uint8_t *copy = malloc(size + 1);
        memcpy(copy + 1, packet->data, size);
        enum preamble_result result = preamble_read(bytes_of(copy + 1, size), &part);
        if (result != PREAMBLE_STARVED)
            assert_int_equal(result, verdict);
        else
            assert_int_equal(part.size, size < 4 ? 4 : out->size);
        assert_true(result != PREAMBLE_READY);
        free(copy);
    }
    struct preamble longer;
    bytes.size++;
    assert_int_equal(preamble_read(bytes, &longer), verdict);
    assert_int_equal(longer.size, out->size);
    return verdict;
}

static enum preamble_result read_startup(uint32_t version, const void *body, size_t body_size,
                                         struct preamble *out)
{
    static struct packet packet;
    packet_make(&packet, version, body, body_size);
    return packet_read(&packet, out);
}
#define READ_STARTUP(literal, out) read_startup(VERSION_3_0, literal, sizeof(literal) - 1, out)

static void expect_parameter(const struct preamble *preamble, const char *name, const char *value)
{
    struct bytes found = startup_parameter_find(preamble->parameters, name);
    assert_non_null(found.data);
    assert_true(bytes_equal_text(found, value));
}

static void a_startup_message_gives_its_parameters_in_order(void **state)
{
    (void)state;
    struct preamble preamble;
    struct startup_parameter parameter;
    assert_int_equal(READ_STARTUP("user\0app\0database\0\0options\0-c x=y\0\0", &preamble), PREAMBLE_READY);
    assert_int_equal(preamble.kind, PREAMBLE_STARTUP);
    assert_int_equal(preamble.size, 8 + 35);
    assert_int_equal(preamble.major, 3);
    assert_int_equal(preamble.minor, 0);
    struct bytes rest = preamble.parameters;
    assert_int_equal(rest.size, 35 - 1);
    assert_true(startup_parameter_next(&rest, &parameter));
    assert_true(bytes_equal_text(parameter.name, "user") && bytes_equal_text(parameter.value, "app"));
    assert_true(startup_parameter_next(&rest, &parameter));
    assert_true(bytes_equal_text(parameter.name, "database") && bytes_equal_text(parameter.value, ""));
    assert_true(startup_parameter_next(&rest, &parameter));
    assert_true(bytes_equal_text(parameter.value, "-c x=y"));
    assert_false(startup_parameter_next(&rest, &parameter));
}

static void an_absent_parameter_is_not_an_empty_one(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(READ_STARTUP("user\0app\0database\0\0\0", &preamble), PREAMBLE_READY);
    expect_parameter(&preamble, "database", "");
    assert_null(startup_parameter_find(preamble.parameters, "options").data);
    assert_null(startup_parameter_find(preamble.parameters, "app").data);
    assert_null(startup_parameter_find(preamble.parameters, "data").data);
}

static void the_last_of_duplicates_wins(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(READ_STARTUP("user\0a\0user\0b\0database\0x\0user\0c\0\0", &preamble), PREAMBLE_READY);
    expect_parameter(&preamble, "user", "c");
    assert_int_equal(READ_STARTUP("user\0a\0user\0\0\0", &preamble), PREAMBLE_MALFORMED);
}

static void parameters_that_do_not_pair_are_refused(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(READ_STARTUP("", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("\0user\0app\0\0", &preamble), PREAMBLE_MALFORMED);         /* shifted */
    assert_int_equal(READ_STARTUP("user\0app\0database\0\0", &preamble), PREAMBLE_MALFORMED); /* odd */
    assert_int_equal(READ_STARTUP("user\0app\0", &preamble), PREAMBLE_MALFORMED); /* no final NUL */
    assert_int_equal(READ_STARTUP("user\0app", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("user\0app\0\0\0", &preamble), PREAMBLE_MALFORMED); /* one NUL more */
    assert_int_equal(READ_STARTUP("user\0app\0\0user\0root\0\0", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("user\0app\0\0x", &preamble), PREAMBLE_MALFORMED);
}

static void a_startup_message_without_user_is_refused(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(READ_STARTUP("\0", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("database\0shop\0\0", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("user\0\0\0", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("database\0user\0\0", &preamble), PREAMBLE_MALFORMED);
    assert_int_equal(READ_STARTUP("USER\0app\0\0", &preamble), PREAMBLE_MALFORMED);
}

static void any_minor_version_of_3_is_taken(void **state)
{
    (void)state;
    static const uint16_t minors[] = { 0, 1, 2, 9999, 65535 };
    struct preamble preamble;
    for (size_t i = 0; i < COUNT_OF(minors); i++) {
        assert_int_equal(read_startup(VERSION_3_0 + minors[i], "user\0a\0\0", 8, &preamble), PREAMBLE_READY);
        assert_int_equal(preamble.minor, minors[i]);
    }
}

static void other_protocols_are_refused_by_name(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(read_startup(2 << 16, "user\0a\0\0", 8, &preamble), PREAMBLE_BAD_CODE);
    assert_int_equal(preamble.major, 2);
    assert_int_equal(read_startup(4 << 16 | 7, "user\0a\0\0", 8, &preamble), PREAMBLE_BAD_CODE);
    assert_int_equal(preamble.major, 4);
    assert_int_equal(preamble.minor, 7);
    assert_int_equal(read_startup(REQUEST + 5677, "", 0, &preamble), PREAMBLE_BAD_CODE);
    assert_int_equal(read_startup(REQUEST + 5681, "", 0, &preamble), PREAMBLE_BAD_CODE);
    assert_int_equal(read_startup(0, "", 0, &preamble), PREAMBLE_BAD_CODE);
}

static void requests_for_encryption_have_one_length(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(read_startup(REQUEST + 5679, "", 0, &preamble), PREAMBLE_READY);
    assert_int_equal(preamble.kind, PREAMBLE_TLS_REQUEST);
    assert_int_equal(preamble.size, 8);
    assert_int_equal(read_startup(REQUEST + 5680, "", 0, &preamble), PREAMBLE_READY);
    assert_int_equal(preamble.kind, PREAMBLE_GSS_REQUEST);
    assert_int_equal(read_startup(REQUEST + 5679, "x", 1, &preamble), PREAMBLE_BAD_LENGTH);
    assert_int_equal(read_startup(REQUEST + 5680, "user\0a\0\0", 8, &preamble), PREAMBLE_BAD_LENGTH);
}

static void a_cancel_key_has_1_to_256_bytes(void **state)
{
    (void)state;
    uint8_t body[4 + 257] = { 0x80, 0, 1, 2 };
    struct preamble preamble;
    memset(body + 4, 'k', 257);
    for (size_t size = 0; size <= 257; size++) {
        enum preamble_result result = read_startup(REQUEST + 5678, body, 4 + size, &preamble);
        assert_int_equal(result, size >= 1 && size <= 256 ? PREAMBLE_READY : PREAMBLE_BAD_LENGTH);
        if (result != PREAMBLE_READY)
            continue;
        assert_int_equal(preamble.kind, PREAMBLE_CANCEL);
        assert_int_equal(preamble.process_id, 0x80000102);
        assert_true(bytes_equal(preamble.cancel_key, bytes_of(body + 4, size)));
    }
    assert_int_equal(read_startup(REQUEST + 5678, "abc", 3, &preamble), PREAMBLE_BAD_LENGTH);
}

static void the_servers_limit_holds_to_the_byte(void **state)
{
    (void)state;
    static uint8_t body[10000];
    struct preamble preamble;
    memset(body, 'x', sizeof body);
    memcpy(body, "user\0", 5);
    body[9996 - 2] = body[9996 - 1] = '\0'; /* with the code 10,000 bytes, as the server counts */
    assert_int_equal(read_startup(VERSION_3_0, body, 9996, &preamble), PREAMBLE_READY);
    assert_int_equal(preamble.size, PREAMBLE_MOST);
    body[9996 - 2] = 'x';
    body[9997 - 2] = body[9997 - 1] = '\0';
    assert_int_equal(read_startup(VERSION_3_0, body, 9997, &preamble), PREAMBLE_BAD_LENGTH);
}

static void a_lying_length_is_refused_before_the_code(void **state)
{
    (void)state;
    static const uint32_t lies[] = { 0, 1, 3, 4, 7, PREAMBLE_MOST + 1, 0x7fffffff, 0x80000000, 0xffffffff };
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        uint8_t bytes[4];
        struct preamble preamble;
        put_int32(bytes, lies[i]);
        assert_int_equal(preamble_read(bytes_of(bytes, 4), &preamble), PREAMBLE_BAD_LENGTH);
    }
}

static void a_tls_handshake_is_known_by_its_first_byte(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(preamble_read(bytes_of("\x16", 1), &preamble), PREAMBLE_DIRECT_TLS);
    assert_int_equal(preamble_read(bytes_of("\x16\x03\x01\x02\0\x01", 6), &preamble), PREAMBLE_DIRECT_TLS);
    assert_int_equal(preamble_read(bytes_of("\0\x16\x03\x01", 4), &preamble), PREAMBLE_BAD_LENGTH);
}

static void other_peoples_protocols_are_refused(void **state)
{
    (void)state;
    struct preamble preamble;
    assert_int_equal(preamble_read(bytes_text("GET / HTTP/1.1\r\n"), &preamble), PREAMBLE_BAD_LENGTH);
    assert_int_equal(preamble_read(bytes_text("SSH-2.0-x\r\n"), &preamble), PREAMBLE_BAD_LENGTH);
    assert_int_equal(preamble_read(BYTES_NONE, &preamble), PREAMBLE_STARVED);
    assert_int_equal(preamble.size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_startup_message_gives_its_parameters_in_order),
        cmocka_unit_test(an_absent_parameter_is_not_an_empty_one),
        cmocka_unit_test(the_last_of_duplicates_wins),
        cmocka_unit_test(parameters_that_do_not_pair_are_refused),
        cmocka_unit_test(a_startup_message_without_user_is_refused),
        cmocka_unit_test(any_minor_version_of_3_is_taken),
        cmocka_unit_test(other_protocols_are_refused_by_name),
        cmocka_unit_test(requests_for_encryption_have_one_length),
        cmocka_unit_test(a_cancel_key_has_1_to_256_bytes),
        cmocka_unit_test(the_servers_limit_holds_to_the_byte),
        cmocka_unit_test(a_lying_length_is_refused_before_the_code),
        cmocka_unit_test(a_tls_handshake_is_known_by_its_first_byte),
        cmocka_unit_test(other_peoples_protocols_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
