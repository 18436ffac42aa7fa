/* SPDX-License-Identifier: PostgreSQL */
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STAGE_BYTES_MOST = 64 * 1024 * 1024, RING_RECORDS = 16 };

static const int64_t stage_now_us = INT64_C(1764000000) * 1000000;

struct policy_plan stage_policy_plan(struct stage *stage, enum guard_mode mode, enum safety_level allow)
{
    stage->opening = (struct opening){
        .name = "stage", .from_us = stage_now_us - 1, .to_us = stage_now_us + 60000000, .allow = allow
    };
    stage->rule = (struct service_rule){ .name = "kitchen", .application_name = "kds*" };
    return (struct policy_plan){
        .mode = mode,
        .sqlstate = "42501",
        .gate = { .openings = &stage->opening, .opening_count = allow > LEVEL_NONE ? 1 : 0 },
        .rules = &stage->rule,
        .rule_count = 1,
    };
}

void stage_set_policy(struct stage *stage, const struct policy_plan *plan)
{
    policy_release(stage->world.policy);
    stage->world.policy = policy_create(plan, stage_now_us);
    stage->world.policies++;
    assert_non_null(stage->world.policy);
}

void stage_set_gate(struct stage *stage, enum guard_mode mode, enum safety_level allow)
{
    struct policy_plan plan = stage_policy_plan(stage, mode, allow);
    stage_set_policy(stage, &plan);
}

size_t stage_event_count(const struct stage *stage, enum event_kind kind)
{
    size_t count = 0;
    for (size_t index = 0; index < stage->event_count; index++)
        count += stage->kept[index].kind == kind;
    return count;
}

const struct event *stage_event(const struct stage *stage, enum event_kind kind)
{
    for (size_t index = stage->event_count; index > 0; index--)
        if (stage->kept[index - 1].kind == kind)
            return &stage->kept[index - 1];
    return NULL;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
    return value > 0 ? value : standard;
}

struct stage *stage_open(struct stage_plan plan)
{
    static const struct hash_key key = { { 1, 2 } };
    struct address client;
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    assert_true(address_parse("10.2.3.4:5000", &client, NULL));
    statement_pool_init(&stage->statements, &key, 1024 * 1024, 4 * 1024 * 1024);
    docket_init(&stage->docket, &key, 100);
    stage->turnstile = turnstile_create();
    assert_non_null(stage->turnstile);
    assert_true(ring_init(&stage->events, sizeof(struct event), RING_RECORDS));
    stage->world = (struct session_world){
        .limits = { .in_flight = or_default(plan.in_flight, 16384),
                    .names = or_default(plan.names, 10000),
                    .gathered_bytes = or_default(plan.gathered_bytes, 16384) },
        .statements = &stage->statements,
        .harvest = harvest_create(&key, &(struct harvest_bounds){ 100, 100, 100 }),
        .docket = &stage->docket,
        .turnstile = stage->turnstile,
        .counters = &stage->counters,
        .events = &stage->events,
        .hash_key = key,
        .now_us = stage_now_us,
    };
    session_world_open(&stage->world);
    stage_set_gate(stage, plan.mode, plan.allow);
    for (size_t side = 0; side < 2; side++) {
        buffer_init(&stage->out[side], STAGE_BYTES_MOST);
        buffer_init(&stage->sent[side], STAGE_BYTES_MOST);
    }
    stage->session = session_create(&stage->world, &client, "main", plan.security);
    assert_non_null(stage->session);
    return stage;
}

static void events_take(struct stage *stage)
{
    const struct event *event;
    while ((event = ring_peek(&stage->events)) != NULL) {
        if (stage->event_count < STAGE_EVENTS_MOST)
            stage->kept[stage->event_count++] = *event;
        ring_discard(&stage->events);
    }
}

void stage_hang_up(struct stage *stage)
{
    session_destroy(stage->session, "the wire was cut");
    stage->session = NULL;
    events_take(stage);
}

void stage_end(struct stage *stage)
{
    if (stage->session != NULL)
        session_destroy(stage->session, "the play is over");
    session_world_close(&stage->world);
    policy_release(stage->world.policy);
    statement_pool_release(&stage->statements);
    harvest_destroy(stage->world.harvest);
    docket_release(&stage->docket);
    turnstile_destroy(stage->turnstile);
    ring_release(&stage->events);
    for (size_t side = 0; side < 2; side++) {
        buffer_release(&stage->out[side]);
        buffer_release(&stage->sent[side]);
    }
    free(stage);
}

/* A cancel request its owner passes on by itself. */
static void stage_dial(struct stage *stage)
{
    if (session_is_cancel(stage->session))
        buffer_append(&stage->out[SIDE_SERVER], session_cancel_request(stage->session));
    else
        session_dialed(stage->session, &stage->leg);
}

/* Carries out what the session says until it wants nothing more; what it holds back is given in `input`. */
static void drive(struct stage *stage, enum side from, struct bytes *input)
{
    for (;;) {
        struct segment segment;
        switch (session_step(stage->session, from, input, &segment)) {
        case SESSION_SEND:
            assert_true(segment.bytes.size > 0);
            buffer_append(&stage->out[segment.to], segment.bytes);
            break;
        case SESSION_STARVED:
            assert_int_equal(input->size, 0);
            return;
        case SESSION_DIAL:
            stage->has_dialed = true;
            stage_dial(stage);
            break;
        case SESSION_SECURE:
            stage->is_securing = true;
            return;
        case SESSION_HOLD:
            stage->is_holding = true;
            return;
        case SESSION_CLOSE:
            stage->is_closed = true;
            input->size = 0;
            return;
        }
    }
}

