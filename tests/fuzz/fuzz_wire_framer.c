/* SPDX-License-Identifier: PostgreSQL */
/* The first byte chooses the side, the second a distance between cuts; the rest is the stream. However it is
 * cut, the framer finds the same messages, and what it gives out is the stream itself. */
#include "wire/framer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* What a stream was framed into. */
struct outcome {
    struct bytes stream; /* what of it is still to be given out */
    uint64_t message_count;
    uint64_t digest; /* of types and sizes */
    uint32_t body_left;
    enum framer_result result;
};

static void check_given_out(struct outcome *outcome, struct bytes bytes)
{
    check(bytes.size <= outcome->stream.size);
    check(bytes_equal(bytes, bytes_take(&outcome->stream, bytes.size)));
}

static void take_fragment(struct outcome *outcome, const struct fragment *fragment)
{
    if (fragment->is_first) {
        check(outcome->body_left == 0 && fragment->header.size == MESSAGE_HEADER_SIZE);
        check(fragment->body_size + MESSAGE_LENGTH_SIZE >= fragment->form->least);
        check(fragment->body_size + MESSAGE_LENGTH_SIZE <= fragment->form->most);
        outcome->message_count++;
        outcome->digest = outcome->digest * 31 + fragment->type + ((uint64_t)fragment->body_size << 8);
        outcome->body_left = fragment->body_size;
    }
    check(fragment->is_first == (fragment->header.size > 0));
    check_given_out(outcome, fragment->header);
    check_given_out(outcome, fragment->body);
    check(fragment->body.size <= outcome->body_left);
    outcome->body_left -= (uint32_t)fragment->body.size;
    check(fragment->is_last == (outcome->body_left == 0));
}

static struct outcome frame(enum side from, struct bytes stream, size_t step)
{
    struct outcome outcome = { .stream = stream };
    struct framer framer;
    struct fragment fragment;
    framer_init(&framer, from);
    do {
        struct bytes piece = bytes_take(&stream, stream.size < step ? stream.size : step);
        while ((outcome.result = framer_next(&framer, &piece, &fragment)) == FRAMER_FRAGMENT)
            take_fragment(&outcome, &fragment);
        check(outcome.result != FRAMER_STARVED || piece.size == 0);
    } while (stream.size > 0 && outcome.result == FRAMER_STARVED);
    check(outcome.result == FRAMER_STARVED || framer.type == framer.header[0]);
    check(framer.is_inside == (outcome.body_left > 0));
    check_given_out(&outcome, bytes_of(framer.header, framer.header_size));
    check(outcome.result != FRAMER_STARVED || outcome.stream.size == 0);
    return outcome;
}

static void check_same(const struct outcome *one, const struct outcome *other)
{
    check(one->message_count == other->message_count && one->digest == other->digest);
    check(one->result == other->result && one->body_left == other->body_left);
    check(one->stream.size == other->stream.size);
}

/* A run is whole messages that pass, and as long as it can be; what lies whole behind it comes with it. */
static void check_run(enum side from, struct bytes stream)
{
    struct framer framer;
    struct fragment fragment;
    framer_init(&framer, from);
    struct bytes next;
    struct bytes run = framer_run(&framer, &stream, &next);
    while (framer_next(&framer, &run, &fragment) == FRAMER_FRAGMENT)
        check(fragment.is_first && fragment.is_last && fragment.form->disposition == DISPOSITION_PASS);
    check(run.size == 0 && framer.header_size == 0);
    if (next.size > 0) {
        check(framer_next(&framer, &next, &fragment) == FRAMER_FRAGMENT && next.size == 0);
        check(fragment.is_last && fragment.form->disposition != DISPOSITION_PASS);
    } else {
        check(framer_next(&framer, &stream, &fragment) != FRAMER_FRAGMENT || !fragment.is_last);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum side from = data[0] % 2 == 0 ? SIDE_CLIENT : SIDE_SERVER;
    struct bytes stream = bytes_of(data + 2, size - 2);
    struct outcome uncut = frame(from, stream, SIZE_MAX);
    struct outcome bytewise = frame(from, stream, 1);
    struct outcome cut = frame(from, stream, (size_t)data[1] + 1);
    check_same(&uncut, &bytewise);
    check_same(&uncut, &cut);
    check_run(from, stream);
    return 0;
}
