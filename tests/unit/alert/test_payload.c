/* SPDX-License-Identifier: PostgreSQL */
#include "alert/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PUT(field, text) assert_true(bytes_copy_text(bytes_text(text), field, sizeof(field)))

static void assert_payload(const struct incident_note *note, const char *expected)
{
    struct buffer buffer;
    buffer_init(&buffer, PAYLOAD_SIZE_MOST);
    payload_write(note, &buffer);
    assert_false(buffer.has_failed);
    assert_int_equal(buffer.size, strlen(expected));
    assert_memory_equal(buffer.data, expected, buffer.size);
    buffer_release(&buffer);
}

static void an_incident_is_told_with_all_that_is_known_of_it(void **state)
{
    (void)state;
    static const struct incident_note empty;
    struct incident_note note = empty;
    struct incident *incident = &note.incident;
    note.news = INCIDENT_ENDED;
    *incident = (struct incident){ .number = 7,
                                   .started_us = 1000000,
                                   .detected_us = 2000000,
                                   .ended_us = 3000000,
                                   .is_first = true,
                                   .count = 50,
                                   .rate = 12.5,
                                   .baseline = 0.5,
                                   .peak = 40 };
    PUT(incident->key.service, "kds");
    PUT(incident->key.schema, "public");
    PUT(incident->key.table, "orders");
    PUT(incident->key.name, "orders_status_check");
    PUT(note.kind, "check");
    PUT(note.sqlstate, "23514");
    PUT(note.database, "shop");
    PUT(note.statement, "insert into \"orders\" values (?)");
    PUT(note.definition, "CHECK (status IN ('new'))");
    note.suspect_count = 1;
    note.suspects[0].time_us = note.suspects[0].not_before_us = 500000;
    note.suspects[0].was_seen = true;
    PUT(note.suspects[0].user, "deployer");
    PUT(note.suspects[0].object, "public.orders");
    assert_payload(
        &note,
        "{\"version\":1,\"incident\":7,\"news\":\"ended\",\"subject\":\"constraint\",\"service\":\"kds\","
        "\"schema\":\"public\",\"table\":\"orders\",\"constraint\":\"orders_status_check\",\"family\":null,"
        "\"started\":\"1970-01-01T00:00:01.000000Z\",\"detected\":\"1970-01-01T00:00:02.000000Z\","
        "\"ended\":\"1970-01-01T00:00:03.000000Z\",\"is_first\":true,\"is_usual_now\":false,\"count\":50,"
        "\"rate_per_minute\":12.5000,\"baseline_per_minute\":0.5000,\"peak_per_minute\":40,"
        "\"kind\":\"check\",\"sqlstate\":\"23514\",\"database\":\"shop\",\"route\":null,"
        "\"fingerprint\":null,\"statement\":\"insert into \\\"orders\\\" values (?)\","
        "\"definition\":\"CHECK (status IN ('new'))\",\"difference\":null,\"near_miss\":null,"
        "\"suspects\":[{\"time\":\"1970-01-01T00:00:00.500000Z\",\"not_before\":"
        "\"1970-01-01T00:00:00.500000Z\",\"was_seen\":true,\"service\":null,\"user\":\"deployer\","
        "\"application_name\":null,\"address\":null,\"command\":null,\"rule\":null,\"window\":null,"
        "\"object\":\"public.orders\",\"statement\":null,\"difference\":null}]}\n");
}

static void a_family_has_neither_table_nor_constraint(void **state)
{
    (void)state;
    static const struct incident_note empty;
    struct incident_note note = empty;
    note.incident.key.subject = INCIDENT_FAMILY;
    note.incident.ended_us = 9;
    PUT(note.incident.key.service, "a\x1b\xff");
    PUT(note.incident.key.name, "contention");
    assert_payload(
        &note,
        "{\"version\":1,\"incident\":0,\"news\":\"started\",\"subject\":\"family\","
        "\"service\":\"a\\u001b\xef\xbf\xbd\",\"schema\":null,\"table\":null,\"constraint\":null,"
        "\"family\":\"contention\",\"started\":null,\"detected\":null,\"ended\":null,\"is_first\":false,"
        "\"is_usual_now\":false,\"count\":0,\"rate_per_minute\":0.0000,\"baseline_per_minute\":0.0000,"
        "\"peak_per_minute\":0,\"kind\":null,\"sqlstate\":null,\"database\":null,\"route\":null,"
        "\"fingerprint\":null,\"statement\":null,\"definition\":null,\"difference\":null,"
        "\"near_miss\":null,\"suspects\":[]}\n");
}

static void the_worst_note_has_room(void **state)
{
    (void)state;
    static struct incident_note note;
    struct buffer buffer;
    memset(&note, 0x01, sizeof note);
    note.news = INCIDENT_ENDED;
    note.incident = (struct incident){ .number = UINT64_MAX, .count = UINT64_MAX, .rate = 1e300 };
    note.suspect_count = SUSPECTS_MOST;
    note.route[ROUTE_SIZE - 1] = note.statement[SHOWN_TEXT_SIZE - 1] = '\0';
    note.definition[NOTE_DEFINITION_SIZE - 1] = note.difference[DIFFERENCE_SIZE - 1] = '\0';
    note.near_miss[sizeof note.near_miss - 1] = note.database[NAME_SIZE - 1] = '\0';
    note.sqlstate[0] = note.kind[0] = note.fingerprint[0] = '\0';
    for (size_t i = 0; i < SUSPECTS_MOST; i++) {
        struct suspect *suspect = &note.suspects[i];
        suspect->time_us = suspect->not_before_us = 1;
        suspect->was_seen = true;
        suspect->service[NAME_SIZE - 1] = suspect->user[NAME_SIZE - 1] = '\0';
        suspect->application_name[NAME_SIZE - 1] = suspect->rule[NAME_SIZE - 1] = '\0';
        suspect->window[NAME_SIZE - 1] = suspect->address[ADDRESS_TEXT_SIZE - 1] = '\0';
        suspect->command[EVENT_COMMAND_SIZE - 1] = suspect->statement[SHOWN_TEXT_SIZE - 1] = '\0';
        suspect->object[sizeof suspect->object - 1] = suspect->difference[DIFFERENCE_SIZE - 1] = '\0';
    }
    buffer_init(&buffer, PAYLOAD_SIZE_MOST);
    payload_write(&note, &buffer);
    assert_false(buffer.has_failed);
    buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_incident_is_told_with_all_that_is_known_of_it),
        cmocka_unit_test(a_family_has_neither_table_nor_constraint),
        cmocka_unit_test(the_worst_note_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
