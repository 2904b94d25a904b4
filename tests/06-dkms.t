#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels
#
# dkms itself builds the package from dkms.conf, for every kernel: both modules without
# a warning, and nothing else; Debian 12's dkms for each, the newest of any suite for
# one. dkms is only unpacked, not installed, with its trees here: this machine is not
# changed.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

value() { sed -n "s/^$1=\"\(.*\)\"/\1/p" dkms.conf; }
name=$(value PACKAGE_NAME) version=$(value PACKAGE_VERSION)

apt_lists && pkg_unpack bookworm dkms "$out/dkms"
ok $? "dkms is available"
program=$out/dkms/usr/sbin/dkms
# if modules can be signed here, with a key of ours
export mok_signing_key=$out/mok.key mok_certificate=$out/mok.pub
mkdir -p "$out/tree" "$out/source/$name-$version"
git ls-files -z dkms.conf src | xargs -0 cp --parents -t "$out/source/$name-$version"

dkms() { # ACTION [OPTION...]
	"$program" "$@" -m "$name" -v "$version" \
		--dkmstree "$out/tree" --sourcetree "$out/source" </dev/null
}

# it only says what it has done
add() { # VERSION
	dkms add >"$out/log" 2>&1
	ok $? "dkms add, $1" "$out/log"
	grep -iE 'deprecated|warning|error|invalid' "$out/log" >"$out/warnings"
	[ ! -s "$out/warnings" ]
	ok $? "dkms $1 has no complaint about dkms.conf" "$out/warnings"
}

build() { # RELEASE KDIR TOOLS VERSION
	local made=$out/tree/$name/$version/$1/x86_64 status bad=0 module

	(
		export PATH="${3:+$3:}$PATH"
		dkms build -k "$1" -a x86_64 --kernelsourcedir "$2"
	) >"$out/log" 2>&1
	status=$?
	cat "$made/log/make.log" "$out/tree/$name/$version/build/make.log" >>"$out/log" 2>/dev/null
	ok $status "$1: dkms $4 build" "$out/log"
	grep -iE 'warning|error|deprecated' "$made/log/make.log" >"$out/warnings"
	grep -i deprecated "$out/log" >>"$out/warnings"
	[ -s "$made/log/make.log" ] && [ ! -s "$out/warnings" ]
	ok $? "$1: no warnings" "$out/warnings"
	(cd "$made/module" && find . -type f | sed -E 's/\.(xz|gz|zst)$//' | sort | xargs) >"$out/made" 2>&1
	[ "$(cat "$out/made")" = "./nvme-pf-shim.ko ./nvme-vfio-pci.ko" ]
	ok $? "$1: it makes the two modules" "$out/made"
	for module in "$made"/module/*.ko*; do
		[ "$(modinfo -F vermagic "$module" | cut -d' ' -f1)" = "$1" ] || bad=1
	done
	ok $bad "$1: they are for that kernel"
}

oldest=$(pkg_version bookworm dkms)
add "$oldest"
while IFS=$'\t' read -r series release kdir _ tools; do
	[ "$series" != debug ] || continue	# not a distribution's kernel
	build "$release" "$kdir" "$tools" "$oldest"
done < <(tests/rig/kernels)

# those of other suites, each version once
seen=${oldest%%-*}
for suite in trixie sid; do
	newer=$(pkg_version "$suite" dkms)
	case " $seen " in *" ${newer%%-*} "*) continue ;; esac
	seen+=" ${newer%%-*}"
	rm -rf "$out/tree" && mkdir "$out/tree"
	pkg_unpack "$suite" dkms "$out/dkms-$suite"
	ok $? "dkms of $suite is available"
	program=$out/dkms-$suite/usr/sbin/dkms
	add "$newer"
	IFS=$'\t' read -r _ release kdir _ tools < <(tests/rig/kernels 6.12)
	build "$release" "$kdir" "$tools" "$newer"
done
[ "$(wc -w <<<"$seen")" -gt 1 ]
ok $? "versions of dkms: $seen"

tap_done
