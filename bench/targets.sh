# SPDX-License-Identifier: PostgreSQL
# shellcheck shell=bash disable=SC2154,SC2034,SC2004 # the variables are those of run.sh
# What bench/run.sh measures: a server and the proxies before it, each on a free port. Sourced; expects folder, build,
# peers, postgres_bin and the arrays pids, pid_of, port_of.

as_postgres=() # before a command that must not run as root
[ "$(id -u)" -ne 0 ] || as_postgres=(setpriv --reuid postgres --regid postgres --init-groups --)

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

end_all() {
    trap - EXIT INT TERM
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ ! -f "$folder/data/postmaster.pid" ] ||
        "${as_postgres[@]}" "$postgres_bin/pg_ctl" -D "$folder/data" -m immediate -w stop >"$folder/stop.log" 2>&1 || true
    [ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null || true
    rm -rf "$folder"
}

start_postgres() {
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
    chmod 755 "$folder"
    "${as_postgres[@]}" "$postgres_bin/initdb" -D "$folder/data" -U postgres -A trust --no-sync >"$folder/initdb.log"
    cat >>"$folder/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = '$folder'
fsync = off
synchronous_commit = off
max_connections = 2000
shared_buffers = 256MB
END
    "${as_postgres[@]}" "$postgres_bin/pg_ctl" -D "$folder/data" -l "$folder/postgres.log" -w start >"$folder/start.log"
    "$postgres_bin/pgbench" -h 127.0.0.1 -p "$postgres_port" -U postgres -i -s 10 -q postgres >"$folder/init.log" 2>&1
    sleep 1
    processes_at_rest=$(server_processes)
}

# With nobody connected those that it always has.
server_processes() {
    local postmaster
    postmaster=$(head -n 1 "$folder/data/postmaster.pid")
    wc -w <"/proc/$postmaster/task/$postmaster/children"
}

# settle: waits until the server has ended what the run before has left behind. PgBouncer gives its connections back
# only after a while, which would fall into the run of another.
settle() {
    local _ count
    for _ in {1..300}; do
        count=$(server_processes)
        [ "$count" -gt "$processes_at_rest" ] || return 0
        sleep 0.1
    done
    say "the server still has $count processes in place of $processes_at_rest"
}

wait_for_port() {
    local _
    for _ in $(seq 100); do
        PGSSLMODE=prefer "$postgres_bin/pg_isready" -q -U postgres -d postgres -h 127.0.0.1 -p "$1" && return
        sleep 0.1
    done
    echo "bench: nothing answers on port $1" >&2
    cat "$folder"/*.log >&2
    return 1
}

# start NAME PORT COMMAND...: in the background.
start() {
    local name=$1 port=$2
    shift 2
    "$@" >"$folder/${name//\//-}.log" 2>&1 &
    pids+=($!)
    pid_of[$name]=$!
    port_of[$name]=$port
    wait_for_port "$port"
}

# The CPU time of a process and its children, all their threads, in nanoseconds.
cpu_of() {
    local process files=()
    for process in "$1" $(cat "/proc/$1/task/$1/children"); do
        files+=("/proc/$process/task/"*/schedstat)
    done
    cat "${files[@]}" | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# The memory of a process and its children, each page shared by the number of those that share it, in bytes.
memory_of() {
    local process files=()
    for process in "$1" $(cat "/proc/$1/task/$1/children"); do
        files+=("/proc/$process/smaps_rollup")
    done
    cat "${files[@]}" | awk '/^Pss:/ { sum += $2 } END { print sum * 1024 }'
}

make_certificate() {
    [ -f "$folder/server.crt" ] && return
    openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj /CN=localhost -keyout "$folder/server.key" \
        -out "$folder/server.crt" 2>"$folder/certificate.log"
    chmod 600 "$folder/server.key"
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder/server.key"
}

