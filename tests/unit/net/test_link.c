/* SPDX-License-Identifier: PostgreSQL */
#include "net/lane.h"
#include "unit/net/peer.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum { LARGE = 3 * 1024 * 1024, PATTERN_PERIOD = 251 };

/* A link and what it told us. */
struct probe {
    struct link link;
    uv_loop_t loop;
    struct chunk chunk;
    int peer;
    uint8_t bytes[4096];
    size_t size;
    int ends;
    int failures;
    int last_error;
    int drains;
    int closings;
};

static struct probe *probe_of(struct link *link)
{
    return CONTAINER_OF(link, struct probe, link);
}

static void on_bytes(struct link *link, struct bytes bytes)
{
    struct probe *probe = probe_of(link);
    assert_true(link->is_by_ring || bytes.data == probe->chunk.data);
    assert_true(bytes.size <= sizeof probe->bytes - probe->size);
    memcpy(probe->bytes + probe->size, bytes.data, bytes.size);
    probe->size += bytes.size;
}

static void on_end(struct link *link, int error)
{
    probe_of(link)->ends += error == 0;
    probe_of(link)->failures += error < 0;
    probe_of(link)->last_error = error;
}

static void on_drained(struct link *link)
{
    assert_true(link_waiting(link) < LINK_LOW_WATER);
    assert_false(link->is_full);
    probe_of(link)->drains++;
}

static void on_closed(struct link *link)
{
    probe_of(link)->closings++;
}

static const struct link_events probe_events = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static struct probe *probe_over(const int ends[2])
{
    struct probe *probe = calloc(1, sizeof *probe);
    assert_non_null(probe);
    loop_open(&probe->loop, &probe->chunk);
    probe->peer = ends[1];
    link_init(&probe->link, &probe->chunk, &probe_events);
    assert_int_equal(link_open(&probe->link, ends[0]), 0);
    return probe;
}

static struct probe *probe_create(void)
{
    int ends[2];
    peer_pair(ends);
    return probe_over(ends);
}

static struct probe *probe_create_unix(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return probe_over(ends);
}

static void probe_destroy(struct probe *probe)
{
    link_close(&probe->link);
    TURN_UNTIL(&probe->loop, probe->closings > 0);
    assert_int_equal(probe->closings, 1);
    loop_finish(&probe->loop);
    if (probe->peer >= 0)
        (void)close(probe->peer);
    free(probe);
}

static uint8_t pattern_at(size_t at)
{
    return (uint8_t)(at % PATTERN_PERIOD);
}

/* Sends the bytes of the pattern from *at on. */
static void send_pattern(struct link *link, size_t *at, size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern_at((*at)++);
    link_send(link, bytes_of(bytes, size));
    free(bytes);
}

static void read_pattern(struct probe *probe, size_t size)
{
    uint8_t piece[8192];
    for (size_t at = 0; at < size;) {
        size_t part = size - at < sizeof piece ? size - at : sizeof piece;
        peer_read(&probe->loop, probe->peer, piece, part);
        for (size_t i = 0; i < part; i++)
            assert_int_equal(piece[i], pattern_at(at + i));
        at += part;
    }
}

static void what_comes_is_read_into_the_shared_chunk(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    link_read_start(&probe->link);
    peer_send(&probe->loop, probe->peer, "hello", 5);
    TURN_UNTIL(&probe->loop, probe->size == 5);
    assert_memory_equal(probe->bytes, "hello", 5);
    probe_destroy(probe);
}

struct waiting {
    struct probe *probe;
    uv_timer_t timer;
    unsigned turns; /* before it reads on */
};

static void read_on(uv_timer_t *timer)
{
    struct waiting *waiting = timer->data;
    assert_int_equal(waiting->probe->size, 0);
    link_read_start(&waiting->probe->link);
    uv_close((uv_handle_t *)timer, NULL);
}

static void count_turn(void *owner)
{
    struct waiting *waiting = owner;
    waiting->turns += !waiting->probe->link.is_reading;
    if (waiting->probe->size > 0)
        link_close(&waiting->probe->link); /* the loop ends */
}

