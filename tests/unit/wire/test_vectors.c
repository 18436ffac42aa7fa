/* SPDX-License-Identifier: PostgreSQL */
/* Every conversation of tests/vectors, through the framer and the preamble reader. */
#include "vectors/vector.h"
#include "wire/framer.h"
#include "wire/preamble.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CONVERSATIONS_LEAST = 15 };

struct framed {
    size_t messages;
    size_t bytes;
};

static struct framed frame(enum side from, struct bytes stream, size_t first_cut, size_t piece_size)
{
    struct framed framed = { 0, 0 };
    struct framer framer;
    struct fragment fragment;
    size_t size = first_cut;
    framer_init(&framer, from);
    while (stream.size > 0) {
        struct bytes piece = bytes_take(&stream, size < stream.size ? size : stream.size);
        enum framer_result result;
        while ((result = framer_next(&framer, &piece, &fragment)) == FRAMER_FRAGMENT) {
            framed.messages += fragment.is_last;
            framed.bytes += fragment.header.size + fragment.body.size;
        }
        assert_int_equal(result, FRAMER_STARVED);
        size = piece_size;
    }
    assert_false(framer.is_inside);
    return framed;
}

static void expect_framed(enum side from, struct bytes stream, size_t count)
{
    for (size_t cut = 0; cut <= stream.size; cut++) {
        struct framed framed = frame(from, stream, cut, stream.size);
        assert_int_equal(framed.messages, count);
        assert_int_equal(framed.bytes, stream.size);
    }
    assert_int_equal(frame(from, stream, 1, 1).messages, count);
}

static void expect_sides_framed(const struct vector *vector)
{
    for (int side = 0; side < 2; side++) {
        struct buffer stream;
        buffer_init(&stream, VECTOR_BYTES_MOST);
        size_t count = vector_collect(vector, (enum side)side, &stream);
        expect_framed((enum side)side, buffer_bytes(&stream), count);
        buffer_release(&stream);
    }
}

static void expect_preambles_read(const struct vector *vector)
{
    for (size_t i = 0; i < vector->count; i++) {
        struct preamble preamble;
        const struct vector_step *step = &vector->steps[i];
        if (!step->is_preamble)
            continue;
        assert_int_equal(preamble_read(step->bytes, &preamble), PREAMBLE_READY);
        assert_int_equal(preamble.size, step->bytes.size);
    }
}

static void every_conversation_is_framed_as_written(void **state)
{
    (void)state;
    static struct vector vector;
    static struct problems problems;
    glob_t files;
    problems_init(&problems);
    assert_int_equal(glob(TESTS_FOLDER "/vectors/*.wire", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= CONVERSATIONS_LEAST);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        if (!vector_load(&vector, files.gl_pathv[i], &problems))
            fail_msg("%s:%u: %s", files.gl_pathv[i], problems.kept[0].line, problems.kept[0].text);
        expect_sides_framed(&vector);
        expect_preambles_read(&vector);
        vector_release(&vector);
    }
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_is_framed_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
