/* SPDX-License-Identifier: PostgreSQL */
#include "probe/parameters.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool conninfo_is_taken(const char *conninfo, char *why, size_t size)
{
    struct text text;
    text_init(&text, why, size);
    return probe_conninfo_check(conninfo, &text);
}

static void connection_strings_are_taken(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "dbname=postgres",
        "user=a password='b c' sslmode=verify-full sslrootcert=/x",
        "postgresql://user:secret@/db",
        "service=x passfile=/y",
        "options='-c geqo=off'",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char why[256] = "";
        assert_true(conninfo_is_taken(rows[i], why, sizeof why));
        assert_string_equal(why, "");
    }
}

static void what_is_wrong_with_a_connection_string_is_told_without_its_values(void **state)
{
    (void)state;
    static const struct {
        const char *conninfo;
        const char *why;
    } rows[] = {
        { "secret", "no libpq connection string" },
        { "password=a secret", "no libpq connection string" },
        { "password='secret", "no libpq connection string" },
        { "secret=x", "no libpq connection string" },
        { "postgresql://secret:%zz@/db", "no libpq connection string" },
        { "password=secret host=secret", "must not set host" },
        { "hostaddr=127.0.0.1", "must not set hostaddr" },
        { "port=5432", "must not set port" },
        { "postgresql://user:secret@secret/db", "must not set host" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char why[256] = "";
        assert_false(conninfo_is_taken(rows[i].conninfo, why, sizeof why));
        assert_non_null(strstr(why, rows[i].why));
        assert_null(strstr(why, "secret"));
    }
}

/* The value that libpq would take: the last. */
static const char *value_of(const struct parameters *parameters, const char *keyword)
{
    const char *value = NULL;
    for (size_t i = 0; parameters->keywords[i] != NULL; i++) {
        assert_non_null(parameters->values[i]);
        if (strcmp(parameters->keywords[i], keyword) == 0)
            value = parameters->values[i];
    }
    return value;
}

static void expect_place(const char *text, const char *host, const char *hostaddr, const char *port)
{
    char storage[256];
    struct text why;
    struct address address;
    struct parameters parameters;
    text_init(&why, storage, sizeof storage);
    assert_true(address_parse(text, &address, NULL));
    const struct probe_plan plan = { &address, "user=x dbname='a b' target_session_attrs=read-write",
                                     "",       "",
                                     "",       "" };
    assert_true(parameters_init(&parameters, &plan, &why));
    assert_string_equal(value_of(&parameters, "user"), "x");
    assert_string_equal(value_of(&parameters, "dbname"), "a b");
    assert_string_equal(value_of(&parameters, "target_session_attrs"), "any");
    assert_string_equal(value_of(&parameters, "options"), " -c search_path=pg_catalog");
    assert_string_equal(value_of(&parameters, "host"), host);
    assert_string_equal(value_of(&parameters, "port"), port);
    if (hostaddr != NULL)
        assert_string_equal(value_of(&parameters, "hostaddr"), hostaddr);
    else
        assert_null(value_of(&parameters, "hostaddr"));
    assert_null(value_of(&parameters, "password"));
    parameters_release(&parameters);
}

static void the_host_is_the_upstreams(void **state)
{
    (void)state;
    expect_place("10.1.2.3:5432", "10.1.2.3", "10.1.2.3", "5432");
    expect_place("[fd00::1]:65535", "fd00::1", "fd00::1", "65535");
    expect_place("db.example:1", "db.example", NULL, "1");
    expect_place("/run/postgresql/.s.PGSQL.5433", "/run/postgresql", NULL, "5433");
    expect_place("/.s.PGSQL.5433", "/", NULL, "5433");
}

static void options_that_are_too_long_are_not_cut(void **state)
{
    (void)state;
    char storage[256];
    struct text why;
    struct parameters parameters;
    char conninfo[4096] = "options=";
    text_init(&why, storage, sizeof storage);
    memset(conninfo + strlen(conninfo), 'x', 3000);
    const struct address host = { ADDRESS_IPV4, 1, { 127, 0, 0, 1 }, "" };
    const struct probe_plan plan = { &host, conninfo, "", "", "", "" };
    assert_false(parameters_init(&parameters, &plan, &why));
    assert_non_null(strstr(storage, "too long"));
}

static void encryption_is_the_sessions_unless_the_string_says_another(void **state)
{
    (void)state;
    char storage[256];
    struct text why;
    struct parameters parameters;
    const struct address host = { ADDRESS_IPV4, 1, { 127, 0, 0, 1 }, "" };
    const struct probe_plan plan = { &host,          "sslrootcert=/other sslcert=/own",
                                     "verify-full",  "/ca",
                                     "/certificate", "/key" };
    text_init(&why, storage, sizeof storage);
    assert_true(parameters_init(&parameters, &plan, &why));
    assert_string_equal(value_of(&parameters, "sslmode"), "verify-full");
    assert_string_equal(value_of(&parameters, "sslrootcert"), "/other");
    assert_string_equal(value_of(&parameters, "sslcert"), "/own");
    assert_string_equal(value_of(&parameters, "sslkey"), "/key");
    parameters_release(&parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_strings_are_taken),
        cmocka_unit_test(what_is_wrong_with_a_connection_string_is_told_without_its_values),
        cmocka_unit_test(the_host_is_the_upstreams),
        cmocka_unit_test(options_that_are_too_long_are_not_cut),
        cmocka_unit_test(encryption_is_the_sessions_unless_the_string_says_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
