#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Builds pgsluice, starts it before a throwaway PostgreSQL and plays an incident through it: an application whose
# orders know more statuses than the table's CHECK, and a schema change outside its window.
#
# usage: conf/quickstart.sh          stays up after the play, until Ctrl-C
#        conf/quickstart.sh --exit   ends after the play: status 0 if all went as it should
#
# PGSLUICE_BUILD=FOLDER takes the program from a build that is there; nothing is installed or built then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

stays_up=true
case "${1:-}" in
"") ;;
--exit) stays_up=false ;;
*) echo "usage: conf/quickstart.sh [--exit]" >&2 && exit 2 ;;
esac

folder=""
postgres_pid=""
sluice_pid=""

# ── What is needed ──────────────────────────────────────────────────────────────────────────────────────────────────

say() {
    printf '\n%s\n' "$*"
}

fail() {
    printf '\nquickstart: %s\n' "$*" >&2
    exit 1
}

build() {
    local log=build/quickstart.log
    mkdir -p build
    bash tests/install.sh build
    echo "building in build/quickstart"
    { cmake --preset release -B build/quickstart -DBUILD_TESTING=OFF && cmake --build build/quickstart --target pgsluice; } \
        >"$log" 2>&1 </dev/null || { cat "$log"; fail "the build failed"; }
}

postgres_programs() {
    local programs
    programs=$(find /usr/lib/postgresql -maxdepth 3 -name initdb 2>/dev/null | sort -V | tail -n 1)
    [ -n "$programs" ] || fail "no PostgreSQL server in /usr/lib/postgresql"
    dirname "$programs"
}

# The server refuses to run as root: it then runs as the user that its package made.
as_server=()
if [ "$(id -u)" = 0 ]; then
    as_server=(setpriv --reuid postgres --regid postgres --init-groups)
fi

free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    fail "no free port was found"
}

random_word() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

# ── The two programs ────────────────────────────────────────────────────────────────────────────────────────────────

end_program() {
    [ -n "$1" ] && kill -s "$2" "$1" 2>/dev/null || return 0
    wait "$1" 2>/dev/null || return 0
}

cleanup() {
    end_program "$sluice_pid" TERM
    end_program "$postgres_pid" INT
    [ -z "$folder" ] || rm -rf "$folder"
}

write_files() {
    mkdir -m 700 "$folder/server"
    printf '%s' "$password" >"$folder/server/password"
    cat >"$folder/passwords" <<PASSWORDS
*:*:*:*:$password
PASSWORDS
    cat >"$folder/pgsluice.yaml" <<SETTINGS
listen:
  - { address: "127.0.0.1:$port", upstream: main }
upstreams:
  - { name: main, hosts: ["$folder/server/.s.PGSQL.5432"] }
console: { address: "127.0.0.1:$console_port", password: "$password" }
services:
  - { name: kds, when: { application_name: "kds*" } }
  - { name: booking, when: { application_name: "booking*" } }
guard:
  mode: enforce
  windows:
    # in two days, so that it is closed whenever this is played
    - { name: maintenance, days: [$window_day], from: "02:00", to: "04:00", timezone: UTC, allow: modifying }
limits: { drain_timeout: 1s }
log: { file: "$folder/pgsluice.log" }
SETTINGS
    chmod 600 "$folder/passwords" "$folder/pgsluice.yaml"
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres "$folder/server"
        chmod 711 "$folder"
    fi
}

start_postgres() {
    local log=$folder/initdb.log
    "${as_server[@]}" "$programs/initdb" -D "$folder/server/data" -U postgres -A scram-sha-256 --pwfile "$folder/server/password" \
        -E UTF8 --locale C --no-sync >"$log" 2>&1 </dev/null || { cat "$log"; fail "initdb failed"; }
    # a session of its own: Ctrl-C is for this script, which ends the server by its pid
    "${as_server[@]}" setsid "$programs/postgres" -D "$folder/server/data" -k "$folder/server" -c listen_addresses= \
        -c fsync=off >"$folder/postgresql.log" 2>&1 </dev/null &
    postgres_pid=$!
    wait_for "PostgreSQL" "$postgres_pid" "$folder/postgresql.log" pg_isready -q -h "$folder/server"
}

