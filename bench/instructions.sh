#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Counts the instructions that a transaction of pgbench -S takes in the session core, and in the script that plays both
# sides of it, by mode. Unlike times they do not depend on what else the machine does; see bench/README.md.
#
# usage: bench/instructions.sh [--profile]
#
#   --profile    also where they are spent
#   BUILD=build/release   with bench_session
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build/release}
folder=$(mktemp -d /tmp/pgsluice-instructions.XXXXXX)
trap 'rm -rf "$folder"' EXIT

# count MODE TRANSACTIONS: all instructions, those of the script included.
count() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/$1.$2" \
        "$build/bench_session" "$1" "$2" 2>&1 | awk '/Collected/ { print $NF }'
}

for mode in simple extended prepared; do
    few=$(count "$mode" 1000)
    many=$(count "$mode" 2000)
    printf '%-10s %6d instructions a transaction\n' "$mode" $(((many - few) / 1000))
    [ "${1:-}" != --profile ] || callgrind_annotate "$folder/$mode.2000" |
        awk '/file:function/ { shown = 1 } shown && ++lines <= 42 { print substr($0, 1, 110) }'
done
