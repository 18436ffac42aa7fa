/* SPDX-License-Identifier: PostgreSQL */
#include "control/inbox.h"

void inbox_init(struct inbox *inbox)
{
    *inbox = (struct inbox){ 0 };
    framer_init(&inbox->framer, SIDE_CLIENT);
    buffer_init(&inbox->body, 0);
}

void inbox_release(struct inbox *inbox)
{
    buffer_release(&inbox->body);
}

static enum inbox_result failure_of(enum framer_result result)
{
    switch (result) {
    case FRAMER_UNKNOWN_TYPE:
        return INBOX_UNKNOWN_TYPE;
    case FRAMER_BAD_LENGTH:
        return INBOX_BAD_LENGTH;
    case FRAMER_FRAGMENT:
    case FRAMER_STARVED:
        break;
    }
    return INBOX_STARVED;
}

/* Whether the message is whole; then *out holds it. */
static bool gather(struct inbox *inbox, const struct fragment *fragment, struct inbox_message *out)
{
    bool is_uncut = fragment->is_first && fragment->is_last;
    if (fragment->is_first)
        buffer_clear(&inbox->body);
    if (!is_uncut && !inbox->is_too_long)
        buffer_append(&inbox->body, fragment->body);
    *out = (struct inbox_message){ fragment->type, is_uncut ? fragment->body : buffer_bytes(&inbox->body) };
    return fragment->is_last;
}

enum inbox_result inbox_next(struct inbox *inbox, struct bytes *input, size_t most, struct inbox_message *out)
{
    struct fragment fragment;
    enum framer_result result;

    while ((result = framer_next(&inbox->framer, input, &fragment)) == FRAMER_FRAGMENT) {
        inbox->is_too_long = fragment.body_size > most;
        inbox->body.limit = most;
        if (!gather(inbox, &fragment, out))
            continue;
        if (inbox->is_too_long)
            return INBOX_TOO_LONG;
        return inbox->body.has_failed ? INBOX_NO_MEMORY : INBOX_MESSAGE;
    }
    return failure_of(result);
}
