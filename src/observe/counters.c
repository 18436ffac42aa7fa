/* SPDX-License-Identifier: PostgreSQL */
#include "observe/counters.h"

#include "base/attributes.h"

static const struct counter_row rows[] = {
#define COUNTER(name, about) { #name, about, offsetof(struct counters, name) },
#include "observe/counters.def"
#undef COUNTER
};

const struct counter_row *counter_rows(size_t *count)
{
    *count = COUNT_OF(rows);
    return rows;
}

uint64_t counter_value(const struct counters *counters, const struct counter_row *row)
{
    return counter_read((const _Atomic uint64_t *)((const char *)counters + row->offset));
}

void counters_merge(struct counters *into, const struct counters *from)
{
#define COUNTER(name, about) counter_add(&into->name, counter_read(&from->name));
#include "observe/counters.def"
#undef COUNTER
}
