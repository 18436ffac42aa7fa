#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Measures the sluice against a bare relay and against no proxy at all, side by side; see bench/README.md.
#
# usage: bench/run.sh [--quick]
#
#   --quick      one round of 2 s: whether it works, not how fast it is
#   SECONDS=10   of each run          ROUNDS=5           of all runs
#   CLIENTS="1 16"                    MODES="simple extended prepared" or tpcb, distinct
#   TARGETS="direct relay sluice"     UPSTREAM=tcp       or unix: how the proxies reach the server
#   BUILD=build/release               with bench_relay and pgsluice; built when missing
#   CONFIG=                           more settings for the sluice, as YAML
#   ON= OFF=                          the same for the targets on and off, which are sluices too
#   BASE=relay                        the target that the others are compared with
#   JSON=build/bench.json             where the figures go
seconds=$SECONDS # bash counts on from what the environment said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${ROUNDS:-5}
[ "$seconds" -gt 0 ] || seconds=10
case "${1:-}" in
"") ;;
--quick) rounds=1 seconds=2 ;;
*) sed -n '5,16s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
build=${BUILD:-build/release}
postgres_bin=${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
folder=$(mktemp -d /tmp/pgsluice-bench.XXXXXX)
pids=()

as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

end_all() {
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ ! -f "$folder/data/postmaster.pid" ] ||
        as_postgres "$postgres_bin/pg_ctl" -D "$folder/data" -m immediate -w stop >"$folder/stop.log" 2>&1 || true
    rm -rf "$folder"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_postgres() {
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
    as_postgres "$postgres_bin/initdb" -D "$folder/data" -U postgres -A trust --no-sync >"$folder/initdb.log"
    cat >>"$folder/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = '$folder'
fsync = off
synchronous_commit = off
max_connections = 300
shared_buffers = 256MB
END
    as_postgres "$postgres_bin/pg_ctl" -D "$folder/data" -l "$folder/postgres.log" -w start >"$folder/start.log"
    "$postgres_bin/pgbench" -h 127.0.0.1 -p "$postgres_port" -U postgres -i -s 10 -q postgres >"$folder/init.log" 2>&1
}

wait_for_port() {
    local _
    for _ in $(seq 100); do
        "$postgres_bin/pg_isready" -q -U postgres -h 127.0.0.1 -p "$1" && return
        sleep 0.1
    done
    echo "bench: nothing answers on port $1" >&2
    cat "$folder"/*.log >&2
    return 1
}

# start NAME PORT COMMAND...: a proxy in the background.
start() {
    local name=$1 port=$2
    shift 2
    "$@" >"$folder/$name.log" 2>&1 &
    pids+=($!)
    pid_of[$name]=$!
    port_of[$name]=$port
    wait_for_port "$port"
}

start_relay() {
    local port
    port=$(free_port)
    start relay "$port" "$build/bench_relay" "$port" "$([ "$host" = tcp ] && echo "$postgres_port" || echo "$host")"
}

# start_sluice TARGET SETTINGS: with more settings, as YAML. It works in a folder of its own.
start_sluice() {
    local port
    mkdir "$folder/$1"
    port=$(free_port)
    cat >"$folder/$1/sluice.yaml" <<END
listen:
  - { address: "127.0.0.1:$port", upstream: main }
upstreams:
  - { name: main, hosts: ["$([ "$host" = tcp ] && echo "127.0.0.1:$postgres_port" || echo "$host")"] }
console: { address: "127.0.0.1:$(free_port)" }
guard: { mode: enforce }
${2//POSTGRES_PORT/$postgres_port}
END
    start "$1" "$port" "$build/pgsluice" run --config "$folder/$1/sluice.yaml"
}

# The CPU time of a process, all its threads, in nanoseconds.
cpu_of() {
    cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# What pgbench is told in a mode: one of its protocol modes, with SELECTs by key; tpcb: its own transaction, prepared;
# distinct: SELECTs of which hardly two have the same shape.
workload() {
    case $1 in
    tpcb) echo "-b tpcb-like -M prepared" ;;
    distinct) echo "-f $folder/distinct.sql -M simple" ;;
    *) echo "-S -M $1" ;;
    esac
}

# measure ROUND TARGET MODE CLIENTS: one line of results.
measure() {
    local pid=${pid_of[$2]:-} before=0 after=0 output words
    read -ra words <<<"$(workload "$3")"
    [ -z "$pid" ] || before=$(cpu_of "$pid")
    output=$("$postgres_bin/pgbench" -h 127.0.0.1 -p "${port_of[$2]}" -U postgres -n "${words[@]}" -c "$4" -j 1 \
        -T "$seconds" postgres 2>&1) || {
        echo "$output" >&2
        return 1
    }
    [ -z "$pid" ] || after=$(cpu_of "$pid")
    awk -v round="$1" -v target="$2" -v mode="$3" -v clients="$4" -v cpu=$((after - before)) '
        /actually processed:/ { transactions = $NF }
        /failed transactions:/ { failed = $5 }
        /latency average =/ { latency = $4 }
        /^tps =/ { tps = $3 }
        END { print round, target, mode, clients, tps, latency, cpu / 1000 / transactions, failed + 0 }
    ' <<<"$output" >>"$folder/results"
}

declare -A pid_of port_of
postgres_port=$(free_port)
host=${UPSTREAM:-tcp}
[ "$host" = tcp ] || host=$folder/.s.PGSQL.$postgres_port
port_of[direct]=$postgres_port
read -ra targets <<<"${TARGETS:-direct relay sluice}"
read -ra modes <<<"${MODES:-simple extended prepared}"
read -ra clients <<<"${CLIENTS:-1 16}"

if [ ! -x "$build/bench_relay" ] || [ ! -x "$build/pgsluice" ]; then
    cmake --preset release -B "$build" >/dev/null
    cmake --build "$build" --target bench_relay pgsluice >/dev/null
fi
start_postgres
for target in "${targets[@]}"; do
    case $target in
    relay) start_relay ;;
    sluice) start_sluice sluice "${CONFIG:-}" ;;
    on) start_sluice on "${ON:-}" ;;
    off) start_sluice off "${OFF:-}" ;;
    esac
done

cat >"$folder/distinct.sql" <<'END'
\set aid random(1, 100000 * :scale)
SELECT abalance AS balance_:aid FROM pgbench_accounts WHERE aid = :aid;
END

# All targets one after the other in each cell, so that what disturbs the machine disturbs them alike; each round begins
# with another.
for ((round = 0; round < rounds; round++)); do
    for mode in "${modes[@]}"; do
        for count in "${clients[@]}"; do
            for ((i = 0; i < ${#targets[@]}; i++)); do
                measure "$round" "${targets[(i + round) % ${#targets[@]}]}" "$mode" "$count"
            done
        done
        echo "round $((round + 1)) of $rounds: $mode" >&2
    done
done
mkdir -p build
python3 bench/table.py "$folder/results" "${JSON:-build/bench.json}" "$seconds" "${BASE:-relay}"
