/* SPDX-License-Identifier: PostgreSQL */
#include "observe/tail.h"

#include <assert.h>
#include <math.h>

/* Beyond it the distributions agree, while the difference of two logarithms of the gamma function loses what
 * they differ in. */
static const double shape_of_poisson = 1e9;
/* A term this small in relation to the sum ends it. */
static const double negligible = 1e-13;

/* The probabilities of neighbouring counts have a ratio that is simple: P(n + 1) / P(n) = (a + b n) / (n +
 * 1). For Poisson a is the mean and b is 0; for the negative binomial with q = mean / (mean + shape), a is
 * shape * q and b is q. */
struct ratio {
    double a;
    double b;
};

static double ratio_up(const struct ratio *ratio, double n)
{
    return (ratio->a + ratio->b * n) / (n + 1);
}

/* lgamma would write to a global. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* P(X >= n) / P(X = n), where n is not below the mean: the terms only fall. */
static double sum_up(const struct ratio *ratio, double n)
{
    double sum = 1;
    for (double term = 1; term > negligible * sum; n++) {
        term *= ratio_up(ratio, n);
        sum += term;
    }
    return sum;
}

/* P(X <= n) / P(X = n), where n is below the mean. */
static double sum_down(const struct ratio *ratio, double n)
{
    double sum = 1;
    double term = 1;
    for (; n > 0 && term > negligible * sum; n--) {
        term /= ratio_up(ratio, n - 1);
        sum += term;
    }
    return sum;
}

static double log_tail(double count, double mean, double log_first, double log_before, struct ratio ratio)
{
    if (count >= mean)
        return fmin(0, log_first + log(sum_up(&ratio, count)));
    double below = exp(log_before) * sum_down(&ratio, count - 1);
    return below < 1 ? log1p(-below) : -INFINITY;
}

static double log_poisson(double count, double mean)
{
    return count * log(mean) - mean - log_gamma(count + 1);
}

double tail_poisson(uint64_t count, double mean)
{
    double n = (double)count;
    assert(mean >= 0);
    if (count == 0)
        return 0;
    if (mean <= 0)
        return -INFINITY;
    return log_tail(n, mean, log_poisson(n, mean), log_poisson(n - 1, mean), (struct ratio){ mean, 0 });
}

static double log_negative_binomial(double count, double mean, double shape)
{
    return log_gamma(count + shape) - log_gamma(shape) - log_gamma(count + 1) - shape * log1p(mean / shape) -
           count * log1p(shape / mean);
}

double tail_negative_binomial(uint64_t count, double mean, double shape)
{
    double n = (double)count;
    assert(shape > 0);
    if (shape >= shape_of_poisson || count == 0 || mean <= 0)
        return tail_poisson(count, mean);
    double q = mean / (mean + shape);
    return log_tail(n, mean, log_negative_binomial(n, mean, shape), log_negative_binomial(n - 1, mean, shape),
                    (struct ratio){ shape * q, q });
}
