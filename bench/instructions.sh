#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Counts the instructions that a transaction takes in the session core, by mode: pgbench -S by each protocol, and an INSERT
# that violates a constraint. Unlike times they do not depend on what else the machine does; see bench/README.md.
#
# usage: bench/instructions.sh [--profile | --check | --write]
#
#   --profile    also where they are spent
#   --check      fails where they are 3 % more than bench/instructions.txt says; 77: cannot be compared here
#   --write      writes that file
#   BUILD=build/release   with bench_session
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build/release}
kept=bench/instructions.txt
folder=$(mktemp -d /tmp/pgsluice-instructions.XXXXXX)
trap 'rm -rf "$folder"' EXIT

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: tests/install.sh" >&2
    exit 77
fi

# count MODE TRANSACTIONS: all that was collected, which bench_session switches on in the core only.
count() {
    valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$folder/$1.$2" \
        "$build/bench_session" "$1" "$2" >"$folder/said" 2>&1 || {
        cat "$folder/said" >&2
        return 1
    }
    awk '/Collected/ { print $NF }' "$folder/said"
}

# The rest of the first line of what is kept, too: other compilers and processors make other figures.
maker() {
    echo "built by gcc $(awk -F ': ' '/^Built by/ { print $2 }' "$folder/said"), $(uname -m)"
}

for mode in simple extended prepared violation; do
    few=$(count "$mode" 500)
    many=$(count "$mode" 1000)
    echo "$mode $(((many - few) / 500))" >>"$folder/figures"
    [ "${1:-}" = --profile ] || continue
    callgrind_annotate "$folder/$mode.1000" |
        awk '/file:function/ { shown = 1 } shown && ++lines <= 42 { print substr($0, 1, 110) }'
done

case "${1:-}" in
--write)
    { echo "# Instructions of a transaction in the session core; $(maker)" && cat "$folder/figures"; } >"$kept"
    ;;
--check)
    if ! head -n 1 "$kept" | grep -qF "$(maker)"; then
        echo "$kept cannot be compared with: this is $(maker)" >&2
        exit 77
    fi
    awk '
        /^#/ { next }
        FNR == NR { kept[$1] = $2; next }
        !($2 > 0 && kept[$1] > 0) { print $1 ": nothing was counted, or nothing is kept"; grown = 1; next }
        {
            change = ($2 / kept[$1] - 1) * 100
            printf "%-10s %6d instructions a transaction, %+.1f %%\n", $1, $2, change
            if (change > 3) { grown = 1 }
            if (change < -3) { print "  fewer than are kept: bench/instructions.sh --write" }
        }
        END { exit grown || NR - FNR - 1 != FNR }' "$kept" "$folder/figures" && exit
    echo "not the instructions that $kept allows; if they are worth it: bench/instructions.sh --write" >&2
    exit 1
    ;;
*) awk '{ printf "%-10s %6d instructions a transaction\n", $1, $2 }' "$folder/figures" ;;
esac
