/* SPDX-License-Identifier: PostgreSQL */
/* How a relay gets to its server, or its cancel request to all of them. */
#include "base/text.h"
#include "net/relay_state.h"
#include "policy/service.h"

enum { MESSAGE_TEXT_SIZE = 160 };

void relay_refuse_unreached(struct relay *relay, const char *why)
{
    char storage[MESSAGE_TEXT_SIZE];
    struct text message;
    text_init(&message, storage, sizeof storage);
    text_append_format(&message, "could not connect to upstream \"%s\"", relay->upstream->name);
    relay_refuse(relay, "08006", storage, why, why);
}

static struct server_leg relay_leg(const struct relay *relay)
{
    struct tls_facts client;
    struct tls_facts server;
    bool is_client_secured = link_facts(&relay->ends[SIDE_CLIENT].link, &client);
    bool is_secured = link_facts(&relay->ends[SIDE_SERVER].link, &server);
    return (struct server_leg){
        .is_secured = is_secured,
        .shares_certificate = is_client_secured && is_secured &&
                              memcmp(client.own_digest, server.peer_digest, sizeof client.own_digest) == 0,
    };
}

static void on_reached(void *owner, bool is_open, const char *why)
{
    struct relay *relay = owner;
    relay->reach = NULL;
    relay->ends[SIDE_SERVER].is_open = is_open;
    relay_shared_tick(relay->shared);
    if (!is_open) {
        relay_refuse_unreached(relay, why);
        return;
    }
    const struct server_leg leg = relay_leg(relay);
    session_dialed(relay->session, &leg);
    relay->wait = WAIT_NONE;
    relay_feed(relay, SIDE_CLIENT, BYTES_NONE);
    if (relay->session != NULL)
        relay_feed_held(relay);
    relay_settle(relay);
}

static void relay_reach(struct relay *relay)
{
    const struct reach_plan plan = {
        .loop = relay->shared->loop,
        .link = &relay->ends[SIDE_SERVER].link,
        .events = &relay_link_events,
        .chunk = relay->shared->chunk,
        .upstream = relay->upstream,
        .done = on_reached,
        .owner = relay,
    };
    relay->reach = reach_start(&plan);
    if (relay->reach == NULL)
        relay_refuse_unreached(relay, "out of memory");
}

static void on_cancel_done(void *owner)
{
    struct relay *relay = owner;
    relay->cancel = NULL;
    relay->shared->cancel_count--;
    relay_shared_tick(relay->shared);
    if (relay->session != NULL)
        relay_end(relay, "cancel request carried");
    else
        relay_free_if_done(relay);
}

static void relay_cancel(struct relay *relay)
{
    const struct cancel_plan plan = {
        .loop = relay->shared->loop,
        .chunk = relay->shared->chunk,
        .upstreams = relay->plan->upstreams,
        .upstream_count = relay->plan->upstream_count,
        .request = session_cancel_request(relay->session),
        .done = on_cancel_done,
        .owner = relay,
    };
    if (relay->shared->cancel_count >= RELAY_CANCELS_MOST) {
        relay_end(relay, "too many cancel requests at a time");
        return;
    }
    relay->cancel = cancel_start(&plan);
    if (relay->cancel == NULL)
        relay_end(relay, "out of memory");
    else
        relay->shared->cancel_count++;
}

/* ── Whether, and whereto ──────────────────────────────────────────────────────────────────────────────────
 */

static void relay_route(struct relay *relay)
{
    const struct listener_plan *plan = relay->plan;
    struct bytes database = session_database(relay->session);
    for (size_t index = 0; index < plan->route_count; index++) {
        if (!pattern_matches(plan->routes[index].database, database))
            continue;
        relay->upstream = plan->routes[index].upstream;
        session_set_upstream(relay->session, relay->upstream->name);
        return;
    }
}

static void refuse_unadmitted(struct relay *relay, enum census_result result)
{
    char storage[MESSAGE_TEXT_SIZE];
    struct text message;
    switch (result) {
    case CENSUS_ADMITTED:
        break;
    case CENSUS_FULL:
        relay_refuse(relay, "53300", "sorry, too many clients already", NULL, "limits.sessions reached");
        break;
    case CENSUS_SERVICE_FULL:
        text_init(&message, storage, sizeof storage);
        text_append_string(&message, "too many connections for service \"");
        text_append(&message, session_service(relay->session));
        text_append_string(&message, "\"");
        relay_refuse(relay, "53300", storage, NULL, "limits.sessions_per_service reached");
        break;
    case CENSUS_ADDRESS_FULL:
        relay_refuse(relay, "53300", "too many connections from this address", NULL,
                     "limits.sessions_per_address reached");
        break;
    case CENSUS_NO_MEMORY:
        relay_refuse(relay, "53200", "out of memory", NULL, "out of memory");
        break;
    }
}

/* Whether the session may begin; if not, the client has been told. */
static bool relay_admit(struct relay *relay)
{
    struct admission *admission = relay->plan->admission;
    if (admission == NULL)
        return true;
    struct address client;
    session_client(relay->session, &client);
    enum census_result result =
        admission_enter(admission, session_service(relay->session), &client, &relay->census);
    refuse_unadmitted(relay, result);
    return result == CENSUS_ADMITTED;
}

void relay_dial(struct relay *relay)
{
    if (relay->session == NULL)
        return;
    if (relay->is_stray) {
        relay_refuse(relay, "28000", "this address takes only connections from its load balancers", NULL,
                     "the client's address is in none of the networks of proxy_protocol");
    } else if (session_is_cancel(relay->session)) {
        relay_cancel(relay);
    } else if (relay_admit(relay)) {
        relay_route(relay);
        relay_reach(relay);
    }
}
