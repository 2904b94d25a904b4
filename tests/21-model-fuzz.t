#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: model
#
# 21-model-fuzz.t - does the device model withstand a host that does everything
# wrong? FUZZ_SEED=SEED[/ROUND] repeats a run, FUZZ_SECONDS= takes longer.

set -euo pipefail
# Run by hand or by tests/run, a signal leaves nothing running.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/model"

dir=$(./build)
export PYTHONDONTWRITEBYTECODE=1
exec timeout $((${FUZZ_SECONDS:-40} + 120)) /usr/bin/python3 selftest/fuzz.py "$dir"
