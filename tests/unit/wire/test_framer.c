/* SPDX-License-Identifier: PostgreSQL */
#include "base/buffer.h"
#include "wire/framer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRANSCRIPT_MESSAGES = 64, TRANSCRIPT_LIMIT = 1 << 16 };

/* What a framer made of a stream, whatever its fragments were. */
struct transcript {
    struct framer framer;
    struct buffer given_out; /* headers and bodies */
    size_t count;            /* of messages begun */
    size_t ended;            /* of messages whose last fragment came */
    uint8_t types[TRANSCRIPT_MESSAGES];
    uint32_t sizes[TRANSCRIPT_MESSAGES];
    enum framer_result result;
};

static void transcript_begin(struct transcript *transcript, enum side from)
{
    memset(transcript, 0, sizeof *transcript);
    framer_init(&transcript->framer, from);
    buffer_init(&transcript->given_out, TRANSCRIPT_LIMIT);
}

static void transcript_take(struct transcript *transcript, const struct fragment *fragment)
{
    assert_ptr_equal(fragment->form, message_form(transcript->framer.from, fragment->type));
    if (fragment->is_first) {
        assert_int_equal(transcript->count, transcript->ended);
        assert_int_equal(fragment->header.size, MESSAGE_HEADER_SIZE);
        transcript->types[transcript->count] = fragment->type;
        transcript->sizes[transcript->count++] = fragment->body_size;
    } else {
        assert_int_equal(fragment->header.size, 0);
        assert_true(fragment->body.size > 0);
    }
    assert_int_equal(fragment->type, transcript->types[transcript->count - 1]);
    assert_int_equal(fragment->body_size, transcript->sizes[transcript->count - 1]);
    buffer_append(&transcript->given_out, fragment->header);
    buffer_append(&transcript->given_out, fragment->body);
    transcript->ended += fragment->is_last;
}

/* Feeds a piece from a copy of just its size, so that a sanitizer sees any read beyond it. */
static void transcript_feed(struct transcript *transcript, struct bytes piece)
{
    struct fragment fragment;
    uint8_t *copy = calloc(piece.size > 0 ? piece.size : 1, 1);
    struct bytes input = bytes_of(copy, piece.size);
    if (piece.size > 0)
        memcpy(copy, piece.data, piece.size);
    while ((transcript->result = framer_next(&transcript->framer, &input, &fragment)) == FRAMER_FRAGMENT)
        transcript_take(transcript, &fragment);
    if (transcript->result == FRAMER_STARVED)
        assert_int_equal(input.size, 0);
    free(copy);
}

static void expect_same(const struct transcript *one, const struct transcript *other)
{
    assert_int_equal(one->result, other->result);
    assert_int_equal(one->count, other->count);
    assert_int_equal(one->ended, other->ended);
    assert_memory_equal(one->types, other->types, sizeof one->types);
    assert_memory_equal(one->sizes, other->sizes, sizeof one->sizes);
    assert_int_equal(one->framer.is_inside, other->framer.is_inside);
    assert_int_equal(one->framer.header_size, other->framer.header_size);
    assert_memory_equal(one->framer.header, other->framer.header, one->framer.header_size);
    assert_true(bytes_equal(buffer_bytes(&one->given_out), buffer_bytes(&other->given_out)));
}

static void frame_in_pieces(struct transcript *transcript, enum side from, struct bytes stream, size_t size)
{
    transcript_begin(transcript, from);
    do {
        transcript_feed(transcript, bytes_take(&stream, stream.size < size ? stream.size : size));
    } while (stream.size > 0);
}

static void frame_in_three(struct transcript *transcript, enum side from, struct bytes stream, size_t first,
                           size_t second)
{
    transcript_begin(transcript, from);
    transcript_feed(transcript, bytes_take(&stream, first));
    transcript_feed(transcript, bytes_take(&stream, second - first));
    transcript_feed(transcript, stream);
}

