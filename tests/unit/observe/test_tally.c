/* SPDX-License-Identifier: PostgreSQL */
#include "observe/tally.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static const struct hash_key key = { { 31, 32 } };

enum { KEYS = 60, STEPS = 40000 };

/* Things are told apart by `number`; `remark` is of the first occurrence. */
struct thing {
    struct tally_entry entry;
    unsigned number;
    int64_t remark;
};

static void thing_key_of(const struct tally_entry *entry, struct tally_key *out)
{
    tally_key_byte(out, (uint8_t)((const struct thing *)entry)->number);
}

static const struct tally_form form = { sizeof(struct thing), thing_key_of, NULL };

/* The same in the plainest way: an array by number, and a search for the oldest. */
struct model {
    size_t room;
    uint64_t total;
    uint64_t other;
    uint64_t other_entries;
    struct {
        uint64_t count; /* 0: there is none */
        int64_t first_us;
        int64_t last_us;
    } things[KEYS];
};

static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static void see(struct tally *tally, unsigned number, int64_t now_us)
{
    struct thing thing = { .number = number, .remark = now_us };
    tally_record(tally, &thing.entry, now_us);
}

static const struct thing *thing_of(const struct tally *tally, unsigned number)
{
    LIST_EACH(node, &tally->recent)
    {
        const struct thing *thing = CONTAINER_OF(node, struct thing, entry.recent);
        if (thing->number == number)
            return thing;
    }
    return NULL;
}

static void model_fit(struct model *model)
{
    for (;;) {
        size_t held = 0;
        size_t oldest = KEYS;
        for (size_t i = 0; i < KEYS; i++) {
            if (model->things[i].count == 0)
                continue;
            held++;
            if (oldest == KEYS || model->things[i].last_us < model->things[oldest].last_us)
                oldest = i;
        }
        if (held <= model->room)
            return;
        model->other += model->things[oldest].count;
        model->other_entries++;
        model->things[oldest].count = 0;
    }
}

static void model_see(struct model *model, unsigned number, int64_t now_us)
{
    model->total++;
    if (model->things[number].count++ == 0)
        model->things[number].first_us = now_us;
    model->things[number].last_us = now_us;
    model_fit(model);
}

static void model_merge(struct model *into, const struct model *from)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (from->things[i].count == 0)
            continue;
        if (into->things[i].count == 0 || from->things[i].first_us < into->things[i].first_us)
            into->things[i].first_us = from->things[i].first_us;
        if (into->things[i].count == 0 || from->things[i].last_us > into->things[i].last_us)
            into->things[i].last_us = from->things[i].last_us;
        into->things[i].count += from->things[i].count;
    }
    model_fit(into);
    into->total += from->total;
    into->other += from->other;
    into->other_entries += from->other_entries;
}

static void assert_like_model(const struct tally *tally, const struct model *model)
{
    size_t held = 0;
    uint64_t sum = tally->other;
    int64_t last_us = INT64_MIN;
    LIST_EACH(node, &tally->recent)
    {
        const struct thing *thing = CONTAINER_OF(node, struct thing, entry.recent);
        assert_int_equal(thing->entry.count, model->things[thing->number].count);
        assert_int_equal(thing->entry.first_us, model->things[thing->number].first_us);
        assert_int_equal(thing->entry.last_us, model->things[thing->number].last_us);
        assert_int_equal(thing->remark, thing->entry.first_us);
        assert_true(thing->entry.last_us > last_us);
        last_us = thing->entry.last_us;
        sum += thing->entry.count;
        held++;
    }
    assert_int_equal(tally->table.count, held);
    for (size_t i = 0; i < KEYS; i++)
        held -= model->things[i].count > 0 ? 1 : 0;
    assert_int_equal(held, 0);
    assert_int_equal(tally->total, model->total);
    assert_int_equal(tally->other, model->other);
    assert_int_equal(tally->other_entries, model->other_entries);
    assert_int_equal(sum, tally->total);
}

static void counts_are_those_of_a_plain_model(void **state)
{
    (void)state;
    for (size_t room = 0; room <= KEYS; room += 12) {
        struct model model = { .room = room };
        struct tally tally;
        uint64_t random = 7 + room;
        tally_init(&tally, &form, &key, room);
        for (int64_t now_us = 1; now_us <= STEPS / 8; now_us++) {
            unsigned number = (unsigned)(draw(&random) % (1 + draw(&random) % KEYS));
            see(&tally, number, now_us);
            model_see(&model, number, now_us);
            /* What has no room at all never had an entry. */
            model.other_entries = room == 0 ? 0 : model.other_entries;
            assert_like_model(&tally, &model);
        }
        tally_release(&tally);
    }
}

enum { PARTS = 4 };

/* Several that count, each merged now and then into one that may hold less, as the model says. */
static void merges_are_those_of_a_plain_model(void **state)
{
    (void)state;
    struct tally parts[PARTS];
    struct model models[PARTS] = { 0 };
    uint64_t random = 99;
    for (size_t i = 0; i < PARTS; i++) {
        models[i].room = 5 + 11 * i;
        tally_init(&parts[i], &form, &key, models[i].room);
    }
    for (int64_t now_us = 1; now_us <= STEPS; now_us++) {
        size_t part = draw(&random) % PARTS;
        unsigned number = (unsigned)(draw(&random) % KEYS);
        see(&parts[part], number, now_us);
        model_see(&models[part], number, now_us);
        if (now_us % 400 != 0)
            continue;
        struct model merged_model = { .room = 1 + draw(&random) % (KEYS + 10) };
        struct tally merged;
        tally_init(&merged, &form, &key, merged_model.room);
        for (size_t i = 0; i < PARTS; i++) {
            tally_merge(&merged, &parts[i]);
            model_merge(&merged_model, &models[i]);
            assert_like_model(&parts[i], &models[i]);
            assert_like_model(&merged, &merged_model);
        }
        tally_release(&merged);
    }
    for (size_t i = 0; i < PARTS; i++)
        tally_release(&parts[i]);
}

