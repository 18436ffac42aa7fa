/* SPDX-License-Identifier: PostgreSQL */
#ifndef SESSION_OUTBOX_H
#define SESSION_OUTBOX_H

#include "base/buffer.h"
#include "wire/framer.h"

/* Bytes for one side. They point into the input or into a parcel. */
struct segment {
    enum side to;
    struct bytes bytes;
};

/* Bytes of our own on their way out, or a message gathered from pieces. */
struct parcel {
    struct parcel *next;
    struct buffer buffer;
};

/* NULL when memory is short. The buffer's limit is `limit` bytes. */
struct parcel *parcel_create(size_t limit);
void parcel_destroy(struct parcel *parcel);

enum { OUTBOX_SEGMENTS = 12, OUTBOX_RESERVE = 6 };

/* What one call of session_step has to send, in order. Bytes that follow each other in memory and go to the
 * same side become one segment: so an uncut chunk of messages that pass leaves as one write, uncopied. Empty
 * between feeds, so all sessions of a worker share one. */
struct outbox {
    struct segment segments[OUTBOX_SEGMENTS];
    uint8_t count;
    uint8_t sent;
    struct parcel *parcels;              /* freed once the outbox is empty */
    uint8_t header[MESSAGE_HEADER_SIZE]; /* a message header that came in two pieces */
};

void outbox_init(struct outbox *outbox);
/* Adds bytes that live as long as the input. Empty ones add nothing. */
static inline void outbox_pass(struct outbox *outbox, enum side to, struct bytes bytes)
{
    if (bytes.size == 0)
        return;
    struct segment *last = outbox->count > 0 ? &outbox->segments[outbox->count - 1] : NULL;
    if (last != NULL && last->to == to && last->bytes.data + last->bytes.size == bytes.data) {
        last->bytes.size += bytes.size;
        return;
    }
    outbox->segments[outbox->count++] = (struct segment){ to, bytes };
}

/* Adds the header of a fragment that has one. A header that came in two pieces lies in the framer, which will
 * reuse the place: it is copied (only the first message of a feed can have such a header). */
void outbox_pass_header(struct outbox *outbox, enum side to, const struct fragment *fragment);
/* Adds a parcel's bytes and takes the parcel over. */
void outbox_send(struct outbox *outbox, enum side to, struct parcel *parcel);
/* Empties it and frees all parcels. */
void outbox_clear(struct outbox *outbox);
/* Takes the next segment out; false when there is none, and then it is cleared. */
MUST_USE static inline bool outbox_take(struct outbox *outbox, struct segment *out)
{
    if (outbox->sent < outbox->count) {
        *out = outbox->segments[outbox->sent++];
        return true;
    }
    if (outbox->count > 0 || outbox->parcels != NULL)
        outbox_clear(outbox);
    return false;
}

/* Whether there is room for whatever one message may add. */
static inline bool outbox_has_room(const struct outbox *outbox)
{
    return outbox->count <= OUTBOX_SEGMENTS - OUTBOX_RESERVE;
}

#endif
