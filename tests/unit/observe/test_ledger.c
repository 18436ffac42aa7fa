/* SPDX-License-Identifier: PostgreSQL */
#include "observe/ledger.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct hash_key key = { { 11, 22 } };

enum { RECORDS = 1000000, KEYS = 50000, ROOM = 1000 };

static uint64_t draw(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static struct violation violation_make(const char *constraint)
{
    struct violation violation = { .kind = VIOLATION_CHECK,
                                   .sqlstate = "23514",
                                   .schema = "public",
                                   .table = "orders",
                                   .service = "kds",
                                   .database = "shop",
                                   .user = "app",
                                   .fingerprint = "f" };
    assert_true(bytes_copy_text(bytes_text(constraint), violation.constraint, sizeof violation.constraint));
    return violation;
}

static struct violation violation_number(unsigned number)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "constraint_%u", number);
    struct violation violation = violation_make(name);
    violation.kind = number % 3 == 0 ? VIOLATION_UNIQUE : VIOLATION_CHECK;
    return violation;
}

static void record(struct ledger *ledger, const char *constraint, int64_t now_us)
{
    struct violation violation = violation_make(constraint);
    ledger_record(ledger, &violation, now_us);
}

static const struct ledger_entry *entry_of(const struct ledger *ledger, const char *constraint)
{
    LIST_EACH(node, &ledger->tally.recent)
    {
        const struct ledger_entry *entry = CONTAINER_OF(node, struct ledger_entry, entry.recent);
        if (strcmp(entry->violation.constraint, constraint) == 0)
            return entry;
    }
    return NULL;
}

/* What must hold of every ledger at any time. */
static void assert_exact(const struct ledger *ledger, uint64_t recorded)
{
    uint64_t sum = ledger->tally.other;
    size_t entries = 0;
    LIST_EACH(node, &ledger->tally.recent)
    {
        sum += CONTAINER_OF(node, struct ledger_entry, entry.recent)->entry.count;
        entries++;
    }
    assert_int_equal(sum, recorded);
    assert_int_equal(ledger_total(ledger), recorded);
    assert_int_equal(ledger->tally.table.count, entries);
    assert_true(entries <= ledger->tally.entries_most);
}

static void assert_order(const struct ledger *ledger)
{
    int64_t last_us = INT64_MIN;
    LIST_EACH(node, &ledger->tally.recent)
    {
        const struct ledger_entry *entry = CONTAINER_OF(node, struct ledger_entry, entry.recent);
        assert_true(entry->entry.last_us >= last_us);
        assert_true(entry->entry.first_us <= entry->entry.last_us);
        last_us = entry->entry.last_us;
    }
}

static void the_same_violation_counts_into_one_entry(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, &key, 10);
    record(&ledger, "a", 5);
    record(&ledger, "b", 6);
    record(&ledger, "a", 9);
    const struct ledger_entry *entry = entry_of(&ledger, "a");
    assert_int_equal(entry->entry.count, 2);
    assert_int_equal(entry->entry.first_us, 5);
    assert_int_equal(entry->entry.last_us, 9);
    assert_int_equal(entry_of(&ledger, "b")->entry.count, 1);
    assert_exact(&ledger, 3);
    ledger_release(&ledger);
}

/* How many entries two violations make. */
static size_t entries_of(const struct violation *first, const struct violation *second)
{
    struct ledger ledger;
    ledger_init(&ledger, &key, 10);
    ledger_record(&ledger, first, 1);
    ledger_record(&ledger, second, 2);
    size_t entries = ledger.tally.table.count;
    assert_exact(&ledger, 2);
    ledger_release(&ledger);
    return entries;
}

/* The same with one byte changed, at an offset of the structure. */
static size_t entries_when_changed(size_t offset)
{
    struct violation first = violation_make("a");
    struct violation second = first;
    ((char *)&second)[offset] = 'x';
    return entries_of(&first, &second);
}

static void every_part_of_the_key_parts_entries(void **state)
{
    (void)state;
    static const size_t offsets[] = {
        offsetof(struct violation, sqlstate),   offsetof(struct violation, schema),
        offsetof(struct violation, table),      offsetof(struct violation, column),
        offsetof(struct violation, constraint), offsetof(struct violation, datatype),
        offsetof(struct violation, service),    offsetof(struct violation, database),
        offsetof(struct violation, user),       offsetof(struct violation, fingerprint),
    };
    for (size_t i = 0; i < COUNT_OF(offsets); i++)
        assert_int_equal(entries_when_changed(offsets[i]), 2);
    struct violation first = violation_make("a");
    struct violation second = first;
    second.phase = PHASE_COMMIT;
    assert_int_equal(entries_of(&first, &second), 2);
    second = first;
    second.kind = VIOLATION_PARTITION;
    assert_int_equal(entries_of(&first, &second), 2);
}

