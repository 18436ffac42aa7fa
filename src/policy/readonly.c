/* SPDX-License-Identifier: PostgreSQL */
#include "policy/readonly.h"

uint16_t readonly_classes(void)
{
    uint16_t classes = 1U << CLASS_WRITE | 1U << CLASS_COPY_PROGRAM | 1U << CLASS_OPAQUE;
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        if (statement_class_is_guarded((enum statement_class) class))
            classes |= (uint16_t)(1U << class);
    }
    return classes;
}

const struct readonly_order *readonly_find(const struct readonly_order *orders, size_t count,
                                           const struct guard_subject *subject, int64_t now_us)
{
    for (size_t index = 0; index < count; index++) {
        const struct readonly_order *order = &orders[index];
        bool holds = order->from_us <= now_us && now_us < order->until_us;
        if (holds && scope_has(&order->scope, subject))
            return order;
    }
    return NULL;
}
