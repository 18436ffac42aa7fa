/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "observe/incident_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SECOND = 1000000 };

static const struct hash_key key = { { 5, 6 } };

#define PUT(field, text) assert_true(bytes_copy_text(bytes_text(text), field, sizeof(field)))

static void violate(struct totals *totals, const char *service, const char *constraint, const char *statement,
                    unsigned times, int64_t at_us)
{
    struct violation violation = { .kind = VIOLATION_CHECK };
    PUT(violation.sqlstate, "23514");
    PUT(violation.service, service);
    PUT(violation.schema, "public");
    PUT(violation.table, "orders");
    PUT(violation.constraint, constraint);
    PUT(violation.fingerprint, statement);
    PUT(violation.statement, statement);
    for (unsigned i = 0; i < times; i++)
        ledger_record(&totals->violations, &violation, at_us);
}

static struct incident incident_of(enum incident_subject subject, const char *name)
{
    struct incident incident = { .number = 1, .started_us = 100 * (int64_t)SECOND };
    incident.key.subject = subject;
    PUT(incident.key.service, "kds");
    PUT(incident.key.name, name);
    if (subject == INCIDENT_CONSTRAINT) {
        PUT(incident.key.schema, "public");
        PUT(incident.key.table, "orders");
    }
    return incident;
}

static void totals_make(struct totals *totals)
{
    totals_init(totals, &key, &(struct harvest_bounds){ 20, 20, 20 });
}

static void the_most_frequent_since_the_start_is_told(void **state)
{
    (void)state;
    static struct incident_note note;
    struct totals totals;
    struct incident incident = incident_of(INCIDENT_CONSTRAINT, "c");
    totals_make(&totals);
    violate(&totals, "kds", "c", "old", 99, 50 * (int64_t)SECOND);
    violate(&totals, "kds", "c", "rare", 2, 101 * (int64_t)SECOND);
    violate(&totals, "kds", "c", "frequent", 5, 101 * (int64_t)SECOND);
    violate(&totals, "kds", "d", "other constraint", 50, 101 * (int64_t)SECOND);
    violate(&totals, "pos", "c", "other service", 50, 101 * (int64_t)SECOND);
    incident_note_fill(&note, INCIDENT_GREW, &incident, &totals);
    assert_int_equal(note.news, INCIDENT_GREW);
    assert_string_equal(note.statement, "frequent");
    assert_string_equal(note.fingerprint, "frequent");
    assert_string_equal(note.kind, "check");
    assert_string_equal(note.sqlstate, "23514");
    totals_release(&totals);
}

static void a_family_has_the_error_that_is_most_frequent_in_it(void **state)
{
    (void)state;
    static struct incident_note note;
    struct totals totals;
    struct incident incident = incident_of(INCIDENT_FAMILY, "contention");
    struct error_seen deadlock = { .service = "kds", .database = "shop", .user = "app", .shape = 0xabc };
    struct error_seen missing = { .service = "kds", .database = "shop", .user = "app" };
    deadlock.sqlstate = bytes_text("40P01");
    missing.sqlstate = bytes_text("42P01");
    totals_make(&totals);
    struct error_entry *entry = errors_record(&totals.errors, &deadlock, 101 * (int64_t)SECOND);
    PUT(entry->text, "update t");
    for (int i = 0; i < 3; i++)
        (void)errors_record(&totals.errors, &missing, 101 * (int64_t)SECOND);
    incident_note_fill(&note, INCIDENT_STARTED, &incident, &totals);
    assert_string_equal(note.sqlstate, "40P01");
    assert_string_equal(note.kind, "deadlock_detected");
    assert_string_equal(note.database, "shop");
    assert_string_equal(note.statement, "update t");
    assert_string_equal(note.fingerprint, "0000000000000abc");
    totals_release(&totals);
}

static void what_others_know_is_left_as_it_is(void **state)
{
    (void)state;
    static struct incident_note note;
    struct totals totals;
    struct incident incident = incident_of(INCIDENT_CONSTRAINT, "c");
    totals_make(&totals);
    PUT(note.definition, "CHECK (true)");
    note.suspect_count = 1;
    incident_note_fill(&note, INCIDENT_ENDED, &incident, &totals);
    assert_string_equal(note.definition, "CHECK (true)");
    assert_int_equal(note.suspect_count, 1);
    assert_string_equal(note.statement, "");
    totals_release(&totals);
}

