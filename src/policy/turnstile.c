/* SPDX-License-Identifier: PostgreSQL */
#include "policy/turnstile.h"

#include "policy/quoted.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One database. It is free when nobody is in and no rest lasts. */
struct slot {
    uint64_t session; /* that is in; 0: none */
    int64_t since_us;
    int64_t until_us; /* of the rest, when nobody is in */
    char upstream[POLICY_NAME_SIZE];
    char database[POLICY_NAME_SIZE]; /* cut as the server cuts it */
    char service[POLICY_NAME_SIZE];
    char user[POLICY_NAME_SIZE];
};

struct turnstile {
    atomic_flag is_held;
    struct slot slots[TURNSTILE_DATABASES_MOST];
};

struct turnstile *turnstile_create(void)
{
    struct turnstile *turnstile = calloc(1, sizeof(*turnstile));
    if (turnstile != NULL)
        atomic_flag_clear(&turnstile->is_held);
    return turnstile;
}

void turnstile_destroy(struct turnstile *turnstile)
{
    free(turnstile);
}

/* For as long as a look through the table takes: no thread does anything else meanwhile. */
static void turnstile_hold(struct turnstile *turnstile)
{
    while (atomic_flag_test_and_set_explicit(&turnstile->is_held, memory_order_acquire)) {
    }
}

static void turnstile_let_go(struct turnstile *turnstile)
{
    atomic_flag_clear_explicit(&turnstile->is_held, memory_order_release);
}

static bool slot_is_free(const struct slot *slot, int64_t now_us)
{
    return slot->session == 0 && slot->until_us <= now_us;
}

/* Whether a field holds the name, as far as fields go. */
static bool field_is(const char *field, struct bytes name)
{
    struct bytes cut = { name.data, name.size < POLICY_NAME_SIZE ? name.size : POLICY_NAME_SIZE - 1 };
    return bytes_equal_text(cut, field);
}

/* The slot of the database, or else a free one; NULL: neither. */
static struct slot *slot_find(struct turnstile *turnstile, const struct turnstile_claim *claim,
                              int64_t now_us)
{
    struct slot *found = NULL;
    for (size_t i = 0; i < TURNSTILE_DATABASES_MOST; i++) {
        struct slot *slot = &turnstile->slots[i];
        if (slot_is_free(slot, now_us))
            found = found != NULL ? found : slot;
        else if (field_is(slot->upstream, claim->upstream) && field_is(slot->database, claim->database))
            return slot;
    }
    return found;
}

static bool slot_admits(const struct slot *slot, const struct turnstile_claim *claim, int64_t now_us)
{
    if (slot_is_free(slot, now_us) || slot->session == claim->session)
        return true;
    return slot->session == 0 && field_is(slot->service, claim->service) && field_is(slot->user, claim->user);
}

static void slot_take(struct slot *slot, const struct turnstile_claim *claim, int64_t now_us)
{
    if (slot->session == claim->session)
        return;
    *slot = (struct slot){ .session = claim->session, .since_us = now_us };
    (void)bytes_copy_text(claim->upstream, slot->upstream, sizeof(slot->upstream));
    (void)bytes_copy_text(claim->database, slot->database, sizeof(slot->database));
    (void)bytes_copy_text(claim->service, slot->service, sizeof(slot->service));
    (void)bytes_copy_text(claim->user, slot->user, sizeof(slot->user));
}

static void holder_describe(const struct slot *slot, struct turnstile_holder *holder)
{
    struct text text;
    *holder = (struct turnstile_holder){ .since_us = slot->since_us, .is_resting = slot->session == 0 };
    holder->until_us = holder->is_resting ? slot->until_us : 0;
    text_init(&text, holder->text, sizeof(holder->text));
    quoted_append(&text, "service ", bytes_text(slot->service));
    quoted_append(&text, ", user ", bytes_text(slot->user));
}

bool turnstile_enter(struct turnstile *turnstile, const struct turnstile_claim *claim, int64_t now_us,
                     struct turnstile_holder *holder)
{
    turnstile_hold(turnstile);
    struct slot *slot = slot_find(turnstile, claim, now_us);
    bool is_in = slot == NULL || slot_admits(slot, claim, now_us);
    struct slot seen = { .session = 0 };
    if (is_in && slot != NULL)
        slot_take(slot, claim, now_us);
    if (!is_in)
        seen = *slot;
    turnstile_let_go(turnstile);
    if (!is_in)
        holder_describe(&seen, holder);
    return is_in;
}

void turnstile_leave(struct turnstile *turnstile, uint64_t session, int64_t now_us, int64_t rest_us)
{
    turnstile_hold(turnstile);
    for (size_t i = 0; i < TURNSTILE_DATABASES_MOST; i++) {
        struct slot *slot = &turnstile->slots[i];
        if (slot->session == session) {
            slot->session = 0;
            slot->until_us = now_us + rest_us;
        }
    }
    turnstile_let_go(turnstile);
}
