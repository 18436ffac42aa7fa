#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# docs/ddl_event_trigger.sql on a throwaway PostgreSQL: what it says it refuses, it refuses, and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=$(dirname "$(find /usr/lib/postgresql -maxdepth 3 -name initdb | sort -V | tail -n 1)")
as_server=()
if [ "$(id -u)" = 0 ]; then
    as_server=(setpriv --reuid postgres --regid postgres --init-groups)
fi
folder=$("${as_server[@]}" mktemp -d /tmp/pgsluice-trigger.XXXXXX)
server=""
trap '[ -z "$server" ] || { kill -INT "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

unset "${!PG@}"
export PGHOST=$folder PGDATABASE=postgres PSQLRC=/dev/null
"${as_server[@]}" "$programs/initdb" -D "$folder/data" -U postgres -A trust --no-sync >"$folder/log"
"${as_server[@]}" "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off >>"$folder/log" 2>&1 &
server=$!
for _ in $(seq 100); do pg_isready -q && break; sleep 0.1; done

refused() {
    local said
    if said=$(PGUSER=deployer psql -c "$1" 2>&1); then
        echo "this passed: $1" && exit 1
    fi
    [[ $said == *"is refused: no maintenance window is open for deployer"* ]] || { echo "$1: $said"; exit 1; }
}

passes() {
    PGUSER=${2:-deployer} psql -q -v ON_ERROR_STOP=1 -c "$1" >/dev/null || { echo "this was refused: $1"; exit 1; }
}

passes "CREATE ROLE deployer LOGIN; GRANT CREATE ON SCHEMA public TO deployer; CREATE TABLE orders (id integer);
ALTER TABLE orders OWNER TO deployer;
CREATE FUNCTION lends() RETURNS void SECURITY DEFINER LANGUAGE plpgsql AS \$\$ BEGIN EXECUTE 'CREATE TABLE lent ()'; END \$\$" postgres
PGUSER=postgres psql -q -f docs/ddl_event_trigger.sql
PGUSER=postgres psql -q -f docs/ddl_event_trigger.sql 2>/dev/null && echo "a second run should say that it is there" && exit 1

refused "CREATE TABLE new (id integer)"
refused "ALTER TABLE orders ADD COLUMN note text"
refused "SELECT 1 AS one INTO copied"
refused "DROP TABLE orders"
refused "DO \$\$ BEGIN EXECUTE 'CREATE TABLE hidden ()'; END \$\$"
refused "SELECT lends()"
refused "CREATE TEMPORARY TABLE passing (id integer)"
passes "INSERT INTO orders VALUES (1)"
passes "TRUNCATE orders"
passes "CREATE TABLE by_superuser (id integer)" postgres
passes "GRANT ddl_window TO deployer" postgres
passes "ALTER TABLE orders ADD COLUMN note text"
passes "SELECT lends()"
passes "REVOKE ddl_window FROM deployer" postgres
refused "ALTER TABLE orders DROP COLUMN note"
passes "DROP EVENT TRIGGER ddl_window_guard; DROP SCHEMA ddl_window CASCADE" postgres
passes "ALTER TABLE orders DROP COLUMN note"