# address_of SERVER [PREFIX]: the port's, or with PREFIX before it the path of a Unix socket.
address_of() {
    case $1 in
    /*) echo "${2:-}$1" ;;
    *) echo "127.0.0.1:$1" ;;
    esac
}

# Each start_KIND takes: the name, the server's port of 127.0.0.1 or the path of its Unix socket, then what is its own.

start_relay() {
    local port
    port=$(free_port)
    start "$1" "$port" "$build/bench_relay" "$port" "$2"
}

start_relay_uring() {
    local port
    port=$(free_port)
    start "$1" "$port" "$build/bench_relay_uring" "$port" "$2"
}

# start_pgbouncer NAME SERVER [tls]
start_pgbouncer() {
    local port server=$2 file=$folder/${1//\//-}.ini
    port=$(free_port)
    case $server in
    /*) server="host=${server%/*} port=${server##*.}" ;;
    *) server="host=127.0.0.1 port=$server" ;;
    esac
    echo '"postgres" ""' >"$folder/users.txt"
    cat >"$file" <<END
[databases]
* = $server
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
listen_backlog = 1024
unix_socket_dir =
auth_type = trust
auth_file = $folder/users.txt
pool_mode = session
max_client_conn = $sessions_most
default_pool_size = $sessions_most
server_idle_timeout = 1
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
END
    if [ "${3:-}" = tls ]; then
        cat >>"$file" <<END
client_tls_sslmode = require
client_tls_key_file = $folder/server.key
client_tls_cert_file = $folder/server.crt
END
    fi
    start "$1" "$port" "${as_postgres[@]}" "$peers/usr/sbin/pgbouncer" "$file"
}

start_haproxy() {
    local port server
    port=$(free_port)
    server=$(address_of "$2" unix@)
    cat >"$folder/haproxy.cfg" <<END
global
    nbthread 1
    maxconn $sessions_most
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen postgres
    bind 127.0.0.1:$port backlog 1024
    server postgres $server
END
    start "$1" "$port" "$peers/usr/sbin/haproxy" -db -f "$folder/haproxy.cfg"
}

start_nginx() {
    local port server
    port=$(free_port)
    server=$(address_of "$2" unix:)
    cat >"$folder/nginx.conf" <<END
load_module $peers/usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/nginx-errors.log;
events { worker_connections $((2 * sessions_most + 100)); }
stream {
    server {
        listen 127.0.0.1:$port backlog=1024;
        proxy_pass $server;
        proxy_timeout 1h;
    }
}
END
    start "$1" "$port" "$peers/usr/sbin/nginx" -p "$folder" -e "$folder/nginx-errors.log" -c "$folder/nginx.conf"
}

# start_sluice NAME SERVER [tls] [SETTINGS]: everything at its default and the guard enforcing; SETTINGS are YAML. It
# works in a folder of its own.
start_sluice() {
    local port server own=$folder/${1//\//-} tls=
    port=$(free_port)
    server=$(address_of "$2")
    [ "$3" != tls ] ||
        tls=", tls: { mode: require, certificate: \"$folder/server.crt\", key: \"$folder/server.key\" }"
    mkdir "$own"
    cat >"$own/sluice.yaml" <<END
listen:
  - { address: "127.0.0.1:$port", upstream: main$tls }
upstreams:
  - { name: main, hosts: ["$server"] }
console: { address: "127.0.0.1:$(free_port)" }
guard: { mode: enforce }
${4//POSTGRES_PORT/$postgres_port}
END
    start "$1" "$port" "$build/pgsluice" run --config "$own/sluice.yaml"
}

# The settings of a sluice by its target's name, which may end in _2 for two workers.
settings_of() {
    case $1 in
    sluice_uv*) echo "io: uv" ;;
    sluice_uring*) echo "io: uring" ;;
    on) echo "${ON:-}" ;;
    off) echo "${OFF:-}" ;;
    esac
    case $1 in
    *_2) echo "workers: 2" ;;
    esac
    case $1 in
    sluice*) echo "${CONFIG:-}" ;;
    esac
}

is_sluice() {
    case $1 in
    sluice* | on | off) true ;;
    *) false ;;
    esac
}

# start_target NAME TARGET SERVER [tls]
start_target() {
    if is_sluice "$2"; then
        start_sluice "$1" "$3" "${4:-}" "$(settings_of "$2")"
    elif [ "$2" != direct ]; then
        "start_$2" "$1" "$3" "${4:-}"
    fi
}

# Says why a target cannot be measured here, or nothing.
lack_of() {
    case $1 in
    direct) ;;
    relay) [ -x "$build/bench_relay" ] || echo "$build/bench_relay is not built" ;;
    relay_uring)
        if [ ! -x "$build/bench_relay_uring" ]; then
            echo "$build/bench_relay_uring is not built: needs liburing-dev (bench/run.sh --install, then cmake again)"
        else
            lack_of_uring
        fi
        ;;
    pgbouncer | haproxy | nginx)
        [ -x "$peers/usr/sbin/$1" ] || echo "$peers/usr/sbin/$1 is missing: bench/run.sh --install"
        ;;
    sluice_uv* | sluice_uring*)
        if ! knows_io; then
            echo "this pgsluice does not know the setting io"
        elif [[ $1 != sluice_uring* ]]; then
            return
        elif ! ldd "$build/pgsluice" | grep -q liburing; then
            echo "this pgsluice was built without liburing"
        else
            lack_of_uring
        fi
        ;;
    sluice* | on | off) ;;
    *) echo "there is no such target" ;;
    esac
}

# The kernel lets us have io_uring if it gets as far as to miss its parameters.
lack_of_uring() {
    python3 -c '
import ctypes, errno
ctypes.CDLL(None, use_errno=True).syscall(425, 1, None)  # io_uring_setup
if ctypes.get_errno() != errno.EFAULT:
    print("the kernel has no io_uring, or does not let us have it")'
}

knows_io() {
    "$build/pgsluice" check --print-sample | grep -Eq '^(# )?io:'
}