start_sluice() {
    echo "starting a throwaway PostgreSQL and pgsluice before it, port $port, console $console_port"
    "$program" check --config "$folder/pgsluice.yaml" >"$folder/check.log" 2>&1 ||
        { cat "$folder/check.log"; fail "the settings are not good"; }
    setsid "$program" run --config "$folder/pgsluice.yaml" >"$folder/output.log" 2>&1 </dev/null &
    sluice_pid=$!
    wait_for "pgsluice" "$sluice_pid" "$folder/pgsluice.log" pg_isready -q -h 127.0.0.1 -p "$port"
}

# wait_for NAME PID LOG COMMAND...: until the command succeeds.
wait_for() {
    local name=$1 pid=$2 log=$3
    shift 3
    for _ in $(seq 300); do
        "$@" && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$log" >&2
    fail "$name did not start"
}

# ── The play ────────────────────────────────────────────────────────────────────────────────────────────────────────

# client NAME USER: the next commands come from this application, through the sluice. What psql reads from the
# environment keeps the commands shown short.
client() {
    export PGHOST=127.0.0.1 PGPORT=$port PGDATABASE=shop PGAPPNAME=$1 PGUSER=$2
}

on_console() {
    export PGHOST=127.0.0.1 PGPORT=$console_port PGDATABASE=pgsluice PGAPPNAME=console PGUSER=operator
}

# shown COMMAND...: prints a command as one would type it, with who types it; runs it and prints what it says. The output
# stays in $output, the status in $status.
shown() {
    local word line="$PGAPPNAME \$"
    for word in "$@"; do
        [[ $word =~ ^[A-Za-z0-9_./=:-]+$ ]] || word="\"$word\""
        line+=" $word"
    done
    printf '%s\n' "$line"
    status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    printf '%s\n' "$output" | sed 's/^/    /'
}

expect_status() {
    [ "$status" = "$1" ] || fail "that command should have ended with status $1, it ended with $status"
}

expect() {
    [[ $output == *"$1"* ]] || fail "the answer should have had: $1"
}

# What a console command says of a column, in rows that hold a word.
console_value() {
    (on_console && psql -At -F ' ' -c "$1" | grep -F -- "$2" | cut -d ' ' -f "$3")
}

prepare_shop() {
    client quickstart postgres
    # past the sluice, whose gate is closed
    PGHOST=$folder/server PGPORT=5432 PGDATABASE=postgres psql -q -v ON_ERROR_STOP=1 -v "password=$password" <<'SQL'
CREATE ROLE deployer LOGIN PASSWORD :'password';
CREATE ROLE shop_app LOGIN PASSWORD :'password';
CREATE DATABASE shop OWNER deployer;
\connect shop
SET ROLE deployer;
CREATE TABLE orders (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dish   text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    CONSTRAINT orders_status_check CHECK (status IN ('pending', 'confirmed', 'preparing', 'ready', 'completed'))
);
GRANT SELECT, INSERT, UPDATE ON orders TO shop_app;
INSERT INTO orders (dish) SELECT 'dish ' || n FROM generate_series(1, 20) n;
SQL
}

all_statuses="pending confirmed preparing plated on_hold ready picked_up completed"
refused_statuses=3
orders=20

# One kitchen display takes one order through all of its statuses.
display_order() {
    local order=$1 status
    for status in $all_statuses; do
        echo "UPDATE orders SET status = '$status' WHERE id = $order;"
    done
}

play_violations() {
    local order
    say "1. The kitchen display (service kds) takes an order through its 8 statuses. The table's CHECK knows 5 of them."
    client kds-display-1 shop_app
    display_order 1 >order.sql
    shown psql -q -f order.sql
    expect 'violates check constraint "orders_status_check"'
    echo "    ... and so it goes on with the other $((orders - 1)) orders."
    for order in $(seq 2 "$orders"); do display_order "$order"; done >orders.sql
    psql -q -f orders.sql >/dev/null 2>&1

    say "2. Another service, booking, works on the same table without trouble."
    client booking-api shop_app
    shown psql -c "INSERT INTO orders (dish) VALUES ('table for two')"
    expect_status 0

    say "3. The console knows who violates what, since when, with which statement; literals are masked."
    on_console
    shown psql -x -c "SHOW VIOLATIONS"
    expect "kds"
    expect "orders_status_check"
    local count
    count=$(console_value "SHOW STATS" "violations " 2)
    [ "$count" = $((orders * refused_statuses)) ] ||
        fail "$((orders * refused_statuses)) violations were played, $count are counted"
}

