#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of files in docs/design.md is that of src/.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# the first column, between the table's head and its end
awk -F'|' '/^\| file in `src\/` /{ on = 1 } on && !/^\|/{ exit } on { print $2 }' docs/design.md |
	grep -o '`[^`]*`' | tr -d '`' | grep -v '/$' | sort >"$out/table"
(cd src && git ls-files) | sort >"$out/tree"

test -s "$out/table" && ! comm -23 "$out/table" "$out/tree" | grep . >"$out/log"
ok $? "each file in the table is there" "$out/log"

uniq -d "$out/table" >"$out/log"
test ! -s "$out/log"
ok $? "each is there once" "$out/log"

# headers go with the .c file of their name, unless they stand alone
comm -13 "$out/table" "$out/tree" | while read -r file; do
	case $file in
	Kbuild | admin_q.h) ;;		# of no one file
	*.h) [ -e "src/${file%.h}.c" ] || echo "$file" ;;
	*) echo "$file" ;;
	esac
done >"$out/log"
test ! -s "$out/log"
ok $? "each file that is there is in the table" "$out/log"

tap_done
