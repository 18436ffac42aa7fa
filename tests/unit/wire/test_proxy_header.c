/* SPDX-License-Identifier: PostgreSQL */
#include "wire/proxy_header.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BLOCK_HEAD_SIZE = 16, LINE_MOST = 107, WALKS = 60, ADDRESSES = 20000 };

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* Every start of the bytes, each in memory of just its size, starves or gives the verdict already; bytes
 * behind the header change nothing. Returns where the verdict falls. */
static size_t header_read(const void *data, size_t size, enum proxy_header_result expected,
                          struct proxy_header *out)
{
    size_t fell_at = size + 1;
    assert_int_equal(proxy_header_read(bytes_of(data, size), out), expected);
    for (size_t start = size + 1; start-- > 0;) {
        struct proxy_header part;
        uint8_t *copy = malloc(start + 1);
        memcpy(copy + 1, data, start);
        enum proxy_header_result result = proxy_header_read(bytes_of(copy + 1, start), &part);
        free(copy);
        if (result == PROXY_HEADER_STARVED)
            break;
        assert_int_equal(result, expected);
        assert_memory_equal(&part, out, sizeof part);
        fell_at = start;
    }
    uint8_t *longer = calloc(1, size + 8);
    memcpy(longer, data, size);
    struct proxy_header other;
    if (expected != PROXY_HEADER_STARVED) {
        assert_int_equal(proxy_header_read(bytes_of(longer, size + 8), &other), expected);
        assert_memory_equal(&other, out, sizeof other);
    }
    free(longer);
    return fell_at;
}

static void expect_address(const struct proxy_header *header, const char *expected)
{
    char storage[ADDRESS_TEXT_SIZE + 16];
    struct text text;
    text_init(&text, storage, sizeof storage);
    address_describe(&header->client, &text);
    assert_string_equal(storage, expected);
    assert_false(header->is_local);
}

/* It is ready at its last byte and not before. */
static void expect_ready(const void *data, size_t size, struct proxy_header *out)
{
    assert_int_equal(header_read(data, size, PROXY_HEADER_READY, out), size);
    assert_int_equal(out->size, size);
    assert_null(out->why);
}

/* It is refused at byte number `at`, from 1. */
static void expect_malformed(const void *data, size_t size, size_t at)
{
    struct proxy_header header;
    assert_int_equal(header_read(data, size, PROXY_HEADER_MALFORMED, &header), at);
    assert_non_null(header.why);
    assert_int_equal(header.client.family, ADDRESS_NONE);
}

static void lines_tell_the_clients_address(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *client;
    } rows[] = {
        { "PROXY TCP4 192.168.0.1 10.0.0.11 56324 443\r\n", "192.168.0.1:56324" },
        { "PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255:65535" },
        { "PROXY TCP4 1.2.3.4 5.6.7.8 0 1\r\n", "1.2.3.4:0" },
        { "PROXY TCP6 2001:db8::1 ::1 56324 5432\r\n", "[2001:db8::1]:56324" },
        { "PROXY TCP6 :: 1:: 1 2\r\n", "[::]:1" },
        { "PROXY TCP6 1:2:3:4:5:6:7:8 ::8 1 2\r\n", "[1:2:3:4:5:6:7:8]:1" },
        { "PROXY TCP6 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1 2\r\n", "[1:2:3:4:5:6:7:0]:1" },
        { "PROXY TCP6 0A00:000b::cDeF 1:: 1 2\r\n", "[a00:b::cdef]:1" },
        { "PROXY TCP6 ::ffff:1.2.3.4 ::ffff:5.6.7.8 1 2\r\n", "1.2.3.4:1" },
        { "PROXY TCP6 ::1.2.3.4 ::102:304 1 2\r\n", "[::1.2.3.4]:1" },
        { "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
          "65535\r\n",
          "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_header header;
        expect_ready(rows[i].line, strlen(rows[i].line), &header);
        expect_address(&header, rows[i].client);
    }
}

