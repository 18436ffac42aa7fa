/* SPDX-License-Identifier: PostgreSQL */
#include "catalog/catalog.h"
#include "catalog/nearness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MEBIBYTE = 1 << 20, SECOND = 1000000 };

#define NEAR "CHECK (((status)::text = ANY ((ARRAY["
#define LAST "])::text[])))"
#define V(v) "'" v "'::character varying"

static const struct hash_key key = { { 1, 2 } };

/* identity, table, name, definition of a CHECK in public */
struct check {
    const char *identity;
    const char *table;
    const char *name;
    const char *definition;
};

static struct constraint_row row_of(const struct check *check)
{
    return (struct constraint_row){ CONSTRAINT_CHECK,
                                    bytes_text(check->identity),
                                    bytes_text("public"),
                                    bytes_text(check->table),
                                    bytes_text(check->name),
                                    bytes_text("status"),
                                    bytes_text(check->definition),
                                    BYTES_NONE };
}

static void begin(struct catalog *catalog, int64_t second)
{
    assert_true(catalog_begin(catalog, bytes_text("shop"), second * SECOND));
}

/* A reading of the checks up to one without identity. */
static void read_checks(struct catalog *catalog, int64_t second, const struct check *checks)
{
    begin(catalog, second);
    for (; checks->identity != NULL; checks++) {
        const struct constraint_row row = row_of(checks);
        catalog_take(catalog, &row);
    }
    catalog_end(catalog);
}
#define READ(catalog, second, ...)                                                                           \
    read_checks(catalog, second, (const struct check[]){ __VA_ARGS__, { NULL, NULL, NULL, NULL } })

static const struct constraint *find(const struct catalog *catalog, const char *table, const char *column,
                                     const char *constraint, const char *datatype)
{
    const struct catalog_names names = { bytes_text("shop"), bytes_text("public"),   bytes_text(table),
                                         bytes_text(column), bytes_text(constraint), bytes_text(datatype) };
    return catalog_find(catalog, &names);
}

static const struct constraint *find_check(const struct catalog *catalog, const char *table, const char *name)
{
    return find(catalog, table, "", name, "");
}

static void expect_change(struct catalog *catalog, const char *words)
{
    char storage[1024];
    struct text text;
    const struct constraint *constraint;
    const struct version *version;
    text_init(&text, storage, sizeof storage);
    assert_true(catalog_next_change(catalog, &constraint, &version));
    assert_true(bytes_equal_text(constraint_database(constraint), "shop"));
    difference_describe(version, &text);
    assert_string_equal(storage, words);
}

static void expect_no_change(struct catalog *catalog)
{
    const struct constraint *constraint;
    const struct version *version;
    assert_false(catalog_next_change(catalog, &constraint, &version));
}

static void the_definition_in_force_stands_beside_a_violation(void **state)
{
    (void)state;
    struct catalog catalog;
    char storage[1024];
    struct text text;
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1,
         { "c1", "orders", "orders_status_check",
           NEAR V("new") ", " V("paid") ", " V("preparing") ", " V("ready") ", " V("served") LAST });
    expect_no_change(&catalog);
    const struct constraint *found = find_check(&catalog, "orders", "orders_status_check");
    assert_non_null(found);
    assert_int_equal(found->newest->definition.values.count, 5);
    assert_false(value_list_has(found->newest->definition.values, bytes_text("handed_over")));
    assert_string_equal(found->newest->definition.column, "status");
    text_init(&text, storage, sizeof storage);
    constraint_describe(found, &text);
    assert_string_equal(
        storage, "check: " NEAR V("new") ", " V("paid") ", " V("preparing") ", " V("ready") ", " V("served")
                     LAST "; allowed: 'new', 'paid', 'preparing', 'ready' and 'served'; so "
                          "since before 1970-01-01T00:00:01.000000Z");
    catalog_release(&catalog);
}

static void a_value_that_was_lost_is_named(void **state)
{
    (void)state;
    struct catalog catalog;
    const char *name = "inventory_transactions_reference_type_check";
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1,
         { "c1", "inventory_transactions", name,
           NEAR V("order") ", " V("member_program_item_schedule") ", " V("waste") LAST });
    READ(&catalog, 61,
         { "c9", "inventory_transactions", name,
           NEAR V("order") ", " V("waste") ", " V("count_session") LAST });
    expect_change(&catalog,
                  "'member_program_item_schedule' was dropped from the list; 'count_session' was added "
                  "to the list");
    expect_no_change(&catalog);
    const struct constraint *found = find_check(&catalog, "inventory_transactions", name);
    assert_int_equal(found->version_count, 2);
    assert_int_equal(found->newest->seen_us, 61 * SECOND);
    assert_int_equal(found->newest->older->seen_us, 1 * SECOND);
    assert_true(
        value_list_has(found->newest->older->definition.values, bytes_text("member_program_item_schedule")));
    catalog_release(&catalog);
}

