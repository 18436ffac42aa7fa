/* SPDX-License-Identifier: PostgreSQL */
#include "unit/policy/policies.h"

/* The guard against a plain model of it, on random policies and statements. The model knows no gates: it asks
 * windows, freezes and openings by their own times. */

enum { POLICIES = 300, STATEMENTS = 60, MOST = 6 };

struct world {
    uint64_t random;
    struct opening openings[MOST];
    struct freeze freezes[2];
    struct guard_rule rules[MOST];
    struct scoped_mode modes[3];
    struct object_pattern protected[2];
    struct readonly_order orders[2];
    struct policy_plan plan;
    unsigned seen[GROUND_COUNT]; /* how often the model said so */
};

struct matter {
    struct guard_subject subject;
    struct verdict verdict;
    struct object_names objects;
    struct guard_matter matter;
    struct guard_passage passage;
    int64_t at_us;
};

static unsigned pick(struct world *world, unsigned below)
{
    world->random = world->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(world->random >> 33) % below;
}

static bool chance(struct world *world, unsigned one_in)
{
    return pick(world, one_in) == 0;
}

static const char *pick_text(struct world *world, const char *const *texts, unsigned count)
{
    return texts[pick(world, count)];
}

static const char *const users[] = { "anna", "deployer", "kds_app" };
static const char *const user_patterns[] = { "", "", "deploy*", "anna" };
static const char *const object_patterns[] = { "orders", "scratch.*", "public.orders", "audit.", "*.log" };
static const char *const schemas[] = { "", "public", "scratch", "audit" };
static const char *const names[] = { "orders", "log", "carts" };

static struct scope pick_scope(struct world *world)
{
    struct scope scope = { .has_network = false };
    const char *user = pick_text(world, user_patterns, COUNT_OF(user_patterns));
    (void)bytes_copy_text(bytes_text(user), scope.user, sizeof(scope.user));
    return scope;
}

static int64_t pick_time(struct world *world)
{
    int64_t base_us = chance(world, 2) ? now_us : sunday_us;
    return base_us + (int64_t)pick(world, 200) * minute_us - (base_us == now_us ? 0 : 30 * minute_us);
}

static enum safety_level pick_allow(struct world *world)
{
    return chance(world, 2) ? LEVEL_ADDITIVE : LEVEL_MODIFYING;
}

static void pick_rule(struct world *world, struct guard_rule *rule)
{
    *rule = (struct guard_rule){ .scope = pick_scope(world),
                                 .has_object = chance(world, 3),
                                 .action = (enum rule_action)pick(world, 3),
                                 .most = (enum safety_level)pick(world, 4),
                                 .has_windows = chance(world, 2) };
    rule->object = pattern_of(pick_text(world, object_patterns, COUNT_OF(object_patterns)));
    rule->classes = chance(world, 4) ? 0 : (uint16_t)pick(world, 1U << CLASS_COUNT);
    rule->windows[0] = pick(world, 4);
    rule->name[0] = (char)('a' + pick(world, 2));
}

static void pick_gate(struct world *world, struct gate_plan *gate)
{
    *gate = (struct gate_plan){ .windows = windows,
                                .window_count = pick(world, 3),
                                .freezes = world->freezes,
                                .freeze_count = pick(world, 3),
                                .openings = world->openings,
                                .opening_count = pick(world, 3) };
    for (size_t i = 0; i < gate->freeze_count; i++) {
        world->freezes[i].from_us = pick_time(world);
        world->freezes[i].to_us = world->freezes[i].from_us + 40 * minute_us;
    }
    for (size_t i = 0; i < gate->opening_count; i++) {
        int64_t from_us = pick_time(world);
        world->openings[i] = (struct opening){ .from_us = from_us,
                                               .to_us = from_us + 40 * minute_us,
                                               .allow = pick_allow(world),
                                               .scope = pick_scope(world) };
    }
}

static void pick_world(struct world *world)
{
    world->plan = (struct policy_plan){ .mode = (enum guard_mode)pick(world, GUARD_MODE_COUNT),
                                        .modes = world->modes,
                                        .mode_count = pick(world, 4),
                                        .sqlstate = "42501",
                                        .lets_transactions_finish = chance(world, 2),
                                        .guard_rules = world->rules,
                                        .guard_rule_count = pick(world, MOST + 1),
                                        .protected = world->protected,
                                        .protected_count = chance(world, 3) ? 1 + pick(world, 2) : 0,
                                        .orders = world->orders,
                                        .order_count = chance(world, 3) ? 1 + pick(world, 2) : 0 };
    pick_gate(world, &world->plan.gate);
    for (size_t i = 0; i < world->plan.mode_count; i++)
        world->modes[i] = (struct scoped_mode){ pick_scope(world), (enum guard_mode)pick(world, 3) };
    for (size_t i = 0; i < world->plan.guard_rule_count; i++)
        pick_rule(world, &world->rules[i]);
    for (size_t i = 0; i < world->plan.protected_count; i++)
        world->protected[i] = pattern_of(pick_text(world, object_patterns, COUNT_OF(object_patterns)));
    for (size_t i = 0; i < world->plan.order_count; i++) {
        int64_t from_us = pick_time(world);
        world->orders[i] = (struct readonly_order){ .scope = pick_scope(world),
                                                    .from_us = from_us,
                                                    .until_us = from_us + 60 * minute_us };
    }
}

