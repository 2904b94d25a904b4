#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests of the command line tool: its configuration (tests/unit/tool), its
# steps on a device in memory, each call of which fails once, and what it makes of
# trace events.

set -u
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

n=0 failed=0
for part in config steps flow; do
	if ! make -s -C unit/tool OUT="$out" "$out/$part" >"$out/log" 2>&1; then
		echo "not ok $((++n)) - $part: builds"
		sed 's/^/# /' "$out/log"
		failed=1
		continue
	fi
	"$out/$part" >"$out/log" 2>&1 || failed=1
	points=$(grep -cE '^(not )?ok ' "$out/log")
	awk -v n="$n" -v part="$part" '
		/^(not )?ok / {
			bad = $1 == "not" ? "not " : ""
			sub(/^(not )?ok [0-9]+ - /, "")
			print bad "ok " ++n " - " part ": " $0
			next
		}
		/^1\.\./ { next }
		{ print /^#/ ? $0 : "# " $0 }' "$out/log"
	n=$((n + points))
	# what ended early has not printed its plan
	if ! grep -qx "1..$points" "$out/log"; then
		echo "not ok $((++n)) - $part: ran to its end"
		failed=1
	fi
done
echo "1..$n"
exit $failed