static void a_column_that_is_not_null_now_is_found_without_a_name(void **state)
{
    (void)state;
    struct catalog catalog;
    struct constraint_row row = { CONSTRAINT_NOT_NULL,
                                  bytes_text("a7.2"),
                                  bytes_text("public"),
                                  bytes_text("Lead"),
                                  BYTES_NONE,
                                  bytes_text("customer_id"),
                                  bytes_text("NOT NULL customer_id"),
                                  BYTES_NONE };
    catalog_init(&catalog, &key, MEBIBYTE);
    begin(&catalog, 1);
    catalog_end(&catalog);
    begin(&catalog, 2);
    catalog_take(&catalog, &row);
    catalog_end(&catalog);
    expect_change(&catalog, "it was made");
    const struct constraint *found = find(&catalog, "Lead", "customer_id", "", "");
    assert_non_null(found);
    assert_true(difference_is(found->newest->differences, DIFFERENCE_MADE));
    assert_null(find(&catalog, "Lead", "id", "", ""));
    assert_null(find(&catalog, "lead", "customer_id", "", ""));

    row.name = bytes_text("Lead_customer_id_not_null"); /* the server is of version 18 now */
    begin(&catalog, 3);
    catalog_take(&catalog, &row);
    catalog_end(&catalog);
    assert_ptr_equal(find(&catalog, "Lead", "customer_id", "", ""), found);
    expect_no_change(&catalog);
    catalog_release(&catalog);
}

static void an_attempted_value_one_letter_off_is_told(void **state)
{
    (void)state;
    struct catalog catalog;
    char storage[256];
    struct text text;
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1, { "c1", "bookings", "known", NEAR V("held") ", " V("canceled") LAST });
    READ(&catalog, 2, { "c2", "bookings", "known", NEAR V("held") ", " V("cancelled") LAST });
    expect_change(&catalog, "'canceled' was dropped from the list; 'cancelled' was added to the list");
    const struct constraint *found = find_check(&catalog, "bookings", "known");
    struct nearness nearness = nearness_of(bytes_text("canceled"), found->newest->definition.values);
    text_init(&text, storage, sizeof storage);
    nearness_describe(&nearness, bytes_text("canceled"), &text);
    assert_string_equal(storage, "'canceled' is 1 letter off 'cancelled', which is allowed");
    catalog_release(&catalog);
}

static void every_kind_of_difference_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *definition;
        const char *words;
    } steps[] = {
        { "c", "CHECK ((s = 'a'::text)) NOT VALID", NULL },
        { "c", "CHECK ((s = 'a'::text))", "it was validated: it holds for all rows now" },
        { "c", "CHECK ((s = 'a'::text)) NOT ENFORCED", "it is not enforced any longer" },
        { "c", "CHECK ((s = 'a'::text))", "it is enforced now" },
        { "d", "CHECK ((s = 'a'::text))", "it was called 'c' on 't' of schema 'public'" },
        { "d", "CHECK (((s = 'a'::text) AND (i > 0)))",
          "the definition was changed, the values in the list were not" },
        { "d", "CHECK (((s = ANY (ARRAY['a'::text, 'b'::text])) AND (i > 1)))",
          "'b' was added to the list; so was the rest of the definition" },
        { "d", "CHECK ((i > 1))", "the definition was changed and is no list of values any longer" },
        { "d", "CHECK ((i > 2))", "the definition was changed" },
        { "d", "CHECK ((s = 'a'::text)) NOT VALID",
          "the definition was changed and is a list of values now; it is NOT VALID now: rows from before are "
          "not "
          "checked" },
        { "d", NULL, "it was dropped" },
        { "d", "CHECK ((s = 'a'::text))", "it was made again; it was validated: it holds for all rows now" },
    };
    struct catalog catalog;
    catalog_init(&catalog, &key, MEBIBYTE);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const struct check check = { "c1", "t", steps[i].name, steps[i].definition };
        const struct constraint_row row =
            row_of(&(struct check){ "c1", "t", steps[i].name, check.definition ? check.definition : "" });
        begin(&catalog, (int64_t)i + 1);
        if (check.definition != NULL)
            catalog_take(&catalog, &row);
        catalog_end(&catalog);
        if (steps[i].words != NULL)
            expect_change(&catalog, steps[i].words);
        expect_no_change(&catalog);
    }
    const struct constraint *found = find_check(&catalog, "t", "d");
    assert_int_equal(found->version_count, CATALOG_VERSIONS_MOST);
    assert_int_equal(found->forgotten, COUNT_OF(steps) - CATALOG_VERSIONS_MOST);
    assert_null(find_check(&catalog, "t", "c"));
    catalog_release(&catalog);
}