static void what_is_no_part_of_the_key_parts_nothing(void **state)
{
    (void)state;
    assert_int_equal(entries_when_changed(offsetof(struct violation, statement)), 1);
    assert_int_equal(entries_when_changed(offsetof(struct violation, key_columns)), 1);
    /* Bytes after the end of a text are no text. */
    assert_int_equal(entries_when_changed(offsetof(struct violation, user) + NAME_SIZE / 2), 1);
}

static void neighbouring_texts_do_not_run_together(void **state)
{
    (void)state;
    struct ledger ledger;
    struct violation first = violation_make("");
    struct violation second = first;
    strcpy(first.schema, "ab");
    strcpy(first.table, "c");
    strcpy(second.schema, "a");
    strcpy(second.table, "bc");
    ledger_init(&ledger, &key, 10);
    ledger_record(&ledger, &first, 1);
    ledger_record(&ledger, &second, 2);
    assert_int_equal(ledger.tally.table.count, 2);
    ledger_release(&ledger);
}

static void the_entry_seen_longest_ago_gives_its_place_up(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, &key, 2);
    record(&ledger, "a", 1);
    record(&ledger, "a", 2);
    record(&ledger, "b", 3);
    record(&ledger, "a", 4);
    record(&ledger, "c", 5);
    assert_null(entry_of(&ledger, "b"));
    assert_int_equal(entry_of(&ledger, "a")->entry.count, 3);
    assert_int_equal(ledger.tally.other, 1);
    assert_int_equal(ledger.tally.other_entries, 1);
    record(&ledger, "d", 6);
    assert_null(entry_of(&ledger, "a"));
    assert_int_equal(ledger.tally.other, 4);
    assert_int_equal(ledger.tally.other_entries, 2);
    assert_exact(&ledger, 6);
    ledger_release(&ledger);
}

static void a_ledger_without_room_counts_into_other(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, &key, 0);
    record(&ledger, "a", 1);
    assert_int_equal(ledger.tally.other, 1);
    assert_exact(&ledger, 1);
    ledger_release(&ledger);
}

static void counts_stay_exact_under_churn(void **state)
{
    (void)state;
    static uint64_t expected_by_kind[VIOLATION_KIND_COUNT];
    struct ledger ledger;
    uint64_t random = 3;
    ledger_init(&ledger, &key, ROOM);
    for (unsigned i = 0; i < RECORDS; i++) {
        struct violation violation = violation_number((unsigned)(draw(&random) % KEYS));
        expected_by_kind[violation.kind]++;
        ledger_record(&ledger, &violation, i);
        if (i % 100000 == 0)
            assert_exact(&ledger, i + 1);
    }
    assert_exact(&ledger, RECORDS);
    assert_order(&ledger);
    assert_int_equal(ledger.tally.table.count, ROOM);
    assert_memory_equal(ledger.by_kind, expected_by_kind, sizeof expected_by_kind);
    ledger_release(&ledger);
}

/* Three ledgers and one that saw the same, put together. */
static void merging_is_as_if_one_had_seen_all(void **state)
{
    (void)state;
    struct ledger parts[3];
    struct ledger whole;
    struct ledger merged;
    uint64_t random = 5;
    ledger_init(&whole, &key, ROOM);
    ledger_init(&merged, &key, ROOM);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        ledger_init(&parts[i], &key, ROOM);
    for (unsigned i = 0; i < 20000; i++) {
        struct violation violation = violation_number((unsigned)(draw(&random) % 700));
        ledger_record(&parts[draw(&random) % COUNT_OF(parts)], &violation, i);
        ledger_record(&whole, &violation, i);
    }
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        ledger_merge(&merged, &parts[i]);
    assert_exact(&merged, 20000);
    assert_memory_equal(merged.by_kind, whole.by_kind, sizeof whole.by_kind);
    struct list *other = merged.tally.recent.next;
    LIST_EACH(node, &whole.tally.recent)
    {
        const struct ledger_entry *expected = CONTAINER_OF(node, struct ledger_entry, entry.recent);
        const struct ledger_entry *found = CONTAINER_OF(other, struct ledger_entry, entry.recent);
        assert_string_equal(found->violation.constraint, expected->violation.constraint);
        assert_int_equal(found->entry.count, expected->entry.count);
        assert_int_equal(found->entry.first_us, expected->entry.first_us);
        assert_int_equal(found->entry.last_us, expected->entry.last_us);
        other = other->next;
    }
    assert_ptr_equal(other, &merged.tally.recent);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        ledger_release(&parts[i]);
    ledger_release(&whole);
    ledger_release(&merged);
}

static void merging_keeps_the_bound_and_the_newest(void **state)
{
    (void)state;
    struct ledger into;
    struct ledger from;
    ledger_init(&into, &key, 3);
    ledger_init(&from, &key, 10);
    record(&into, "a", 10);
    record(&into, "b", 20);
    record(&into, "c", 30);
    for (int64_t i = 0; i < 3; i++)
        record(&from, "old", i);
    record(&from, "middle", 25);
    record(&from, "a", 40);
    ledger_merge(&into, &from);
    assert_exact(&into, 8);
    assert_order(&into);
    assert_null(entry_of(&into, "old"));
    assert_null(entry_of(&into, "b"));
    assert_non_null(entry_of(&into, "middle"));
    assert_int_equal(entry_of(&into, "a")->entry.count, 2);
    assert_int_equal(entry_of(&into, "a")->entry.first_us, 10);
    assert_int_equal(into.tally.other, 4);
    assert_int_equal(into.tally.other_entries, 2);
    ledger_release(&into);
    ledger_release(&from);
}