/* What was waited for is, in a pause, until something comes: that must not keep the loop busy then. */
static void what_comes_in_a_pause_does_not_keep_the_loop_busy(void **state)
{
    enum { PAUSE_MS = 100, TURNS_MOST = 10 };
    (void)state;
    struct waiting waiting = { .probe = probe_create() };
    struct probe *probe = waiting.probe;
    link_read_start(&probe->link);
    turn_for(&probe->loop, 1);
    link_read_stop(&probe->link);
    peer_send(&probe->loop, probe->peer, "later", 5);
    assert_int_equal(uv_timer_init(&probe->loop, &waiting.timer), 0);
    waiting.timer.data = &waiting;
    assert_int_equal(uv_timer_start(&waiting.timer, read_on, PAUSE_MS, 0), 0);
    loop_run(&probe->loop, count_turn, &waiting);
    assert_in_range(waiting.turns, 1, TURNS_MOST);
    assert_int_equal(probe->size, 5);
    probe_destroy(probe);
}

static void a_link_that_stopped_reading_leaves_the_bytes_in_the_kernel(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    link_read_start(&probe->link);
    link_read_stop(&probe->link);
    peer_send(&probe->loop, probe->peer, "later", 5);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->size, 0);
    link_read_start(&probe->link);
    TURN_UNTIL(&probe->loop, probe->size == 5);
    probe_destroy(probe);
}

static void a_small_write_goes_out_at_once_and_leaves_nothing_waiting(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    char got[4];
    link_send(&probe->link, bytes_text("pong"));
    if (is_io("uring"))
        loop_turn(&probe->loop); /* all that is said in a turn goes together, at its end */
    assert_int_equal(link_waiting(&probe->link), 0);
    assert_null(probe->link.first);
    assert_int_equal(recv(probe->peer, got, sizeof got, MSG_WAITALL), 4);
    assert_memory_equal(got, "pong", 4);
    probe_destroy(probe);
}

static void order_is_kept_when_the_kernel_takes_only_part(struct probe *probe)
{
    size_t at = 0;
    const size_t sizes[] = { 700000, 1, 3, 20000, 5, 16384, 16385, 1, 300000, 7 };
    while (at < LARGE) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            send_pattern(&probe->link, &at, sizes[i]);
    }
    assert_true(link_waiting(&probe->link) > 0);
    read_pattern(probe, at);
    TURN_UNTIL(&probe->loop, probe->link.first == NULL);
    assert_int_equal(link_waiting(&probe->link), 0);
    assert_int_equal(probe->drains, 1);
    probe_destroy(probe);
}

/* By io_uring, of one turn; without it each is written to when there is something for it. Sockets become
 * ready for epoll in the order in which they were written to. */
static void a_ring_writes_to_servers_before_others(void **state)
{
    enum { LINKS = 6 };
    (void)state;
    static const int order[][LINKS] = { { 0, 1, 2, 3, 4, 5 }, { 1, 3, 5, 0, 2, 4 } };
    struct probe *probe = probe_create();
    struct probe beside[LINKS] = { 0 };
    struct epoll_event ready[LINKS] = { 0 };
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < LINKS; i++) {
        int ends[2];
        struct epoll_event wanted = { .events = EPOLLIN, .data.fd = i };
        peer_pair(ends);
        beside[i].peer = ends[1];
        link_init(&beside[i].link, &probe->chunk, &probe_events);
        beside[i].link.is_of_server = i % 2 == 1;
        assert_int_equal(link_open(&beside[i].link, ends[0]), 0);
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &wanted), 0);
    }
    for (int i = 0; i < LINKS; i++)
        link_send(&beside[i].link, bytes_of((const uint8_t *)"x", 1));
    TURN_UNTIL(&probe->loop, link_waiting(&beside[0].link) == 0);
    assert_int_equal(epoll_wait(epoll, ready, LINKS, PATIENCE_MS), LINKS);
    for (int i = 0; i < LINKS; i++)
        assert_int_equal(ready[i].data.fd, order[is_io("uring")][i]);
    for (int i = 0; i < LINKS; i++) {
        link_close(&beside[i].link);
        TURN_UNTIL(&probe->loop, beside[i].closings > 0);
        (void)close(beside[i].peer);
    }
    (void)close(epoll);
    probe_destroy(probe);
}

