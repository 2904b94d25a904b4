#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: lists packages:system
#
# The Debian packages: built in a clean system of their suite, checked by its lintian,
# then installed, upgraded, removed and purged in another system, where dkms builds the
# modules. Nothing of them is left in the end.
#
# PACKAGES_FULL=1: in every suite (PACKAGES_SUITES= for some), from an older version,
# and with a second kernel; and reuse checks the copyright of all files (make
# check-packages)

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
version=$(dpkg-parsechangelog -SVersion)

grep -q "^PACKAGE_VERSION=\"$version\"$" dkms.conf && grep -q "^PACKAGE_VERSION=\"$version\"$" iommufd/dkms.conf
ok $? "both dkms.conf and debian/changelog tell the same version: $version"

# what dpkg-buildpackage adds to it unasked
declare -A release=([bookworm]="~deb12u1" [trixie]="~deb13u1" [sid]="")
dpkg --compare-versions "$version${release[bookworm]}" lt "$version${release[trixie]}" &&
	dpkg --compare-versions "$version${release[trixie]}" lt "$version${release[sid]}"
ok $? "an upgrade of the host replaces the packages"

# the headers of SUITE's newest kernel, as files, for a system that has different ones
second_kernel() { # SUITE OUT
	local headers common kbuild package

	mkdir -p "$2/base"
	# runs dkms' hook, for which the suite's own may be too old
	if dpkg --compare-versions "$(pkg_version "$1" linux-base)" gt \
		"$(pkg_version "${1%-backports}" linux-base)"; then
		cp "$(pkg_file "$1" linux-base)" "$2/base/" || return
	fi
	headers=$(depends_of "$1" linux-headers-amd64 '^linux-headers-') &&
		common=$(depends_of "$1" "$headers" '^linux-headers-.*-common') &&
		kbuild=$(depends_of "$1" "$headers" '^linux-kbuild-') || return
	for package in "$headers" "$common" "$kbuild"; do
		cp "$(pkg_file "$1" "$package")" "$2/" || return
	done
	depends_of "$1" "$headers" '^gcc-'
}

