/* SPDX-License-Identifier: PostgreSQL */
/* The form for processors without the instructions. */
#define BYTE_BLOCK_PLAIN
#include "test_byte_block.h"

int main(void)
{
    return run_byte_block_tests();
}
