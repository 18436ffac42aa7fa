/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_DEPLOY_JUDGE_H
#define OBSERVE_DEPLOY_JUDGE_H

#include "observe/deploys.h"

/* Of `deploys` only: how one service fares, before and after. */

/* When it is measured. Once the deploy has begun, the minute in which that was holds what came after it too:
 * of a newcomer, a service that had done nothing until then, all of it did; of others that minute says
 * nothing.
 */
enum deploy_moment { DEPLOY_BEGINS, DEPLOY_HAS_NEWCOMER, DEPLOY_GROWS };

/* Measures the hour before the deploy. */
void deploy_row_measure(struct deploy_row *row, const struct deploys *deploys, const struct deploy *deploy,
                        enum deploy_moment moment);
/* The minute of the row's latency is over. */
void deploy_row_end_minute(struct deploy_row *row, const struct deploys_settings *settings, int64_t minute);
void deploy_row_judge(struct deploy_row *row, const struct deploys *deploys, const struct deploy *deploy,
                      int64_t now_us);
bool deploy_is_hit(const struct deploy *deploy, const struct pulse_hit *hit);

#endif
