#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Measures the sluice against bare relays, against the proxies that people use and against no proxy at all, side by
# side; see bench/README.md.
#
# usage: bench/run.sh [--quick | --install]
#
#   --quick      one round of 1 s, little data: whether it works, not how fast it is
#   --install    the other proxies, into build/peers (done by itself when they are missing), and nothing more
#   SECONDS=10   of each run          ROUNDS=5           of all runs
#   TARGETS="direct relay relay_uring pgbouncer haproxy nginx sluice", and sluice_uv and sluice_uring where it has both
#   TURN=0       ms; prepared and connect not by pgbench through one target after the other, but by clients of all targets at once,
#                which take turns of so many ms (200, with 200 clients 1000) until each target had SECONDS
#   MODES="simple extended prepared tpcb copy-out copy-in rows connect tls rate workers idle" or distinct; MODE/CLIENTS
#                for another number of clients
#   CLIENTS="1 8 32 200"              of the first three and of tpcb (8)
#   BULK=1024    MB that a copy carries                  ROW=100            MB of a row in mode rows
#   RATE=4000    transactions/s in mode rate             IDLE=10000         sessions in mode idle, as far as descriptors allow
#   UPSTREAM=tcp                      or unix: how the proxies reach the server
#   BUILD=build/release               with the programs; built when missing
#   CONFIG=                           more settings for the sluice, as YAML
#   ON= OFF=                          the same for the targets on and off, which are sluices too
#   BASE=relay                        the target that the others are compared with
#   JSON=build/bench.json             where the figures go
seconds=$SECONDS # bash counts on from what the environment said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${ROUNDS:-5}
[ "$seconds" -gt 0 ] || seconds=10
bulk=${BULK:-1024}
bulk_block=64 # MB that lie ready; they are carried several times
row_size=${ROW:-100}
rate=${RATE:-4000}
idle=${IDLE:-10000}
turn=${TURN:-0}
case "${1:-}" in
"") ;;
--quick) rounds=1 seconds=1 bulk=64 row_size=10 rate=500 idle=500 CLIENTS=${CLIENTS:-8} ;;
--install) exec bash tests/install.sh peers ;;
*) sed -n '6,/^[^#]/s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
build=${BUILD:-build/release}
peers=$PWD/build/peers
postgres_bin=${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
export PGSSLMODE=disable PGGSSENCMODE=disable
ulimit -n 32768 2>/dev/null || ulimit -n "$(ulimit -Hn)" # root may have more than its limit
sessions_most=10000
[ "$(ulimit -n)" = unlimited ] || sessions_most=$(($(ulimit -n) / 2 - 100)) # a proxy needs two descriptors for each
[ "$sessions_most" -le 10000 ] || sessions_most=10000
[ "$idle" -le "$sessions_most" ] || idle=$sessions_most

say() {
    echo "bench: $*" >&2
}

if [ ! -x "$postgres_bin/pgbench" ]; then
    say "$postgres_bin/pgbench is missing: tests/install.sh build, or POSTGRES_BIN"
    exit 1
fi
folder=$(mktemp -d /tmp/pgsluice-bench.XXXXXX)
pids=()
declare -A pid_of port_of
# shellcheck source=bench/targets.sh
. bench/targets.sh
# shellcheck source=bench/modes.sh
. bench/modes.sh
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A turn is a part of what each target has in a round.
check_turn() {
    [[ $turn =~ ^[0-9]+$ ]] && [ "$turn" -le $((seconds * 1000)) ] && return
    say "TURN is $turn: a number of ms, at most the $seconds s (SECONDS) that each target has in a round"
    exit 2
}

build_missing() {
    local program missing=
    for program in pgsluice bench_relay bench_answers bench_asker bench_turns; do
        [ -x "$build/$program" ] || missing=$program
    done
    [ -n "$missing" ] || return 0
    say "building $build"
    cmake --preset release -B "$build" >/dev/null
    cmake --build "$build" --target pgsluice bench >/dev/null
}

install_missing() {
    case " ${targets[*]} " in
    *" pgbouncer "* | *" haproxy "* | *" nginx "*) ;;
    *) return ;;
    esac
    [ -f "$peers/unpacked" ] || bash tests/install.sh peers >&2 || say "the other proxies could not be installed"
}

