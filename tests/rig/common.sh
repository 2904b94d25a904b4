# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# common.sh - what every script of the test bed shares: where things are kept,
# how to print messages, and how to get a package or its source from a Debian
# suite without touching this machine's own apt configuration.

# Everything that is downloaded or built is kept here, outside the checkout.
NVME_VFIO_CACHE=${NVME_VFIO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nvme-vfio}
export NVME_VFIO_CACHE

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TOP

say() { printf '%s\n' "-- $*" >&2; }
die() { printf '%s\n' "${0##*/}: $*" >&2; exit 1; }

# reason LOG - the line near its end that says most about a failure, or else the last
# one
reason() {
	tail -n 200 "$1" | tr '\r' '\n' | cut -c1-300 | awk '
		NF { last = $0 }
		/[Ee]rror[: ]|^E: |fatal|No space left|Killed|cannot |refuse/ && !/^make|recipe for/ { why = $0 }
		END { print why ? why : last }'
}

# key FILE... - a short hash of the files' contents, to name what is made from them
key() { cat "$@" | sha256sum | cut -c1-12; }

# by_ccache BUILD TOOLS COMMAND... - run COMMAND, which compiles for the headers in BUILD
# with the programs in TOOLS, and let the compiler do what it has done before once only. If
# the same is to be found again, paths must be the same relative to where it is compiled:
# for kernels before 6.13 that is BUILD, then the folder of the module. Where there is no
# ccache all is compiled.
by_ccache() {
	local bin=$NVME_VFIO_CACHE/compiled/bin cc

	cc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ "]*\).*/\1/p' "$1/.config")
	[ -n "$cc" ] && mkdir -p "$bin" && ln -sfn /usr/bin/ccache "$bin/$cc" || return
	[ -x /usr/bin/ccache ] || bin=/nonexistent
	# the compilers of other suites are scripts that start them
	env PATH="$bin:${2:+$2:}$PATH" CCACHE_DIR="$NVME_VFIO_CACHE/compiled/objects" CCACHE_MAXSIZE=500M \
		CCACHE_COMPILERCHECK="%compiler% -v" CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1 "${@:3}"
}

# once NAME COMMAND... - run COMMAND unless it has succeeded before for NAME.
# NAME should contain the version and a hash of everything that goes in.
once() {
	local stamp=$NVME_VFIO_CACHE/stamp/$1
	shift
	[ -e "$stamp" ] && return 0
	"$@" || return
	mkdir -p "${stamp%/*}" && touch "$stamp"
}

# The suites that the test bed uses, from the mirrors that this machine uses.
APT_SUITES="bookworm bookworm-updates bookworm-backports trixie trixie-updates"
APT_SECURITY_SUITES="bookworm-security trixie-security"
# These only for kernels, without their source packages.
APT_KERNEL_SUITES="trixie-backports sid"
APT_ROOT=$NVME_VFIO_CACHE/apt

mirror_of() { # SUITE - the address from which this machine's apt gets SUITE
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' |
		awk -v s="$1" '$1 == s { print $2; exit }'
}

# Its caches are named because container images disable them: each query would take
# seconds.
private_apt() { # TOOL ARGS... - apt-get or apt-cache on the private lists
	local tool=$1
	shift
	"$tool" -q -o Dir::Etc::SourceList="$APT_ROOT/sources.list" \
		-o Dir::Etc::SourceParts="$APT_ROOT/none" -o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts="$APT_ROOT/none" \
		-o Dir::State::Lists="$APT_ROOT/lists" \
		-o Dir::Cache="$APT_ROOT/cache" -o Dir::Cache::pkgcache=pkgcache.bin \
		-o Dir::Cache::srcpkgcache=srcpkgcache.bin \
		-o APT::Sandbox::User=root "$@"
}

# apt_lists - make the private lists, or renew them when older than half a day. An
# unreachable mirror is no error as long as there are older lists.
apt_lists() {
	local main sec s keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	main=$(mirror_of bookworm)
	sec=$(mirror_of bookworm-security)
	[ -n "$main" ] ||
		die "apt knows no source for bookworm: this needs a Debian 12 machine, run apt-get update"
	# A minimal system does not name a security archive; mirrors have it beside the
	# main one.
	main=${main%/}
	sec=${sec:-$main-security}
	mkdir -p "$APT_ROOT/none" "$APT_ROOT/lists/partial" "$APT_ROOT/cache/archives/partial"
	{
		for s in $APT_SUITES; do
			echo "deb [signed-by=$keyring] $main $s main"
			echo "deb-src [signed-by=$keyring] $main $s main"
		done
		for s in $APT_KERNEL_SUITES; do
			echo "deb [signed-by=$keyring] $main $s main"
		done
		for s in $APT_SECURITY_SUITES; do
			echo "deb [signed-by=$keyring] $sec $s main"
			echo "deb-src [signed-by=$keyring] $sec $s main"
		done
	} >"$APT_ROOT/sources.list.new"
	if cmp -s "$APT_ROOT/sources.list.new" "$APT_ROOT/sources.list" &&
	   [ -n "$(find "$APT_ROOT/updated" -mmin -720 2>/dev/null)" ]; then
		return 0
	fi
	cp "$APT_ROOT/sources.list.new" "$APT_ROOT/sources.list"
	if private_apt apt-get -o Acquire::Retries=1 -o Acquire::http::Timeout=15 \
		-o APT::Update::Error-Mode=any update >&2; then
		touch "$APT_ROOT/updated"
	elif [ -e "$APT_ROOT/updated" ]; then
		say "the mirror does not answer: going on with the package lists of $(date -r "$APT_ROOT/updated" +%F)"
	else
		return 1
	fi
}

