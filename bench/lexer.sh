#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# How fast SQL is read, in MB/s on one core: several runs of bench_lexer, of which each reader's best median counts, since
# other work on the machine only ever slows them down; see bench/README.md.
#
# usage: bench/lexer.sh [RUNS]
#
#   BUILD=build/release   with bench_lexer; built when missing
#   ROUNDS=11             in each run
#   STREAM_MEGABYTES=500  of the statement that is streamed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build/release}
[ -x "$build/bench_lexer" ] || { cmake --preset release >/dev/null && ninja -C "$build" bench_lexer >/dev/null; }

for ((run = 0; run < ${1:-3}; run++)); do
    "$build/bench_lexer" "${ROUNDS:-11}" "${STREAM_MEGABYTES:-500}"
done | awk '
    /^MB\/s/ { next }
    /^one INSERT/ {
        speed = $(NF - 1)
        streamed = speed > streamed ? speed : streamed
        title = $0
        sub(/: .*/, "", title)
        next
    }
    {
        name = substr($0, 1, 12)
        if (!(name in seen)) { names[++count] = name; seen[name] = 1 }
        split(substr($0, 13), speeds, " ")
        for (i = 1; i <= 5; i++) best[name, i] = speeds[i] + 0 > best[name, i] ? speeds[i] + 0 : best[name, i]
    }
    END {
        printf "%-12s %9s %9s %9s %9s %9s   lexer/pg_query\n", "MB/s", "classify", "lexer", "streamed", "shape", "pg_query"
        for (n = 1; n <= count; n++) {
            printf "%s", names[n]
            for (i = 1; i <= 5; i++) printf " %9d", best[names[n], i]
            printf "   %.0f\n", best[names[n], 2] / best[names[n], 5]
        }
        printf "%s: %d MB/s\n", title, streamed
    }'