static void expect_any_split_alike(enum side from, struct bytes stream)
{
    struct transcript uncut, cut;
    frame_in_pieces(&uncut, from, stream, stream.size);
    frame_in_pieces(&cut, from, stream, 1);
    expect_same(&uncut, &cut);
    buffer_release(&cut.given_out);
    for (size_t first = 0; first <= stream.size; first++) {
        for (size_t second = first; second <= stream.size; second++) {
            frame_in_three(&cut, from, stream, first, second);
            expect_same(&uncut, &cut);
            buffer_release(&cut.given_out);
        }
    }
    buffer_release(&uncut.given_out);
}
#define EXPECT_ANY_SPLIT_ALIKE(from, literal)                                                                \
    expect_any_split_alike(from, bytes_of(literal, sizeof(literal) - 1))

static void any_split_gives_the_same_messages(void **state)
{
    (void)state;
    EXPECT_ANY_SPLIT_ALIKE(SIDE_CLIENT,
                           "P\0\0\0\x0fs\0select 1\0\0\0S\0\0\0\4d\0\0\0\7abcd\0\0\0\4X\0\0\0\4");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "1\0\0\0\4D\0\0\0\x0b\0\1\0\0\0\1xC\0\0\0\5\0Z\0\0\0\5I");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "n\0\0\0\4D\0\0\0\x09\0\1\0");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "n\0\0\0\4D\0\0");
}

static void any_split_gives_the_same_failure(void **state)
{
    (void)state;
    EXPECT_ANY_SPLIT_ALIKE(SIDE_CLIENT, "S\0\0\0\4z\0\0\0\4S\0\0\0\4");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_CLIENT, "S\0\0\0\4S\0\0\0\3S\0\0\0\4");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "n\0\0\0\4Z\0\0\0\6II");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "Ecould not fork new process\n\0");
    EXPECT_ANY_SPLIT_ALIKE(SIDE_SERVER, "n\0\0\0\4q");
}

/* One header, then a byte of body. */
static enum framer_result frame_length(enum side from, uint8_t type, uint32_t length, size_t piece_size)
{
    uint8_t bytes[] = {
        type, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length, '.'
    };
    struct framer framer;
    struct fragment fragment;
    enum framer_result result = FRAMER_STARVED;
    framer_init(&framer, from);
    for (size_t at = 0; at < sizeof bytes && result == FRAMER_STARVED; at += piece_size) {
        struct bytes input = bytes_of(bytes + at, piece_size);
        result = framer_next(&framer, &input, &fragment);
    }
    if (result == FRAMER_FRAGMENT)
        assert_int_equal(fragment.body_size, length - 4);
    else
        assert_int_equal(framer.type, type);
    return result;
}

static void expect_length(enum side from, uint8_t type, uint32_t length, enum framer_result expected)
{
    assert_int_equal(frame_length(from, type, length, 6), expected);
    assert_int_equal(frame_length(from, type, length, 1), expected);
}

static void expect_lengths_of(enum side from, uint8_t type, const struct message_form *form)
{
    static const uint32_t lies[] = { 0, 1, 2, 3, 0x7fffffff, 0x80000000, 0x80000004, 0xfffffffe, 0xffffffff };
    for (size_t i = 0; i < COUNT_OF(lies); i++)
        expect_length(from, type, lies[i], FRAMER_BAD_LENGTH);
    expect_length(from, type, form->least - 1, FRAMER_BAD_LENGTH);
    expect_length(from, type, form->least, FRAMER_FRAGMENT);
    expect_length(from, type, form->most, FRAMER_FRAGMENT);
    expect_length(from, type, form->most + 1, FRAMER_BAD_LENGTH);
}

static void a_lying_length_is_refused_in_every_message(void **state)
{
    (void)state;
    unsigned count = 0;
    for (int entry = 0; entry < 512; entry++) {
        enum side from = entry % 2 ? SIDE_SERVER : SIDE_CLIENT;
        const struct message_form *form = message_form(from, (uint8_t)(entry / 2));
        if (form == NULL)
            continue;
        expect_lengths_of(from, (uint8_t)(entry / 2), form);
        count++;
    }
    assert_int_equal(count, 14 + 24);
}