static void tallies_with_other_secrets_merge_as_well(void **state)
{
    (void)state;
    static const struct hash_key other_key = { { 1, 2 } };
    struct tally into;
    struct tally from;
    tally_init(&into, &form, &key, 10);
    tally_init(&from, &form, &other_key, 10);
    see(&into, 1, 1);
    see(&from, 1, 2);
    tally_merge(&into, &from);
    assert_int_equal(into.table.count, 1);
    assert_int_equal(thing_of(&into, 1)->entry.count, 2);
    tally_release(&into);
    tally_release(&from);
}

static void what_a_tally_without_room_takes_in_is_other(void **state)
{
    (void)state;
    struct tally into;
    struct tally from;
    tally_init(&into, &form, &key, 0);
    tally_init(&from, &form, &key, 2);
    see(&from, 1, 1);
    see(&from, 2, 2);
    see(&from, 2, 3);
    tally_merge(&into, &from);
    assert_int_equal(into.other, 3);
    assert_int_equal(into.total, 3);
    assert_int_equal(into.table.count, 0);
    tally_release(&into);
    tally_release(&from);
}

static void what_gives_its_place_up_is_other(void **state)
{
    (void)state;
    struct tally tally;
    struct model model = { .room = 5 };
    tally_init(&tally, &form, &key, 5);
    for (unsigned number = 0; number < 8; number++) {
        see(&tally, number, number + 1);
        model_see(&model, number, number + 1);
    }
    assert_like_model(&tally, &model);
    tally_give_up(&tally, CONTAINER_OF(tally.recent.next, struct tally_entry, recent));
    model.room = 4;
    model_fit(&model);
    assert_like_model(&tally, &model);
    see(&tally, 3, 20); /* there is room again */
    assert_int_equal(tally.table.count, 5);
    assert_int_equal(tally.other, 4);
    tally_release(&tally);
}

static void a_clock_set_back_does_not_change_who_goes(void **state)
{
    (void)state;
    struct tally tally;
    tally_init(&tally, &form, &key, 2);
    see(&tally, 1, 1000);
    see(&tally, 2, 5);
    see(&tally, 3, 6);
    assert_null(thing_of(&tally, 1));
    assert_non_null(thing_of(&tally, 2));
    assert_int_equal(tally.other, 1);
    tally_release(&tally);
}

/* The caller's structure is only read: its head may hold anything. */
static void the_head_of_what_is_recorded_does_not_count(void **state)
{
    (void)state;
    struct tally tally;
    struct thing thing;
    memset(&thing, 0xff, sizeof thing);
    thing.number = 1;
    tally_init(&tally, &form, &key, 2);
    tally_record(&tally, &thing.entry, 7);
    assert_int_equal(thing_of(&tally, 1)->entry.count, 1);
    assert_int_equal(thing_of(&tally, 1)->entry.first_us, 7);
    assert_int_equal(tally.total, 1);
    tally_release(&tally);
}

static size_t key_of_two(const char *first, const char *second, struct tally_key *out)
{
    memset(out, 0xee, sizeof *out);
    out->size = 0;
    tally_key_text(out, first, 3);
    tally_key_text(out, second, 3);
    return out->size;
}

static void texts_of_a_key_do_not_run_together(void **state)
{
    (void)state;
    struct tally_key a;
    struct tally_key b;
    assert_int_equal(key_of_two("ab", "c", &a), 5);
    assert_memory_equal(a.bytes, "ab\0c", 5);
    assert_int_equal(key_of_two("a", "bc", &b), 5);
    assert_memory_not_equal(a.bytes, b.bytes, 5);
    assert_int_equal(key_of_two("", "abcd", &a), 5);
    assert_memory_equal(a.bytes, "\0abc", 5);
}

static void the_top_of_any_size_begins_the_whole_order(void **state)
{
    (void)state;
    const struct thing *whole[KEYS];
    const struct thing *part[KEYS];
    struct tally tally;
    uint64_t random = 17;
    tally_init(&tally, &form, &key, KEYS);
    for (int64_t now_us = 1; now_us <= 900; now_us++)
        see(&tally, (unsigned)(draw(&random) % (1 + draw(&random) % KEYS)), now_us);
    size_t count = tally_top(&tally, whole, KEYS);
    assert_int_equal(count, tally.table.count);
    for (size_t i = 1; i < count; i++) {
        const struct tally_entry *before = &whole[i - 1]->entry;
        const struct tally_entry *after = &whole[i]->entry;
        assert_true(before->count > after->count ||
                    (before->count == after->count && before->last_us > after->last_us));
    }
    for (size_t most = 0; most <= count; most++) {
        assert_int_equal(tally_top(&tally, part, most), most);
        assert_memory_equal(part, whole, most * sizeof part[0]);
    }
    tally_release(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_a_plain_model),
        cmocka_unit_test(merges_are_those_of_a_plain_model),
        cmocka_unit_test(tallies_with_other_secrets_merge_as_well),
        cmocka_unit_test(what_a_tally_without_room_takes_in_is_other),
        cmocka_unit_test(what_gives_its_place_up_is_other),
        cmocka_unit_test(a_clock_set_back_does_not_change_who_goes),
        cmocka_unit_test(the_head_of_what_is_recorded_does_not_count),
        cmocka_unit_test(texts_of_a_key_do_not_run_together),
        cmocka_unit_test(the_top_of_any_size_begins_the_whole_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
