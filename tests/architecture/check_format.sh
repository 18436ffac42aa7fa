#!/usr/bin/env bash
# SPDX-License-Identifier: PostgreSQL
# Lists the C files that clang-format would change; fails if there are any.
#
# usage: check_format.sh [FOLDER] | check_format.sh --self-test
set -u

formatter=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is missing"; exit 1; }
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

list_unformatted() {
    find "$1" \( -name build -o -name .git \) -prune -o -name '*.[ch]' -type f -print0 | sort -z |
        while IFS= read -r -d '' file; do
            "$formatter" --style=file --dry-run --Werror "$file" >/dev/null 2>&1 || echo "$file"
        done
}

if [ "${1:-}" = --self-test ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cp "$tree/.clang-format" "$folder/"
    printf 'int f(void);\n' >"$folder/tidy.c"
    printf 'int   f( void );\n' >"$folder/untidy.c"
    [ "$(list_unformatted "$folder")" = "$folder/untidy.c" ]
    exit
fi

unformatted=$(list_unformatted "${1:-$tree}")
[ -z "$unformatted" ] && exit 0
echo "clang-format would change:"
echo "$unformatted"
exit 1