static void a_type_the_side_does_not_have_is_refused_at_once(void **state)
{
    (void)state;
    for (int entry = 0; entry < 512; entry++) {
        enum side from = entry % 2 ? SIDE_SERVER : SIDE_CLIENT;
        uint8_t type = (uint8_t)(entry / 2);
        struct transcript transcript;
        if (message_form(from, type) != NULL)
            continue;
        transcript_begin(&transcript, from);
        transcript_feed(&transcript, bytes_of(&type, 1));
        assert_int_equal(transcript.result, FRAMER_UNKNOWN_TYPE);
        assert_int_equal(transcript.framer.type, type);
        expect_length(from, type, 0, FRAMER_UNKNOWN_TYPE);
        expect_length(from, type, 4, FRAMER_UNKNOWN_TYPE);
    }
}

static void a_failure_is_for_good_and_takes_nothing_more(void **state)
{
    (void)state;
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of("Z\0\0\0\4n\0\0\0\4", 10);
    framer_init(&framer, SIDE_SERVER);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_BAD_LENGTH);
        assert_int_equal(input.size, 5);
    }
    assert_memory_equal(framer.header, "Z\0\0\0\4", 5);
    assert_int_equal(framer.header_size, 5);
}

static void a_whole_message_is_one_fragment_of_the_input(void **state)
{
    (void)state;
    static const uint8_t stream[] = "d\0\0\0\7abcS\0\0\0\4";
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of(stream, 13);
    framer_init(&framer, SIDE_CLIENT);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_true(fragment.is_first && fragment.is_last);
    assert_ptr_equal(fragment.header.data, stream);
    assert_ptr_equal(fragment.body.data, stream + 5);
    assert_int_equal(fragment.body.size, 3);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_ptr_equal(fragment.header.data, stream + 8);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_STARVED);
}

static void a_header_at_the_end_of_the_input_is_given_out(void **state)
{
    (void)state;
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of("Q\0\0\0\x09", 5);
    framer_init(&framer, SIDE_CLIENT);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_true(fragment.is_first && !fragment.is_last);
    assert_int_equal(fragment.body.size, 0);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_STARVED);
    assert_true(framer.is_inside);
}

static void a_cut_header_is_given_out_whole(void **state)
{
    (void)state;
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of("Q\0", 2);
    framer_init(&framer, SIDE_CLIENT);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_STARVED);
    assert_int_equal(framer.header_size, 2);
    input = bytes_of("\0\0\6x\0", 5);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_true(fragment.is_first && fragment.is_last);
    assert_memory_equal(fragment.header.data, "Q\0\0\0\6", 5);
    assert_memory_equal(fragment.body.data, "x\0", 2);
    assert_int_equal(framer.header_size, 0);
}

static void the_largest_body_is_counted_to_its_end(void **state)
{
    (void)state;
    enum { CHUNK = 1 << 20 };
    static const uint8_t chunk[CHUNK];
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of("D\x40\0\0\2", 5);
    uint32_t left = 0x40000002 - 4;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    while (left > 0) {
        input = bytes_of(chunk, CHUNK);
        assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
        assert_int_equal(fragment.body.size, left < CHUNK ? left : CHUNK);
        left -= (uint32_t)fragment.body.size;
        assert_int_equal(fragment.is_last, left == 0);
    }
    assert_int_equal(input.size, 2);
    assert_false(framer.is_inside);
}

static size_t run_size(const struct framer *framer, const void *stream, size_t size)
{
    struct bytes input = bytes_of(stream, size);
    struct bytes next;
    struct bytes run = framer_run(framer, &input, &next);
    assert_int_equal(run.size + next.size + input.size, size);
    if (run.size > 0)
        assert_ptr_equal(run.data, stream);
    if (next.size > 0)
        assert_ptr_equal(next.data, (const uint8_t *)stream + run.size);
    assert_ptr_equal(input.data, (const uint8_t *)stream + run.size + next.size);
    return run.size;
}
#define RUN_SIZE(framer, literal) run_size(framer, literal, sizeof(literal) - 1)

