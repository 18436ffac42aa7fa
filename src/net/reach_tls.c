/* SPDX-License-Identifier: PostgreSQL */
/* Agrees on TLS with a host that was reached. */
#include "net/reach_state.h"

#include <arpa/inet.h>

/* Where TLS is a wish only, the same host is tried without. */
static void reach_fail_handshake(struct reach *reach, const char *why)
{
    char storage[REACH_WHY_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_format(&text, "TLS failed: %s", why);
    reach_fail(reach, storage);
    if (reach->plan.upstream->security == UPSTREAM_PREFER)
        reach->step = STEP_RETRYING;
}

/* What the server's certificate is held against: a name or an address, without the port. */
static const char *host_name(const struct address *host, char *storage, size_t size)
{
    if (host->family == ADDRESS_NAME)
        return host->text;
    int family = host->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    return inet_ntop(family, host->ip, storage, (socklen_t)size) != NULL ? storage : "";
}

static void reach_shake(struct reach *reach)
{
    struct link *link = reach->plan.link;
    char storage[INET6_ADDRSTRLEN];
    const char *host = host_name(reach_host(reach), storage, sizeof storage);
    reach->step = STEP_SHAKING;
    if (link_secure(link, reach->plan.upstream->tls, host, BYTES_NONE) < 0)
        reach_fail_handshake(reach, link_failure(link));
    else
        link_read_start(link);
}

static void reach_ask(struct reach *reach)
{
    /* manual: "Message Formats", SSLRequest */
    static const uint8_t request[] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
    reach->step = STEP_ASKING;
    link_send(reach->plan.link, bytes_of(request, sizeof request));
    link_read_start(reach->plan.link);
}

void reach_secure(struct reach *reach)
{
    if (reach->plan.upstream->is_direct)
        reach_shake(reach);
    else
        reach_ask(reach);
}

/* One byte is the answer, and what follows it was not said by a server that waits for our handshake: somebody
 * may have put it there (CVE-2021-23222). Nor is another answer shown, for the same reason. */
static void reach_take_answer(struct reach *reach, struct bytes bytes)
{
    bool may_be_plain = reach->plan.upstream->security == UPSTREAM_PREFER;
    if (bytes.data[0] != 'S' && bytes.data[0] != 'N')
        reach_fail(reach, "neither yes nor no to SSLRequest");
    else if (bytes.size > 1)
        reach_fail(reach, "data after the answer to SSLRequest");
    else if (bytes.data[0] == 'S')
        reach_shake(reach);
    else if (may_be_plain)
        reach_succeed(reach);
    else
        reach_fail(reach, "offers no TLS");
}

void reach_on_bytes(struct link *link, struct bytes bytes)
{
    struct reach *reach = reach_of(link);
    if (reach->step == STEP_ASKING)
        reach_take_answer(reach, bytes);
}

void reach_on_end(struct link *link, int error)
{
    struct reach *reach = reach_of(link);
    const char *failure = error < 0 ? link_failure(link) : NULL;
    if (reach->step == STEP_SHAKING)
        reach_fail_handshake(reach, failure != NULL ? failure : "closed the connection");
    else
        reach_fail(reach, failure != NULL ? failure : "closed the connection when asked for TLS");
}

/* A server that was spoken TLS to at once has to know which protocol comes (manual: "SSL Session
 * Encryption"). */
void reach_on_secured(struct link *link)
{
    struct reach *reach = reach_of(link);
    struct tls_facts facts;
    if (link_facts(link, &facts) && reach->plan.upstream->is_direct && !facts.has_protocol)
        reach_fail(reach, "TLS failed: the server did not agree on the protocol by ALPN");
    else
        reach_succeed(reach);
}
