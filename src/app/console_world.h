/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_CONSOLE_WORLD_H
#define APP_CONSOLE_WORLD_H

#include "app/sluice.h"

/* The world as the console is to show it: what a command needs is gathered for it and lasts while it is used.
 */

typedef void (*world_use)(void *context, const struct console_world *world);

struct world_gathering {
    struct sluice *sluice;
    world_use use;
    void *context;
};

/* What there is of it without gathering. */
struct console_world console_world_now(struct sluice *sluice);
/* Gathers also what a command needs and has it used. */
void console_world_gather(const struct world_gathering *gathering, enum command_needs needs);

#endif
