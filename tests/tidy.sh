#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# clang-tidy over all of src/, by the rules of .clang-tidy. Needs a configured build folder: tests/tidy.sh [build/release]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build/release}
git ls-files 'src/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" \
    --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null