static void order_is_kept_over_tcp(void **state)
{
    (void)state;
    order_is_kept_when_the_kernel_takes_only_part(probe_create());
}

static void order_is_kept_over_unix_sockets(void **state)
{
    (void)state;
    order_is_kept_when_the_kernel_takes_only_part(probe_create_unix());
}

static size_t sent_to_peer(struct probe *probe)
{
    static uint8_t nowhere[65536];
    size_t total = 0;
    for (ssize_t got; (got = peer_take(probe->peer, nowhere, sizeof nowhere)) > 0;)
        total += (size_t)got;
    return total;
}

static void what_waits_is_counted_to_the_byte(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    size_t got = 0;
    send_pattern(&probe->link, &at, LARGE);
    for (int i = 0; i < 100; i++)
        send_pattern(&probe->link, &at, 100);
    turn_for(&probe->loop, 20);
    size_t waiting = link_waiting(&probe->link);
    assert_in_range(waiting, 1, at);
    uint64_t begun = uv_hrtime();
    while (got < at - waiting) { /* what the kernel took arrives without the loop's help */
        got += sent_to_peer(probe);
        assert_true(uv_hrtime() - begun < UINT64_C(10000000000));
    }
    assert_int_equal(got, at - waiting);
    assert_int_equal(link_waiting(&probe->link), waiting);
    probe_destroy(probe);
}

static void small_pieces_that_wait_share_their_memory(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    send_pattern(&probe->link, &at, LARGE);
    send_pattern(&probe->link, &at, 10);
    const struct link_piece *shared = probe->link.last;
    for (int i = 0; i < 1000; i++)
        send_pattern(&probe->link, &at, 10);
    assert_ptr_equal(probe->link.last, shared);
    probe_destroy(probe);
}

/* A link whose bytes go on to that of a probe. */
struct source {
    struct link link;
    struct probe *to;
    int peer;
    size_t came;
    bool is_closed;
};

static void pass_on(struct link *link, struct bytes bytes)
{
    struct source *source = CONTAINER_OF(link, struct source, link);
    source->came += bytes.size;
    link_send(&source->to->link, bytes);
}

static void on_source_closed(struct link *link)
{
    CONTAINER_OF(link, struct source, link)->is_closed = true;
}

static void source_open(struct source *source, struct probe *to)
{
    static const struct link_events events = { .on_bytes = pass_on, .on_closed = on_source_closed };
    int ends[2];
    peer_pair(ends);
    *source = (struct source){ .to = to, .peer = ends[1] };
    link_init(&source->link, &to->chunk, &events);
    assert_int_equal(link_open(&source->link, ends[0]), 0);
    link_read_start(&source->link);
}

static void source_close(struct source *source)
{
    link_close(&source->link);
    TURN_UNTIL(&source->to->loop, source->is_closed);
    (void)close(source->peer);
}

/* What the bytes that wait keep of memory; *blocks: of it in blocks of the ring, which may be kept twice. */
static size_t memory_kept(const struct link *link, size_t *blocks)
{
    enum { BLOCK = 16 * 1024 };
    size_t size = 0;
    *blocks = 0;
    for (const struct link_piece *piece = link->first; piece != NULL; piece = piece->next) {
        size += piece->block != NULL ? BLOCK : piece->capacity;
        *blocks += piece->block != NULL;
    }
    return size;
}

/* Each piece is read by itself, while the peer that they are for reads nothing. */
static size_t blocks_kept_of_pieces(size_t piece)
{
    uint8_t bytes[16 * 1024];
    struct source source;
    size_t at = 0;
    size_t blocks = 0;
    struct probe *probe = probe_create();
    source_open(&source, probe);
    while (link_waiting(&probe->link) == 0) {
        send_pattern(&probe->link, &at, 65536);
        turn_for(&probe->loop, 5);
    }
    size_t before = memory_kept(&probe->link, &blocks);
    for (size_t sent = 0; !probe->link.is_full;) {
        for (size_t i = 0; i < piece; i++)
            bytes[i] = pattern_at(at++);
        peer_send(&probe->loop, source.peer, bytes, piece);
        sent += piece;
        TURN_UNTIL(&probe->loop, source.came == sent);
    }
    assert_in_range(memory_kept(&probe->link, &blocks), LINK_HIGH_WATER, before + 2 * LINK_HIGH_WATER);
    read_pattern(probe, at);
    TURN_UNTIL(&probe->loop, probe->link.first == NULL);
    source_close(&source);
    probe_destroy(probe);
    return blocks;
}

