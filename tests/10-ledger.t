#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
#
# 10-ledger.t - the checker that the VF tests rely on is itself checked, on
# made-up memory and on this machine.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

if ! make -s -C "$here/vf" BUILD="$out" "$out/ledger-test" >"$out/log" 2>&1; then
	sed 's/^/# /' "$out/log"
	echo "not ok 1 - build"
	echo 1..1
	exit 1
fi
"$out/ledger-test"
