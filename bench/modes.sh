# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash disable=SC2154 # the variables are those of run.sh
# The modes of bench/run.sh: what is done through a target for a while. Sourced after targets.sh. Each function takes a
# port, a number of clients and the process of the proxy, if any, and prints: rate mean p50 p99 most cpu failed. The rate
# is in transactions/s, or MB/s where much is carried; the times in ms; cpu in µs a transaction or MB.

# The moment, in seconds, and the CPU time of a process until then; of none, 0.
cpu_now() {
    local cpu=0
    [ -z "$1" ] || cpu=$(cpu_of "$1")
    echo "$EPOCHREALTIME $cpu"
}

# watch PROCESS: its CPU time when all clients should be there and before they leave.
watch() {
    local moment
    for moment in 20 75; do
        sleep "$(printf '%d.%02d' $((seconds * moment / 100)) $((seconds * moment % 100)))"
        cpu_now "$1"
    done
}

# run_pgbench PORT CLIENTS PROCESS TIMES [pgbench option...]: TIMES is taken, cycle or whole, as for latencies.py.
run_pgbench() {
    local port=$1 count=$2 process=$3 times=$4 log=$folder/latencies/pgbench output
    shift 4
    rm -rf "$folder/latencies"
    mkdir "$folder/latencies"
    if [ "$times" = whole ]; then
        cpu_now "$process" >"$folder/watched"
    else
        watch "$process" >"$folder/watched" &
    fi
    output=$("$postgres_bin/pgbench" -h 127.0.0.1 -p "$port" -U postgres -n -c "$count" -j 1 -T "$seconds" "$@" \
        -l --log-prefix="$log" postgres 2>&1) || {
        echo "$output" >&2
        [ "$times" = whole ] || wait $!
        return 1
    }
    if [ "$times" = whole ]; then
        cpu_now "$process" >>"$folder/watched"
    else
        wait $!
    fi
    awk -v times="$(python3 bench/latencies.py "$times" "$folder/watched" "$log".*)" '
        /failed transactions:/ { failed = $5 }
        /latency average =/ { latency = $4 }
        /^tps =/ { tps = $3 }
        END { print tps, latency, times, failed + 0 }
    ' <<<"$output"
}

# run_psql PORT PROCESS MB: psql with the rest of its options, timed.
run_psql() {
    local port=$1 process=$2 size=$3 begun before=0 after=0
    shift 3
    [ -z "$process" ] || before=$(cpu_of "$process")
    begun=$EPOCHREALTIME
    "$postgres_bin/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@" >/dev/null ||
        return 1
    local ended=$EPOCHREALTIME
    [ -z "$process" ] || after=$(cpu_of "$process")
    awk -v size="$size" -v begun="$begun" -v ended="$ended" -v cpu=$((after - before)) 'BEGIN {
        ms = (ended - begun) * 1000
        print size / ms * 1000, ms, ms, ms, ms, cpu / 1000 / size, 0 }'
}

# A client that sends its transactions in batches; times are those of a batch.
run_asker() {
    local before=0 after=0 line
    [ -z "$3" ] || before=$(cpu_of "$3")
    line=$("$build/bench_asker" "$1" "$2" 400 "$seconds" simple) || return 1
    [ -z "$3" ] || after=$(cpu_of "$3")
    awk -v cpu=$((after - before)) '{ print $2, $3, $4, $5, $6, cpu / 1000 / $1, 0 }' <<<"$line"
}

# The memory that a session needs which has logged in and rests: bytes in place of the rate, and nothing else.
run_idle() {
    local before count after held _
    [ -n "$3" ] || return 1
    # what the process needs once, however many sessions there are
    for _ in {1..60}; do
        "$build/bench_asker" "$1" $((idle / 500 + 1)) 8 0.05 >/dev/null || return 1
    done
    sleep 1.5
    before=$(memory_of "$3")
    coproc held { exec "$build/bench_asker" "$1" "$2" 0 0; }
    # shellcheck disable=SC2154 # coproc sets it
    local process=$held_PID
    read -r count <&"${held[0]}" && [ "$count" = "$2" ] || return 1
    sleep 1.5
    after=$(memory_of "$3")
    kill "$process"
    wait "$process" 2>/dev/null || true
    echo "$(((after - before) / count)) 0 0 0 0 0 0"
}

run_copy_out() {
    run_psql "$1" "$3" "$bulk" -c "COPY (SELECT bulk.* FROM bulk, generate_series(1, $((bulk / bulk_block)))) TO STDOUT"
}

# The server reads the rows and keeps none.
run_copy_in() {
    local i
    for ((i = 0; i < bulk / bulk_block; i++)); do
        cat "$folder/bulk.txt"
    done | run_psql "$1" "$3" "$bulk" -c "COPY bulk FROM STDIN WHERE false"
}

run_rows() {
    run_pgbench "$1" "$2" "$3" whole -f "$folder/rows.sql" -M simple |
        awk -v size="$row_size" '{ $1 *= size; $6 /= size; print }'
}

# run_mode MODE PORT CLIENTS PROCESS
run_mode() {
    local mode=$1
    shift
    case $mode in
    simple | extended | prepared) run_pgbench "$@" taken -S -M "$mode" ;;
    tpcb) run_pgbench "$@" taken -b tpcb-like -M prepared ;;
    distinct) run_pgbench "$@" taken -f "$folder/distinct.sql" -M simple ;;
    connect) run_pgbench "$@" cycle -S -M simple -C ;;
    rate) run_pgbench "$@" taken -S -M prepared -R "$rate" ;;
    tls) PGSSLMODE=require run_pgbench "$@" taken -S -M prepared ;;
    copy-out) run_copy_out "$@" ;;
    copy-in) run_copy_in "$@" ;;
    rows) run_rows "$@" ;;
    workers) run_asker "$@" ;;
    idle) run_idle "$@" ;;
    *) echo "bench: there is no mode $mode" >&2 && return 1 ;;
    esac
}

# clients_of MODE: the numbers of clients it is run with when none is given.
clients_of() {
    case $1 in
    simple | extended | prepared | distinct) echo "${CLIENTS:-1 8 32 200}" ;;
    tpcb) echo "${CLIENTS:-8}" ;;
    tls) echo 32 ;;
    connect | rate | workers) echo 8 ;;
    idle) echo "$idle" ;;
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
        tls/* | workers/* | idle/direct) ;;
        *) echo "$target" ;;
        esac
    done
}

# instance_of MODE TARGET: which of a target's processes serves the mode.
instance_of() {
    case $1 in
    tls | workers | idle) echo "$2/$1" ;;
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
    workers | idle)
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
