/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_TAIL_H
#define OBSERVE_TAIL_H

#include <stdint.h>

/* How improbable counts are. All results are natural logarithms, so that what is far below the smallest
 * double still has an order; the relative error of the probability is below 1e-8 for counts up to a million.
 */

/* ln P(X >= count) for X of a Poisson distribution with `mean` >= 0 (of a mean of 0 only 0 is possible). */
double tail_poisson(uint64_t count, double mean);
/* ln P(X >= count) for X of a negative binomial distribution with `mean` >= 0 and `shape` > 0, the variance
 * of which is mean + mean * mean / shape. An infinite shape is the Poisson distribution. */
double tail_negative_binomial(uint64_t count, double mean, double shape);

#endif
