/* SPDX-License-Identifier: PostgreSQL */
#ifndef TESTS_UNIT_POLICY_POLICIES_H
#define TESTS_UNIT_POLICY_POLICIES_H

#include "policy/guard.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What tests of the guard judge, and by what. */

static const int64_t minute_us = 60 * INT64_C(1000000);

/* 2026-11-21T12:00:00Z, a Saturday: 07:00 in New York. */
static const int64_t now_us = INT64_C(1795262400) * 1000000;
/* When sunday opens, for two hours. */
static const int64_t sunday_us = INT64_C(1795330800) * 1000000;

static const struct window windows[] = {
    { .name = "sunday",
      .days = 1,
      .from_minute = 120,
      .to_minute = 240,
      .timezone = "America/New_York",
      .allow = LEVEL_MODIFYING },
    { .name = "low-traffic",
      .days = 64,
      .from_minute = 420,
      .to_minute = 480,
      .timezone = "America/New_York",
      .allow = LEVEL_ADDITIVE },
};

static const struct guard_subject anybody;

static const struct guard_subject deployer = { .service = { (const uint8_t *)"ci", 2 },
                                               .user = { (const uint8_t *)"deployer", 8 },
                                               .database = { (const uint8_t *)"shop", 4 } };

static inline uint16_t bit_of(enum statement_class class)
{
    return (uint16_t)(1U << class);
}

/* A text of one class. */
static inline struct verdict verdict_of(enum statement_class class, const char *command)
{
    struct verdict verdict = { .class = class,
                               .level = statement_class_level(class),
                               .is_guarded = statement_class_is_guarded(class),
                               .classes = bit_of(class),
                               .command = command };
    verdict.levels[class] = (uint8_t)verdict.level;
    return verdict;
}

/* The same text with something of another class in it. */
static inline struct verdict verdict_with(struct verdict verdict, enum statement_class class)
{
    verdict.classes |= bit_of(class);
    verdict.levels[class] = (uint8_t)statement_class_level(class);
    verdict.is_guarded |= statement_class_is_guarded(class);
    return verdict;
}

/* The plan of the two windows, enforced. */
static inline struct policy_plan plan_of_windows(void)
{
    return (struct policy_plan){ .mode = GUARD_ENFORCE,
                                 .sqlstate = "42501",
                                 .gate = { .windows = windows, .window_count = COUNT_OF(windows) } };
}

static inline struct policy *policy_of(const struct policy_plan *plan)
{
    struct policy *policy = policy_create(plan, now_us);
    assert_non_null(policy);
    return policy;
}

/* The word on a text that runs now. */
static inline struct decision decided(const struct policy *policy, const struct guard_subject *subject,
                                      const struct verdict *verdict, const struct object_names *objects,
                                      int64_t at_us)
{
    const struct guard_matter matter = { .verdict = verdict, .objects = objects, .is_run = true };
    struct decision decision;
    guard_decide(policy, subject, &matter, at_us, &decision);
    return decision;
}

static inline struct object_name object_of(const char *schema, const char *name)
{
    struct object_name object = { .is_schema = false };
    assert_true(bytes_copy_text(bytes_text(schema), object.schema, sizeof(object.schema)));
    assert_true(bytes_copy_text(bytes_text(name), object.name, sizeof(object.name)));
    return object;
}

static inline struct object_names objects_of(struct object_name object)
{
    return (struct object_names){ .count = 1, .is_complete = true, .names = { object } };
}

static inline struct object_pattern pattern_of(const char *text)
{
    struct object_pattern pattern;
    assert_true(object_pattern_read(text, &pattern));
    return pattern;
}

#endif
