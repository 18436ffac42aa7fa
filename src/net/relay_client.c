/* SPDX-License-Identifier: PostgreSQL */
/* How a relay comes to its client: from the accepted socket, perhaps by way of a load balancer. */
#include "base/text.h"
#include "net/relay_state.h"
#include "wire/proxy_header.h"

#include <stdlib.h>
#include <unistd.h>

enum { REASON_TEXT_SIZE = 160 };

/* ── Behind a load balancer ────────────────────────────────────────────────────────────────────────────────
 */

static bool is_balancer(const struct listener_plan *plan, const struct address *peer)
{
    for (size_t index = 0; index < plan->balancer_count; index++)
        if (network_holds(&plan->balancers[index], peer))
            return true;
    return false;
}

static void refuse_header(struct relay *relay, const char *why)
{
    char storage[REASON_TEXT_SIZE];
    struct text reason;
    text_init(&reason, storage, sizeof storage);
    text_append_format(&reason, "bad PROXY header: %s", why);
    counter_add(&relay->shared->world->counters->protocol_errors_client, 1);
    relay_refuse(relay, "08P01", "bad PROXY header", why, storage);
}

/* Puts the bytes behind those that are held. */
static bool hold_more(struct relay *relay, struct bytes bytes)
{
    uint8_t *held = realloc(relay->held, relay->held_size + bytes.size);
    if (held == NULL)
        return false;
    memcpy(held + relay->held_size, bytes.data, bytes.size);
    relay->held = held;
    relay->held_size += (uint32_t)bytes.size;
    return true;
}

/* The header is whole: drops it, and lets the session have what stands behind it. */
static void header_settle(struct relay *relay, const struct proxy_header *header)
{
    relay->awaits_header = false;
    if (!header->is_local)
        session_set_address(relay->session, &header->client);
    relay->held_size -= (uint32_t)header->size;
    memmove(relay->held, relay->held + header->size, relay->held_size);
    relay_feed_held(relay);
}

void relay_take_header(struct relay *relay, struct bytes bytes)
{
    struct proxy_header header;
    if (!hold_more(relay, bytes)) {
        relay_end(relay, "out of memory");
        return;
    }
    switch (proxy_header_read(bytes_of(relay->held, relay->held_size), &header)) {
    case PROXY_HEADER_STARVED:
        break;
    case PROXY_HEADER_MALFORMED:
        refuse_header(relay, header.why);
        break;
    case PROXY_HEADER_READY:
        header_settle(relay, &header);
        break;
    }
}

/* ── The client ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Makes a link of the accepted socket and takes it over. */
static int relay_open(struct relay *relay, int socket)
{
    struct relay_end *client = &relay->ends[SIDE_CLIENT];
    client->is_open = true;
    link_init(&client->link, relay->shared->chunk, &relay_link_events);
    client->link.read_most = READ_BEFORE_LOGIN;
    int result = link_open(&client->link, socket);
    if (result < 0)
        (void)close(socket);
    return result;
}

static bool relay_begin(struct relay *relay)
{
    const struct listener_plan *plan = relay->plan;
    struct address client;
    link_peer(&relay->ends[SIDE_CLIENT].link, &client);
    relay->awaits_header = plan->balancer_count > 0 && is_balancer(plan, &client);
    relay->is_stray = plan->balancer_count > 0 && !relay->awaits_header;
    relay->session = session_create(relay->shared->world, &client, relay->upstream->name, plan->security);
    return relay->session != NULL;
}

static bool may_accept(const struct relay_shared *shared)
{
    bool is_full = shared->relays_most > 0 && shared->relay_count >= shared->relays_most;
    return !is_full && !shared->is_draining;
}

static void count_refused(const struct relay_shared *shared)
{
    counter_add(&shared->world->counters->sessions_refused, 1);
}

void relay_accept(struct relay_shared *shared, int socket, const struct listener_plan *plan)
{
    struct relay *relay = may_accept(shared) ? slab_take_zeroed(&shared->slab) : NULL;
    if (relay == NULL) {
        count_refused(shared);
        (void)close(socket);
        return;
    }
    relay->shared = shared;
    relay->plan = plan;
    relay->upstream = plan->upstream;
    relay->opened_ms = (uint32_t)uv_now(shared->loop);
    relay->ends[SIDE_CLIENT].side = SIDE_CLIENT;
    relay->ends[SIDE_SERVER].side = SIDE_SERVER;
    list_init(&relay->node);
    relay_shared_add(shared, relay);
    relay_shared_tick(shared);
    if (relay_open(relay, socket) == 0 && relay_begin(relay)) {
        link_read_start(&relay->ends[SIDE_CLIENT].link);
        return;
    }
    count_refused(shared);
    relay_shared_retire(relay);
    link_close(&relay->ends[SIDE_CLIENT].link);
}
