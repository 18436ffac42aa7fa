/* SPDX-License-Identifier: PostgreSQL */
#include "base/attributes.h"
#include "observe/tail.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_close(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-8 * fmax(1, fabs(wanted)))
        print_error("%.17g is not %.17g\n", found, wanted);
    assert_true(fabs(found - wanted) <= 1e-8 * fmax(1, fabs(wanted)));
}

/* Sums of 40 digits, in another program. */
static void tails_of_poisson_are_the_known_ones(void **state)
{
    static const struct {
        uint64_t count;
        double mean;
        double wanted;
    } known[] = {
        { 0, 7, 0 },
        { 1, 1, -0.45867514538708189 },
        { 5, 0.01, -27.821675013441001 },
        { 10, 10, -0.61235960785375469 },
        { 3, 10, -0.0027732375865730182 },
        { 47, 15, -24.153703716016905 },
        { 1100, 1000, -6.9458410143652124 },
        { 900, 1000, -0.00062279167875856679 },
        { 1000000, 990000, -53.567042465432428 },
        { 300, 1, -1415.9025221917655 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_close(tail_poisson(known[i].count, known[i].mean), known[i].wanted);
}

static void tails_of_the_negative_binomial_are_the_known_ones(void **state)
{
    static const struct {
        uint64_t count;
        double mean;
        double shape;
        double wanted;
    } known[] = {
        { 0, 7, 2, 0 },
        { 1, 1, 1, -0.69314718055994531 },
        { 5, 0.01, 0.1, -15.628852167179854 },
        { 10, 10, 2, -0.84238631492782003 },
        { 3, 10, 2, -0.1414995622736995 },
        { 200, 10, 2, -32.928194659229399 },
        { 5000, 1000, 2, -7.5939342415746868 },
        { 6, 2.5e-4, 8e-4, -17.301953105917557 },
        { 1100, 1000, 1e6, -6.9404734016713011 },
        { 20, 5, 1e8, -14.879101461806722 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_close(tail_negative_binomial(known[i].count, known[i].mean, known[i].shape), known[i].wanted);
}

static void of_a_mean_of_nothing_nothing_is_possible(void **state)
{
    (void)state;
    assert_true(tail_poisson(0, 0) == 0);
    assert_true(isinf(tail_poisson(1, 0)));
    assert_true(isinf(tail_negative_binomial(1, 0, 3)));
}

static void an_infinite_shape_is_poisson(void **state)
{
    (void)state;
    assert_true(tail_negative_binomial(20, 5, INFINITY) == tail_poisson(20, 5));
    assert_close(tail_negative_binomial(20, 5, 1e13), tail_poisson(20, 5));
}

static void more_is_never_more_probable(void **state)
{
    (void)state;
    for (double mean = 0.01; mean < 2000; mean *= 3) {
        for (double shape = 0.01; shape < 1e12; shape *= 50) {
            double before = 0;
            for (uint64_t count = 1; count < 3000; count += 1 + count / 7) {
                double now = tail_negative_binomial(count, mean, shape);
                assert_true(now <= before + 1e-9);
                before = now;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_of_poisson_are_the_known_ones),
        cmocka_unit_test(tails_of_the_negative_binomial_are_the_known_ones),
        cmocka_unit_test(of_a_mean_of_nothing_nothing_is_possible),
        cmocka_unit_test(an_infinite_shape_is_poisson),
        cmocka_unit_test(more_is_never_more_probable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
