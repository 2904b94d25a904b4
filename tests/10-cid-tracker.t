#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
#
# 10-cid-tracker.t - the checker that the VF tests rely on is itself checked, on
# made-up memory and on this machine.
set -u
here=$(cd "$(dirname "$0")" && pwd)

program=$("$here/rig/program" cid-tracker-test) || exit
"$program"