static void what_was_dropped_is_still_found_and_says_so(void **state)
{
    (void)state;
    struct catalog catalog;
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1, { "c1", "t", "gone", "CHECK ((i > 1))" }, { "c2", "t", "stays", "CHECK ((i > 2))" });
    READ(&catalog, 5, { "c2", "t", "stays", "CHECK ((i > 2))" });
    expect_change(&catalog, "it was dropped");
    const struct constraint *found = find_check(&catalog, "t", "gone");
    assert_false(found->newest->is_present);
    assert_int_equal(found->newest->seen_us, 5 * SECOND);
    assert_true(find_check(&catalog, "t", "stays")->newest->is_present);
    catalog_release(&catalog);
}

static void a_reading_that_failed_drops_nothing(void **state)
{
    (void)state;
    struct catalog catalog;
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1, { "c1", "t", "a", "CHECK ((i > 1))" }, { "c2", "t", "b", "CHECK ((i > 2))" });
    const struct constraint_row row = row_of(&(struct check){ "c1", "t", "a", "CHECK ((i > 7))" });
    begin(&catalog, 2);
    catalog_take(&catalog, &row);
    catalog_abandon(&catalog);
    assert_true(find_check(&catalog, "t", "b")->newest->is_present);
    expect_change(&catalog, "the definition was changed");
    expect_no_change(&catalog);
    catalog_release(&catalog);
}

static void made_anew_just_as_it_was_is_no_change_but_follows_its_new_self(void **state)
{
    (void)state;
    struct catalog catalog;
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1, { "c1", "t", "a", "CHECK ((i > 1))" });
    READ(&catalog, 2, { "c8", "t", "a", "CHECK ((i > 1))" });
    expect_no_change(&catalog);
    assert_int_equal(find_check(&catalog, "t", "a")->newest->seen_us, 1 * SECOND);
    READ(&catalog, 3, { "c8", "t", "b", "CHECK ((i > 1))" });
    expect_change(&catalog, "it was called 'a' on 't' of schema 'public'");
    expect_no_change(&catalog);
    catalog_release(&catalog);
}

static void take_part(struct catalog *catalog, const char *table, const char *name, const char *parent,
                      const char *parent_name)
{
    const struct constraint_part part = { bytes_text("public"), bytes_text(table),  bytes_text(name),
                                          bytes_text("public"), bytes_text(parent), bytes_text(parent_name) };
    catalog_take_part(catalog, &part);
}

static void a_partition_has_what_the_tables_above_it_have(void **state)
{
    (void)state;
    struct catalog catalog;
    struct bytes schema = bytes_text("public");
    struct bytes table = bytes_text("leaf");
    const struct constraint_row check = row_of(&(struct check){ "c1", "root", "known", "CHECK ((i > 1))" });
    const struct constraint_row own = row_of(&(struct check){ "c2", "leaf", "own", "CHECK ((i > 2))" });
    struct constraint_row unique = row_of(&(struct check){ "c3", "root", "root_pkey", "PRIMARY KEY (id)" });
    struct constraint_row partitions = row_of(&(struct check){ "k1", "root", "", "PARTITION BY RANGE (id)" });
    unique.kind = CONSTRAINT_PRIMARY_KEY;
    partitions.kind = CONSTRAINT_PARTITION_KEY;
    catalog_init(&catalog, &key, MEBIBYTE);
    begin(&catalog, 1);
    const struct constraint_row *const rows[] = { &check, &own, &unique, &partitions };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        catalog_take(&catalog, rows[i]);
    take_part(&catalog, "leaf", "", "middle", "");
    take_part(&catalog, "middle", "", "root", "");
    take_part(&catalog, "leaf", "leaf_pkey", "middle", "middle_pkey");
    take_part(&catalog, "middle", "middle_pkey", "root", "root_pkey");
    take_part(&catalog, "loop", "", "loop", "");
    catalog_end(&catalog);
    assert_ptr_equal(find_check(&catalog, "leaf", "known"), find_check(&catalog, "root", "known"));
    assert_non_null(find_check(&catalog, "leaf", "known"));
    assert_non_null(find_check(&catalog, "leaf", "own"));
    assert_null(find_check(&catalog, "root", "own"));
    assert_int_equal(find_check(&catalog, "leaf", "leaf_pkey")->newest->row.kind, CONSTRAINT_PRIMARY_KEY);
    assert_int_equal(find(&catalog, "leaf", "", "", "")->newest->row.kind, CONSTRAINT_PARTITION_KEY);
    assert_null(find_check(&catalog, "loop", "known"));
    catalog_root(&catalog, bytes_text("shop"), &schema, &table);
    assert_true(bytes_equal_text(table, "root"));

    begin(&catalog, 2); /* detached */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        catalog_take(&catalog, rows[i]);
    catalog_end(&catalog);
    assert_null(find_check(&catalog, "leaf", "known"));
    catalog_release(&catalog);
}

