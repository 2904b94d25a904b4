#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:tool lists
#
# Unit tests of the command line tool (tests/unit/tool): its configuration and the PFs
# it is about; its steps on a device in memory, with each call failing once; how the
# device differs from the configuration; how it reads trace events and the driver's
# messages; how it compares two hosts, and many; the classes of VFs and their ids; locks;
# what it records about a PF, and of the quarantine; doctor's checks on hosts made of
# files; tables. The one file that uses libnvme also has to compile with newer versions
# than this machine's.

set -u
cd "$(dirname "$0")" || exit 1
. rig/common.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

n=0 failed=0
for part in ini config match steps compare mig_trace peer class fleet lock host undo_file doctor tables driver_view quarantine; do
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
	# a program that ended early has not printed its plan
	if ! grep -qx "1..$points" "$out/log"; then
		echo "not ok $((++n)) - $part: ran to its end"
		failed=1
	fi
done

# whose headers are used instead of this machine's
with_libnvme() { # SUITE
	pkg_unpack "$1" libnvme-dev "$out/$1" &&
		gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
			-I"$TOP" -isystem "$out/$1/usr/include" "$TOP/tools/nvme-vfio/host/nvme.c"
}

apt_lists >"$out/log" 2>&1
for suite in trixie sid; do
	result=ok
	with_libnvme "$suite" >"$out/log" 2>&1 || result="not ok" failed=1
	echo "$result $((++n)) - nvme.c compiles with libnvme $(pkg_version "$suite" libnvme-dev)"
	[ "$result" = ok ] || sed 's/^/# /' "$out/log"
done
echo "1..$n"
exit $failed
