#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Measures what 10000 sessions that rest cost in memory, as far as descriptors allow; see README.md.
#
# usage: bench/idle.sh [--sessions N] [--at-once N] [--setting NAME=JSON] [--json FILE]
#
#   BUILD=build/release   where pgsluice is; built when missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build/release}
if [ ! -x "$build/pgsluice" ]; then
    cmake --preset release -B "$build" >/dev/null
    cmake --build "$build" --target pgsluice >/dev/null
fi
ulimit -n "$(ulimit -Hn)"
BUILD="$build" exec /usr/bin/python3 -B bench/idle.py "$@"