static void a_run_ends_before_what_is_looked_at(void **state)
{
    (void)state;
    struct framer framer;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(RUN_SIZE(&framer, "D\0\0\0\6\0\0d\0\0\0\4C\0\0\0\5\0"), 12);
    assert_int_equal(RUN_SIZE(&framer, "D\0\0\0\6\0\0d\0\0\0\4"), 12);
    assert_int_equal(RUN_SIZE(&framer, "Z\0\0\0\5Id\0\0\0\4"), 0);
    assert_int_equal(run_size(&framer, "", 0), 0);
}

static size_t size_behind_run(const struct framer *framer, const void *stream, size_t size)
{
    struct bytes input = bytes_of(stream, size);
    struct bytes next;
    (void)framer_run(framer, &input, &next);
    return next.size;
}
#define SIZE_BEHIND_RUN(framer, literal) size_behind_run(framer, literal, sizeof(literal) - 1)

static void what_is_looked_at_comes_with_the_run_when_it_lies_whole(void **state)
{
    (void)state;
    struct framer framer;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(SIZE_BEHIND_RUN(&framer, "d\0\0\0\4C\0\0\0\5\0Z\0\0\0\5I"), 6);
    assert_int_equal(SIZE_BEHIND_RUN(&framer, "Z\0\0\0\5I"), 6);
    assert_int_equal(SIZE_BEHIND_RUN(&framer, "Z\0\0\0\5"), 0);
    assert_int_equal(SIZE_BEHIND_RUN(&framer, "Z\0\0\0\3I"), 0);
    assert_int_equal(SIZE_BEHIND_RUN(&framer, "d\0\0\0\4"), 0);
}

static void a_run_ends_before_a_message_that_is_cut(void **state)
{
    (void)state;
    struct framer framer;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xd\0\0\0\6x"), 6);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xd\0\0\0"), 6);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\6x"), 0);
}

static void a_run_ends_before_what_framing_refuses(void **state)
{
    (void)state;
    struct framer framer;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xd\0\0\0\3x"), 6);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xd\xff\xff\xff\xffx"), 6);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xc\0\0\0\5x"), 6);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\5xq\0\0\0\0d\0\0\0\5x"), 6);
}

static void there_is_no_run_inside_a_message_or_header(void **state)
{
    (void)state;
    struct framer framer;
    struct fragment fragment;
    struct bytes input = bytes_of("d\0\0\0\x09", 5);
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\4d\0\0\0\4"), 0);
    input = bytes_of("xxxxxd\0", 7);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_FRAGMENT);
    assert_int_equal(framer_next(&framer, &input, &fragment), FRAMER_STARVED);
    assert_int_equal(RUN_SIZE(&framer, "d\0\0\0\4d\0\0\0\4"), 0);
}

static void no_input_is_no_harm(void **state)
{
    (void)state;
    struct framer framer;
    struct fragment fragment;
    struct bytes nothing = BYTES_NONE;
    framer_init(&framer, SIDE_SERVER);
    assert_int_equal(framer_next(&framer, &nothing, &fragment), FRAMER_STARVED);
    assert_false(framer.is_inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_gives_the_same_messages),
        cmocka_unit_test(any_split_gives_the_same_failure),
        cmocka_unit_test(a_lying_length_is_refused_in_every_message),
        cmocka_unit_test(a_type_the_side_does_not_have_is_refused_at_once),
        cmocka_unit_test(a_failure_is_for_good_and_takes_nothing_more),
        cmocka_unit_test(a_whole_message_is_one_fragment_of_the_input),
        cmocka_unit_test(a_header_at_the_end_of_the_input_is_given_out),
        cmocka_unit_test(a_cut_header_is_given_out_whole),
        cmocka_unit_test(the_largest_body_is_counted_to_its_end),
        cmocka_unit_test(a_run_ends_before_what_is_looked_at),
        cmocka_unit_test(what_is_looked_at_comes_with_the_run_when_it_lies_whole),
        cmocka_unit_test(a_run_ends_before_a_message_that_is_cut),
        cmocka_unit_test(a_run_ends_before_what_framing_refuses),
        cmocka_unit_test(there_is_no_run_inside_a_message_or_header),
        cmocka_unit_test(no_input_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
