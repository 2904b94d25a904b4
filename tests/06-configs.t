#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 lists
# Needs, CHECK_FULL=1: kernel:6.1
#
# Kernels that are configured differently from Debian's: headers with options
# changed, kernels with unusual names, kernels that lack what the modules need,
# kernels built by clang. dkms itself decides; it is only unpacked, with its trees here.
#
# CHECK_FULL=1: more configurations; Debian's PREEMPT_RT and cloud kernels, and those
# for arm64, with pages of 4 and of 16 KiB, by a cross compiler. They are only built,
# not run.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

IFS=$'\t' read -r _ release kdir _ < <(tests/rig/kernels 6.12)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
apt_lists && pkg_unpack bookworm dkms "$out/dkms" >/dev/null
ok $? "dkms is available"
mkdir -p "$out/tree" "$out/source/nvme-vfio-$version" "$out/headers"
git ls-files -z dkms.conf src | xargs -0 cp --parents -t "$out/source/nvme-vfio-$version"
for part in "${kdir%/*}"/*; do
	[ "$part" = "$kdir" ] || ln -s "$part" "$out/headers/"
done

# Not for options that change what was generated with the headers, such as sizes of
# locks: PREEMPT_RT needs the headers of a kernel that was configured with it.
headers() { # NAME OPTION=y|n... - this kernel's headers with these options
	local tree=$out/headers/$1 option set link

	cp -a "$kdir" "$tree" && rm -f "$tree/vmlinux"	# from which dkms would learn the compiler
	for link in scripts tools; do
		ln -sfn "$(readlink -f "$kdir/$link")" "$tree/$link"
	done
	for option in "${@:2}"; do
		set=CONFIG_${option%=*}
		sed -i -E "/^$set(_MODULE)?=/d" "$tree/.config" "$tree/include/config/auto.conf"
		sed -i -E "/^#define $set(_MODULE)? /d" "$tree/include/generated/autoconf.h"
		[ "${option#*=}" = y ] || continue
		tee -a "$tree/.config" >>"$tree/include/config/auto.conf" <<<"$set=y"
		echo "#define $set 1" >>"$tree/include/generated/autoconf.h"
	done
	echo "$tree"
}

dkms() { # ACTION [OPTION...]
	by_ccache "$kdir" "" "$out/dkms/usr/sbin/dkms" "$@" -m nvme-vfio -v "$version" \
		--dkmstree "$out/tree" --sourcetree "$out/source" </dev/null >"$out/log" 2>&1
}

build() { # NAME RELEASE OPTION=y|n...
	build_for "$1" "$2" "$(headers made "${@:3}")"
	rm -rf "${out:?}/headers/made"
}

build_for() { # NAME RELEASE TREE
	local made=$out/tree/nvme-vfio/$version/$2/x86_64

	dkms build -k "$2" -a x86_64 --kernelsourcedir "$3"
	[ "$(find "$made/module" -name '*.ko*' 2>/dev/null | wc -l)" = 2 ] && ! grep -iE 'warning|error' "$made/log/make.log" >>"$out/log"
	ok $? "$1: both modules, without a warning" "$out/log"
	dkms remove -k "$2" -a x86_64
	dkms add
}

excluded() { # NAME RELEASE TREE
	dkms build -k "$2" -a x86_64 --kernelsourcedir "$3"
	[ $? = 77 ] && grep -q BUILD_EXCLUSIVE "$out/log"
	ok $? "$1: dkms skips it" "$out/log"
}

flavour() { # SERIES FLAVOUR - kdir, and the release's name as "other"
	IFS=$'\t' read -r _ other _ < <(tests/rig/kernels "$1")
	other=${other%-amd64}-$2
	rm -rf "$out/work" && mkdir "$out/work"
	kdir=$(tests/rig/flavour "$1" "$2" "$out/work" 2>"$out/log")
	ok $? "$other: headers are available" "$out/log"
}

# by Debian 12's cross compiler, which is only unpacked
cross() { # SERIES FLAVOUR
	local ko

	flavour "$1" "$2"
	mkdir "$out/work/source"
	git ls-files -z src | xargs -0 cp -t "$out/work/source"
	PATH=$out/cross/usr/bin:$PATH LD_LIBRARY_PATH=$out/cross/usr/lib/x86_64-linux-gnu make -C "$kdir" M="$out/work/source" KCFLAGS=-Werror \
		CROSS_COMPILE=aarch64-linux-gnu- "-j$(nproc)" modules >"$out/log" 2>&1
	ok $? "$other: the modules build" "$out/log"
	! grep -iE 'warning|error' "$out/log" >"$out/warnings"
	ok $? "$other: without a warning" "$out/warnings"
	for ko in nvme-vfio-pci nvme-pf-shim; do
		modinfo -F vermagic "$out/work/source/$ko.ko"
		readelf -h "$out/work/source/$ko.ko" | grep 'Machine: *AArch64'
	done >"$out/log" 2>&1
	[ "$(grep -c "^$other .*aarch64" "$out/log")" = 2 ] && [ "$(grep -c AArch64 "$out/log")" = 2 ]
	ok $? "$other: both, for that kernel and architecture" "$out/log"
}

dkms add
ok $? "dkms add" "$out/log"

# a fortified string.h brings headers along that a plain one does not
build "no FORTIFY_SOURCE, a name with +" 6.12+unreleased-amd64 FORTIFY_SOURCE=n
if [ -n "${CHECK_FULL-}" ]; then
	build "no hardening" "$release" FORTIFY_SOURCE=n HARDENED_USERCOPY=n INIT_STACK_ALL_ZERO=n BUG_ON_DATA_CORRUPTION=n
	build "no power management" "$release" PM=n PM_SLEEP=n
else
	skip "more configurations" "left out here: make check-full"
fi

if [ -n "${CHECK_FULL-}" ]; then
	flavour 6.12 rt-amd64
	build_for "PREEMPT_RT" "$other" "$kdir"
	flavour 6.12 cloud-amd64
	# whatever its configuration is when this runs
	if grep -q '^CONFIG_VFIO_PCI_CORE=' "$kdir/.config" && grep -q '^CONFIG_NVME_CORE=' "$kdir/.config"; then
		build_for "cloud" "$other" "$kdir"
	else
		excluded "cloud, without VFIO" "$other" "$kdir"
	fi
	mkdir "$out/cross"
	pkg_closure "$out/cross" bookworm gcc-12-aarch64-linux-gnu >"$out/log" 2>&1
	ok $? "a cross compiler is available" "$out/log"
	cross 6.1 arm64
	cross 6.12 arm64
	cross 6.12 arm64-16k
	IFS=$'\t' read -r _ release kdir _ < <(tests/rig/kernels 6.12)
else
	skip "PREEMPT_RT, cloud, arm64" "left out here: make check-full"
fi

for option in VFIO_PCI_CORE PCI_IOV NVME_CORE; do
	excluded "no $option" "$release" "$(headers "$option" $option=n)"
	rm -rf "${out:?}/headers/$option"
done
excluded "older than 6.1" 6.0.9-1-amd64 "$kdir"
excluded "older than 6.1, with two digits less" 5.14.0-503.el9.x86_64 "$kdir"

exclusive=$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"/\1/p' dkms.conf)
for name in 6.1.0-57-amd64 6.1.192 6.12-rc1 6.12+unreleased-amd64 6.12.95+deb12-amd64 6.17.2-1-pve 6.9_1 7.3.4 10.0; do
	[[ $name =~ $exclusive ]] || echo "$name"
done >"$out/log"
for name in 6.0 6.0.9-1-amd64 5.15.0-1 5.9+x 2.6.32 60; do
	[[ $name != 60 && $name =~ $exclusive ]] && echo "$name"
done >>"$out/log"
[ ! -s "$out/log" ]
ok $? "the names of kernels are read correctly" "$out/log"

# the compiler is the kernel's, also without dkms
made_by() { # NAME WORD CONFIG...
	mkdir -p "$out/made-by"
	printf '%s\n' "${@:3}" >"$out/made-by/.config"
	env -u LLVM -u MAKEFLAGS -u MFLAGS CC=gcc MAKE=echo make -n modules KDIR="$out/made-by" MAKE=echo >"$out/log" 2>&1
	grep -qE "src +${2}modules$" "$out/log"
	ok $? "make modules: $1" "$out/log"
}
made_by "a kernel of gcc's" "" CONFIG_CC_IS_GCC=y
made_by "a kernel of clang's" "CC=clang " CONFIG_CC_IS_CLANG=y
made_by "a kernel of clang's, linked by lld" "LLVM=1 " CONFIG_CC_IS_CLANG=y CONFIG_LD_IS_LLD=y
env -u LLVM -u MAKEFLAGS -u MFLAGS make -n modules KDIR="$out/made-by" CC=clang-15 MAKE=echo >"$out/log" 2>&1
! grep -q LLVM=1 "$out/log"
ok $? "make modules: a compiler that was named is left alone" "$out/log"

tap_done
