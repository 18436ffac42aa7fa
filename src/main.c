/* SPDX-License-Identifier: PostgreSQL */
#include "app/command_line.h"

int main(int argument_count, char **arguments)
{
    return command_line_run(argument_count, arguments);
}
