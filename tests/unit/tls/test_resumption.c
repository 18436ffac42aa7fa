/* SPDX-License-Identifier: PostgreSQL */
#include "tls/resumption.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Keeps a session that is known by its time. */
static void keep(struct resumption *resumption, const char *host, long time)
{
    SSL_SESSION *session = SSL_SESSION_new();
    assert_int_equal(SSL_SESSION_set_time(session, time), time);
    resumption_keep(resumption, host, session);
    SSL_SESSION_free(session);
}

/* 0: none */
static long found(const struct resumption *resumption, const char *host)
{
    SSL_SESSION *session = resumption_find(resumption, host);
    long time = session != NULL ? SSL_SESSION_get_time(session) : 0;
    SSL_SESSION_free(session);
    return time;
}

static void the_newest_session_of_each_host_is_kept(void **state)
{
    (void)state;
    struct resumption resumption = { 0 };
    assert_int_equal(found(&resumption, "a"), 0);
    keep(&resumption, "a", 1000);
    keep(&resumption, "b", 2000);
    keep(&resumption, "a", 3000);
    assert_int_equal(found(&resumption, "a"), 3000);
    assert_int_equal(found(&resumption, "a"), 3000);
    assert_int_equal(found(&resumption, "b"), 2000);
    resumption_forget(&resumption, "a");
    resumption_forget(&resumption, "never met");
    assert_int_equal(found(&resumption, "a"), 0);
    assert_int_equal(found(&resumption, "b"), 2000);
    resumption_clear(&resumption);
    assert_int_equal(found(&resumption, "b"), 0);
}

static void the_oldest_host_makes_room(void **state)
{
    (void)state;
    struct resumption resumption = { 0 };
    char host[16];
    for (int i = 0; i <= RESUMPTION_HOSTS_MOST; i++) {
        (void)snprintf(host, sizeof host, "host %d", i);
        keep(&resumption, host, 1000 + i);
    }
    assert_int_equal(found(&resumption, "host 0"), 0);
    assert_int_equal(found(&resumption, "host 1"), 1001);
    assert_int_equal(found(&resumption, host), 1000 + RESUMPTION_HOSTS_MOST);
    resumption_clear(&resumption);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_session_of_each_host_is_kept),
        cmocka_unit_test(the_oldest_host_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