static void small_reads_that_wait_do_not_keep_their_blocks(void **state)
{
    (void)state;
    assert_int_equal(blocks_kept_of_pieces(2100), 0);
    assert_int_equal(blocks_kept_of_pieces(8000), 0);
}

static void large_reads_that_wait_are_not_copied(void **state)
{
    (void)state;
    assert_in_range(blocks_kept_of_pieces(16 * 1024), is_io("uring") ? 4 : 0, is_io("uring") ? SIZE_MAX : 0);
}

static void a_link_is_full_above_high_water_until_it_is_below_low_water(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    while (link_waiting(&probe->link) == 0)
        send_pattern(&probe->link, &at, 65536);
    while (link_waiting(&probe->link) <= LINK_HIGH_WATER) {
        assert_false(probe->link.is_full);
        send_pattern(&probe->link, &at, 1000);
    }
    assert_true(probe->link.is_full);
    assert_true(link_waiting(&probe->link) <= LINK_HIGH_WATER + 1000);
    size_t got = 0;
    while (probe->drains == 0) {
        assert_true(probe->link.is_full);
        got += sent_to_peer(probe);
        loop_turn(&probe->loop);
    }
    TURN_UNTIL(&probe->loop, (got += sent_to_peer(probe)) == at);
    assert_int_equal(probe->drains, 1);
    probe_destroy(probe);
}

/* ── While the loop waits ──────────────────────────────────────────────────────────────────────────────────
 */

/* A peer that reads so many bytes, or to the end, and then ends its side. */
struct reading {
    int socket;
    size_t left;
};

static void read_and_end(void *argument)
{
    struct reading *reading = argument;
    uint8_t bytes[4096];
    ssize_t size = 1;
    (void)fcntl(reading->socket, F_SETFL, fcntl(reading->socket, F_GETFL) & ~O_NONBLOCK);
    while (size > 0 && reading->left > 0) {
        size = read(reading->socket, bytes, sizeof bytes);
        reading->left -= size > 0 ? (size_t)size : 0;
    }
    (void)shutdown(reading->socket, SHUT_WR);
}

static void wake_nobody(uv_async_t *handle)
{
    (void)handle;
}

static void close_at_end(struct link *link, int error)
{
    on_end(link, error);
    link_close(link);
    uv_close(link->keeper, NULL);
}

static void end_when_drained(struct link *link)
{
    on_drained(link);
    link_shutdown(link);
}