static void an_ipv4_address_mapped_into_ipv6_stays_mapped(void **state)
{
    (void)state;
    static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 1, 2, 3, 4 };
    static const char line[] = "PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n";
    struct proxy_header header;
    expect_ready(line, strlen(line), &header);
    assert_int_equal(header.client.family, ADDRESS_IPV6);
    assert_memory_equal(header.client.ip, mapped, sizeof mapped);
}

/* "^" stands before the first byte that is wrong. */
static void a_line_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "^GET / HTTP/1.1\r\n",
        "^\n",
        "PROX^X",
        "PROXY^\r\n",
        "PROXY ^ TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY ^tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP^5 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY U^DP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4^\t1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ^ 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 ^ 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 ^ 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 ^ 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2^ \r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2^\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r^\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1^\r\n",
        "PROXY TCP4 1.2.3^ 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4^.5 5.6.7.8 1 2\r\n",
        "PROXY TCP4 25^6.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 0^1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.^.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ^::1 ::1 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 6553^6 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 0^1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 ^-1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 ^+1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 6553^6\r\n",
        "PROXY TCP6 1^.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP6 :^1 ::1 1 2\r\n",
        "PROXY TCP6 ::^:1 ::1 1 2\r\n",
        "PROXY TCP6 1::2:^:3 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7^ ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8^:9 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8^:: ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7::^8 ::1 1 2\r\n",
        "PROXY TCP6 1::2:3:4:5:6:7^:8 ::1 1 2\r\n",
        "PROXY TCP6 1:^ ::1 1 2\r\n",
        "PROXY TCP6 1::2:^ ::1 1 2\r\n",
        "PROXY TCP6 1111^1::1 ::1 1 2\r\n",
        "PROXY TCP6 ::^g ::1 1 2\r\n",
        "PROXY TCP6 ::1^%eth0 ::1 1 2\r\n",
        "PROXY TCP6 ^[::1] ::1 1 2\r\n",
        "PROXY TCP6 ::fffe:1^.2.3.4 ::1 1 2\r\n",
        "PROXY TCP6 ::ffff:25^6.2.3.4 ::1 1 2\r\n",
        "PROXY TCP6 ::ffff:1.2.3.4^:5 ::1 1 2\r\n",
        "PROXY TCP6 64:ff9b::1^.2.3.4 ::1 1 2\r\n",
        "PROXY TCP6 ffff::1^.2.3.4 ::1 1 2\r\n",
        "PROXY U^DP",
        "PROXY UNKNOWN^S\r\n",
        "PROXY UNKNOWN^\n",
        "PROXY UNKNOWN \r^x",
        "PROXY UNKNOWN x^\n",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[256];
        size_t at = strcspn(rows[i], "^");
        (void)snprintf(line, sizeof line, "%.*s%s", (int)at, rows[i], rows[i] + at + 1);
        size_t size = strlen(line);
        struct proxy_header header;
        /* 256 is told by its last digit, "::ffff:256." by its point */
        bool is_late = strstr(line, "::ffff:256") != NULL;
        assert_int_equal(header_read(line, size, PROXY_HEADER_MALFORMED, &header), is_late ? at + 2 : at + 1);
        assert_non_null(header.why);
    }
}

static void an_unknown_client_is_local_whatever_else_the_line_says(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN \r\n",
        "PROXY UNKNOWN ffff:f... anything 1 2 3\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct proxy_header header;
        expect_ready(lines[i], strlen(lines[i]), &header);
        assert_true(header.is_local);
        assert_int_equal(header.client.family, ADDRESS_NONE);
    }
}

static void a_line_has_107_bytes_at_most(void **state)
{
    (void)state;
    char line[LINE_MOST + 2];
    struct proxy_header header;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    memcpy(line + LINE_MOST - 2, "\r\n", 2);
    expect_ready(line, LINE_MOST, &header);
    memcpy(line + LINE_MOST - 2, "x\r\n", 3);
    expect_malformed(line, LINE_MOST + 1, LINE_MOST - 1);
}

