/* SPDX-License-Identifier: PostgreSQL */
#ifndef BENCH_RELAY_URING_H
#define BENCH_RELAY_URING_H

#include <liburing.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

enum {
    ENTRIES = 4096,
    COMPLETIONS = 4 * ENTRIES,
    BACKLOG = 1024,
    SLOTS_MOST = 65536, /* sockets */
    PIECE_SIZE = 64 * 1024,
    PIECE_STRIDE = PIECE_SIZE + 192, /* not a power of two: else all beginnings would share a cache set */
    PIECES = 2048,
    OFFERED_LEAST = 4, /* pieces that the kernel may pick from; few, as it goes through all of them */
    OFFERED_MOST = 512,
    QUEUED_MOST = 4, /* pieces that wait for one socket before its other is read no more */
    TURNS_REVIEWED = 256,
    NO_PIECE = 0xffff,
    /* of <linux/io_uring.h>, which may be older */
    COMMAND_SETSOCKOPT = 3,
};

/* What a completion is about: the low bits of its user data, the rest is the end. */
enum matter { ACCEPTED, CONNECTED, RECEIVED, SENT, SENT_LATE, CANCELLED, UNHEEDED };

struct end {
    struct end *other;
    struct pair *pair;
    struct end *next_starving;
    struct end *next_sending;
    uint32_t slot;
    uint16_t first; /* pieces on their way to this socket */
    uint16_t last;
    uint16_t queued;
    bool is_receiving;
    bool is_starving;   /* waits for a piece to receive into */
    bool is_held;       /* has filled all pieces there were, and goes on when they are sent */
    bool is_pausing;    /* its receive is being cancelled */
    bool has_ended;     /* has said all it will say */
    bool has_come_back; /* its send, which had no room for all */
};

struct pair {
    struct end client;
    struct end server;
    unsigned pending; /* completions still to come */
    bool is_closing;
};

struct piece {
    uint32_t size;
    uint32_t sent;
    uint16_t next;
};

struct relay {
    struct io_uring ring;
    struct io_uring_buf_ring *offer;
    char *memory; /* of PIECES pieces */
    struct piece pieces[PIECES];
    uint16_t unused[PIECES]; /* a stack: what was used last is still in the cache */
    unsigned unused_count;
    unsigned offered;
    unsigned offered_most;
    unsigned offered_least; /* in the latest turns */
    unsigned turns;
    struct end *sending; /* whose send ends within the next io_uring_enter */
    unsigned expecting; /* what goes on only after such a send: second pieces, who is held, and ends after the
                           last piece */
    struct end *starving;
    uint32_t slots; /* of clients; that of a server is so much further */
    int listener;
    union {
        struct sockaddr any;
        struct sockaddr_in internet;
        struct sockaddr_un local;
    } target;
    socklen_t target_size;
};

/* Prepares all that relay_run needs. Negative: what failed, as errno has it. `target` is a port of 127.0.0.1
 * or the path of a Unix socket. */
int relay_open(struct relay *relay, const char *port, const char *target);

#endif