/* A link whose socket takes much at once. */
static struct probe *probe_create_roomy(const struct link_events *events, uv_async_t *keeper)
{
    static const int room = 4 * 1024 * 1024;
    struct probe *probe = probe_create_unix();
    (void)setsockopt(lane_socket(&probe->link), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    probe->link.events = events;
    probe->link.keeper = keeper;
    assert_int_equal(uv_async_init(&probe->loop, keeper, wake_nobody), 0); /* or the loop does not wait */
    loop_turn(&probe->loop); /* so that it has nothing to do by itself */
    link_read_start(&probe->link);
    return probe;
}

/* Runs the loop as a worker does, where nothing but the peer wakes it, until the peer has read so much. */
static void run_until_read(struct probe *probe, size_t size)
{
    struct reading reading = { .socket = probe->peer, .left = size };
    uv_thread_t reader;
    assert_int_equal(uv_thread_create(&reader, read_and_end, &reading), 0);
    (void)alarm(PATIENCE_MS / 1000); /* the end of this program, if it waits for good */
    loop_run(&probe->loop, NULL, NULL);
    (void)alarm(0);
    (void)uv_thread_join(&reader);
    assert_int_equal(probe->ends, 1);
}

static const struct link_events waiting_events = {
    .on_bytes = on_bytes,
    .on_end = close_at_end,
    .on_drained = end_when_drained,
    .on_closed = on_closed,
};

static void an_end_behind_a_write_waits_for_nothing_else(void **state)
{
    (void)state;
    uv_async_t keeper;
    struct probe *probe = probe_create_roomy(&waiting_events, &keeper);
    size_t at = 0;
    send_pattern(&probe->link, &at, 1000);
    link_shutdown(&probe->link);
    run_until_read(probe, SIZE_MAX);
    probe_destroy(probe);
}

static void pieces_behind_a_write_wait_for_nothing_else(void **state)
{
    (void)state;
    uv_async_t keeper;
    struct probe *probe = probe_create_roomy(&waiting_events, &keeper);
    size_t at = 0;
    for (unsigned i = 0; i < 20; i++) /* one write takes 16 */
        send_pattern(&probe->link, &at, 10000);
    assert_false(probe->link.is_full);
    run_until_read(probe, at);
    probe_destroy(probe);
}

static void who_is_held_up_by_a_write_waits_for_nothing_else(void **state)
{
    (void)state;
    uv_async_t keeper;
    struct probe *probe = probe_create_roomy(&waiting_events, &keeper);
    size_t at = 0;
    while (at <= LINK_HIGH_WATER)
        send_pattern(&probe->link, &at, 20000);
    if (!probe->link.is_full) /* the kernel has taken it: the other lane */
        link_shutdown(&probe->link);
    run_until_read(probe, SIZE_MAX);
    probe_destroy(probe);
}

/* As when the limit of descriptors was raised behind the start. */
static void a_socket_that_the_ring_has_no_place_for_is_served_too(void **state)
{
    (void)state;
    struct rlimit limit;
    struct rlimit low;
    int ends[2];
    size_t at = 0;
    peer_pair(ends);
    int high = fcntl(ends[0], F_DUPFD_CLOEXEC, 100);
    assert_true(high >= 100);
    (void)close(ends[0]);
    ends[0] = high;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){ .rlim_cur = 64, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct probe *probe = probe_over(ends);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(!is_io("uring") || !probe->link.socket.ring.is_known);
    link_read_start(&probe->link);
    send_pattern(&probe->link, &at, 30000);
    read_pattern(probe, at);
    assert_int_equal(send(probe->peer, "abc", 3, 0), 3);
    TURN_UNTIL(&probe->loop, probe->size == 3);
    assert_memory_equal(probe->bytes, "abc", 3);
    probe_destroy(probe);
}

static void what_is_closed_is_closed_for_the_peer_too(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    uint8_t byte;
    size_t at = 0;
    send_pattern(&probe->link, &at, 1);
    link_read_start(&probe->link);
    peer_read(&probe->loop, probe->peer, &byte, 1);
    link_close(&probe->link);
    TURN_UNTIL(&probe->loop, probe->closings > 0);
    (void)fcntl(probe->peer, F_SETFL, fcntl(probe->peer, F_GETFL) & ~O_NONBLOCK);
    (void)alarm(PATIENCE_MS / 1000);
    assert_true(recv(probe->peer, &byte, 1, 0) <= 0);
    (void)alarm(0);
    probe_destroy(probe);
}

static void our_side_ends_after_what_waits_and_reading_goes_on(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    link_read_start(&probe->link);
    send_pattern(&probe->link, &at, LARGE);
    link_shutdown(&probe->link);
    read_pattern(probe, at);
    TURN_UNTIL(&probe->loop, peer_is_at_end(probe->peer));
    peer_send(&probe->loop, probe->peer, "still here", 10);
    TURN_UNTIL(&probe->loop, probe->size == 10);
    link_send(&probe->link, bytes_text("too late"));
    assert_int_equal(link_waiting(&probe->link), 0);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->failures, 0);
    probe_destroy(probe);
}

static void the_peers_end_is_told_once_and_writing_goes_on(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    char got[6];
    link_read_start(&probe->link);
    peer_send(&probe->loop, probe->peer, "bye", 3);
    assert_int_equal(shutdown(probe->peer, SHUT_WR), 0);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    assert_int_equal(probe->size, 3);
    assert_true(probe->link.has_ended);
    link_read_start(&probe->link);
    link_send(&probe->link, bytes_text("answer"));
    peer_read(&probe->loop, probe->peer, got, sizeof got);
    assert_memory_equal(got, "answer", 6);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->ends, 1);
    assert_int_equal(probe->failures, 0);
    probe_destroy(probe);
}

