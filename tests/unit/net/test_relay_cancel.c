/* SPDX-License-Identifier: PostgreSQL */
#include "unit/net/house.h"

/* A house whose upstream has a second host, which listens at `*second`. */
static struct house *house_open_double(struct address hosts[2], int *second)
{
    uint16_t port = 0;
    struct house *house = house_open();
    *second = peer_listen(&port, 4);
    hosts[0] = house->host;
    hosts[1] = local_address(port);
    house->upstream.hosts = hosts;
    house->upstream.host_count = 2;
    return house;
}

static int accept_cancel(struct house *house, int listening)
{
    int server = peer_accept(&house->loop, listening);
    HEAR(house, server, CANCEL);
    return server;
}

static void the_client_waits_until_every_host_has_ended_it(void **state)
{
    (void)state;
    struct address hosts[2];
    int second = -1;
    struct house *house = house_open_double(hosts, &second);
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    int first_server = accept_cancel(house, house->server_listening);
    int second_server = accept_cancel(house, second);
    (void)close(first_server);
    turn_for(&house->loop, 10);
    assert_false(peer_is_at_end(client));
    (void)close(second_server);
    TURN_UNTIL(&house->loop, peer_is_at_end(client));
    (void)close(client);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    (void)close(second);
    house_close(house);
}

static void it_is_carried_though_the_client_has_left(void **state)
{
    (void)state;
    struct address hosts[2];
    int second = -1;
    struct house *house = house_open_double(hosts, &second);
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    peer_reset(client);
    int first_server = accept_cancel(house, house->server_listening);
    int second_server = accept_cancel(house, second);
    assert_int_equal(house->shared.relay_count, 1);
    (void)close(first_server);
    (void)close(second_server);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    (void)close(second);
    house_close(house);
}

static void it_outlives_a_login_deadline_and_ends_with_its_own(void **state)
{
    (void)state;
    struct house *house = house_open();
    house->shared.login_timeout_ms = 50;
    house->upstream.connect_timeout_ms = 250;
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    int server = accept_cancel(house, house->server_listening);
    TURN_UNTIL(&house->loop, peer_is_at_end(client));
    (void)close(client);
    turn_for(&house->loop, 50);
    assert_int_equal(house->shared.relay_count, 1);
    assert_false(peer_is_at_end(server));
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    assert_true(peer_is_at_end(server));
    (void)close(server);
    house_close(house);
}

static void those_beyond_the_bound_are_dropped(void **state)
{
    (void)state;
    struct house *house = house_open();
    house->shared.cancel_count = RELAY_CANCELS_MOST - 1;
    int first = peer_connect(&house->address);
    SAY(house, first, CANCEL);
    int server = accept_cancel(house, house->server_listening);
    int beyond = peer_connect(&house->address);
    SAY(house, beyond, CANCEL);
    TURN_UNTIL(&house->loop, peer_is_at_end(beyond));
    (void)close(beyond);
    assert_false(peer_is_at_end(first));
    (void)close(server);
    TURN_UNTIL(&house->loop, peer_is_at_end(first));
    assert_int_equal(house->shared.cancel_count, RELAY_CANCELS_MOST - 1);
    (void)close(first);
    TURN_UNTIL(&house->loop, house->shared.relay_count == 0);
    house_close(house);
}

static void draining_ends_it_when_the_time_is_over(void **state)
{
    (void)state;
    struct house *house = house_open();
    int client = peer_connect(&house->address);
    SAY(house, client, CANCEL);
    int server = accept_cancel(house, house->server_listening);
    uint64_t begun = uv_hrtime();
    relay_drain_all(&house->shared, 50);
    TURN_UNTIL(&house->loop, house->emptied == 1);
    assert_true(uv_hrtime() - begun < UINT64_C(1000000000));
    assert_true(peer_is_at_end(server));
    (void)close(client);
    (void)close(server);
    house_close(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_waits_until_every_host_has_ended_it),
        cmocka_unit_test(it_is_carried_though_the_client_has_left),
        cmocka_unit_test(it_outlives_a_login_deadline_and_ends_with_its_own),
        cmocka_unit_test(those_beyond_the_bound_are_dropped),
        cmocka_unit_test(draining_ends_it_when_the_time_is_over),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
