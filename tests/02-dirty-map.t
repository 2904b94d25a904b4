#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unit test: tests/unit/dirty_map.c.

set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
make -s -C unit OUT="$out" "$out/dirty_map" >&2
"$out/dirty_map"