static void domains_and_enums_are_found_by_their_type(void **state)
{
    (void)state;
    struct catalog catalog;
    struct constraint_row row = row_of(&(struct check){
        "c1", "letter", "letter_check", "CHECK ((VALUE = ANY (ARRAY['x'::text, 'y'::text])))" });
    catalog_init(&catalog, &key, MEBIBYTE);
    begin(&catalog, 1);
    row.kind = CONSTRAINT_DOMAIN_CHECK;
    catalog_take(&catalog, &row);
    row = row_of(&(struct check){ "m1", "letter", "letter_not_null", "NOT NULL" });
    row.kind = CONSTRAINT_DOMAIN_NOT_NULL;
    catalog_take(&catalog, &row);
    row = row_of(&(struct check){ "e1", "mood", "", "ENUM ('sad', 'happy')" });
    row.kind = CONSTRAINT_ENUM;
    catalog_take(&catalog, &row);
    row.schema = bytes_text("other");
    row.table = bytes_text("twice");
    row.identity = bytes_text("e2");
    catalog_take(&catalog, &row);
    row.schema = bytes_text("third");
    row.identity = bytes_text("e3");
    catalog_take(&catalog, &row);
    catalog_end(&catalog);
    assert_int_equal(find(&catalog, "", "", "letter_check", "letter")->newest->definition.values.count, 2);
    assert_int_equal(find(&catalog, "", "", "", "letter")->newest->row.kind, CONSTRAINT_DOMAIN_NOT_NULL);
    const struct bytes shop = bytes_text("shop");
    assert_non_null(catalog_find_type(&catalog, shop, BYTES_NONE, bytes_text("mood")));
    assert_non_null(catalog_find_type(&catalog, shop, bytes_text("third"), bytes_text("twice")));
    assert_null(catalog_find_type(&catalog, shop, BYTES_NONE, bytes_text("twice")));
    assert_null(catalog_find_type(&catalog, bytes_text("else"), BYTES_NONE, bytes_text("mood")));
    catalog_release(&catalog);
}

static void databases_are_kept_apart(void **state)
{
    (void)state;
    struct catalog catalog;
    const struct constraint_row row = row_of(&(struct check){ "c1", "t", "a", "CHECK ((i > 7))" });
    catalog_init(&catalog, &key, MEBIBYTE);
    READ(&catalog, 1, { "c1", "t", "a", "CHECK ((i > 1))" });
    assert_true(catalog_begin(&catalog, bytes_text("other"), 2 * SECOND));
    catalog_take(&catalog, &row);
    catalog_end(&catalog);
    expect_no_change(&catalog);
    assert_true(bytes_equal_text(find_check(&catalog, "t", "a")->newest->row.definition, "CHECK ((i > 1))"));
    catalog_forget(&catalog, bytes_text("shop"));
    assert_null(find_check(&catalog, "t", "a"));
    catalog_forget(&catalog, bytes_text("other"));
    assert_int_equal(catalog.size, 0);
    catalog_release(&catalog);
}

static void read_many(struct catalog *catalog, int64_t second, unsigned first, unsigned end)
{
    begin(catalog, second);
    for (unsigned i = first; i < end; i++) {
        char identity[24];
        char name[24];
        (void)snprintf(identity, sizeof identity, "c%u", i);
        (void)snprintf(name, sizeof name, "check_%u", i);
        const struct constraint_row row = row_of(&(struct check){ identity, "t", name, "CHECK ((i > 1))" });
        catalog_take(catalog, &row);
        if (i % 4 == 0)
            take_part(catalog, name, "", "t", "");
    }
    catalog_end(catalog);
}

