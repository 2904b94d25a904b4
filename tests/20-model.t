#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: model
#
# 20-model.t - is the QEMU device model as strict as it has to be? Builds it if
# necessary and drives it by qtest, without a guest.

set -euo pipefail
# Run by hand or by tests/run, a signal leaves nothing running.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/model"

dir=$(./build)
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 selftest/selftest.py "$dir" "$@"
