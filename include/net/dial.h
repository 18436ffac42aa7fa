/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/address.h"
#include "base/attributes.h"

#include <uv.h>

/* One try to connect to a host. A name is resolved anew each time, and all its addresses are tried. */
struct dial;

/* How it went. */
struct dial_result {
    int socket;        /* connected, non-blocking and now the owner's; or -1 */
    uint64_t begun_ms; /* by the loop's clock: when the address that answered was tried first */
    const char
        *why; /* what failed on the way ("127.0.0.1:5999: connection refused; ..."), until the call ends */
};

typedef void (*dial_done)(void *owner, const struct dial_result *result);

/* Begins; `done` comes once, later, from the loop. `host` must stay until then. The timeout is for each
 * address and for resolving a name; 0: as long as the kernel tries. NULL when memory is short. */
MUST_USE struct dial *dial_start(uv_loop_t *loop, const struct address *host, uint64_t timeout_ms,
                                 dial_done done, void *owner);
/* For how long the address that is tried now has not answered; 0 while a name is being looked up. */
uint64_t dial_tried_ms(const struct dial *dial);
/* Gives up: `done` does not come. Not after it came. */
void dial_cancel(struct dial *dial);

#endif
