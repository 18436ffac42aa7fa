#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Builds pgsluice as it is meant to be installed, twice: once to see where it spends its time under a typical load, which
# needs no server, and once more so that the compiler knows. What that gives is in bench/README.md.
#
# usage: bench/tune.sh
#
#   BUILD=build/tuned     where it is built; ends with BUILD/pgsluice
#   SECONDS=3             of each load
seconds=$SECONDS # bash counts on from what the environment said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ "$seconds" -gt 0 ] || seconds=3
mkdir -p "${BUILD:-build/tuned}"
build=$(cd "${BUILD:-build/tuned}" && pwd)
profile=$build/profile
folder=$(mktemp -d /tmp/pgsluice-tune.XXXXXX)
pids=()

end_all() {
    trap - EXIT
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null || true
    rm -rf "$folder"
}
trap end_all EXIT

say() {
    echo "tune: $*" >&2
}

# build FLAGS TARGET...
build() {
    cmake --preset release -B "$build" -DBUILD_TESTING=OFF -DCMAKE_C_FLAGS="$1" >"$folder/cmake.log" || { cat "$folder/cmake.log" >&2 && return 1; }
    shift
    cmake --build "$build" --target "$@" >"$folder/build.log" || { tail -50 "$folder/build.log" >&2 && return 1; }
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
    local _
    for _ in $(seq 100); do
        (: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.1
    done
    say "nothing listens on port $1"
    cat "$folder"/*.log >&2
    return 1
}

# load LANE SERVER: connections that ask one thing at a time, and several, through a sluice.
load() {
    local port sluice batch _
    port=$(free_port)
    mkdir "$folder/$1"
    cat >"$folder/$1/sluice.yaml" <<END
listen: [{ address: "127.0.0.1:$port", upstream: main }]
upstreams: [{ name: main, hosts: ["127.0.0.1:$2"] }]
console: { address: "127.0.0.1:$(free_port)" }
guard: { mode: enforce }
io: $1
END
    "$build/pgsluice" run --config "$folder/$1/sluice.yaml" >"$folder/$1.log" 2>&1 &
    sluice=$!
    pids[1]=$sluice
    wait_for "$port"
    for _ in $(seq 100); do
        ! grep -q ' event=started ' "$folder/$1.log" || break
        sleep 0.1
    done
    if [ "$1" = auto ] && ! grep -q ' event=started .* io=auto' "$folder/$1.log"; then
        say "io_uring is not to be had here: the lane that uses it is built without having been watched"
    fi
    for batch in 1 16; do
        "$build/bench_asker" "$port" 8 "$batch" "$seconds" >/dev/null
    done
    kill "$sluice"
    wait "$sluice" || { cat "$folder/$1.log" >&2 && return 1; }
    unset 'pids[1]'
}

train() {
    local mode server
    for mode in simple extended prepared violation; do
        "$build/bench_session" "$mode" 20000 >/dev/null
    done
    server=$(free_port)
    "$build/bench_answers" "$server" >"$folder/answers.log" 2>&1 &
    pids[0]=$!
    wait_for "$server"
    load uv "$server"
    load auto "$server"
}

rm -rf "$profile"
say "builds it to be watched"
build "-fprofile-generate=$profile -fprofile-update=prefer-atomic" pgsluice bench_session bench_answers bench_asker
say "watches it"
train
say "builds it with what was seen"
build "-fprofile-use=$profile -fprofile-partial-training -fprofile-correction -Wno-missing-profile" pgsluice bench bench_session
say "$build/pgsluice"
