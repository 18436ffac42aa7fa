/* SPDX-License-Identifier: PostgreSQL */
#include "control/show.h"
#include "unit/control/conversation.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

enum { SECOND = 1000000, CATALOG_SIZE = 1 << 20, CHANGES = 2 };

/* A catalogue, and how it was shown. */
struct showing {
    struct hash_key key;
    struct catalog catalog;
    struct constraint_changes changes;
    struct console_world world;
    struct console_command command;
    struct console_outcome notice;
    struct buffer heard;
    char storage[TRANSCRIPT_SIZE];
};

static struct showing *showing_create(void)
{
    struct showing *showing = calloc(1, sizeof *showing);
    catalog_init(&showing->catalog, &showing->key, CATALOG_SIZE);
    assert_true(constraint_changes_init(&showing->changes, CHANGES));
    showing->world =
        (struct console_world){ .catalog = &showing->catalog, .constraint_changes = &showing->changes };
    buffer_init(&showing->heard, CONVERSATION_MOST);
    return showing;
}

static void showing_destroy(struct showing *showing)
{
    catalog_release(&showing->catalog);
    constraint_changes_release(&showing->changes);
    buffer_release(&showing->heard);
    free(showing);
}

/* One reading: a CHECK with these values, and a key. */
static void read(struct showing *showing, int64_t second, const char *values)
{
    char definition[128];
    const struct constraint *constraint;
    const struct version *version;
    (void)snprintf(definition, sizeof definition, "CHECK ((status = ANY (ARRAY[%s])))", values);
    const struct constraint_row rows[] = {
        { CONSTRAINT_CHECK, bytes_text("c1"), bytes_text("public"), bytes_text("orders"),
          bytes_text("orders_status_check"), bytes_text("status"), bytes_text(definition), BYTES_NONE },
        { CONSTRAINT_PRIMARY_KEY, bytes_text("c2"), bytes_text("public"), bytes_text("items"),
          bytes_text("items_pkey"), bytes_text("id"), bytes_text("PRIMARY KEY (id)"), BYTES_NONE },
    };
    assert_true(catalog_begin(&showing->catalog, bytes_text("shop"), second * SECOND));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        catalog_take(&showing->catalog, &rows[i]);
    catalog_end(&showing->catalog);
    while (catalog_next_change(&showing->catalog, &constraint, &version)) {
        struct constraint_change change;
        constraint_change_fill(constraint, version, (second - 1) * SECOND, &change);
        constraint_changes_add(&showing->changes, &change);
    }
}

static void assert_shown(struct showing *showing, const struct show_form *show, const char *expected)
{
    struct show_source source = { &showing->command, &showing->world, "1.2.3" };
    struct result result = result_of(&showing->heard, 0);
    struct text text;
    buffer_clear(&showing->heard);
    showing->notice = (struct console_outcome){ 0 };
    assert_true(show->fill(&source, &result, &showing->notice));
    text_init(&text, showing->storage, sizeof showing->storage);
    hear(buffer_bytes(&showing->heard), &text);
    assert_string_equal(showing->storage, expected);
}

#define ITEMS                                                                                                \
    "D shop|public|items|items_pkey|primary key|id|PRIMARY KEY (id)|~|23505|1970-01-01T00:01:00Z|"           \
    "or before|1|~\n"

static void constraints_come_in_the_order_of_their_names(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    assert_shown(showing, &show_constraints, "");
    read(showing, 60, "'a'::text, 'b'::text");
    assert_shown(showing, &show_constraints,
                 ITEMS "D shop|public|orders|orders_status_check|check|status|CHECK ((status = ANY "
                       "(ARRAY['a'::text, 'b'::text])))|'a', 'b'|23514|1970-01-01T00:01:00Z|or before|1|~\n");
    showing_destroy(showing);
}

static void a_changed_constraint_says_what_was_changed_and_when(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    read(showing, 60, "'a'::text, 'b'::text");
    read(showing, 120, "'a'::text, 'c'::text");
    (void)snprintf(showing->command.pattern, sizeof showing->command.pattern, "public.ord%%");
    assert_shown(
        showing, &show_constraints,
        "D shop|public|orders|orders_status_check|check|status|CHECK ((status = ANY (ARRAY['a'::text, "
        "'c'::text])))|'a', 'c'|23514|1970-01-01T00:02:00Z|found|2|'b' was dropped from the list; "
        "'c' was added to the list\n");
    assert_shown(showing, &show_constraint_changes,
                 "D 1970-01-01T00:02:00Z|1970-01-01T00:01:59Z|shop|public|orders|orders_status_check|check|"
                 "status|values dropped, values added|'b' was dropped from the list; 'c' was added to the "
                 "list|CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))|CHECK ((status = ANY "
                 "(ARRAY['a'::text, 'c'::text])))\n");
    showing_destroy(showing);
}

static void a_limit_is_kept_and_said(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    read(showing, 60, "'a'::text");
    showing->command.count = 1;
    assert_shown(showing, &show_constraints, ITEMS);
    assert_string_equal(showing->notice.message, "1 of 2 rows are shown; add LIMIT for more.");
    showing_destroy(showing);
}

static void the_newest_changes_are_kept(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    read(showing, 60, "'a'::text");
    read(showing, 61, "'b'::text");
    read(showing, 62, "'c'::text");
    read(showing, 63, "'d'::text");
    assert_int_equal(constraint_changes_count(&showing->changes), CHANGES);
    assert_int_equal(constraint_changes_at(&showing->changes, 0)->seen_us, 63 * SECOND);
    assert_int_equal(constraint_changes_at(&showing->changes, 1)->seen_us, 62 * SECOND);
    showing_destroy(showing);
}

static void without_a_catalogue_a_notice_says_so(void **state)
{
    (void)state;
    struct showing *showing = showing_create();
    showing->world.catalog = NULL;
    assert_shown(showing, &show_constraints, "");
    assert_non_null(strstr(showing->notice.message, "No database is read"));
    showing_destroy(showing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_come_in_the_order_of_their_names),
        cmocka_unit_test(a_changed_constraint_says_what_was_changed_and_when),
        cmocka_unit_test(a_limit_is_kept_and_said),
        cmocka_unit_test(the_newest_changes_are_kept),
        cmocka_unit_test(without_a_catalogue_a_notice_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
