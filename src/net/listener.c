/* SPDX-License-Identifier: PostgreSQL */
#include "net/listener.h"

#include "net/handover.h"

/* Who may connect is the server's decision, as it is for its own sockets. */
enum { SOCKET_FILE_MODE = 0777 };

static void on_accepted(void *owner, int socket)
{
    struct listener *listener = owner;
    if (listener->handover != NULL)
        handover_accept(listener->handover, socket, listener->plan);
    else
        relay_accept(listener->shared, socket, listener->plan);
}

bool listener_probe(const struct address *address, struct problem *problem)
{
    return acceptor_probe(address, problem);
}

bool listener_open(struct listener *listener, struct relay_shared *shared, const struct listener_plan *plan,
                   struct problem *problem)
{
    *listener = (struct listener){ .shared = shared, .plan = plan };
    const struct acceptor_plan acceptor = {
        .address = plan->address,
        .is_shared = true,
        .mode = SOCKET_FILE_MODE,
        .on_accepted = on_accepted,
        .owner = listener,
    };
    return acceptor_open(shared->loop, &acceptor, &listener->acceptor, problem);
}

void listener_close(struct listener *listener)
{
    if (listener->acceptor != NULL)
        acceptor_close(listener->acceptor);
    listener->acceptor = NULL;
}
