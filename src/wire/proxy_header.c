/* SPDX-License-Identifier: PostgreSQL */
#include "wire/proxy_header.h"

enum { LINE_MOST = 107, IPV4_SIZE = 4, IPV6_SIZE = 16, UNIX_SIZE = 108 };
enum { GROUP_COUNT = 8, GROUP_DIGITS_MOST = 4 };
enum { VERSION_2 = 2, COMMAND_LOCAL = 0, COMMAND_PROXY = 1, FAMILY_UNSPEC = 0 };
enum { BLOCK_HEAD_SIZE = 16, BLOCK_MOST = PROXY_HEADER_MOST - BLOCK_HEAD_SIZE, TLV_HEAD_SIZE = 3 };

static const uint8_t signature[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

/* A cursor that stops for good where the bytes end or do not fit; what is read after that is zero. */
struct scan {
    const uint8_t *start, *at, *end;
    enum proxy_header_result result;
    const char *why;
};

static bool is_going(const struct scan *scan)
{
    return scan->result == PROXY_HEADER_READY;
}

static size_t scan_left(const struct scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static void scan_require(struct scan *scan, bool holds, const char *why)
{
    if (is_going(scan) && !holds) {
        scan->result = PROXY_HEADER_MALFORMED;
        scan->why = why;
    }
}

static uint8_t scan_peek(struct scan *scan)
{
    if (is_going(scan) && scan->at == scan->end)
        scan->result = PROXY_HEADER_STARVED;
    return is_going(scan) ? *scan->at : 0;
}

static uint8_t scan_byte(struct scan *scan)
{
    uint8_t byte = scan_peek(scan);
    if (is_going(scan))
        scan->at++;
    return byte;
}

/* `size` bytes, or nothing where they are not there yet. */
static const uint8_t *scan_bytes(struct scan *scan, size_t size)
{
    const uint8_t *bytes = scan->at;
    if (is_going(scan) && scan_left(scan) < size)
        scan->result = PROXY_HEADER_STARVED;
    if (!is_going(scan))
        return NULL;
    scan->at += size;
    return bytes;
}

static void scan_constant(struct scan *scan, struct bytes constant, const char *why)
{
    for (size_t i = 0; is_going(scan) && i < constant.size; i++)
        scan_require(scan, scan_byte(scan) == constant.data[i], why);
}

static void scan_word(struct scan *scan, const char *word)
{
    scan_constant(scan, bytes_text(word), "the line is none of the PROXY protocol");
}

/* A decimal number up to `most`. A digit after a leading zero is left for what must follow the number. */
static unsigned scan_number(struct scan *scan, unsigned most, const char *why)
{
    unsigned number = 0;
    for (size_t digits = 0; is_going(scan) && (digits == 0 || number > 0); digits++) {
        uint8_t byte = scan_peek(scan);
        bool is_digit = byte >= '0' && byte <= '9';
        if (digits > 0 && !is_digit)
            break;
        number = number * 10 + (is_digit ? byte - (unsigned)'0' : 0);
        scan_require(scan, is_digit && number <= most, why);
        (void)scan_byte(scan);
    }
    return number;
}

static const char not_an_ipv4_address[] = "an IPv4 address in the line is broken";
static const char not_an_ipv6_address[] = "an IPv6 address in the line is broken";

static void scan_ipv4(struct scan *scan, uint8_t *ip)
{
    for (size_t i = 0; i < IPV4_SIZE; i++) {
        if (i > 0)
            scan_constant(scan, bytes_text("."), not_an_ipv4_address);
        ip[i] = (uint8_t)scan_number(scan, UINT8_MAX, not_an_ipv4_address);
    }
}

/* An IPv6 address as it is being read (RFC 4291, 2.2). */
struct groups {
    uint16_t values[GROUP_COUNT];
    size_t count;
    bool has_gap; /* "::", which stands for one group at least */
    size_t gap;   /* groups before it */
    bool is_over; /* it ends with an IPv4 address */
};

static bool has_room(const struct groups *groups)
{
    return groups->count + groups->has_gap < GROUP_COUNT;
}

/* The forms in which addresses that hold an IPv4 address are written: ::ffff:1.2.3.4 and ::1.2.3.4. */
static bool may_be_dotted(const struct groups *groups)
{
    return groups->has_gap && groups->gap == 0 &&
           (groups->count == 0 || (groups->count == 1 && groups->values[0] == UINT16_MAX));
}

static bool hex_value(uint8_t byte, unsigned *value)
{
    static const char digits[] = "0123456789abcdef";
    size_t at =
        bytes_find(bytes_text(digits), byte >= 'A' && byte <= 'F' ? (uint8_t)(byte - 'A' + 'a') : byte);
    *value = (unsigned)at;
    return at < strlen(digits);
}

static void scan_group(struct scan *scan, struct groups *groups)
{
    const uint8_t *start = scan->at;
    unsigned group = 0;
    unsigned digit = 0;
    scan_require(scan, hex_value(scan_peek(scan), &digit) && has_room(groups), not_an_ipv6_address);
    for (size_t i = 0; is_going(scan) && i < GROUP_DIGITS_MOST && hex_value(scan_peek(scan), &digit); i++) {
        group = group << 4 | digit;
        (void)scan_byte(scan);
    }
    if (scan_peek(scan) == '.' && may_be_dotted(groups)) {
        uint8_t ip[IPV4_SIZE] = { 0 };
        scan->at = start;
        scan_ipv4(scan, ip);
        groups->values[groups->count++] = (uint16_t)(ip[0] << 8 | ip[1]);
        group = (unsigned)(ip[2] << 8 | ip[3]);
        groups->is_over = true;
    }
    if (is_going(scan))
        groups->values[groups->count++] = (uint16_t)group;
}

static void scan_gap(struct scan *scan, struct groups *groups)
{
    (void)scan_byte(scan);
    groups->has_gap = true;
    groups->gap = groups->count;
}

static void groups_write(const struct groups *groups, uint8_t *ip)
{
    size_t skipped = GROUP_COUNT - groups->count;
    for (size_t i = 0; i < groups->count; i++) {
        size_t place = groups->has_gap && i >= groups->gap ? i + skipped : i;
        ip[2 * place] = (uint8_t)(groups->values[i] >> 8);
        ip[2 * place + 1] = (uint8_t)groups->values[i];
    }
}

static void scan_ipv6(struct scan *scan, uint8_t *ip)
{
    struct groups groups = { 0 };
    struct bytes colon = bytes_text(":");
    if (scan_peek(scan) == ':') {
        (void)scan_byte(scan);
        scan_require(scan, scan_peek(scan) == ':', not_an_ipv6_address);
        scan_gap(scan, &groups);
    }
    if (!groups.has_gap || scan_peek(scan) != ' ')
        scan_group(scan, &groups);
    while (is_going(scan) && !groups.is_over && scan_peek(scan) != ' ') {
        scan_require(scan, has_room(&groups), not_an_ipv6_address);
        scan_constant(scan, colon, not_an_ipv6_address);
        if (!groups.has_gap && scan_peek(scan) == ':') {
            scan_gap(scan, &groups);
            if (scan_peek(scan) == ' ')
                break;
        }
        scan_group(scan, &groups);
    }
    scan_require(scan, groups.has_gap || groups.count == GROUP_COUNT, not_an_ipv6_address);
    if (is_going(scan))
        groups_write(&groups, ip);
}

static void scan_ip(struct scan *scan, enum address_family family, uint8_t *ip)
{
    if (family == ADDRESS_IPV4)
        scan_ipv4(scan, ip);
    else
        scan_ipv6(scan, ip);
}

/* Only here may a line grow too long: what stands between UNKNOWN and its end is anything. */
static void scan_unknown(struct scan *scan)
{
    static const char too_long[] = "the line is longer than 107 bytes";
    scan_word(scan, "UNKNOWN");
    uint8_t byte = scan_peek(scan);
    scan_require(scan, byte == ' ' || byte == '\r', "the line is none of the PROXY protocol");
    while (is_going(scan) && (byte = scan_byte(scan)) != '\r') {
        scan_require(scan, byte != '\n', "the line does not end with CR LF");
        scan_require(scan, scan->at - scan->start <= LINE_MOST - 2, too_long);
    }
    scan_constant(scan, bytes_text("\n"), "the line does not end with CR LF");
}

static void scan_line(struct scan *scan, struct proxy_header *out)
{
    static const char not_a_port[] = "a port in the line is no number from 0 to 65535";
    uint8_t other_ip[IPV6_SIZE] = { 0 };
    scan_word(scan, "PROXY ");
    if (scan_peek(scan) == 'U') {
        out->is_local = true;
        scan_unknown(scan);
        return;
    }
    scan_word(scan, "TCP");
    uint8_t version = scan_byte(scan);
    scan_require(scan, version == '4' || version == '6', "the line is none of the PROXY protocol");
    out->client.family = version == '4' ? ADDRESS_IPV4 : ADDRESS_IPV6;
    scan_word(scan, " ");
    scan_ip(scan, out->client.family, out->client.ip);
    scan_word(scan, " ");
    scan_ip(scan, out->client.family, other_ip);
    scan_word(scan, " ");
    out->client.port = (uint16_t)scan_number(scan, UINT16_MAX, not_a_port);
    scan_word(scan, " ");
    (void)scan_number(scan, UINT16_MAX, not_a_port);
    scan_constant(scan, bytes_text("\r\n"), "the line does not end with CR LF");
}

/* Whether TLVs may fill that many bytes. */
static bool may_hold_tlvs(size_t size)
{
    return size == 0 || size >= TLV_HEAD_SIZE;
}

static void scan_tlvs(struct scan *scan, size_t left)
{
    static const char why[] = "the lengths of the TLVs do not add up";
    while (is_going(scan) && left > 0) {
        (void)scan_byte(scan);
        size_t size = (size_t)scan_byte(scan) << 8;
        left -= TLV_HEAD_SIZE;
        scan_require(scan, size <= left, why);
        size |= scan_byte(scan);
        scan_require(scan, size <= left && may_hold_tlvs(left - size), why);
        (void)scan_bytes(scan, size);
        left -= is_going(scan) ? size : 0;
    }
}

/* The kinds of connection by their byte in the header, and what their addresses take. */
static const struct block_kind {
    uint8_t byte;
    enum address_family family;
    size_t address_size;
    size_t addresses_size; /* two of them, and the ports */
} block_kinds[] = {
    { 0x11, ADDRESS_IPV4, IPV4_SIZE, 2 * IPV4_SIZE + 4 },
    { 0x21, ADDRESS_IPV6, IPV6_SIZE, 2 * IPV6_SIZE + 4 },
    { 0x31, ADDRESS_UNIX, UNIX_SIZE, 2 * UNIX_SIZE },
};

static const struct block_kind *block_kind_find(uint8_t byte)
{
    for (size_t i = 0; i < COUNT_OF(block_kinds); i++) {
        if (block_kinds[i].byte == byte)
            return &block_kinds[i];
    }
    return NULL;
}

/* It is only ever shown, so it is made fit for that. */
static void path_copy(struct bytes field, struct address *client)
{
    struct text text;
    text_init(&text, client->text, sizeof client->text);
    text_append_printable(&text, bytes_take(&field, bytes_find(field, '\0')));
}

static void scan_addresses(struct scan *scan, const struct block_kind *kind, struct address *client)
{
    const uint8_t *fields = scan_bytes(scan, kind->addresses_size);
    if (fields == NULL)
        return;
    client->family = kind->family;
    if (kind->family == ADDRESS_UNIX) {
        path_copy(bytes_of(fields, UNIX_SIZE), client);
        return;
    }
    memcpy(client->ip, fields, kind->address_size);
    const uint8_t *port = fields + 2 * kind->address_size;
    client->port = (uint16_t)(port[0] << 8 | port[1]);
}

static size_t scan_block_size(struct scan *scan)
{
    static const char why[] = "the header is longer than 4096 bytes";
    size_t size = (size_t)scan_byte(scan) << 8;
    scan_require(scan, size <= BLOCK_MOST, why);
    size |= scan_byte(scan);
    scan_require(scan, size <= BLOCK_MOST, why);
    return size;
}

static void scan_block(struct scan *scan, struct proxy_header *out)
{
    scan_constant(scan, bytes_of(signature, sizeof signature),
                  "the connection does not begin with a PROXY header");
    uint8_t command = scan_byte(scan);
    scan_require(scan, command >> 4 == VERSION_2, "the header is of no known version");
    command &= 0x0f;
    scan_require(scan, command == COMMAND_LOCAL || command == COMMAND_PROXY,
                 "the header has an unknown command");
    uint8_t family = scan_byte(scan);
    const struct block_kind *kind = block_kind_find(family);
    out->is_local = command == COMMAND_LOCAL || family == FAMILY_UNSPEC;
    scan_require(scan, out->is_local || kind != NULL,
                 "the header is of no stream over IPv4, IPv6 or a Unix socket");
    size_t size = scan_block_size(scan);
    if (out->is_local || kind == NULL) {
        (void)scan_bytes(scan, size);
        return;
    }
    scan_require(scan, size >= kind->addresses_size && may_hold_tlvs(size - kind->addresses_size),
                 "the header's length does not suit its addresses");
    scan_addresses(scan, kind, &out->client);
    if (is_going(scan))
        scan_tlvs(scan, size - kind->addresses_size);
}

enum proxy_header_result proxy_header_read(struct bytes bytes, struct proxy_header *out)
{
    struct scan scan = { .result = PROXY_HEADER_READY };
    *out = (struct proxy_header){ 0 };
    if (bytes.size == 0)
        return PROXY_HEADER_STARVED;
    scan.start = scan.at = bytes.data;
    scan.end = bytes.data + bytes.size;
    if (bytes.data[0] == 'P')
        scan_line(&scan, out);
    else
        scan_block(&scan, out);
    if (!is_going(&scan))
        *out = (struct proxy_header){ .why = scan.why };
    else
        out->size = (size_t)(scan.at - scan.start);
    return scan.result;
}