/* A block's bytes: `fields` up to `size` of them. */
struct block {
    uint8_t data[PROXY_HEADER_MOST + 64];
    size_t size;
};

static void block_make(struct block *block, unsigned command, unsigned family, size_t size)
{
    memset(block, 0, sizeof *block);
    memcpy(block->data, SIGNATURE, 12);
    block->data[12] = (uint8_t)command;
    block->data[13] = (uint8_t)family;
    block->data[14] = (uint8_t)(size >> 8);
    block->data[15] = (uint8_t)size;
    block->size = BLOCK_HEAD_SIZE + size;
}

static void block_fill(struct block *block, size_t at, const void *data, size_t size)
{
    memcpy(block->data + BLOCK_HEAD_SIZE + at, data, size);
}

static void blocks_tell_the_clients_address(void **state)
{
    (void)state;
    static struct block block;
    struct proxy_header header;
    block_make(&block, 0x21, 0x11, 12);
    block_fill(&block, 0, "\x01\x02\x03\x04\x05\x06\x07\x08\xab\xcd\x15\x38", 12);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, "1.2.3.4:43981");
    block_make(&block, 0x21, 0x21, 36);
    block_fill(&block, 0, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
    block_fill(&block, 31, "\x01\x01\x02\x15\x38", 5);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, "[2001:db8::7]:258");
    block_make(&block, 0x21, 0x31, 216);
    block_fill(&block, 0, "/run/x", 6);
    block_fill(&block, 108, "/run/y", 6);
    expect_ready(block.data, block.size, &header);
    assert_int_equal(header.client.port, 0);
    expect_address(&header, "/run/x");
}

static void paths_of_sockets_are_made_fit_to_show(void **state)
{
    (void)state;
    static struct block block;
    struct proxy_header header;
    char path[109] = { 0 };
    memset(path, 'p', 108);
    block_make(&block, 0x21, 0x31, 216);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, "[local]");
    block_fill(&block, 0, "\0abstract", 9);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, "[local]");
    block_fill(&block, 0, "/a\nb\xff", 6);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, "/a\\x0ab\\xff");
    block_fill(&block, 0, path, 108);
    block_fill(&block, 108, "q", 1);
    expect_ready(block.data, block.size, &header);
    expect_address(&header, path);
}

static void local_and_unspecified_blocks_are_skipped_unseen(void **state)
{
    (void)state;
    static const struct {
        unsigned command, family;
        size_t size;
    } rows[] = {
        { 0x20, 0x00, 0 },   { 0x20, 0x11, 0 },    { 0x20, 0x12, 5 },
        { 0x20, 0xff, 300 }, { 0x20, 0x11, 12 },   { 0x21, 0x00, 0 },
        { 0x21, 0x00, 12 },  { 0x21, 0x00, 1000 }, { 0x20, 0x00, PROXY_HEADER_MOST - BLOCK_HEAD_SIZE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct block block;
        struct proxy_header header;
        block_make(&block, rows[i].command, rows[i].family, rows[i].size);
        expect_ready(block.data, block.size, &header);
        assert_true(header.is_local);
        assert_int_equal(header.client.family, ADDRESS_NONE);
    }
}

static void a_block_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    static const struct {
        unsigned command, family;
        size_t size;
        size_t at;
    } rows[] = {
        { 0x11, 0x11, 12, 13 },   { 0x31, 0x11, 12, 13 },     { 0x01, 0x11, 12, 13 },
        { 0x22, 0x11, 12, 13 },   { 0x2f, 0x11, 12, 13 },     { 0x21, 0x12, 12, 14 },
        { 0x21, 0x22, 36, 14 },   { 0x21, 0x32, 216, 14 },    { 0x21, 0x01, 12, 14 },
        { 0x21, 0x10, 12, 14 },   { 0x21, 0x20, 36, 14 },     { 0x21, 0x13, 12, 14 },
        { 0x21, 0x41, 216, 14 },  { 0x21, 0xff, 216, 14 },    { 0x21, 0x11, 0, 16 },
        { 0x21, 0x11, 11, 16 },   { 0x21, 0x11, 13, 16 },     { 0x21, 0x11, 14, 16 },
        { 0x21, 0x21, 12, 16 },   { 0x21, 0x21, 35, 16 },     { 0x21, 0x31, 215, 16 },
        { 0x21, 0x31, 36, 16 },   { 0x21, 0x11, 0x0ff1, 16 }, { 0x21, 0x11, 0x1000, 15 },
        { 0x20, 0x00, 4081, 16 },
    };
    static struct block block;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        block_make(&block, rows[i].command, rows[i].family, rows[i].size);
        expect_malformed(block.data, block.size, rows[i].at);
    }
    for (size_t i = 0; i < 12; i++) {
        block_make(&block, 0x21, 0x11, 12);
        block.data[i] ^= 0x80;
        expect_malformed(block.data, block.size, i + 1);
    }
    block_make(&block, 0x21, 0x11, 12);
    block.data[14] = 0xff;
    expect_malformed(block.data, block.size, 15);
}

