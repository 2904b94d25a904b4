#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
#
# 02-tap.t - the runner of cases in C programs (lib/tap.c) reports how each ended,
# and continues.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

program=$(tests/rig/program tap-test) || exit
cat >"$out/expected" <<'EOF'
# one line
# and another
ok 1 - first: passes
# 1 is not 2
# (tap-test.c:LINE)
not ok 2 - first: fails
# lib_fail(-1, "no reason"): expected 0, got -1 (no reason: Operation not permitted)
# (tap-test.c:LINE)
not ok 3 - first: fails in the library
ok 4 - is skipped # SKIP there is no sense
ok 5 - is skipped by the library # SKIP no such device
ok 6 - needs something # SKIP not here
# one line
# and another
ok 7 - needs what there is
# ended by signal 10
not ok 8 - is killed
# not finished after 1 s
not ok 9 - never ends
# one line
# and another
# bad, says the judge of 0
not ok 10 - is not liked
# bad, says the judge of 1
not ok 11 - is skipped, not liked
1..11
# 6 of 11 failed
EOF
timeout 60 "$program" >"$out/said"
ok $? "it runs to its end"
sed 's/:[0-9]*)$/:LINE)/' "$out/said" | diff "$out/expected" - >"$out/log"
ok $? "it reports how each case has ended" "$out/log"

tap_done