static void a_reset_is_told_once(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    link_read_start(&probe->link);
    peer_reset(probe->peer);
    probe->peer = -1;
    TURN_UNTIL(&probe->loop, probe->failures > 0);
    assert_int_equal(probe->last_error, UV_ECONNRESET);
    link_send(&probe->link, bytes_text("into the void"));
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->failures, 1);
    assert_int_equal(probe->ends, 0);
    probe_destroy(probe);
}

static void a_failed_write_is_told_from_the_loop_even_if_nobody_reads(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    peer_reset(probe->peer);
    probe->peer = -1;
    for (int i = 0; i < 3; i++)
        link_send(&probe->link, bytes_text("into the void"));
    assert_int_equal(probe->failures, 0);
    TURN_UNTIL(&probe->loop, probe->failures > 0);
    assert_int_equal(probe->last_error, UV_ECONNRESET);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->failures, 1);
    assert_int_equal(probe->ends, 0);
    probe_destroy(probe);
}

static void a_failed_write_is_told_after_the_peers_end(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    link_read_start(&probe->link);
    assert_int_equal(shutdown(probe->peer, SHUT_WR), 0);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    peer_reset(probe->peer);
    probe->peer = -1;
    link_send(&probe->link, bytes_text("into the void"));
    TURN_UNTIL(&probe->loop, probe->failures > 0);
    assert_int_equal(probe->ends, 1);
    assert_int_equal(probe->failures, 1);
    probe_destroy(probe);
}

static void a_failure_of_what_waits_is_told_once(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    send_pattern(&probe->link, &at, LARGE);
    send_pattern(&probe->link, &at, 100);
    send_pattern(&probe->link, &at, LARGE);
    peer_reset(probe->peer);
    probe->peer = -1;
    TURN_UNTIL(&probe->loop, probe->failures > 0);
    turn_for(&probe->loop, 20);
    assert_int_equal(probe->failures, 1);
    link_close_flushed(&probe->link);
    assert_true(probe->link.is_closing);
    probe_destroy(probe);
}

static void closing_with_data_pending_drops_it_and_says_nothing_more(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    link_read_start(&probe->link);
    send_pattern(&probe->link, &at, LARGE);
    send_pattern(&probe->link, &at, 100);
    peer_send(&probe->loop, probe->peer, "x", 1);
    size_t before = probe->size;
    link_close(&probe->link);
    link_close(&probe->link);
    link_send(&probe->link, bytes_text("too late"));
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_int_equal(probe->size, before);
    assert_int_equal(probe->ends + probe->failures + probe->drains, 0);
    probe_destroy(probe);
}

static void a_flushed_close_writes_everything_first(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    send_pattern(&probe->link, &at, LARGE);
    link_close_flushed(&probe->link);
    link_close_flushed(&probe->link);
    read_pattern(probe, at);
    TURN_UNTIL(&probe->loop, peer_is_at_end(probe->peer));
    assert_int_equal(probe->closings, 0);
    (void)close(probe->peer);
    probe->peer = -1;
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_int_equal(probe->ends + probe->failures + probe->drains, 0);
    probe_destroy(probe);
}

static void what_was_written_is_not_lost_to_unread_bytes(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    char got[8];
    peer_send(&probe->loop, probe->peer, "nobody will read this", 21);
    link_send(&probe->link, bytes_text("farewell"));
    link_close_flushed(&probe->link);
    peer_send(&probe->loop, probe->peer, "nor this", 8);
    turn_for(&probe->loop, 20);
    peer_read(&probe->loop, probe->peer, got, sizeof got);
    assert_memory_equal(got, "farewell", 8);
    assert_true(peer_is_at_end(probe->peer));
    assert_int_equal(probe->size, 0);
    probe_destroy(probe);
}

static void a_flushed_close_is_immediate_when_all_is_said(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    link_read_start(&probe->link);
    (void)close(probe->peer);
    probe->peer = -1;
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    link_close_flushed(&probe->link);
    assert_true(probe->link.is_closing);
    probe_destroy(probe);
}