static void merging_takes_what_others_hold_no_longer(void **state)
{
    (void)state;
    struct ledger into;
    struct ledger from;
    ledger_init(&into, &key, 3);
    ledger_init(&from, &key, 1);
    record(&from, "a", 1);
    record(&from, "b", 2);
    ledger_merge(&into, &from);
    assert_exact(&into, 2);
    assert_int_equal(into.tally.other, 1);
    assert_int_equal(into.tally.other_entries, 1);
    ledger_release(&into);
    ledger_release(&from);
}

static void the_first_occurrence_of_all_is_the_one_shown(void **state)
{
    (void)state;
    struct ledger into;
    struct ledger from;
    struct violation violation = violation_make("a");
    ledger_init(&into, &key, 3);
    ledger_init(&from, &key, 3);
    strcpy(violation.statement, "later");
    ledger_record(&into, &violation, 9);
    strcpy(violation.statement, "earlier");
    ledger_record(&from, &violation, 2);
    ledger_merge(&into, &from);
    assert_string_equal(entry_of(&into, "a")->violation.statement, "earlier");
    assert_int_equal(entry_of(&into, "a")->entry.first_us, 2);
    assert_int_equal(entry_of(&into, "a")->entry.last_us, 9);
    ledger_release(&into);
    ledger_release(&from);
}

static void the_top_is_by_count_then_by_newness(void **state)
{
    (void)state;
    const struct ledger_entry *top[8];
    struct ledger ledger;
    ledger_init(&ledger, &key, 10);
    record(&ledger, "two, older", 1);
    record(&ledger, "two, older", 2);
    record(&ledger, "two, newer", 3);
    record(&ledger, "two, newer", 4);
    record(&ledger, "one", 5);
    record(&ledger, "three", 6);
    record(&ledger, "three", 7);
    record(&ledger, "three", 8);
    assert_int_equal(ledger_top(&ledger, top, 8), 4);
    assert_string_equal(top[0]->violation.constraint, "three");
    assert_string_equal(top[1]->violation.constraint, "two, newer");
    assert_string_equal(top[2]->violation.constraint, "two, older");
    assert_string_equal(top[3]->violation.constraint, "one");
    assert_int_equal(ledger_top(&ledger, top, 2), 2);
    assert_string_equal(top[1]->violation.constraint, "two, newer");
    assert_int_equal(ledger_top(&ledger, top, 0), 0);
    ledger_release(&ledger);
}

static void a_part_of_the_top_is_the_top_of_the_whole(void **state)
{
    (void)state;
    const struct ledger_entry *whole[ROOM];
    const struct ledger_entry *part[ROOM];
    struct ledger ledger;
    uint64_t random = 9;
    ledger_init(&ledger, &key, ROOM);
    for (unsigned i = 0; i < 20000; i++) {
        struct violation violation = violation_number((unsigned)(draw(&random) % (1 + draw(&random) % ROOM)));
        ledger_record(&ledger, &violation, i);
    }
    size_t count = ledger_top(&ledger, whole, ROOM);
    for (size_t i = 1; i < count; i++)
        assert_true(whole[i - 1]->entry.count > whole[i]->entry.count ||
                    (whole[i - 1]->entry.count == whole[i]->entry.count &&
                     whole[i - 1]->entry.last_us > whole[i]->entry.last_us));
    for (size_t most = 1; most < count; most += 37) {
        assert_int_equal(ledger_top(&ledger, part, most), most);
        assert_memory_equal(part, whole, most * sizeof part[0]);
    }
    ledger_release(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_violation_counts_into_one_entry),
        cmocka_unit_test(every_part_of_the_key_parts_entries),
        cmocka_unit_test(what_is_no_part_of_the_key_parts_nothing),
        cmocka_unit_test(neighbouring_texts_do_not_run_together),
        cmocka_unit_test(the_entry_seen_longest_ago_gives_its_place_up),
        cmocka_unit_test(a_ledger_without_room_counts_into_other),
        cmocka_unit_test(counts_stay_exact_under_churn),
        cmocka_unit_test(merging_is_as_if_one_had_seen_all),
        cmocka_unit_test(merging_keeps_the_bound_and_the_newest),
        cmocka_unit_test(merging_takes_what_others_hold_no_longer),
        cmocka_unit_test(the_first_occurrence_of_all_is_the_one_shown),
        cmocka_unit_test(the_top_is_by_count_then_by_newness),
        cmocka_unit_test(a_part_of_the_top_is_the_top_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
