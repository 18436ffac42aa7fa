/* SPDX-License-Identifier: PostgreSQL */
#include "session/outbox.h"

#include <stdlib.h>

struct parcel *parcel_create(size_t limit)
{
    struct parcel *parcel = malloc(sizeof(*parcel));
    if (parcel != NULL) {
        parcel->next = NULL;
        buffer_init(&parcel->buffer, limit);
    }
    return parcel;
}

void parcel_destroy(struct parcel *parcel)
{
    if (parcel != NULL) {
        buffer_release(&parcel->buffer);
        free(parcel);
    }
}

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){ .parcels = NULL };
}

void outbox_pass_header(struct outbox *outbox, enum side to, const struct fragment *fragment)
{
    struct bytes header = fragment->header;
    if (header.size > 0 && header.data + header.size != fragment->body.data) {
        memcpy(outbox->header, header.data, header.size);
        header.data = outbox->header;
    }
    outbox_pass(outbox, to, header);
}

void outbox_send(struct outbox *outbox, enum side to, struct parcel *parcel)
{
    parcel->next = outbox->parcels;
    outbox->parcels = parcel;
    outbox_pass(outbox, to, buffer_bytes(&parcel->buffer));
}

void outbox_clear(struct outbox *outbox)
{
    outbox->sent = outbox->count = 0;
    while (outbox->parcels != NULL) {
        struct parcel *parcel = outbox->parcels;
        outbox->parcels = parcel->next;
        parcel_destroy(parcel);
    }
}
