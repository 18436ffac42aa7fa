/* SPDX-License-Identifier: PostgreSQL */
#include "base/address.h"

#include <arpa/inet.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16, MAPPED_PREFIX_SIZE = 12, LONGEST_UNIX_PATH = 107, LONGEST_NAME = 253 };
enum { LONGEST_IP_TEXT = 45 };

static const uint8_t mapped_prefix[MAPPED_PREFIX_SIZE] = { [10] = 0xff, [11] = 0xff };

static bool refuse(struct text *why, const char *reason)
{
    if (why != NULL)
        text_append_string(why, reason);
    return false;
}

/* A decimal number without sign, at most `largest` (below 100,000). */
static bool number_parse(struct bytes digits, unsigned largest, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || i >= 5)
            return false;
        *out = *out * 10 + (digits.data[i] - (unsigned)'0');
    }
    return digits.size > 0 && *out <= largest;
}

static bool ip_parse(struct bytes text, enum address_family family, uint8_t *ip)
{
    char field[LONGEST_IP_TEXT + 1];
    return bytes_copy_text(text, field, sizeof field) &&
           inet_pton(family == ADDRESS_IPV4 ? AF_INET : AF_INET6, field, ip) == 1;
}

static bool name_is_valid(struct bytes name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    for (size_t i = 0; i < name.size; i++) {
        if (bytes_find(bytes_text(allowed), name.data[i]) == strlen(allowed))
            return false;
    }
    return name.size > 0 && name.size <= LONGEST_NAME;
}

/* What is made of digits and dots was meant as an address, never as a name. */
static bool looks_like_ipv4(struct bytes host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (host.data[i] != '.' && (host.data[i] < '0' || host.data[i] > '9'))
            return false;
    }
    return true;
}

static bool host_parse(struct bytes host, struct address *out, struct text *why)
{
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']') {
        out->family = ADDRESS_IPV6;
        return ip_parse(bytes_of(host.data + 1, host.size - 2), ADDRESS_IPV6, out->ip) ||
               refuse(why, "between the brackets must stand an IPv6 address, as in [::1]:5432");
    }
    if (bytes_find(host, ':') < host.size)
        return refuse(why, "an IPv6 address must stand in brackets, as in [::1]:5432");
    if (looks_like_ipv4(host)) {
        out->family = ADDRESS_IPV4;
        return ip_parse(host, ADDRESS_IPV4, out->ip) ||
               refuse(why, "an IPv4 address has four numbers from 0 to 255, as in 127.0.0.1:5432");
    }
    if (bytes_equal_text(host, "*"))
        return refuse(why, "all addresses are 0.0.0.0:PORT or [::]:PORT");
    out->family = ADDRESS_NAME;
    return (name_is_valid(host) && bytes_copy_text(host, out->text, sizeof out->text)) ||
           refuse(why, "a host name has letters, digits, dots and hyphens only, 253 at most");
}

static size_t last_colon(struct bytes text)
{
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != ':')
        at--;
    return at;
}

bool address_parse(const char *text, struct address *out, struct text *why)
{
    struct bytes rest = bytes_text(text);
    unsigned port = 0;
    *out = (struct address){ .family = ADDRESS_NONE };
    if (text[0] == '/') {
        out->family = ADDRESS_UNIX;
        return (bytes_copy_text(rest, out->text, sizeof out->text) && rest.size <= LONGEST_UNIX_PATH) ||
               refuse(why, "the path of a socket has at most 107 bytes");
    }
    size_t colon = last_colon(rest);
    if (colon == 0)
        return refuse(why, "an address is HOST:PORT, as in 127.0.0.1:5432, or the path of a socket");
    struct bytes host = bytes_take(&rest, colon - 1);
    (void)bytes_take(&rest, 1);
    if (!number_parse(rest, UINT16_MAX, &port) || port == 0)
        return refuse(why, "after the last colon must stand a port from 1 to 65535");
    out->port = (uint16_t)port;
    return host_parse(host, out, why);
}

