/* SPDX-License-Identifier: PostgreSQL */
#include "base/address.h"
#include "config/value.h"

static enum value_result read_address(const char *text, struct address *address, struct text *why)
{
    text_append_string(why, "is not right: ");
    return address_parse(text, address, why) ? VALUE_READ : VALUE_REFUSED;
}

static bool is_ip(const struct address *address)
{
    return address->family == ADDRESS_IPV4 || address->family == ADDRESS_IPV6;
}

enum value_result value_read_address(const struct schema_row *row, const char *text, void *field,
                                     struct text *why)
{
    (void)row;
    return read_address(text, field, why);
}

/* A name could stand for several addresses, of which only one would be listened on. */
enum value_result value_read_listen_address(const struct schema_row *row, const char *text, void *field,
                                            struct text *why)
{
    (void)row;
    struct address *address = field;
    if (read_address(text, address, why) != VALUE_READ)
        return VALUE_REFUSED;
    if (is_ip(address))
        return VALUE_READ;
    text_append_string(why, "write the IP address and port on which to listen, such as 127.0.0.1:6432, or "
                            "0.0.0.0:6432 for all");
    return VALUE_REFUSED;
}

enum value_result value_read_console_address(const struct schema_row *row, const char *text, void *field,
                                             struct text *why)
{
    (void)row;
    struct address *address = field;
    if (strcmp(text, "off") == 0)
        return VALUE_READ;
    if (read_address(text, address, why) != VALUE_READ)
        return VALUE_REFUSED;
    if (is_ip(address) || address->family == ADDRESS_UNIX)
        return VALUE_READ;
    text_append_string(why,
                       "write an IP address and port, such as 127.0.0.1:6433, the path of a socket, or off");
    return VALUE_REFUSED;
}

enum value_result value_read_network(const struct schema_row *row, const char *text, void *field,
                                     struct text *why)
{
    (void)row;
    text_append_string(why, "is not right: ");
    return network_parse(text, field, why) ? VALUE_READ : VALUE_REFUSED;
}
