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

usual=$PATH
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

value() { sed -n "s/^$1=\"\(.*\)\"/\1/p" dkms.conf; }
name=$(value PACKAGE_NAME) version=$(value PACKAGE_VERSION)

apt_lists && pkg_unpack bookworm dkms "$out/dkms"
ok $? "dkms is available"
program=$out/dkms/usr/sbin/dkms
# if modules can be signed here, with a key of ours
export mok_signing_key=$out/mok.key mok_certificate=$out/mok.pub
# always the same place: objects contain their paths
tree=$NVME_VFIO_CACHE/compiled/dkms
mkdir -p "${tree%/*}" "$out/source/$name-$version"
exec 9>"$tree.lock"
flock 9
trap 'rm -rf "$out" "$tree"' EXIT
rm -rf "$tree" && mkdir "$tree"
git ls-files -z dkms.conf src | xargs -0 cp --parents -t "$out/source/$name-$version"

dkms() { # ACTION [OPTION...]
	"$program" "$@" -m "$name" -v "$version" \
		--dkmstree "$tree" --sourcetree "$out/source" </dev/null
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
	local made=$tree/$name/$version/$1/x86_64 status bad=0 module

	by_ccache "$2" "$3" "$program" build -m "$name" -v "$version" --dkmstree "$tree" --sourcetree "$out/source" \
		-k "$1" -a x86_64 --kernelsourcedir "$2" >"$out/log" 2>&1 </dev/null
	status=$?
	cat "$made/log/make.log" "$tree/$name/$version/build/make.log" >>"$out/log" 2>/dev/null
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
	rm -rf "$tree" && mkdir "$tree"
	pkg_unpack "$suite" dkms "$out/dkms-$suite"
	ok $? "dkms of $suite is available"
	program=$out/dkms-$suite/usr/sbin/dkms
	add "$newer"
	IFS=$'\t' read -r _ release kdir _ tools < <(tests/rig/kernels 6.12)
	build "$release" "$kdir" "$tools" "$newer"
done
[ "$(wc -w <<<"$seen")" -gt 1 ]
ok $? "versions of dkms: $seen"

# -- the package with IOMMUFD: which kernels it is built for, and why not for others
headers=$out/headers kernel=7.3.4+deb13-amd64
mkdir -p "$out/bin" "$headers/include/generated" "$headers/include/linux/sched"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$4" = linux-source-7.3 ] && printf "%%s" "$HAVE"\n' >"$out/bin/dpkg-query"
chmod +x "$out/bin/dpkg-query"
: >"$headers/include/linux/vfio.h"
echo '#if IS_ENABLED(CONFIG_IOMMUFD)' >"$headers/include/linux/sched/user.h"
echo '#define LINUX_PACKAGE_ID " Debian 7.3.4-1"' >"$headers/include/generated/package.h"
good() {
	printf 'CONFIG_%s\n' VFIO=m VFIO_IOMMU_TYPE1=m VFIO_PCI_CORE=m VFIO_PCI=m VFIO_GROUP=y VFIO_CONTAINER=y \
		INTERVAL_TREE=y NET=y >"$headers/.config"
}
source_of() { # KERNEL HAVE STATUS TEXT NAME
	local status=0 text

	text=$(HAVE=$2 PATH=$out/bin:$usual iommufd/source-of "$1" "$headers") || status=$?
	echo "$status $text" >"$out/log"
	[ "$status" = "$3" ] && [ "$text" = "$4" ]
	ok $? "with IOMMUFD: $5" "$out/log"
}
source_of "$kernel" 7.3.4-1 1 "no headers in $headers: apt install linux-headers-$kernel" "no headers"
good
if [ -e /usr/src/linux-source-7.3.tar.xz ]; then
	source_of "$kernel" 7.3.4-1 0 /usr/src/linux-source-7.3.tar.xz "the source is there"
else
	source_of "$kernel" 7.3.4-1 1 "/usr/src/linux-source-7.3.tar.xz is not there: apt reinstall linux-source-7.3" \
		"the archive is not there"
fi
source_of "$kernel" "" 1 "its source is not installed: apt install linux-source-7.3=7.3.4-1" "no source"
source_of "$kernel" 7.3.3-1 1 "linux-source-7.3 is 7.3.3-1, the kernel 7.3.4-1: apt install linux-source-7.3=7.3.4-1" \
	"source of another version"
source_of 6.11.10+bpo-amd64 7.3.4-1 1 "kernels before 6.12 are too old for this" "an old kernel"
echo CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y >>"$headers/.config"
source_of "$kernel" 7.3.4-1 1 "the kernel is built with CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS" \
	"a kernel that would load what was built for another core"
good
sed -i '/VFIO_GROUP/d' "$headers/.config"
source_of "$kernel" 7.3.4-1 1 "the kernel is built without CONFIG_VFIO_GROUP=y" "a kernel that lacks more"
good
echo CONFIG_IOMMUFD=m >>"$headers/.config"
source_of "$kernel" 7.3.4-1 3 "the kernel has IOMMUFD" "a kernel that needs nothing"
good
echo 'int x; /* CONFIG_IOMMUFD */' >"$headers/include/linux/new.h"
source_of "$kernel" 7.3.4-1 1 "it is not known what IOMMUFD changes in linux/new.h of this kernel" \
	"a header that nobody has looked at"
rm "$headers/include/linux/new.h" "$headers/include/generated/package.h"
source_of "$kernel" 7.3.4-1 1 "the headers do not tell which version of Debian's kernel they are for" \
	"headers of somebody else"
# kernels of the test bed as they are
while IFS=$'\t' read -r series release kdir _; do
	[ "$series" != debug ] || continue
	headers=$kdir
	case $series in
	6.1)	source_of "$release" "" 3 "the kernel's VFIO needs no IOMMUFD" "$release" ;;
	7.3)	source_of "$release" "" 1 "its source is not installed: apt install linux-source-$series=$(sed -n \
			's/.*Debian \(.*\)"/\1/p' "$kdir/include/generated/package.h")" "$release" ;;
	esac
done < <(tests/rig/kernels)

tap_done