static bool is_mapped(enum address_family family, const uint8_t *ip)
{
    return family == ADDRESS_IPV6 && memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

static bool is_ip(enum address_family family)
{
    return family == ADDRESS_IPV4 || family == ADDRESS_IPV6;
}

/* The address without its mapping into IPv6, as a network of one. */
static struct network network_of(const struct address *address)
{
    struct network network = { .family = address->family, .prefix = IPV6_SIZE * 8 };
    bool was_mapped = is_mapped(address->family, address->ip);
    if (address->family == ADDRESS_IPV4 || was_mapped) {
        network.family = ADDRESS_IPV4;
        network.prefix = IPV4_SIZE * 8;
    }
    memcpy(network.ip, address->ip + (was_mapped ? MAPPED_PREFIX_SIZE : 0), network.prefix / 8U);
    return network;
}

void address_describe(const struct address *address, struct text *out)
{
    struct network single = network_of(address);
    char ip[LONGEST_IP_TEXT + 1] = "";
    if (single.family == ADDRESS_IPV4 && inet_ntop(AF_INET, single.ip, ip, sizeof ip) != NULL)
        text_append_format(out, "%s:%u", ip, address->port);
    else if (single.family == ADDRESS_IPV6 && inet_ntop(AF_INET6, single.ip, ip, sizeof ip) != NULL)
        text_append_format(out, "[%s]:%u", ip, address->port);
    else if (address->family == ADDRESS_NAME)
        text_append_format(out, "%s:%u", address->text, address->port);
    else if (address->family == ADDRESS_UNIX)
        text_append_string(out, address->text[0] != '\0' ? address->text : "[local]");
    else
        text_append_string(out, "unknown");
}

void compact_address_expand(const struct compact_address *compact, struct bytes text, struct address *out)
{
    out->family = (enum address_family)compact->family;
    out->port = compact->port;
    memcpy(out->ip, compact->ip, sizeof(out->ip));
    (void)bytes_copy_text(text, out->text, sizeof(out->text));
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t loopback[IPV6_SIZE] = { [IPV6_SIZE - 1] = 1 };
    struct network single = network_of(address);
    if (single.family == ADDRESS_IPV4)
        return single.ip[0] == 127;
    if (single.family == ADDRESS_IPV6)
        return memcmp(single.ip, loopback, sizeof loopback) == 0;
    return address->family == ADDRESS_UNIX ||
           (address->family == ADDRESS_NAME && bytes_equal_folded(bytes_text(address->text), "localhost"));
}

static bool prefixes_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00U >> bits % 8);
    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* Clears what lies beyond the prefix; returns whether anything was set there. */
static bool network_cut(struct network *network)
{
    uint8_t cut[IPV6_SIZE] = { 0 };
    unsigned whole = network->prefix / 8;
    memcpy(cut, network->ip, whole);
    if (network->prefix % 8 > 0)
        cut[whole] = (uint8_t)(network->ip[whole] & 0xff00U >> network->prefix % 8);
    bool had_host_bits = memcmp(cut, network->ip, sizeof cut) != 0;
    memcpy(network->ip, cut, sizeof cut);
    return had_host_bits;
}

void network_describe(const struct network *network, struct text *out)
{
    char ip[LONGEST_IP_TEXT + 1] = "";
    inet_ntop(network->family == ADDRESS_IPV4 ? AF_INET : AF_INET6, network->ip, ip, sizeof ip);
    text_append_format(out, "%s/%u", ip, (unsigned)network->prefix);
}

static bool refuse_host_bits(struct text *why, const struct network *network)
{
    if (why == NULL)
        return false;
    text_append_string(why, "the address has bits beyond its prefix; the network is ");
    network_describe(network, why);
    return false;
}

static void network_unmap(struct network *network)
{
    if (!is_mapped(network->family, network->ip) || network->prefix < MAPPED_PREFIX_SIZE * 8)
        return;
    memmove(network->ip, network->ip + MAPPED_PREFIX_SIZE, IPV4_SIZE);
    memset(network->ip + IPV4_SIZE, 0, MAPPED_PREFIX_SIZE);
    network->family = ADDRESS_IPV4;
    network->prefix = (uint8_t)(network->prefix - MAPPED_PREFIX_SIZE * 8);
}

bool network_parse(const char *text, struct network *out, struct text *why)
{
    struct bytes prefix = bytes_text(text);
    struct bytes ip = bytes_take(&prefix, bytes_find(prefix, '/'));
    *out = (struct network){ .family = bytes_find(ip, ':') < ip.size ? ADDRESS_IPV6 : ADDRESS_IPV4 };
    unsigned bits = out->family == ADDRESS_IPV4 ? IPV4_SIZE * 8 : IPV6_SIZE * 8;
    if (!ip_parse(ip, out->family, out->ip))
        return refuse(why,
                      "a network is an address, as 10.2.3.4, or ADDRESS/BITS, as 10.2.0.0/16 or fd00::/8");
    if (prefix.size > 0) {
        (void)bytes_take(&prefix, 1);
        if (!number_parse(prefix, bits, &bits))
            return refuse(why, out->family == ADDRESS_IPV4
                                   ? "after the slash must stand a number from 0 to 32"
                                   : "after the slash must stand a number from 0 to 128");
    }
    out->prefix = (uint8_t)bits;
    bool had_host_bits = network_cut(out);
    network_unmap(out);
    return !had_host_bits || refuse_host_bits(why, out);
}

bool network_holds(const struct network *network, const struct address *address)
{
    struct network single = network_of(address);
    return is_ip(address->family) && single.family == network->family &&
           prefixes_equal(single.ip, network->ip, network->prefix);
}
