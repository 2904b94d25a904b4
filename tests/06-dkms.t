#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels
#
# dkms itself builds the package from dkms.conf, for every kernel: both modules
# without a warning, and nothing else. dkms is only unpacked, not installed, and
# has its trees here: nothing of this machine is changed.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

value() { sed -n "s/^$1=\"\(.*\)\"/\1/p" dkms.conf; }
name=$(value PACKAGE_NAME) version=$(value PACKAGE_VERSION)

apt_lists && pkg_unpack bookworm dkms "$out/dkms"
ok $? "dkms is had"
mkdir -p "$out/tree" "$out/source/$name-$version"
git ls-files -z dkms.conf src | xargs -0 cp --parents -t "$out/source/$name-$version"

dkms() { # ACTION [OPTION...]
	"$out/dkms/usr/sbin/dkms" "$@" -m "$name" -v "$version" \
		--dkmstree "$out/tree" --sourcetree "$out/source" </dev/null
}

dkms add >"$out/log" 2>&1
ok $? "dkms add" "$out/log"

while IFS=$'\t' read -r series release kdir _ tools; do
	[ "$series" != debug ] || continue	# not a kernel that is distributed
	(
		export PATH="${tools:+$tools:}$PATH"
		dkms build -k "$release" -a x86_64 --kernelsourcedir "$kdir"
	) >"$out/log" 2>&1
	status=$?
	made=$out/tree/$name/$version/$release/x86_64
	cat "$made/log/make.log" "$out/tree/$name/$version/build/make.log" >>"$out/log" 2>/dev/null
	ok $status "$release: dkms build" "$out/log"
	grep -iE 'warning|error' "$made/log/make.log" >"$out/warnings"
	[ -s "$made/log/make.log" ] && [ ! -s "$out/warnings" ]
	ok $? "$release: no warnings" "$out/warnings"
	(cd "$made/module" && find . -type f | sed -E 's/\.(xz|gz|zst)$//' | sort | xargs) >"$out/made" 2>&1
	[ "$(cat "$out/made")" = "./nvme-pf-shim.ko ./nvme-vfio-pci.ko" ]
	ok $? "$release: the two modules come out" "$out/made"
	bad=0
	for module in "$made"/module/*.ko*; do
		[ "$(modinfo -F vermagic "$module" | cut -d' ' -f1)" = "$release" ] || bad=1
	done
	ok $bad "$release: they are for that kernel"
done < <(tests/rig/kernels)

tap_done
