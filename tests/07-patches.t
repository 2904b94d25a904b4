#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels packages:dkms
#
# 07-patches.t - patches/, for people who build their own kernels: the nvme
# patches apply to the distribution's sources and build; with them our sources
# need no shim, by kbuild and by dkms; the in-tree series applies and builds.
# Without CHECK_FULL=1 only for the newest kernel that has patches.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

kernel() { # SERIES - sets release, build, tools
	local line
	line=$(tests/rig/kernels "$1" 2>"$out/log") &&
		IFS=$'\t' read -r _ release build _ tools <<<"$line"
}

series_of() { local name=${1#patches/nvme-}; echo "${name%.patch}"; }

# patched_headers BUILD NVME DIR - headers as of a kernel with that nvme; prints their
# build folder
patched_headers() {
	local src=${1%/*} common
	mkdir -p "$3/usr/src" && ln -s "${src%/src}/lib" "$3/usr/lib" && cp -a "$1" "$3/usr/src/" || return
	for common in "$src"/linux-headers-*-common; do
		cp -as "$common" "$3/usr/src/" &&
			cp "$2/include/linux/nvme-pf.h" "$3/usr/src/${common##*/}/include/linux/" || return
	done
	awk -v OFS='\t' '/\tnvme_pf_/ { $3 = "drivers/nvme/host/nvme"; print $0 "\t" }' \
		"$2/Module.symvers" >>"$3/usr/src/${1##*/}/Module.symvers" &&
		echo "$3/usr/src/${1##*/}"
}

# exports SYMVERS - of nvme-core and nvme, with checksums
exports() {
	awk '$3 ~ /(^|\/)nvme(-core)?$/ { print $2, $1 }' "$1" | sort
}

# in_headers BUILD OUT - build src/ there, as a user would
in_headers() {
	cp -r src "$2" && by_ccache "$build" "$tools" make -C "$1" M="$2" -j"$(nproc)" KCFLAGS=-Werror modules
}

built() { (cd "$1" && echo *.ko); }

# --- what has one text --------------------------------------------------------

patches/refresh --check >"$out/log" 2>&1
ok $? "what the patches have of src/ is up to date" "$out/log"
mkdir "$out/stale" && cp -r patches src "$out/stale/"
for change in 's/u64 result;/u32 result;/ nvme_pf.h' 's/pf->busy/!pf->busy/ pf_cmd.c' \
	's/atomic_t phase;/int phase;/ pf_cmd.h' 's/NULL, GFP/NULL/;s/(rq)->q, rq/rq/ pf_compat.h'; do
	file=${change##* }
	sed -i "${change% *}" "$out/stale/src/$file"
	! cmp -s "src/$file" "$out/stale/src/$file" && ! "$out/stale/patches/refresh" --check 2>/dev/null &&
		cp "src/$file" "$out/stale/src/"
	ok $? "a copy of $file that has fallen behind is noticed"
done
! grep -nE '^\+.*\<(HAVE_|COMPAT_|compat_)' patches/nvme-*.patch >"$out/log"
ok $? "the patches have nothing left to decide" "$out/log"

# --- the nvme patches -----------------------------------------------------------

functions=$(grep -ho '^[a-z].*\<nvme_pf_[a-z_]*(' src/nvme_pf.h | grep -o 'nvme_pf_[a-z_]*' | sort | xargs)
newest=$(series_of "$(printf '%s\n' patches/nvme-*.patch | sort -V | tail -n 1)")

for patch in patches/nvme-*.patch; do
	series=$(series_of "$patch")
	if [ "$series" != "$newest" ] && [ -z "${CHECK_FULL-}" ]; then
		skip "$series" "CHECK_FULL=1"
		continue
	fi
	if ! kernel "$series"; then
		skip "$series" "the test bed's suites have no kernel $series now"
		continue
	fi

	tests/rig/build-nvme "$series" "$out/nvme-$series" >"$out/log" 2>&1
	status=$?
	ok $status "$release: nvme patch applies without fuzz, builds without warnings" "$out/log"
	[ "$status" -eq 0 ] || continue

	exports "$build/Module.symvers" >"$out/theirs"
	exports "$out/nvme-$series/Module.symvers" >"$out/ours"
	[ -s "$out/theirs" ] && diff "$out/theirs" "$out/ours" >"$out/diff"
	[ "$(sed -n 's/^> \([^ ]*\).*/\1/p' "$out/diff" | xargs)" = "$functions" ] &&
		! grep -q '^<' "$out/diff"
	ok $? "$release: it adds the interface's functions, all else stays binary compatible" "$out/diff"

	modinfo -F parm "$out/nvme-$series/nvme.ko" | cut -d: -f1 | sort >"$out/theirs"
	sed -n 's/^module_param_named(\([a-z_]*\),.*/\1/p' src/pf_cmd.c | sort >"$out/ours"
	[ -s "$out/ours" ] && ! comm -13 "$out/theirs" "$out/ours" | grep . >"$out/log"
	ok $? "$release: it has the parameters for commands" "$out/log"

	perl "$(tests/rig/kernel-source "$series")/scripts/checkpatch.pl" --no-tree --quiet --no-summary \
		--no-signoff --ignore FILE_PATH_CHANGES - <"$patch" >"$out/log" 2>&1
	ok $? "$release: checkpatch has no complaint about the patch" "$out/log"

	headers=$(patched_headers "$build" "$out/nvme-$series" "$out/headers-$series" 2>"$out/log") &&
		in_headers "$headers" "$out/src-$series" >>"$out/log" 2>&1 &&
		[ "$(built "$out/src-$series")" = nvme-vfio-pci.ko ] &&
		modinfo -F depends "$out/src-$series/nvme-vfio-pci.ko" | tr , '\n' | grep -qx nvme
	ok $? "$release: with its headers src/ has no shim and uses nvme" "$out/log"
done

# --- the choice -------------------------------------------------------------------

# The kernel does not matter.
kernel "$newest" || exit 1
headers=$out/headers-$newest/usr/src/${build##*/}
header=$(echo "$out/headers-$newest/usr/src"/*-common/include/linux/nvme-pf.h)

cp "$header" "$out/header"
sed -i 's/struct nvme_pf_cmd \*c)/struct nvme_command *c)/' "$header"
! in_headers "$headers" "$out/src-other" >"$out/log" 2>&1 &&
	grep -q "conflicting types for .*nvme_pf_submit" "$out/log"
ok $? "$release: a kernel with another interface is refused when building" "$out/log"
sed 's/NVME_PF_INTERFACE.*/NVME_PF_INTERFACE	1/' "$out/header" >"$header"
! in_headers "$headers" "$out/src-older" >"$out/log" 2>&1 &&
	grep -q "another PF interface" "$out/log"
ok $? "$release: so is one with an older version of it" "$out/log"
cp "$out/header" "$header"

mkdir "$out/own" && cp src/* "$out/own" &&
	sed -n '/\tnvme_pf_/s|drivers/nvme/host/nvme\t|/somewhere/nvme-pf-shim\t|p' \
		"$headers/Module.symvers" >"$out/own.symvers" && [ -s "$out/own.symvers" ] &&
	by_ccache "$build" "$tools" make -C "$build" M="$out/own" KBUILD_EXTRA_SYMBOLS="$out/own.symvers" modules >"$out/log" 2>&1 &&
	[ "$(built "$out/own")" = "nvme-pf-shim.ko nvme-vfio-pci.ko" ]
ok $? "$release: a shim that exports the same is not taken for a patched nvme" "$out/log"

# by_dkms DKMS HEADERS NAME - build our package; prints the modules it made
by_dkms() {
	local version top=$out/dkms-$3 args
	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	mkdir -p "$top/tree" "$top/source/nvme-vfio-$version" &&
		cp -r src dkms.conf "$top/source/nvme-vfio-$version/" || return
	args=(--dkmstree "$top/tree" --sourcetree "$top/source")
	bash "$1" add "${args[@]}" "nvme-vfio/$version" >"$top/log" 2>&1 &&
		by_ccache "$build" "$tools" bash "$1" build "${args[@]}" "nvme-vfio/$version" -k "$release" --kernelsourcedir "$2" >>"$top/log" 2>&1 || {
		cat "$top/log" "$top/tree/nvme-vfio/$version/build/make.log"
		return 1
	}
	# with the headers gone, as may be the case when it is to be removed
	bash "$1" status "${args[@]}" "nvme-vfio/$version" >"$top/status" 2>&1
	grep -q ": built" "$top/status" || { cat "$top/status"; return 1; }
	(cd "$top/tree/nvme-vfio/$version/$release"/*/module && echo *.ko*)
}

deb=$(pkg_file trixie dkms 2>"$out/log") && dpkg-deb -x "$deb" "$out/dkms-new" || sed 's/^/# /' "$out/log"
for dkms in /usr/sbin/dkms "$out/dkms-new/usr/sbin/dkms"; do
	version=$(bash "$dkms" --version)
	if [ -n "${CHECK_FULL-}" ]; then
		got=$(by_dkms "$dkms" "$build" "$version-plain" 2>&1)
		[ "$got" = "nvme-pf-shim.ko nvme-vfio-pci.ko" ]
		ok $? "$version: both modules for the distribution's kernel" <(echo "$got")
	else
		skip "$version: both modules for the distribution's kernel" "06-dkms.t has it, or CHECK_FULL=1"
	fi
	got=$(by_dkms "$dkms" "$headers" "$version-patched" 2>&1)
	[ "$got" = "nvme-vfio-pci.ko" ]
	ok $? "$version: no shim for one with patched nvme" <(echo "$got")
done

# --- the in-tree series -------------------------------------------------------------

for parts in patches/series-*; do
	series=${parts#patches/series-}
	if ! kernel "$series"; then
		skip "series for $series" "the test bed's suites have no kernel $series now"
		continue
	fi
	source=$(tests/rig/kernel-source "$series")
	git=(git -C "$out/tree" -c user.name=test -c user.email=test@localhost)

	patches/make-series "$source" "$out/series" >"$out/log" 2>&1
	ok $? "series for $release: can be made" "$out/log"

	cp -r "$source" "$out/tree" && "${git[@]}" init -q &&
		"${git[@]}" add drivers/nvme/host drivers/vfio/pci MAINTAINERS Documentation &&
		"${git[@]}" commit -q -m base && "${git[@]}" am "$out/series"/*.patch >"$out/log" 2>&1
	ok $? "series for $release: git am applies it" "$out/log"

	perl "$source/scripts/checkpatch.pl" --no-tree --quiet --no-summary --ignore FILE_PATH_CHANGES \
		"$out/series"/*.patch >"$out/log" 2>&1
	ok $? "series for $release: checkpatch has no complaint" "$out/log"

	! grep -rnE 'HAVE_|LINUX_VERSION_CODE|nvme_pf\.h|@[A-Z]+@' "$out/tree/drivers/vfio/pci/nvme" >"$out/log"
	ok $? "series for $release: nothing is left to decide" "$out/log"

	# the compiler sees everything that can be switched on, and the distribution's choice
	diff <(sed -n 's/^nvme-vfio-pci-y := //p; s/^\t\t*   //p' src/Kbuild | tr -d '\\\n' | xargs -n1 | sort) \
		<(cd "$out/tree/drivers/vfio/pci/nvme" && printf '%s\n' *.c | sed 's/c$/o/' | sort) >"$out/log"
	ok $? "series for $release: it has the driver's files, all of them and no other" "$out/log"

	nvme=$(tests/rig/build-nvme "$series" - 2>"$out/log") &&
		tests/rig/build-modules "$series" "$out/in-tree" "$out/tree/drivers/vfio/pci/nvme" \
			CONFIG_NVME_VFIO_PCI=m W=1 KCPPFLAGS="-I$nvme/include" \
			KBUILD_EXTRA_SYMBOLS="$nvme/Module.symvers" >"$out/log" 2>&1 &&
		[ "$(built "$out/in-tree")" = nvme-vfio-pci.ko ]
	ok $? "series for $release: the driver builds in its place, without warnings" "$out/log"
done

tap_done
