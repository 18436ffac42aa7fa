/* SPDX-License-Identifier: PostgreSQL */
#include "test_byte_block.h"

int main(void)
{
    return run_byte_block_tests();
}