void stage_feed(struct stage *stage, enum side from, struct bytes chunk)
{
    uint8_t *copy = malloc(chunk.size > 0 ? chunk.size : 1);
    assert_non_null(copy);
    if (chunk.size > 0)
        memcpy(copy, chunk.data, chunk.size);
    struct bytes input = bytes_of(copy, chunk.size);
    buffer_append(&stage->sent[from], chunk);
    if (!stage->is_closed)
        drive(stage, from, &input);
    free(copy);
    events_take(stage);
}

/* ── Playing ───────────────────────────────────────────────────────────────────────────────────────────────
 */

static void feed_cut(struct stage *stage, const struct vector_step *step, size_t index,
                     const struct stage_cuts *cuts)
{
    struct bytes rest = step->bytes;
    if (cuts->cut == CUT_BYTES) {
        while (rest.size > 0)
            stage_feed(stage, step->side, bytes_take(&rest, 1));
        return;
    }
    if (cuts->cut == CUT_PAIR && cuts->step == index) {
        stage_feed(stage, step->side, bytes_take(&rest, cuts->first));
        stage_feed(stage, step->side, bytes_take(&rest, cuts->second - cuts->first));
    }
    stage_feed(stage, step->side, rest);
}

/* Feeds this step and all that the same side sends directly after it as one chunk; returns the last one's
 * index. */
static size_t feed_merged(struct stage *stage, const struct vector *vector, size_t index)
{
    struct buffer merged;
    enum side side = vector->steps[index].side;
    buffer_init(&merged, STAGE_BYTES_MOST);
    size_t last = index;
    for (size_t next = index; next < vector->count; next++) {
        const struct vector_step *step = &vector->steps[next];
        if (step->kind != VECTOR_SENDS || step->side != side || (next > index && step->is_preamble))
            break;
        buffer_append(&merged, step->bytes);
        last = next;
        if (step->is_preamble)
            break;
    }
    stage_feed(stage, side, buffer_bytes(&merged));
    buffer_release(&merged);
    return last;
}

static void check_received(struct stage *stage, const struct vector_step *step, const char *name)
{
    struct bytes came_out = buffer_bytes(&stage->out[step->side]);
    size_t before = came_out.size;
    if (!vector_step_match(step, &came_out))
        fail_msg("%s:%u: something else came out", name, step->line);
    buffer_consume(&stage->out[step->side], before - came_out.size);
}

static void check_passed(struct stage *stage, unsigned line, const char *name)
{
    for (size_t side = 0; side < 2; side++) {
        struct buffer *out = &stage->out[1 - side];
        struct buffer *sent = &stage->sent[side];
        if (!bytes_equal(buffer_bytes(out), buffer_bytes(sent)))
            fail_msg("%s:%u: what the %s sent did not pass unchanged (%zu bytes in, %zu out)", name, line,
                     side == SIDE_CLIENT ? "client" : "server", sent->size, out->size);
        buffer_clear(out);
        buffer_clear(sent);
    }
}

static void check_event(struct stage *stage, const struct vector_step *step, const char *name)
{
    for (size_t index = 0; index < stage->event_count; index++)
        if (strcmp(event_kind_name(stage->kept[index].kind), step->event) == 0)
            return;
    fail_msg("%s:%u: no event %s", name, step->line, step->event);
}

void stage_play(struct stage *stage, const struct vector *vector, const struct stage_cuts *cuts,
                const char *name)
{
    for (size_t index = 0; index < vector->count; index++) {
        const struct vector_step *step = &vector->steps[index];
        switch (step->kind) {
        case VECTOR_SENDS:
            if (cuts->cut == CUT_MERGED)
                index = feed_merged(stage, vector, index);
            else
                feed_cut(stage, step, index, cuts);
            break;
        case VECTOR_RECEIVE:
            check_received(stage, step, name);
            buffer_clear(&stage->sent[0]);
            buffer_clear(&stage->sent[1]);
            break;
        case VECTOR_PASSED:
            check_passed(stage, step->line, name);
            break;
        case VECTOR_EVENT:
            check_event(stage, step, name);
            break;
        }
    }
    for (size_t side = 0; side < 2; side++)
        if (stage->out[side].size > 0 &&
            !(vector->count > 0 && vector->steps[vector->count - 1].kind == VECTOR_SENDS))
            fail_msg("%s: %zu bytes came out on the %s's side that nothing says", name, stage->out[side].size,
                     side == SIDE_CLIENT ? "client" : "server");
}

void stage_say(struct stage *stage, const char *text)
{
    struct vector *vector = malloc(sizeof(*vector));
    struct problems *problems = malloc(sizeof(*problems));
    const struct stage_cuts cuts = { .cut = CUT_STEPS };
    assert_non_null(vector);
    assert_non_null(problems);
    problems_init(problems);
    if (!vector_parse(vector, "text", bytes_text(text), problems))
        fail_msg("%s: %s", text, problems->kept[0].text);
    stage_play(stage, vector, &cuts, "text");
    vector_release(vector);
    free(vector);
    free(problems);
}

void stage_login(struct stage *stage)
{
    stage_say(stage, "client: StartupMessage int16:3 int16:0 \"user\" \"app\" \"database\" \"shop\" int8:0\n"
                     "server: Authentication int32:0\n"
                     "server: ParameterStatus \"server_version\" \"15.9\"\n"
                     "server: ReadyForQuery text:\"I\"\n"
                     "= passed\n");
    assert_true(session_has_logged_in(stage->session));
}

struct stage *stage_begin(struct stage_plan plan)
{
    struct stage *stage = stage_open(plan);
    stage_login(stage);
    return stage;
}
