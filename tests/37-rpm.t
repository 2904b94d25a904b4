#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: lists packages:system
#
# The rpms: built on Debian, checked by rpmlint, and what their scripts do. How
# they behave on Fedora or RHEL is not tested here.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

version=$(sed -n 's/^Version: *//p' rpm/nvme-vfio.spec)
grep -q "^PACKAGE_VERSION=\"$version\"$" dkms.conf
ok $? "dkms.conf and the spec have the same version: $version"

mkdir "$out/sys"
tests/packages/build-rpm "$out/new" 2>"$out/log"
ok $? "the rpms build" "$out/log"
tests/packages/build-rpm "$out/old" 0.0.1 2>"$out/log"
ok $? "an older version builds" "$out/log"
grep -qE '^ *[0-9]+ packages and 1 specfiles checked; 0 errors, 0 warnings' "$out/new/rpmlint.log"
ok $? "rpmlint has no complaint" "$out/new/rpmlint.log"
find "$out/new" -name '*.rpm' -printf '%f\n' | sed "s/-$version-[^.]*\././" | LC_ALL=C sort | xargs >"$out/log"
[ "$(cat "$out/log")" = "kmod-nvme-vfio.x86_64.rpm nvme-vfio-dkms.noarch.rpm nvme-vfio-tools.x86_64.rpm nvme-vfio.src.rpm" ]
ok $? "they are dkms, tools, kmod and source" "$out/log"

tests/rig/full/inside "$(cat "$out/new/tree")" "$out" bash -s <tests/packages/rpm-life >"$out/life" 2>&1
ok $? "what their scripts do" "$out/life"
points "$out/life"

tap_done