static void a_flushed_close_ends_when_the_peer_ended_before_and_all_is_written(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    link_read_start(&probe->link);
    assert_int_equal(shutdown(probe->peer, SHUT_WR), 0);
    TURN_UNTIL(&probe->loop, probe->ends == 1);
    send_pattern(&probe->link, &at, LARGE);
    link_close_flushed(&probe->link);
    uint64_t begun = uv_hrtime();
    read_pattern(probe, at);
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    assert_true(uv_hrtime() - begun < (uint64_t)LINK_STALL_MS * 1000000 / 2);
    probe_destroy(probe);
}

static void a_flushed_close_gives_up_on_a_peer_that_takes_nothing(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    size_t at = 0;
    send_pattern(&probe->link, &at, LARGE);
    link_close_flushed(&probe->link);
    turn_for(&probe->loop, 100);
    assert_int_equal(probe->closings, 0);
    TURN_UNTIL(&probe->loop, probe->closings == 1);
    probe_destroy(probe);
}

static void the_peers_address_is_known(void **state)
{
    (void)state;
    struct probe *probe = probe_create();
    struct address peer;
    struct endpoint expected = { .size = sizeof expected.storage };
    assert_int_equal(getsockname(probe->peer, (struct sockaddr *)&expected.storage, &expected.size), 0);
    link_peer(&probe->link, &peer);
    struct endpoint known;
    assert_true(endpoint_of(&peer, &known));
    assert_int_equal(known.size, expected.size);
    assert_memory_equal(&known.storage, &expected.storage, known.size);
    probe_destroy(probe);
    probe = probe_create_unix();
    link_peer(&probe->link, &peer);
    assert_int_equal(peer.family, ADDRESS_UNIX);
    probe_destroy(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_is_read_into_the_shared_chunk),
        cmocka_unit_test(a_link_that_stopped_reading_leaves_the_bytes_in_the_kernel),
        cmocka_unit_test(what_comes_in_a_pause_does_not_keep_the_loop_busy),
        cmocka_unit_test(a_small_write_goes_out_at_once_and_leaves_nothing_waiting),
        cmocka_unit_test(a_ring_writes_to_servers_before_others),
        cmocka_unit_test(order_is_kept_over_tcp),
        cmocka_unit_test(order_is_kept_over_unix_sockets),
        cmocka_unit_test(what_waits_is_counted_to_the_byte),
        cmocka_unit_test(small_pieces_that_wait_share_their_memory),
        cmocka_unit_test(small_reads_that_wait_do_not_keep_their_blocks),
        cmocka_unit_test(large_reads_that_wait_are_not_copied),
        cmocka_unit_test(a_link_is_full_above_high_water_until_it_is_below_low_water),
        cmocka_unit_test(an_end_behind_a_write_waits_for_nothing_else),
        cmocka_unit_test(pieces_behind_a_write_wait_for_nothing_else),
        cmocka_unit_test(who_is_held_up_by_a_write_waits_for_nothing_else),
        cmocka_unit_test(a_socket_that_the_ring_has_no_place_for_is_served_too),
        cmocka_unit_test(what_is_closed_is_closed_for_the_peer_too),
        cmocka_unit_test(our_side_ends_after_what_waits_and_reading_goes_on),
        cmocka_unit_test(the_peers_end_is_told_once_and_writing_goes_on),
        cmocka_unit_test(a_reset_is_told_once),
        cmocka_unit_test(a_failed_write_is_told_from_the_loop_even_if_nobody_reads),
        cmocka_unit_test(a_failed_write_is_told_after_the_peers_end),
        cmocka_unit_test(a_failure_of_what_waits_is_told_once),
        cmocka_unit_test(closing_with_data_pending_drops_it_and_says_nothing_more),
        cmocka_unit_test(a_flushed_close_writes_everything_first),
        cmocka_unit_test(what_was_written_is_not_lost_to_unread_bytes),
        cmocka_unit_test(a_flushed_close_is_immediate_when_all_is_said),
        cmocka_unit_test(a_flushed_close_ends_when_the_peer_ended_before_and_all_is_written),
        cmocka_unit_test(a_flushed_close_gives_up_on_a_peer_that_takes_nothing),
        cmocka_unit_test(the_peers_address_is_known),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
