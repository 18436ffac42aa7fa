# shellcheck shell=bash disable=SC2154 # the variables are those of run.sh
# SPDX-License-Identifier: PostgreSQL
# The modes of bench/run.sh: what is done through a target for a while. Sourced after targets.sh. Each function takes a
# port and a number of clients, and prints: units rate mean p50 p99 most failed. A unit is a transaction, or MB where
# much is carried; the rate is units a second, the times are ms.

# run_pgbench PORT CLIENTS SAMPLED [pgbench option...]: latencies are those of a part of the transactions, SAMPLED of 1,
# or, if that is the word cycle, the times between the ends of a client's transactions.
run_pgbench() {
    local port=$1 count=$2 sampled=$3 log=$folder/latencies/pgbench output
    local options=(-l --log-prefix="$log")
    shift 3
    rm -rf "$folder/latencies"
    mkdir "$folder/latencies"
    case $sampled in
    1 | cycle) ;;
    *) options+=(--sampling-rate="$sampled") ;;
    esac
    output=$("$postgres_bin/pgbench" -h 127.0.0.1 -p "$port" -U postgres -n -c "$count" -j 1 -T "$seconds" "$@" \
        "${options[@]}" postgres 2>&1) || {
        echo "$output" >&2
        return 1
    }
    awk -v times="$(python3 bench/latencies.py "$sampled" "$log".*)" '
        /actually processed:/ { transactions = $NF }
        /failed transactions:/ { failed = $5 }
        /latency average =/ { latency = $4 }
        /^tps =/ { tps = $3 }
        END { print transactions, tps, latency, times, failed + 0 }
    ' <<<"$output"
}

# run_psql PORT MB: psql with the rest of its options, timed.
run_psql() {
    local port=$1 size=$2 begun=$EPOCHREALTIME
    shift 2
    "$postgres_bin/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@" >/dev/null ||
        return 1
    awk -v size="$size" -v taken="$EPOCHREALTIME $begun" 'BEGIN {
        split(taken, at, " "); ms = (at[1] - at[2]) * 1000
        print size, size / ms * 1000, ms, ms, ms, ms, 0 }'
}

# As in run_pgbench, by a client that sends its transactions in batches; times are those of a batch.
run_asker() {
    "$build/bench_asker" "$1" "$2" 64 "$seconds"
}

run_copy_out() {
    run_psql "$1" "$bulk" -c "COPY (SELECT bulk.* FROM bulk, generate_series(1, $((bulk / bulk_block)))) TO STDOUT"
}

# The server reads the rows and keeps none.
run_copy_in() {
    local i
    for ((i = 0; i < bulk / bulk_block; i++)); do
        cat "$folder/bulk.txt"
    done | run_psql "$1" "$bulk" -c "COPY bulk FROM STDIN WHERE false"
}

# rate in MB/s
run_rows() {
    run_pgbench "$1" "$2" 1 -f "$folder/rows.sql" -M simple | awk -v size="$row_size" '{ $1 *= size; $2 *= size; print }'
}

# run_mode MODE PORT CLIENTS
run_mode() {
    case $1 in
    simple | extended | prepared) run_pgbench "$2" "$3" "$sampled" -S -M "$1" ;;
    tpcb) run_pgbench "$2" "$3" 1 -b tpcb-like -M prepared ;;
    distinct) run_pgbench "$2" "$3" "$sampled" -f "$folder/distinct.sql" -M simple ;;
    connect) run_pgbench "$2" "$3" cycle -S -M simple -C ;;
    rate) run_pgbench "$2" "$3" 1 -S -M prepared -R "$rate" ;;
    tls) PGSSLMODE=require run_pgbench "$2" "$3" "$sampled" -S -M prepared ;;
    copy-out) run_copy_out "$2" ;;
    copy-in) run_copy_in "$2" ;;
    rows) run_rows "$2" "$3" ;;
    workers) run_asker "$2" "$3" ;;
    *) echo "bench: there is no mode $1" >&2 && return 1 ;;
    esac
}

# clients_of MODE: the numbers of clients it is run with when none is given.
clients_of() {
    case $1 in
    simple | extended | prepared | distinct) echo "${CLIENTS:-1 8 32 200}" ;;
    tpcb) echo "${CLIENTS:-8}" ;;
    tls) echo 32 ;;
    connect | rate | workers) echo 8 ;;
    *) echo 1 ;;
    esac
}

# targets_of MODE: those of the targets that it is for.
targets_of() {
    local target
    for target in "${targets[@]}"; do
        case $1/$target in
        tls/pgbouncer | tls/sluice* | tls/on | tls/off) echo "$target" ;;
        workers/sluice*) printf '%s\n' "$target" "${target}_2" ;;
        workers/relay*) echo "$target" ;;
        tls/* | workers/*) ;;
        *) echo "$target" ;;
        esac
    done
}

# instance_of MODE TARGET: which of a target's processes serves the mode.
instance_of() {
    case $1 in
    tls | workers) echo "$2/$1" ;;
    *) echo "$2" ;;
    esac
}

start_answers() {
    local port
    port=$(free_port)
    start answers "$port" "$build/bench_answers" "$port"
}

# start_for MODE: what it needs and was not started before.
start_for() {
    local target server=$postgres_server
    case $1 in
    tls) make_certificate ;;
    workers)
        [ -n "${pid_of[answers]:-}" ] || start_answers
        server=${port_of[answers]}
        ;;
    esac
    for target in $(targets_of "$1"); do
        [ -n "${port_of[$(instance_of "$1" "$target")]:-}" ] ||
            start_target "$(instance_of "$1" "$target")" "$target" "$server" "$1"
    done
}

# What the modes read from the server or send it.
prepare_data() {
    cat >"$folder/distinct.sql" <<'END'
\set aid random(1, 100000 * :scale)
SELECT abalance AS balance_:aid FROM pgbench_accounts WHERE aid = :aid;
END
    echo "SELECT repeat(repeat('x', 1024), $row_size * 1024);" >"$folder/rows.sql"
    case " ${modes[*]}" in
    *" copy-"*) ;;
    *) return ;;
    esac
    "$postgres_bin/psql" -X -q -h 127.0.0.1 -p "$postgres_port" -U postgres -d postgres -c "
        CREATE UNLOGGED TABLE bulk AS SELECT repeat('x', 1023) AS row FROM generate_series(1, $bulk_block * 1024)"
    awk -v count=$((bulk_block * 1024)) 'BEGIN {
        row = sprintf("%1023s", ""); gsub(" ", "x", row); for (i = 0; i < count; i++) print row }' >"$folder/bulk.txt"
}