static void lengths_of_tlvs_must_add_up(void **state)
{
    (void)state;
    static const struct {
        const char *tlvs;
        size_t size;
        size_t wrong_at; /* from 1; 0: they are sound */
    } rows[] = {
        { "\x04\0\0", 3, 0 },
        { "\x04\0\x02zz", 5, 0 },
        { "\x04\0\x02zz\x01\0\0", 8, 0 },
        { "\x04\0\0\x04\0\0\x04\0\x01z", 10, 0 },
        { "\x04\0\x01", 3, 3 },
        { "\x04\x01\0", 3, 2 },
        { "\x04\xff\xff", 3, 2 },
        { "\x04\0\x01zz", 5, 3 },  /* one byte is left */
        { "\x04\0\x01zzz", 6, 3 }, /* two bytes are left */
        { "\x04\0\0z", 4, 3 },     /* likewise */
        { "\x04\0\x03zz", 5, 3 },  /* longer than the header */
        { "\x04\0\0\x04\0\x01", 6, 6 },
        { "\x04\0\0\x04\x01\0", 6, 5 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct block block;
        struct proxy_header header;
        block_make(&block, 0x21, 0x11, 12 + rows[i].size);
        block_fill(&block, 0, "\x01\x02\x03\x04", 4);
        block_fill(&block, 12, rows[i].tlvs, rows[i].size);
        if (rows[i].wrong_at > 0) {
            expect_malformed(block.data, block.size, BLOCK_HEAD_SIZE + 12 + rows[i].wrong_at);
            continue;
        }
        expect_ready(block.data, block.size, &header);
        expect_address(&header, "1.2.3.4:0");
    }
}

static void a_block_may_fill_the_whole_bound(void **state)
{
    (void)state;
    static struct block block;
    struct proxy_header header;
    block_make(&block, 0x21, 0x11, PROXY_HEADER_MOST - BLOCK_HEAD_SIZE);
    size_t tlv = PROXY_HEADER_MOST - BLOCK_HEAD_SIZE - 12 - 3;
    const uint8_t head[] = { 5, (uint8_t)(tlv >> 8), (uint8_t)tlv };
    block_fill(&block, 12, head, sizeof head);
    expect_ready(block.data, block.size, &header);
    assert_int_equal(header.size, PROXY_HEADER_MOST);
}

/* Goes on from a start that starves with any byte that is not refused. There must always be one, and an end.
 */
static void walk(uint8_t *bytes, size_t size)
{
    enum proxy_header_result result = PROXY_HEADER_STARVED;
    struct proxy_header header;
    while (result == PROXY_HEADER_STARVED) {
        unsigned tries = 0;
        unsigned byte = (unsigned)rand() % 256;
        do {
            assert_true(tries++ < 256 && size < PROXY_HEADER_MOST);
            bytes[size] = (uint8_t)byte++;
            result = proxy_header_read(bytes_of(bytes, size + 1), &header);
        } while (result == PROXY_HEADER_MALFORMED);
        size++;
    }
    assert_int_equal(header.size, size);
}

static void what_starves_can_still_become_a_header(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "P", "PROXY TCP4 ", "PROXY TCP6 ", "PROXY TCP6 ::", "PROXY TCP6 ::ffff:",
    };
    static uint8_t bytes[PROXY_HEADER_MOST];
    static struct block block;
    srand(1);
    for (size_t i = 0; i < WALKS * COUNT_OF(starts); i++) {
        const char *start = starts[i % COUNT_OF(starts)];
        memcpy(bytes, start, strlen(start));
        walk(bytes, strlen(start));
    }
    for (size_t i = 0; i < WALKS; i++) {
        block_make(&block, 0x21, 0x11, 15 + i);
        walk(block.data, BLOCK_HEAD_SIZE);
    }
}

