#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Measures what it costs to know who does what: the sluice with all of that switched on against the same with none of it, by
# bench/run.sh; see bench/README.md.
#
# usage: bench/insight.sh [--quick]
#
#   --quick      one round of 2 s: whether it works, not how fast it is
#   SECONDS=10   of each run          ROUNDS=7           of all runs
#   CLIENTS="1 16"                    MODES="prepared simple extended tpcb distinct"
#   BUILD=build/release               where pgsluice is; built when missing
#   ON_MORE= OFF_MORE=                more settings of either, as YAML; POSTGRES_PORT stands for the server's
seconds=$SECONDS # bash counts on from what the environment said
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build/release}
if [ ! -x "$build/pgsluice" ]; then
    cmake --preset release -B "$build" >/dev/null
    cmake --build "$build" --target bench_relay pgsluice >/dev/null
fi

# The sections of the settings that are switched by `record`, each with it.
switched() {
    "$build/pgsluice" check --print-sample | awk -v state="$1" '
        /^(# )?[a-z_]+:/ { section = $1 == "#" ? $2 : $1 }
        /^(#)? +record:/ { print section " { record: " state " }" }'
}

export ON OFF TARGETS="off on" BASE=off ROUNDS="${ROUNDS:-7}" CLIENTS="${CLIENTS:-1 16}" MODES="${MODES:-prepared simple extended tpcb distinct}"
export JSON="${JSON:-build/insight.json}"
ON="$(switched true)
${ON_MORE:-}"
OFF="$(switched false)
${OFF_MORE:-}"
SECONDS=$seconds exec bench/run.sh "$@"
