#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Installs what is needed, builds and runs every test; with sanitizers too, and through a second compiler.
#
# usage: tests/run.sh           everything
#        tests/run.sh --quick   the release build and its tests only, without those that carry load for minutes
#
# The last line is "N passed, N failed", a build that fails counting as one failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

is_quick=false
case "${1:-}" in
"") ;;
--quick) is_quick=true ;;
*) echo "usage: tests/run.sh [--quick]" >&2 && exit 2 ;;
esac

passed=0
failed=0
summary=()
logs=build/logs
mkdir -p "$logs"

note() {
    summary+=("$1")
    echo "== $1"
}

count_failure() {
    failed=$((failed + 1))
    note "$1"
}

# Runs a command quietly; shows what it said only if it fails.
quietly() {
    local log=$logs/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    echo "== failed: $*"
    cat "$log"
    return 1
}

# build NAME PRESET COMPILER: configures and builds in build/NAME.
build() {
    local name=$1 preset=$2 compiler=$3
    if quietly "$name-configure" cmake --preset "$preset" -B "build/$name" -DCMAKE_C_COMPILER="$compiler" \
        -DPGSLUICE_WERROR=ON && quietly "$name-build" cmake --build "build/$name" -- -k 0; then
        note "$name: built with $compiler, no warning"
    else
        count_failure "$name: build with $compiler FAILED"
        return 1
    fi
}

# skipped_of LOG: which of the passed tests could not run here.
skipped_of() {
    sed -n 's/^[[:space:]]*[0-9]* - \(.*\) (Skipped)$/\1/p' "$1" | paste -sd ' ' | sed 's/^..*/; of these not run here: &/'
}

# run_tests NAME [ctest option...]: adds the figures of one ctest run.
run_tests() {
    local name=$1 log=$logs/$1-test.log line failed_here total
    shift
    ctest --test-dir "build/$name" -j2 --output-on-failure --timeout 600 --no-tests=error "$@" </dev/null 2>&1 |
        tee "$log"
    line=$(grep -E 'tests? failed out of [0-9]+' "$log" | tail -n 1)
    if [[ ! $line =~ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]; then
        count_failure "$name: no test ran"
        return
    fi
    failed_here=${BASH_REMATCH[1]}
    total=${BASH_REMATCH[2]}
    passed=$((passed + total - failed_here))
    failed=$((failed + failed_here))
    note "$name: $((total - failed_here)) of $total tests passed$(skipped_of "$log")"
}

# clang-tidy counts as one test.
tidy() {
    if quietly tidy bash tests/tidy.sh build/release; then
        passed=$((passed + 1))
        note "clang-tidy: nothing to say"
    else
        count_failure "clang-tidy: FAILED"
    fi
}

quietly install bash tests/install.sh || count_failure "the packages could not be installed"
quietly install-clients bash tests/install.sh clients || count_failure "the clients could not be installed"
quietly install-migrations bash tests/install.sh migrations || count_failure "the migration tools could not be installed"
quietly install-servers bash tests/install.sh servers || count_failure "the other servers could not be installed"

release_tests=()
if $is_quick; then
    release_tests=(-LE long)
fi
build release release gcc && run_tests release "${release_tests[@]}"
if ! $is_quick; then
    export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
    build asan asan gcc && run_tests asan -L asan-too
    build clang debug clang
    tidy
fi

echo
printf '%s\n' "${summary[@]}"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
