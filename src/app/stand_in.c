/* SPDX-License-Identifier: PostgreSQL */
#include "app/stand_in.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A listening socket of a worker. */
struct post {
    struct ward *ward;
    uint32_t listener;
    int listening;             /* -1: none */
    struct acceptor *acceptor; /* while its worker stands still; else NULL */
};

/* A worker that is watched.
 *
 *   lives ──── silent for STAND_IN_TICKS ───► stands still
 *     ▲                                           │
 *     └──────────── a sign of life ───────────────┘
 */
struct ward {
    struct stand_in *stand_in;
    uint32_t worker;
    uint64_t beats;    /* signs of life that were heard of */
    unsigned silent;   /* ticks since */
    uint64_t heard_ms; /* when it last gave one, by the loop's clock */
    uint64_t handed;   /* in its stead, while it stands still */
    bool is_stalled;
    uint64_t stalls;
    uint64_t longest_ms;
    struct post *posts; /* by number of the listener */
};

struct stand_in {
    struct stand_in_plan plan;
    bool is_retired;
    struct ward *wards; /* by worker */
    struct post *posts; /* of all wards */
};

struct stand_in *stand_in_create(const struct stand_in_plan *plan)
{
    struct stand_in *stand_in = calloc(1, sizeof *stand_in);
    struct ward *wards = calloc(plan->workers, sizeof *wards);
    struct post *posts = calloc((size_t)plan->workers * plan->listeners, sizeof *posts);
    if (stand_in == NULL || wards == NULL || posts == NULL) {
        free(stand_in);
        free(wards);
        free(posts);
        return NULL;
    }
    *stand_in = (struct stand_in){ .plan = *plan, .wards = wards, .posts = posts };
    for (uint32_t worker = 0; worker < plan->workers; worker++) {
        struct ward *ward = &wards[worker];
        *ward = (struct ward){ .stand_in = stand_in, .worker = worker, .heard_ms = uv_now(plan->loop) };
        ward->posts = posts + (size_t)worker * plan->listeners;
        for (uint32_t listener = 0; listener < plan->listeners; listener++)
            ward->posts[listener] = (struct post){ .ward = ward, .listener = listener, .listening = -1 };
    }
    return stand_in;
}

void stand_in_guard(struct stand_in *stand_in, uint32_t worker, uint32_t listener, int listening)
{
    stand_in->wards[worker].posts[listener].listening = listening;
}

/* ── In its stead ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* Where all others have as many on their way as there may be, it waits for the one in whose stead it came,
 * from where it is taken back. */
static void ward_deliver(struct ward *ward, struct arrival arrival)
{
    struct roster *roster = ward->stand_in->plan.roster;
    uint32_t worker = roster_place(roster, ROSTER_NOBODY);
    if (worker != ROSTER_NOBODY && roster_hand(roster, worker, arrival)) {
        ward->handed++;
        return;
    }
    roster_place_with(roster, ward->worker);
    if (!roster_hand(roster, ward->worker, arrival))
        (void)close(arrival.socket); /* it left meanwhile: the program ends */
}

static void on_accepted(void *owner, int socket)
{
    const struct post *post = owner;
    ward_deliver(post->ward, (struct arrival){ .socket = socket, .listener = post->listener });
}

static bool may_accept(void *owner)
{
    const struct post *post = owner;
    return roster_has_room(post->ward->stand_in->plan.roster);
}

static void post_take(struct post *post)
{
    const struct acceptor_plan plan = {
        .on_accepted = on_accepted,
        .may_accept = may_accept,
        .owner = post,
    };
    /* Where descriptors are short, the next tick tries again. */
    if (post->listening >= 0 && post->acceptor == NULL &&
        !acceptor_adopt(post->ward->stand_in->plan.loop, &plan, post->listening, &post->acceptor))
        post->acceptor = NULL;
}

static void post_leave(struct post *post)
{
    if (post->acceptor != NULL)
        acceptor_close(post->acceptor);
    post->acceptor = NULL;
}

/* What was on its way to it when it fell silent. */
static void ward_take_back(struct ward *ward)
{
    struct roster *roster = ward->stand_in->plan.roster;
    struct arrival arrival;
    for (int i = 0; i < ROSTER_UNDERWAY_MOST && roster_has_room(roster); i++) {
        if (!roster_take_back(roster, ward->worker, &arrival))
            return;
        ward_deliver(ward, arrival);
    }
}

