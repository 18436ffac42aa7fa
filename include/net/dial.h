/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/address.h"

#include <uv.h>

/* Where sessions go: the hosts are tried in order. */
struct upstream {
    const char *name;
    const struct address *hosts; /* TCP, names or Unix sockets */
    size_t host_count;
    uint64_t
        connect_timeout_ms; /* for each host, and each address of a name; 0: as long as the kernel tries */
};

/* One try to reach an upstream. Names are resolved anew each time, and all their addresses are tried. */
struct dial;

/* How it went. `socket` is connected, non-blocking and now the owner's, of that family; or -1, and `why` says
 * of each host what happened ("127.0.0.1:5999: connection refused; ..."), until the call ends. */
typedef void (*dial_done)(void *owner, int socket, enum address_family family, const char *why);

/* Begins; `done` comes once, later, from the loop. `upstream` must stay until then. NULL when memory is
 * short. */
MUST_USE struct dial *dial_start(uv_loop_t *loop, const struct upstream *upstream, dial_done done,
                                 void *owner);
/* Gives up: `done` does not come. Not after it came. */
void dial_cancel(struct dial *dial);

#endif