static void put(struct incident_book *book, uint64_t number, enum incident_news news)
{
    static struct incident_note note;
    note.news = news;
    note.incident.number = number;
    incident_book_put(book, &note);
}

static void assert_pages(const struct incident_book *book, const char *expected)
{
    char storage[128];
    struct text text;
    const struct incident_note *note;
    text_init(&text, storage, sizeof storage);
    for (size_t place = 0; (note = incident_book_at(book, place)) != NULL; place++)
        text_append_format(&text, "%d%s ", (int)note->incident.number,
                           note->news == INCIDENT_ENDED ? "x" : "");
    assert_string_equal(storage, expected);
}

static void a_book_has_the_open_ones_first_and_forgets_the_oldest_that_ended(void **state)
{
    (void)state;
    struct incident_book book;
    incident_book_init(&book, 2);
    assert_pages(&book, "");
    put(&book, 1, INCIDENT_STARTED);
    put(&book, 2, INCIDENT_STARTED);
    put(&book, 3, INCIDENT_STARTED);
    put(&book, 2, INCIDENT_GREW);
    assert_pages(&book, "3 2 1 ");
    put(&book, 3, INCIDENT_ENDED);
    put(&book, 1, INCIDENT_ENDED);
    assert_pages(&book, "2 1x 3x ");
    assert_null(incident_book_find(&book, 3));
    assert_int_equal(incident_book_find(&book, 2)->news, INCIDENT_GREW);
    put(&book, 2, INCIDENT_ENDED);
    assert_pages(&book, "2x 1x ");
    incident_book_release(&book);
}

static void an_open_note_is_kept_up_to_date(void **state)
{
    (void)state;
    struct incident_book book;
    struct incident incident = { .number = 1, .count = 77 };
    incident_book_init(&book, 2);
    put(&book, 1, INCIDENT_STARTED);
    incident_book_update(&book, &incident);
    assert_int_equal(incident_book_at(&book, 0)->incident.count, 77);
    incident.number = 2;
    incident_book_update(&book, &incident);
    assert_pages(&book, "1 ");
    incident_book_release(&book);
}

static void a_suspect_is_described_by_who_when_and_what(void **state)
{
    (void)state;
    char storage[256];
    struct text text;
    struct suspect suspect = { .time_us = 5 * (int64_t)SECOND, .was_seen = true, .is_certain = true };
    PUT(suspect.user, "deployer");
    PUT(suspect.service, "migrator");
    PUT(suspect.command, "ALTER TABLE");
    PUT(suspect.object, "public.orders");
    text_init(&text, storage, sizeof storage);
    suspect_describe(&suspect, &text);
    assert_string_equal(storage, "1970-01-01T00:00:05.000000Z deployer (migrator) ALTER TABLE");
    suspect.is_certain = false;
    text_init(&text, storage, sizeof storage);
    suspect_describe(&suspect, &text);
    assert_string_equal(
        storage, "1970-01-01T00:00:05.000000Z deployer (migrator) ALTER TABLE (it may have been undone)");
    suspect.was_seen = false;
    suspect.is_certain = true;
    PUT(suspect.difference, "'x' was dropped");
    text_init(&text, storage, sizeof storage);
    suspect_describe(&suspect, &text);
    assert_string_equal(storage,
                        "1970-01-01T00:00:05.000000Z around the sluice: public.orders -- 'x' was dropped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_frequent_since_the_start_is_told),
        cmocka_unit_test(a_family_has_the_error_that_is_most_frequent_in_it),
        cmocka_unit_test(what_others_know_is_left_as_it_is),
        cmocka_unit_test(a_book_has_the_open_ones_first_and_forgets_the_oldest_that_ended),
        cmocka_unit_test(an_open_note_is_kept_up_to_date),
        cmocka_unit_test(a_suspect_is_described_by_who_when_and_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