# VFIO and iommufd for the kernel of the suite
iommufd() { # SUITE WORK
	local suite=$1 work=$2 needs deb tree

	if [ "$suite" = bookworm ]; then
		skip "$suite: IOMMUFD" "its kernel's VFIO needs none, and dkms is too old"
		return
	fi
	mapfile -t needs < <(for deb in "$work"/{new,core}/*.deb; do dpkg-deb -f "$deb" Depends; done |
		tr ',' '\n' | sed 's/^ *//; s/[ (|].*//' | sort -u)
	tree=$(tests/rig/full/tree --minimal "$suite" "${needs[@]}" linux-image-amd64 linux-headers-amd64 linux-source \
		initramfs-tools openssl 2>"$work/log")
	ok $? "$suite: a system with a kernel and its source" "$work/log"
	tests/rig/full/inside "$tree" "$work" bash -s <tests/packages/iommufd-life >"$work/iommufd" 2>&1
	ok $? "$suite: the whole life of the package with IOMMUFD" "$work/iommufd"
	points "$work/iommufd" "$suite: "
}

life() { # SUITE
	local suite=$1 work=$out/$1 needs compiler name

	mkdir -p "$work/sys"
	tests/packages/build-deb "$suite" "$work/new" 2>"$work/log"
	ok $? "$suite: the packages build" "$work/log"
	sed 1d "$work/new/lintian.log" >"$work/log"
	grep -q '^Lintian v' "$work/new/lintian.log" && [ ! -s "$work/log" ]
	ok $? "$suite: lintian has no complaint" "$work/log"
	for name in "$work"/new/*.deb; do
		[ "$(dpkg-deb -f "$name" Version)" = "$version${release[$suite]}" ] || echo "$name"
	done >"$work/log"
	[ ! -s "$work/log" ]
	ok $? "$suite: the packages are $version${release[$suite]}" "$work/log"
	if [ -n "${PACKAGES_FULL-}" ]; then
		tests/packages/build-deb "$suite" "$work/old" "$version~before" 2>"$work/log"
		ok $? "$suite: an older version builds" "$work/log"
	else
		skip "$suite: an older version" "left out here, the same is installed over itself: make check-packages"
	fi
	rm -f "$work"/*/*-dbgsym_*.deb
	# by its own name only, and where dkms is not too old for it
	mkdir "$work/core"
	find "$work/new" -name 'nvme-vfio-iommufd-dkms_*.deb' -exec mv -t "$work/core" {} +
	rm -f "$work"/old/nvme-vfio-iommufd-dkms_*.deb
	name=$(ls "$work/core")
	[ "$name" = "$([ "$suite" = bookworm ] || echo "nvme-vfio-iommufd-dkms_$version${release[$suite]}_all.deb")" ]
	ok $? "$suite: the package with IOMMUFD is there if dkms is new enough: ${name:-no}" "$work/new/build.log"

	# everything they need is already there: what is left behind is theirs
	mapfile -t needs < <(for deb in "$work"/new/*.deb; do dpkg-deb -f "$deb" Depends; done |
		tr ',' '\n' | sed 's/^ *//; s/[ (|].*//' | sort -u)
	needs+=(linux-headers-amd64)
	# where there is no kernel dkms leaves nothing for modprobe, from 3.2 on
	[ "$suite" = bookworm ] || needs+=(linux-image-amd64)
	if [ -z "${PACKAGES_FULL-}" ]; then
		skip "$suite: a second kernel" "left out here: make check-packages"
	elif [ "$suite" = sid ]; then
		skip "$suite: a second kernel" "there is only one in it"
	else
		compiler=$(second_kernel "$suite-backports" "$work/kernel" 2>"$work/log")
		ok $? "$suite: a second kernel is available" "$work/log"
		needs+=("$compiler" pahole linux-base)
	fi
	tree=$(tests/rig/full/tree --minimal "$suite" "${needs[@]}" 2>"$work/log")
	ok $? "$suite: a system to install them on" "$work/log"

	tests/rig/full/inside "$tree" "$work" bash -s <tests/packages/deb-life >"$work/life" 2>&1
	ok $? "$suite: the whole life of the packages" "$work/life"
	points "$work/life" "$suite: "

	if [ -z "${PACKAGES_FULL-}" ]; then
		skip "$suite: autopkgtest" "left out here: make check-packages"
		return
	fi
	iommufd "$suite" "$work"
	tests/packages/autopkgtest "$suite" "$work" >"$work/log" 2>&1
	ok $? "$suite: autopkgtest" "$work/log"
	for name in dkms-autopkgtest boot; do
		grep -q "^$name *PASS" "$work/autopkgtest/summary"
		ok $? "$suite: autopkgtest: $name" "$work/autopkgtest/summary"
	done
}

apt_lists
suites=bookworm
[ -z "${PACKAGES_FULL-}" ] || suites=${PACKAGES_SUITES:-bookworm trixie sid}
for suite in bookworm trixie sid; do
	if [[ " $suites " = *" $suite "* ]]; then
		life "$suite"
	elif [ -n "${PACKAGES_FULL-}" ]; then
		skip "$suite" "PACKAGES_SUITES=$suites"
	else
		skip "$suite" "left out here: make check-packages"
	fi
done

if [ -n "${PACKAGES_FULL-}" ]; then
	mkdir -p "$out/reuse/source"
	git ls-files -z | xargs -0 cp --parents -a -t "$out/reuse/source"
	tree=$(tests/rig/full/tree --minimal trixie reuse 2>"$out/log") &&
		tests/rig/full/inside "$tree" "$out/reuse" reuse --no-multiprocessing --root source lint >"$out/log" 2>&1
	ok $? "reuse lint: each file says whose it is and under which licence" "$out/log"
else
	skip "reuse lint" "left out here: make check-packages"
fi

tap_done
