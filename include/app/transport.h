/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_TRANSPORT_H
#define APP_TRANSPORT_H

#include "config/settings.h"
#include "net/listener.h"

/* What sessions are carried over, as the settings of the start say: the upstreams, the certificates of both
 * sides, and how many may come. Shared by all workers, who change nothing in it; while they run only the
 * certificates' files are read anew. */
struct transport {
    const struct settings *settings;
    struct upstream *upstreams;      /* of each entry of settings->upstreams */
    struct fitness *fitness;         /* of each, where its target asks for it */
    struct tls_context **listen_tls; /* of each entry of settings->listen; NULL where TLS is disabled */
    struct listener_plan *listeners; /* of each */
    struct admission *admission;
};

/* Reads the certificates; `settings` must outlive it. False with problems at their places in the settings
 * file. */
MUST_USE bool transport_create(struct transport *transport, const struct settings *settings,
                               const struct hash_key *key, int64_t now_us, struct problems *problems);
/* Nobody uses it any more. Harmless where nothing was made. */
void transport_release(struct transport *transport);
/* Reads the certificates' files anew, for the connections that come. What cannot be read stays as it was, and
 * is a problem. */
void transport_reload(struct transport *transport, int64_t now_us, struct problems *problems);

#endif
