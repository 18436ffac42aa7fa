/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_FILL_H
#define CONFIG_FILL_H

#include "config/node.h"
#include "config/origin.h"

/* Fills the structure from the tree by the table, with defaults where the tree has nothing, and notes the
 * origin of every part. Each setting that is unknown, given twice, missing or wrong is an error; what could
 * not be read is as value_clear leaves it. All texts and lists lie in the store. */
void settings_fill(struct settings *settings, const struct node *root, struct origins *origins,
                   struct problems *problems);

#endif
