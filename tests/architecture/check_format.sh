#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Lists the C files that clang-format would change; fails if there are any.
#
# usage: check_format.sh [FOLDER] | check_format.sh --self-test
set -uo pipefail

formatter=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is missing"; exit 1; }
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Fails when there is something to change, or when the formatter itself fails; says which files or why.
check() {
    local said
    said=$(find "$1" \( -name build -o -name .git \) -prune -o -name '*.[ch]' -type f -print0 |
        xargs -0 --no-run-if-empty "$formatter" --style=file --dry-run --Werror 2>&1) && return
    echo "clang-format would change:"
    grep -q 'code should be clang-formatted' <<<"$said" || echo "$said"
    sed -nE 's/^([^:]+):[0-9]+:[0-9]+: .*code should be clang-formatted.*/\1/p' <<<"$said" | sort -u
    return 1
}

self_test() {
    local said
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cp "$tree/.clang-format" "$folder/"
    printf 'int f(void);\n' >"$folder/tidy.c"
    check "$folder" || { echo "a tidy file was refused"; return 1; }
    printf 'int   f( void );\n' >"$folder/untidy.c"
    said=$(check "$folder") && { echo "an untidy file was not found"; return 1; }
    [ "$(tail -n +2 <<<"$said")" = "$folder/untidy.c" ] || { echo "not just the untidy file: $said"; return 1; }
    rm "$folder/untidy.c"
    echo 'BasedOnStyle: nobody' >"$folder/.clang-format"
    check "$folder" >/dev/null && { echo "a broken style was not found"; return 1; }
    return 0
}

if [ "${1:-}" = --self-test ]; then
    self_test
else
    check "${1:-$tree}"
fi
