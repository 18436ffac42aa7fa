#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Installs by apt-get and npm what building and testing needs (Debian 12). Does nothing when all of it is there.
#
# usage: tests/install.sh            everything that tests/run.sh needs
#        tests/install.sh build      only what building and the quickstart need
#        tests/install.sh compile    only what building needs
#        tests/install.sh clients    the client libraries that tests/clients runs; those of npm go to build/clients
#        tests/install.sh migrations the migration tools that tests/migrations runs; those of npm go to build/migrations
#        tests/install.sh servers    PostgreSQL 13, 14, 16, 17 and 18 for the tests of versions, by npm into build/servers
#        tests/install.sh peers      the proxies that bench/run.sh compares with, unpacked into build/peers, and what its relays need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compile_packages=(
    gcc cmake ninja-build pkg-config libc6-dev python3
    libuv1-dev libssl-dev libpg-query-dev libprotobuf-c-dev libyaml-dev libical-dev libpq-dev
    libsqlite3-dev libcurl4-openssl-dev liburing-dev
)
build_packages=("${compile_packages[@]}" postgresql-15 postgresql-client-15)
test_packages=(
    clang clang-14 clang-format clang-tidy libclang-rt-14-dev binutils
    libcmocka-dev
    postgresql-contrib
    python3-psycopg2 python3-yaml
    procps iproute2 openssl libevent-2.1-7 libc-ares2 valgrind
)
client_packages=(
    python3 python3-psycopg2 python3-psycopg python3-asyncpg
    libpostgresql-jdbc-java golang-go golang-github-lib-pq-dev libdbd-pg-perl ruby ruby-pg
    libpq-dev postgresql-client-15 openssl
)
migration_packages=(
    python3 python3-psycopg2 alembic python3-django ruby ruby-activerecord ruby-pg sqitch libdbd-pg-perl sql-migrate
    postgresql-client-15
)
peer_packages=(
    liburing-dev postgresql-15 postgresql-client-15 python3 openssl procps util-linux
    libevent-2.1-7 libc-ares2 libpam0g libpcre2-8-0 liblua5.3-0 libopentracing-c-wrapper0 libsystemd0 zlib1g
)
# Not asked for by name where they came by another way.
command -v javac >/dev/null || client_packages+=(default-jdk-headless)
command -v java >/dev/null || migration_packages+=(default-jre-headless)
node_packages=()
command -v node >/dev/null || node_packages+=(nodejs)
command -v npm >/dev/null || node_packages+=(npm)

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_of() {
    local package
    for package in "$@"; do
        is_installed "$package" || echo "$package"
    done
}

# sudo may ask for a password only where somebody is there to type it.
sudo=(sudo -n)
if [ -t 0 ] && [ -t 2 ]; then
    sudo=(sudo)
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        "${sudo[@]}" "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Debian makes and starts a cluster for a newly installed server; the tests make their own and want no other. Says so
# to Debian for the time of the installation only; clusters that exist are left alone.
cluster_settings=/etc/postgresql-common/createcluster.d/pgsluice.conf

hold_back_cluster() {
    as_root mkdir -p "$(dirname "$cluster_settings")"
    echo "create_main_cluster = false" | as_root tee "$cluster_settings" >/dev/null
    trap 'as_root rm -f "$cluster_settings"' EXIT
}

install_packages() {
    local missing
    command -v dpkg-query >/dev/null || { echo "no dpkg here: install by hand: $*" >&2; exit 1; }
    mapfile -t missing < <(missing_of "$@")
    if [ ${#missing[@]} -eq 0 ]; then
        echo "all packages are installed"
        return
    fi
    if [ "$(id -u)" != 0 ] && ! "${sudo[@]}" true; then
        echo "install as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "installing ${missing[*]}"
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
        hold_back_cluster
    fi
    apt update
    apt install -y --no-install-recommends "${missing[@]}"
}

# unpack FOLDER PACKAGE...: unpacked only; installed, each would be a service on its usual port, now and at each start.
unpack() {
    local folder=$1 package
    shift
    if cmp -s <(printf '%s\n' "$@") "$folder/unpacked"; then
        echo "$folder is unpacked"
        return
    fi
    echo "unpacking $folder"
    mkdir -p "$folder"
    (cd "$folder" && { apt-get -q download "$@" || { apt update && apt-get -q download "$@"; }; } </dev/null)
    for package in "$@"; do
        dpkg -x "$folder/${package}"_*.deb "$folder"
    done
    printf '%s\n' "$@" >"$folder/unpacked"
}

# install_node SOURCE TARGET [npm option...]: what SOURCE/package-lock.json names, into TARGET/node_modules.
install_node() {
    local source=$1 target=$2
    shift 2
    if cmp -s "$source/package-lock.json" "$target/installed.json"; then
        echo "$target is installed"
        return
    fi
    echo "installing $target"
    mkdir -p "$target"
    rm -f "$target/installed.json"
    cp "$source/package.json" "$source/package-lock.json" "$target"
    npm ci --prefix "$target" --no-audit --no-fund "$@" </dev/null
    cp "$target/package-lock.json" "$target/installed.json"
}

case "${1:-all}" in
all)
    install_packages "${build_packages[@]}" "${test_packages[@]}"
    unpack build/pooler pgbouncer
    ;;
build) install_packages "${build_packages[@]}" ;;
compile) install_packages "${compile_packages[@]}" ;;
clients)
    install_packages "${client_packages[@]}" "${node_packages[@]}"
    install_node tests/clients build/clients --ignore-scripts
    ;;
migrations)
    install_packages "${migration_packages[@]}" "${node_packages[@]}"
    install_node tests/migrations build/migrations --ignore-scripts
    ;;
servers)
    install_packages "${node_packages[@]}"
    install_node tests/integration/servers build/servers --foreground-scripts
    ;;
peers)
    install_packages "${peer_packages[@]}"
    unpack build/peers pgbouncer haproxy nginx libnginx-mod-stream
    ;;
*) echo "usage: tests/install.sh [build | compile | clients | migrations | servers | peers]" >&2 && exit 2 ;;
esac
