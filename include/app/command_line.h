/* SPDX-License-Identifier: PostgreSQL */
#ifndef APP_COMMAND_LINE_H
#define APP_COMMAND_LINE_H

/* The program: runs what the arguments say and returns its exit status: 0, 1 when it failed, 2 when the
 * arguments are wrong. */
int command_line_run(int argument_count, char **arguments);

#endif