/* One of the texts that look like an address. */
static void address_make(char *text, size_t size)
{
    static const char *const pieces[] = {
        ":", "::", "1", "ffff", "0a", "12345", "g", ":2", ":3", ":4", ":c"
    };
    size_t at = 0;
    text[0] = '\0';
    for (unsigned count = (unsigned)rand() % 10; count > 0; count--) {
        const char *piece = pieces[(unsigned)rand() % COUNT_OF(pieces)];
        if (at + strlen(piece) < size)
            at += (size_t)snprintf(text + at, size - at, "%s", piece);
    }
}

static void addresses_of_groups_are_read_as_inet_pton_reads_them(void **state)
{
    (void)state;
    srand(2);
    unsigned sound = 0;
    for (size_t i = 0; i < ADDRESSES; i++) {
        char text[46];
        char line[128];
        uint8_t ip[16];
        struct proxy_header header;
        address_make(text, sizeof text);
        bool is_sound = inet_pton(AF_INET6, text, ip) == 1;
        int size = snprintf(line, sizeof line, "PROXY TCP6 %s ::1 1 2\r\n", text);
        enum proxy_header_result result = proxy_header_read(bytes_of(line, (size_t)size), &header);
        assert_int_equal(result, is_sound ? PROXY_HEADER_READY : PROXY_HEADER_MALFORMED);
        if (is_sound)
            assert_memory_equal(header.client.ip, ip, sizeof ip);
        sound += is_sound;
    }
    assert_in_range(sound, ADDRESSES / 50, ADDRESSES);
}

static void nothing_starves(void **state)
{
    (void)state;
    struct proxy_header header;
    assert_int_equal(proxy_header_read(BYTES_NONE, &header), PROXY_HEADER_STARVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_tell_the_clients_address),
        cmocka_unit_test(an_ipv4_address_mapped_into_ipv6_stays_mapped),
        cmocka_unit_test(a_line_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(an_unknown_client_is_local_whatever_else_the_line_says),
        cmocka_unit_test(a_line_has_107_bytes_at_most),
        cmocka_unit_test(blocks_tell_the_clients_address),
        cmocka_unit_test(paths_of_sockets_are_made_fit_to_show),
        cmocka_unit_test(local_and_unspecified_blocks_are_skipped_unseen),
        cmocka_unit_test(a_block_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(lengths_of_tlvs_must_add_up),
        cmocka_unit_test(a_block_may_fill_the_whole_bound),
        cmocka_unit_test(what_starves_can_still_become_a_header),
        cmocka_unit_test(addresses_of_groups_are_read_as_inet_pton_reads_them),
        cmocka_unit_test(nothing_starves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