static void pick_matter(struct world *world, struct matter *matter)
{
    *matter = (struct matter){ .at_us = pick_time(world) };
    matter->subject.user = bytes_text(pick_text(world, users, COUNT_OF(users)));
    matter->verdict = verdict_of((enum statement_class)pick(world, CLASS_COUNT), "");
    for (unsigned more = pick(world, 3); more > 0; more--)
        matter->verdict = verdict_with(matter->verdict, (enum statement_class)pick(world, CLASS_COUNT));
    matter->objects = (struct object_names){ .count = pick(world, 3), .is_complete = !chance(world, 4) };
    for (size_t i = 0; i < matter->objects.count; i++) {
        struct object_name *name = &matter->objects.names[i];
        *name =
            object_of(pick_text(world, schemas, COUNT_OF(schemas)), pick_text(world, names, COUNT_OF(names)));
        name->is_schema = name->schema[0] == '\0' && chance(world, 4);
    }
    matter->matter = (struct guard_matter){ .verdict = &matter->verdict,
                                            .objects = chance(world, 5) ? NULL : &matter->objects,
                                            .is_run = !chance(world, 3),
                                            .passage = chance(world, 4) ? NULL : &matter->passage };
    matter->passage = (struct guard_passage){ .level = (enum safety_level)pick(world, 4),
                                              .rule_level = (enum safety_level)pick(world, 4) };
    matter->passage.rule[0] = (char)('a' + pick(world, 2));
}

/* ── The model ─────────────────────────────────────────────────────────────────────────────────────────────
 */

static bool within(int64_t from_us, int64_t to_us, int64_t at_us)
{
    return from_us <= at_us && at_us < to_us;
}

/* The highest level that is open; 0: closed; -1: frozen. */
static int model_open(const struct world *world, const struct matter *matter, uint64_t counted)
{
    const struct gate_plan *gate = &world->plan.gate;
    int level = 0;
    for (size_t i = 0; i < gate->window_count; i++) {
        struct occurrence occurrence;
        bool is_open = (counted >> i & 1) != 0 &&
                       window_next(&gate->windows[i], matter->at_us, &occurrence) &&
                       occurrence.from_us <= matter->at_us;
        if (is_open && (int)gate->windows[i].allow > level)
            level = (int)gate->windows[i].allow;
    }
    for (size_t i = 0; i < gate->freeze_count; i++) {
        if (within(gate->freezes[i].from_us, gate->freezes[i].to_us, matter->at_us))
            level = -1;
    }
    for (size_t i = 0; i < gate->opening_count; i++) {
        const struct opening *opening = &gate->openings[i];
        bool is_open = within(opening->from_us, opening->to_us, matter->at_us) &&
                       scope_has(&opening->scope, &matter->subject);
        if (is_open && (int)opening->allow > level)
            level = (int)opening->allow;
    }
    return level;
}

/* The level that was open to the open transaction before; `rule`: by whose own windows, or NULL. */
static int model_passed(const struct matter *matter, const struct guard_rule *rule)
{
    const struct guard_passage *passage = matter->matter.passage;
    if (passage == NULL)
        return 0;
    if (rule == NULL)
        return (int)passage->level;
    return rule->name[0] == passage->rule[0] ? (int)passage->rule_level : 0;
}

static enum guard_ground model_windows(const struct world *world, const struct matter *matter,
                                       const struct guard_rule *rule, int level)
{
    uint64_t counted = rule != NULL ? rule->windows[0] : UINT64_MAX;
    int open = model_open(world, matter, counted);
    if (open >= level)
        return GROUND_WINDOW;
    if (world->plan.lets_transactions_finish && model_passed(matter, rule) >= level)
        return GROUND_TRANSACTION;
    return open < 0 ? GROUND_FREEZE : open == 0 ? GROUND_CLOSED : GROUND_LESS;
}

