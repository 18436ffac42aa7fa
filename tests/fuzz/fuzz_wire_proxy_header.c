/* SPDX-License-Identifier: PostgreSQL */
/* A header, read from every start of it: the verdict comes once and does not change with what follows; and
 * what starves may still become a header. */
#include "wire/proxy_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_STARTS = 300 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_client(const struct address *client)
{
    char storage[ADDRESS_TEXT_SIZE + 16];
    struct text text;
    text_init(&text, storage, sizeof storage);
    address_describe(client, &text);
    check(text.size > 0 && !text.is_truncated);
    check(client->family == ADDRESS_IPV4 || client->family == ADDRESS_IPV6 || client->family == ADDRESS_UNIX);
}

static void check_header(size_t size, enum proxy_header_result result, const struct proxy_header *header)
{
    check((result == PROXY_HEADER_MALFORMED) == (header->why != NULL));
    if (result == PROXY_HEADER_STARVED)
        check(size < PROXY_HEADER_MOST);
    if (result != PROXY_HEADER_READY)
        return;
    check(header->size > 0 && header->size <= size && header->size <= PROXY_HEADER_MOST);
    if (header->is_local)
        check(header->client.family == ADDRESS_NONE);
    else
        check_client(&header->client);
}

/* Some next byte goes on. */
static void check_hope(const uint8_t *data, size_t size)
{
    struct proxy_header header;
    enum proxy_header_result result = PROXY_HEADER_MALFORMED;
    uint8_t *longer = malloc(size + 1);
    if (longer == NULL)
        return;
    if (size > 0)
        memcpy(longer, data, size);
    for (unsigned byte = 0; byte <= UINT8_MAX && result == PROXY_HEADER_MALFORMED; byte++) {
        longer[size] = (uint8_t)byte;
        result = proxy_header_read(bytes_of(longer, size + 1), &header);
    }
    free(longer);
    check(result != PROXY_HEADER_MALFORMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole;
    enum proxy_header_result verdict = proxy_header_read(bytes_of(data, size), &whole);
    check_header(size, verdict, &whole);
    for (size_t start = 0; start < size && start < MOST_STARTS; start++) {
        struct proxy_header header;
        enum proxy_header_result result = proxy_header_read(bytes_of(data, start), &header);
        check_header(start, result, &header);
        check(result == PROXY_HEADER_STARVED || (result == verdict && header.why == whole.why));
        if (result == PROXY_HEADER_READY)
            check(header.size == whole.size &&
                  memcmp(&header.client, &whole.client, sizeof header.client) == 0);
    }
    if (verdict == PROXY_HEADER_STARVED)
        check_hope(data, size);
    return 0;
}
