/* SPDX-License-Identifier: PostgreSQL */
/* Conversations through the session: those of tests/vectors, cut in every way, and those that need a word in
 * between. */
#include "stage/stage.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ── The vectors ───────────────────────────────────────────────────────────────────────────────────────────
 */

static void play_cut(const struct vector *vector, const char *path, const struct stage_cuts *cuts)
{
    static const struct stage_plan plan = { .mode = GUARD_ENFORCE, .allow = LEVEL_NONE };
    struct stage *stage = malloc(sizeof(*stage));
    assert_non_null(stage);
    stage_open(stage, &plan);
    stage_play(stage, vector, cuts, path);
    stage_close(stage);
    free(stage);
}

static void play_every_pair(const struct vector *vector, const char *path)
{
    for (size_t step = 0; step < vector->count; step++) {
        size_t size = vector->steps[step].bytes.size;
        if (vector->steps[step].kind != VECTOR_SENDS || size > 200)
            continue;
        for (size_t first = 0; first <= size; first++)
            for (size_t second = first; second <= size; second += 1 + size / 40)
                play_cut(vector, path, &(struct stage_cuts){ CUT_PAIR, step, first, second });
    }
}

static void every_conversation_goes_as_it_says_however_it_is_cut(void **state)
{
    glob_t found;
    (void)state;
    assert_int_equal(glob(TESTS_FOLDER "/vectors/*.wire", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 15);
    for (size_t index = 0; index < found.gl_pathc; index++) {
        struct vector *vector = malloc(sizeof(*vector));
        struct problems *problems = malloc(sizeof(*problems));
        assert_non_null(vector);
        assert_non_null(problems);
        problems_init(problems);
        assert_true(vector_load(vector, found.gl_pathv[index], problems));
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_STEPS });
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_MERGED });
        play_cut(vector, found.gl_pathv[index], &(struct stage_cuts){ .cut = CUT_BYTES });
        play_every_pair(vector, found.gl_pathv[index]);
        vector_release(vector);
        free(vector);
        free(problems);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_goes_as_it_says_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