static bool model_is_protected(const struct world *world, const struct object_names *objects)
{
    if (world->plan.protected_count == 0 || objects == NULL || !objects->is_complete)
        return world->plan.protected_count > 0;
    for (size_t i = 0; i < objects->count * world->plan.protected_count; i++) {
        if (object_pattern_may_match(&world->protected[i / objects->count],
                                     &objects -> names[i % objects->count]))
            return true;
    }
    return false;
}

static enum guard_ground model_rules(const struct world *world, const struct matter *matter,
                                     enum statement_class class, int level)
{
    const struct rule_question question = { &matter->subject, class, matter->matter.objects };
    for (size_t i = 0; i < world->plan.guard_rule_count; i++) {
        const struct guard_rule *rule = &world->rules[i];
        if (!guard_rule_holds(rule, &question))
            continue;
        if (rule->action != RULE_WINDOW)
            return rule->action == RULE_ALLOW ? GROUND_RULE_ALLOWS : GROUND_RULE_REFUSES;
        if (rule->most > 0 && level > (int)rule->most)
            return GROUND_CAPPED;
        return model_windows(world, matter, rule->has_windows ? rule : NULL, level);
    }
    return statement_class_is_guarded(class) ? model_windows(world, matter, NULL, level) : GROUND_UNGUARDED;
}

static enum guard_mode model_mode(const struct world *world, const struct matter *matter)
{
    for (size_t i = 0; i < world->plan.mode_count; i++) {
        if (scope_has(&world->modes[i].scope, &matter->subject))
            return world->modes[i].mode;
    }
    return world->plan.mode;
}

static enum guard_ground model_class(const struct world *world, const struct matter *matter,
                                     enum statement_class class)
{
    bool is_guarded = statement_class_is_guarded(class);
    bool may_write = class != CLASS_NONE && class != CLASS_LOCK;
    for (size_t i = 0; i < world->plan.order_count; i++) {
        const struct readonly_order *order = &world->orders[i];
        if (may_write && (is_guarded || matter->matter.is_run) &&
            within(order->from_us, order->until_us, matter->at_us) &&
            scope_has(&order->scope, &matter->subject))
            return GROUND_READONLY;
    }
    if (model_mode(world, matter) == GUARD_OFF)
        return GROUND_UNGUARDED;
    if (is_guarded && model_is_protected(world, matter->matter.objects))
        return GROUND_PROTECTED;
    return model_rules(world, matter, class, matter->verdict.levels[class]);
}

/* ── Both ──────────────────────────────────────────────────────────────────────────────────────────────────
 */

static void assert_same(struct world *world, const struct policy *policy, const struct matter *matter)
{
    static const enum guard_ground strictest[] = { GROUND_READONLY, GROUND_PROTECTED, GROUND_RULE_REFUSES,
                                                   GROUND_CAPPED,   GROUND_FREEZE,    GROUND_CLOSED,
                                                   GROUND_LESS };
    struct decision decision;
    bool occurs[GROUND_COUNT] = { false };
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        if ((matter->verdict.classes >> class & 1) != 0)
            occurs[model_class(world, matter, (enum statement_class) class)] = true;
    }
    enum guard_ground expected = model_class(world, matter, matter->verdict.class);
    size_t at = 0;
    while (at < COUNT_OF(strictest) && !occurs[strictest[at]])
        at++;
    bool is_refused = at < COUNT_OF(strictest);
    expected = is_refused ? strictest[at] : expected;
    world->seen[expected]++;
    guard_decide(policy, &matter->subject, &matter->matter, matter->at_us, &decision);
    assert_int_equal(decision.ground, expected);
    assert_int_equal(model_class(world, matter, decision.class), expected);
    assert_int_equal(decision.level, matter->verdict.levels[decision.class]);
    bool is_enforced = expected == GROUND_READONLY || model_mode(world, matter) == GUARD_ENFORCE;
    enum guard_action refused = is_enforced ? ACTION_REFUSE : ACTION_WOULD_REFUSE;
    assert_int_equal(decision.action, is_refused ? refused : ACTION_PASS);
    assert_true(!is_refused || guard_concerns(policy, &matter->verdict));
}

static void the_guard_says_what_a_plain_model_says(void **state)
{
    (void)state;
    struct world world = { .random = 20261121 };
    for (int i = 0; i < POLICIES; i++) {
        pick_world(&world);
        struct policy *policy = policy_of(&world.plan);
        for (int j = 0; j < STATEMENTS; j++) {
            struct matter matter;
            pick_matter(&world, &matter);
            assert_same(&world, policy, &matter);
        }
        policy_release(policy);
    }
    for (int ground = 0; ground < GROUND_TAKEN; ground++)
        assert_true(world.seen[ground] > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guard_says_what_a_plain_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