# pkg_version SUITE PACKAGE - the newest version of PACKAGE in SUITE or its security and
# point updates
pkg_version() {
	private_apt apt-cache madison "$2" | awk -F' *\\| *' -v s="$1" '
		{ split($3, a, "[ /]"); for (i in a)
			if (a[i] == s || a[i] == s "-security" || a[i] == s "-updates")
				print $2 }' | { grep -v '^Sources' || :; } |
		sort -V | tail -n 1
}

# depends_of SUITE PACKAGE PATTERN - the first dependency that matches
depends_of() {
	local v
	v=$(pkg_version "$1" "$2")
	[ -n "$v" ] || { say "no package $2 in $1"; return 1; }
	private_apt apt-cache show "$2=$v" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | awk -v p="$3" '$1 ~ p { print $1; exit }'
}

# pkg_file SUITE PACKAGE - download PACKAGE once; prints the .deb's path
pkg_file() {
	local v

	v=$(pkg_version "$1" "$2")
	[ -n "$v" ] || { say "no package $2 in $1"; return 1; }
	pkg_file_of "$2" "$v"
}

# pkg_file_of PACKAGE VERSION - the same for one version, from any suite
pkg_file_of() {
	local f d=$NVME_VFIO_CACHE/debs own=$NVME_VFIO_CACHE/debs/partial.$BASHPID

	f=$d/$1_${2//:/%3a}.deb
	if [ ! -s "$f" ]; then
		mkdir -p "$own" || return
		(cd "$own" && private_apt apt-get -o Acquire::Retries=3 \
			download "$1=$2" >&2) || return
		mv "$own"/*.deb "$f" && rmdir "$own"
	fi
	echo "$f"
}

# unpacked_version BUILD RELEASE - from which version of its headers' package an
# unpacked kernel was taken
unpacked_version() {
	local stamps=("${1%/usr/src/*}/.unpacked/linux-headers-$2_"*.deb) version
	[ -e "${stamps[0]}" ] || return
	version=${stamps[0]##*_}
	version=${version%.deb}
	echo "${version//%3a/:}"
}

# pkg_unpack SUITE PACKAGE DIR - unpack a package's files under DIR, once a version
pkg_unpack() {
	local f
	f=$(pkg_file "$1" "$2") || return
	[ -e "$3/.unpacked/${f##*/}" ] && return
	mkdir -p "$3/.unpacked" && dpkg-deb -x "$f" "$3" && touch "$3/.unpacked/${f##*/}"
}

# pkg_closure DIR "SUITE..." PACKAGE[=VERSION]... - unpack packages and all their
# dependencies under DIR, as for an empty machine and from these suites only, preferring
# the first
pkg_closure() {
	local dir=$1 suites=$2 sources=$1/sources.list suite deb
	shift 2
	mkdir -p "$dir/debs/partial" || return
	for suite in $suites; do
		grep -E "^deb \[.*\] [^ ]+ $suite(-security|-updates)? " "$APT_ROOT/sources.list"
	done | sort -u >"$sources"
	: >"$dir/nothing"
	private_apt apt-get -o Dir::Etc::SourceList="$sources" -o Dir::State::status="$dir/nothing" \
		-o Dir::Cache::archives="$dir/debs" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Acquire::Retries=3 -o Debug::NoLocking=1 -t "${suites%% *}" -y \
		--no-install-recommends --download-only install "$@" >&2 || return
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir" || return
	done
	rm -rf "$dir/debs" "$sources" "$dir/nothing"
}

# source_version SUITE SOURCE, source_unpack SUITE SOURCE DIR - the same for
# source packages; DIR/src is the tree with the distribution's patches applied
source_version() {
	private_apt apt-cache showsrc --only-source "$2" >/dev/null 2>&1 || return
	private_apt apt-cache madison "$2" | awk -F' *\\| *' -v s="$1" '
		/Sources/ { split($3, a, "[ /]"); for (i in a)
			if (a[i] == s || a[i] == s "-security" || a[i] == s "-updates")
				print $2 }' | sort -V | tail -n 1
}

source_unpack() {
	local v
	v=$(source_version "$1" "$2")
	[ -n "$v" ] || { say "no source of $2 in $1"; return 1; }
	[ -e "$3/.unpacked" ] && return
	rm -rf "$3" && mkdir -p "$3" || return
	(cd "$3" && private_apt apt-get -o Acquire::Retries=3 source \
		--download-only "$2=$v" >&2 &&
		dpkg-source -x --no-check ./*.dsc src >&2) || return
	rm -f "$3"/*.tar.* && touch "$3/.unpacked"
}
