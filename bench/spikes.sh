#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# What the watch for incidents is worth at its defaults: false alarms in 30 days of several kinds of traffic, and how long
# spikes last until they are told. The same seed gives the same figures; see bench/README.md.
#
# usage: bench/spikes.sh [--json] [--seed N] [--months N] [--trials N]
#
#   --json        for programs      --seed N     of all chance (1)
#   --months N    watched for each kind of traffic, at 100 a minute and more a tenth of it (300)
#   --trials N    for each spike, at 100 a minute and more a tenth of it (200)
#   BUILD=build/release   with bench_spikes; built when missing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${BUILD:-build/release}
[ -x "$build/bench_spikes" ] || {
    cmake --preset release -B "$build" >/dev/null
    cmake --build "$build" --target bench_spikes >/dev/null
}
exec "$build/bench_spikes" "$@"
