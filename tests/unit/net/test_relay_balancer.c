/* SPDX-License-Identifier: PostgreSQL */
#include "unit/net/house.h"

#include <poll.h>

#define HEADER "PROXY TCP4 10.1.2.3 192.0.2.1 5555 6432\r\n"

/* A house to which only load balancers of this network come. */
static struct house *house_open_behind(struct network *balancers, const char *network)
{
    struct house *house = house_open();
    assert_true(network_parse(network, balancers, NULL));
    house->plan.balancers = balancers;
    house->plan.balancer_count = 1;
    return house;
}

static void what_follows_the_header_is_carried_and_the_address_told(void **state)
{
    (void)state;
    struct network balancers;
    struct house *house = house_open_behind(&balancers, "127.0.0.0/8");
    struct snapshot snapshot;
    snapshot_init(&snapshot, &house->world.hash_key, 100);
    int client = peer_connect(&house->address);
    SAY(house, client, HEADER STARTUP);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, STARTUP);
    relay_describe_all(&house->shared, &snapshot);
    assert_int_equal(snapshot.session_count, 1);
    assert_string_equal(snapshot.sessions[0].address, "10.1.2.3:5555");
    snapshot_release(&snapshot);
    (void)close(client);
    (void)close(server);
    house_close(house);
}

static void a_cancel_behind_a_header_is_carried(void **state)
{
    (void)state;
    struct network balancers;
    struct house *house = house_open_behind(&balancers, "127.0.0.0/8");
    int client = peer_connect(&house->address);
    SAY(house, client, HEADER CANCEL);
    int server = peer_accept(&house->loop, house->server_listening);
    HEAR(house, server, CANCEL);
    (void)close(server);
    TURN_UNTIL(&house->loop, peer_is_at_end(client));
    (void)close(client);
    house_close(house);
}

static void what_is_no_header_ends_the_connection(void **state)
{
    (void)state;
    struct network balancers;
    struct house *house = house_open_behind(&balancers, "127.0.0.0/8");
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP);
    assert_string_equal(house_hear_out(house, client), "");
    assert_non_null(strstr(house_last_reason(house), "bad PROXY header"));
    (void)close(client);
    house_close(house);
}

static void who_is_no_balancer_is_told_so(void **state)
{
    (void)state;
    struct network balancers;
    struct house *house = house_open_behind(&balancers, "192.0.2.0/24");
    int client = peer_connect(&house->address);
    SAY(house, client, STARTUP);
    assert_non_null(strstr(house_hear_out(house, client), "C28000|"));
    assert_non_null(strstr(house_last_reason(house), "none of the networks of proxy_protocol"));
    (void)close(client);
    house_close(house);
}

static void who_is_no_balancer_cannot_cancel(void **state)
{
    (void)state;
    struct network balancers;
    struct house *house = house_open_behind(&balancers, "192.0.2.0/24");
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    assert_string_equal(house_hear_out(house, client), "");
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    struct pollfd knock = { .fd = house->server_listening, .events = POLLIN };
    assert_int_equal(poll(&knock, 1, 20), 0);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_the_header_is_carried_and_the_address_told),
        cmocka_unit_test(a_cancel_behind_a_header_is_carried),
        cmocka_unit_test(what_is_no_header_ends_the_connection),
        cmocka_unit_test(who_is_no_balancer_is_told_so),
        cmocka_unit_test(who_is_no_balancer_cannot_cancel),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