static void ward_replace(struct ward *ward)
{
    for (uint32_t listener = 0; listener < ward->stand_in->plan.listeners; listener++)
        post_take(&ward->posts[listener]);
    ward_take_back(ward);
}

/* ── Signs of life ─────────────────────────────────────────────────────────────────────────────────────────
 */

static uint64_t ward_silence_ms(const struct ward *ward)
{
    return uv_now(ward->stand_in->plan.loop) - ward->heard_ms;
}

struct stall stand_in_stall(const struct stand_in *stand_in, uint32_t worker)
{
    const struct ward *ward = &stand_in->wards[worker];
    return (struct stall){
        .worker = worker,
        .is_over = !ward->is_stalled,
        .connections = roster_view(stand_in->plan.roster, worker).connections,
        .lasted_ms = ward_silence_ms(ward),
        .handed = ward->handed,
    };
}

static void ward_tell(const struct ward *ward)
{
    const struct stand_in_plan *plan = &ward->stand_in->plan;
    const struct stall stall = stand_in_stall(ward->stand_in, ward->worker);
    plan->told(plan->owner, &stall);
}

static void ward_stall(struct ward *ward)
{
    ward->is_stalled = true;
    ward->stalls++;
    ward->handed = 0;
    roster_set_away(ward->stand_in->plan.roster, ward->worker, true);
    if (!ward->stand_in->is_retired)
        ward_replace(ward);
    ward_tell(ward);
}

static uint64_t stall_longest_ms(const struct ward *ward)
{
    uint64_t this_ms = ward_silence_ms(ward);
    return this_ms > ward->longest_ms ? this_ms : ward->longest_ms;
}

static void ward_recover(struct ward *ward)
{
    ward->is_stalled = false;
    ward->longest_ms = stall_longest_ms(ward);
    roster_set_away(ward->stand_in->plan.roster, ward->worker, false);
    for (uint32_t listener = 0; listener < ward->stand_in->plan.listeners; listener++)
        post_leave(&ward->posts[listener]);
    ward_tell(ward);
}

/* Ticks are counted, not time: when the whole machine or this thread stood still, nobody else did. */
static void ward_listen(struct ward *ward)
{
    struct seat_view view = roster_view(ward->stand_in->plan.roster, ward->worker);
    bool is_alive = view.beats != ward->beats || view.has_ended;
    ward->beats = view.beats;
    if (is_alive) {
        if (ward->is_stalled)
            ward_recover(ward);
        ward->silent = 0;
        ward->heard_ms = uv_now(ward->stand_in->plan.loop);
    } else if (++ward->silent >= STAND_IN_TICKS && !ward->is_stalled) {
        ward_stall(ward);
    }
}

void stand_in_tick(struct stand_in *stand_in)
{
    for (uint32_t worker = 0; worker < stand_in->plan.workers; worker++)
        ward_listen(&stand_in->wards[worker]);
    for (uint32_t worker = 0; worker < stand_in->plan.workers; worker++)
        if (stand_in->wards[worker].is_stalled && !stand_in->is_retired)
            ward_replace(&stand_in->wards[worker]);
}

struct stand_in_view stand_in_view(const struct stand_in *stand_in, uint32_t worker)
{
    const struct ward *ward = &stand_in->wards[worker];
    return (struct stand_in_view){
        .is_stalled = ward->is_stalled,
        .has_stirred = roster_view(stand_in->plan.roster, worker).beats != ward->beats,
        .silent = ward->silent,
        .stalls = ward->stalls,
        .longest_ms = ward->is_stalled ? stall_longest_ms(ward) : ward->longest_ms,
    };
}

/* ── The end ───────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Others close their own sockets when they drain. */
static void post_close(struct post *post)
{
    post_leave(post);
    if (post->listening < 0)
        return;
    if (post->ward->is_stalled)
        (void)shutdown(post->listening, SHUT_RDWR);
    (void)close(post->listening);
    post->listening = -1;
}

void stand_in_retire(struct stand_in *stand_in)
{
    stand_in->is_retired = true;
    for (size_t post = 0; post < (size_t)stand_in->plan.workers * stand_in->plan.listeners; post++)
        post_close(&stand_in->posts[post]);
}

void stand_in_destroy(struct stand_in *stand_in)
{
    if (stand_in == NULL)
        return;
    stand_in_retire(stand_in);
    free(stand_in->wards);
    free(stand_in->posts);
    free(stand_in);
}