# Only what can be measured here, and what cannot is said.
choose_targets() {
    local target lack usable=()
    for target in "${targets[@]}"; do
        lack=$(lack_of "$target")
        if [ -z "$lack" ]; then
            usable+=("$target")
        else
            say "skips $target: $lack"
        fi
    done
    [ ${#usable[@]} -gt 0 ] || exit 1
    targets=("${usable[@]}")
}

# measure ROUND TARGET MODE CLIENTS: one line of results.
measure() {
    local instance line
    settle
    instance=$(instance_of "$3" "$2")
    line=$(run_mode "$3" "${port_of[$instance]}" "$4" "${pid_of[$instance]:-}") && [ "$(wc -w <<<"$line")" = 7 ] ||
        return 1
    echo "$* $line" >>"$folder/results"
}

takes_turns() {
    case $1 in
    prepared | connect) [ "$turn" -gt 0 ] ;;
    *) false ;;
    esac
}

# measure_turns ROUND MODE CLIENTS TARGET...: lines of results, each turn a round of its own.
measure_turns() {
    local target count=$((seconds * 1000 / turn)) all=()
    local first=$(($1 * count)) mode=$2 clients=$3
    shift 3
    for target in "$@"; do
        all+=("$target:${port_of[$target]}:${pid_of[$target]:-0}")
    done
    settle
    "$build/bench_turns" "$mode" "$clients" "$turn" "$first" "$count" "${all[@]}" >>"$folder/results"
}

# measure_all ROUND MODE CLIENTS: all targets one after the other, so that what disturbs the machine disturbs them
# alike; each round begins with another.
measure_all() {
    local i all
    read -rd '' -ra all < <(targets_of "$2") || true
    if takes_turns "$2"; then
        measure_turns "$@" "${all[@]}" || broken+=("$2 with $3 clients in turns")
        all=()
    fi
    for ((i = 0; i < ${#all[@]}; i++)); do
        local target=${all[(i + $1) % ${#all[@]}]}
        measure "$1" "$target" "$2" "$3" || broken+=("$2 with $3 clients through $target")
    done
    say "round $(($1 + 1)) of $rounds: $2, $3 clients"
}

# What idle sessions leave behind serves those of the next round: only the first tells what they need.
measure_round() {
    local mode count
    for mode in "${modes[@]}"; do
        if [ "${mode%/*}" = idle ] && [ "$1" -gt 0 ]; then continue; fi
        for count in $([ "${mode#*/}" = "$mode" ] && clients_of "$mode" || echo "${mode#*/}"); do
            measure_all "$1" "${mode%/*}" "$count"
        done
    done
}

check_turn
build_missing
default_targets="direct relay relay_uring pgbouncer haproxy nginx $(knows_io && echo sluice sluice_uv sluice_uring || echo sluice)"
read -ra targets <<<"${TARGETS:-$default_targets}"
read -ra modes <<<"${MODES:-simple extended prepared tpcb copy-out copy-in rows connect tls rate workers idle}"
install_missing
choose_targets
say "$rounds rounds of $seconds s: ${targets[*]}"

postgres_port=$(free_port)
postgres_server=$postgres_port
[ "${UPSTREAM:-tcp}" = tcp ] || postgres_server=$folder/.s.PGSQL.$postgres_port
port_of[direct]=$postgres_port
start_postgres
prepare_data
for mode in "${modes[@]}"; do
    start_for "${mode%/*}"
done
broken=()
for ((round = 0; round < rounds; round++)); do
    measure_round "$round"
done
mkdir -p build
python3 bench/table.py "$folder/results" "${JSON:-build/bench.json}" "$seconds" --turn "$turn" --base "${BASE:-relay}" \
    --ring "$([ -z "$(lack_of sluice_uring)" ] && echo yes || echo no)" --broken "${broken[@]}"
for what in "${broken[@]}"; do
    say "failed: $what"
done
[ ${#broken[@]} -eq 0 ]