static void memory_is_bounded_and_what_is_not_kept_is_counted(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, MANY = 10000 };
    struct catalog catalog;
    catalog_init(&catalog, &key, LIMIT);
    read_many(&catalog, 1, 0, MANY);
    assert_true(catalog.size <= LIMIT);
    assert_int_equal(catalog.constraints.count + catalog.parts.count + catalog.unkept, MANY + MANY / 4);
    assert_true(catalog.constraints.count > 50);
    size_t kept = catalog.constraints.count;
    read_many(&catalog, 2, 0, MANY);
    assert_int_equal(catalog.constraints.count, kept);
    assert_int_equal(catalog.constraints.count + catalog.parts.count + catalog.unkept, MANY + MANY / 4);
    for (unsigned second = 3; second < 40; second++)
        read_many(&catalog, second, second * 10, second * 10 + 20);
    assert_true(catalog.size <= LIMIT);
    assert_true(catalog.forgotten > 0);
    assert_int_equal(catalog.unkept, 0);
    assert_non_null(find_check(&catalog, "t", "check_395"));
    catalog_release(&catalog);
}

static size_t count_made(struct catalog *catalog)
{
    const struct constraint *constraint;
    const struct version *version;
    size_t count = 0;
    while (catalog_next_change(catalog, &constraint, &version))
        count += difference_is(version->differences, DIFFERENCE_MADE);
    return count;
}

static void what_only_has_room_now_was_not_made_now(void **state)
{
    (void)state;
    struct catalog catalog;
    catalog_init(&catalog, &key, 64 * 1024);
    read_many(&catalog, 1, 0, 10000);
    assert_true(catalog.unkept > 0);
    read_many(&catalog, 2, 9000, 9010); /* the others are gone at its end */
    read_many(&catalog, 3, 9000, 9010);
    assert_int_equal(catalog.unkept, 0);
    assert_int_equal(count_made(&catalog), 0);
    assert_true(find_check(&catalog, "t", "check_9005")->newest->is_baseline);
    read_many(&catalog, 4, 9000, 9012);
    assert_int_equal(count_made(&catalog), 2);
    catalog_release(&catalog);
}

static void hostile_names_are_told_in_one_line(void **state)
{
    (void)state;
    static char huge[10241];
    char storage[2048];
    struct text text;
    struct catalog catalog;
    memset(huge, 'x', sizeof huge - 1);
    catalog_init(&catalog, &key, MEBIBYTE);
    const struct constraint_row row =
        row_of(&(struct check){ "c1", "t'\n\033[2J", huge, "CHECK ((s = 'it''s\n\033[2J'::text))" });
    const struct constraint_row renamed =
        row_of(&(struct check){ "c1", "\"q\"", "\t", "CHECK ((s = 'it''s\n\033[2J'::text))" });
    begin(&catalog, 1);
    catalog_take(&catalog, &row);
    catalog_end(&catalog);
    begin(&catalog, 2);
    catalog_take(&catalog, &renamed);
    catalog_end(&catalog);
    const struct constraint *found = find_check(&catalog, "\"q\"", "\t");
    text_init(&text, storage, sizeof storage);
    constraint_describe(found, &text);
    assert_null(strpbrk(storage, "\n\033\t"));
    assert_non_null(strstr(storage, "xxx...' on 't'\\x0a\\x1b[2J'"));
    assert_true(text.size < 1024);
    catalog_release(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_definition_in_force_stands_beside_a_violation),
        cmocka_unit_test(a_value_that_was_lost_is_named),
        cmocka_unit_test(a_column_that_is_not_null_now_is_found_without_a_name),
        cmocka_unit_test(an_attempted_value_one_letter_off_is_told),
        cmocka_unit_test(every_kind_of_difference_is_told),
        cmocka_unit_test(what_was_dropped_is_still_found_and_says_so),
        cmocka_unit_test(a_reading_that_failed_drops_nothing),
        cmocka_unit_test(made_anew_just_as_it_was_is_no_change_but_follows_its_new_self),
        cmocka_unit_test(a_partition_has_what_the_tables_above_it_have),
        cmocka_unit_test(domains_and_enums_are_found_by_their_type),
        cmocka_unit_test(databases_are_kept_apart),
        cmocka_unit_test(memory_is_bounded_and_what_is_not_kept_is_counted),
        cmocka_unit_test(what_only_has_room_now_was_not_made_now),
        cmocka_unit_test(hostile_names_are_told_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