repair="ALTER TABLE orders DROP CONSTRAINT orders_status_check, ADD CONSTRAINT orders_status_check CHECK (status IN \
('pending', 'confirmed', 'preparing', 'plated', 'on_hold', 'ready', 'picked_up', 'completed'))"

play_refusal() {
    say "4. The deployer repairs the constraint, but no maintenance window is open."
    client migrations deployer
    shown psql -c "$repair"
    expect_status 1
    expect "schema change refused"
    expect "DETAIL:"
    expect "HINT:"
}

play_opening() {
    say "5. An operator opens the gate for half an hour, with a reason."
    on_console
    shown psql -c "OPEN WINDOW repair FOR '30m' ALLOW modifying REASON 'orders_status_check lacks three statuses'"
    expect_status 0

    say "6. The same change passes now ..."
    client migrations deployer
    shown psql -c "$repair"
    expect_status 0

    say "7. ... and the kitchen display works: 8 statuses, no error."
    client kds-display-1 shop_app
    shown psql -v ON_ERROR_STOP=1 -f order.sql
    expect_status 0
}

play_records() {
    local count
    say "8. What the console keeps of it: every schema change, refused or passed, and who opened the gate."
    on_console
    shown psql -x -c "SHOW DDL"
    expect "refused"
    expect "passed"
    shown psql -c "SHOW WINDOWS"
    expect "orders_status_check lacks three statuses"

    say "9. The counters (SHOW STATS has all of them)."
    printf '%s\n' 'console $ psql -At -F " " -c "SHOW STATS" | grep -E "^(queries|errors|violations|ddl_passed|ddl_refused) "'
    psql -At -F " " -c "SHOW STATS" | grep -E "^(queries|errors|violations|ddl_passed|ddl_refused) " | sed 's/^/    /'
    for count in "violations $((orders * refused_statuses))" "ddl_passed 1" "ddl_refused 1"; do
        [ "$(console_value "SHOW STATS" "${count% *} " 2)" = "${count#* }" ] || fail "SHOW STATS should have had: $count"
    done
}

tell_how_to_connect() {
    cat <<TEXT

It stays up until Ctrl-C. Passwords are in a file for psql: export PGPASSFILE=$folder/passwords
  the database    psql "host=127.0.0.1 port=$port dbname=shop user=deployer"
  the console     psql "host=127.0.0.1 port=$console_port dbname=pgsluice user=operator" -c HELP
  the settings    $folder/pgsluice.yaml (after an edit: RELOAD on the console)
  the log         $folder/pgsluice.log
TEXT
}

# ── All of it ───────────────────────────────────────────────────────────────────────────────────────────────────────

if [ -n "${PGSLUICE_BUILD:-}" ]; then
    program=$(realpath "$PGSLUICE_BUILD")/pgsluice
else
    build
    program=$PWD/build/quickstart/pgsluice
fi
[ -x "$program" ] || fail "there is no $program"

trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
unset "${!PG@}"
programs=$(postgres_programs)
folder=$(mktemp -d "${TMPDIR:-/tmp}/pgsluice-quickstart.XXXXXX")
port=$(free_port)
until console_port=$(free_port) && [ "$console_port" != "$port" ]; do :; done
password=$(random_word)
window_day=$(LC_ALL=C date -u -d "+2 days" +%a | tr '[:upper:]' '[:lower:]')
export PGPASSFILE=$folder/passwords PSQLRC=/dev/null

write_files
start_postgres
start_sluice
cd "$folder"
prepare_shop
play_violations
play_refusal
play_opening
play_records

if $stays_up; then
    tell_how_to_connect
    wait "$sluice_pid" || true
    fail "pgsluice has ended; see what it said: $(tail -n 3 "$folder/pgsluice.log" "$folder/output.log")"
fi

kill -TERM "$sluice_pid"
status=0
wait "$sluice_pid" || status=$?
[ "$status" = 0 ] || { cat "$folder/output.log" >&2; fail "pgsluice ended with status $status"; }
sluice_pid=""
say "All of it went as it should."
