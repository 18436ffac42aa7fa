/* SPDX-License-Identifier: PostgreSQL */
#include "session/state.h"

#include <assert.h>

static_assert(sizeof(struct session) <= 320, "a session that rests is small; see bench/README.md");

void session_world_open(struct session_world *world)
{
    shared_texts_init(&world->texts, &world->hash_key);
    slab_init(&world->sessions, sizeof(struct session));
    slab_init(&world->circles, FLIGHT_CIRCLE_SIZE);
    slab_init(&world->candidates, sizeof(struct candidates));
    slab_init(&world->name_spaces, sizeof(struct name_spaces));
    world->no_names = (struct name_spaces){ .portals.segment = 0 };
    outbox_init(&world->outbox);
}

void session_world_close(struct session_world *world)
{
    shared_texts_release(&world->texts);
    slab_release(&world->sessions);
    slab_release(&world->circles);
    slab_release(&world->candidates);
    slab_release(&world->name_spaces);
}
