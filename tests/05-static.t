#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels debug packages:static
#
# The modules build without a warning for every kernel of the test bed, in
# normal and debug form (this for the newest only with CHECK_FULL=1); sparse, checkpatch
# and shellcheck have no complaint; the modules import and announce what they should.
# The driver that bench/ compares with builds.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

debug_modules() { # SERIES RELEASE
	tests/rig/build-modules "$1" "$out/$1-debug" src \
		NVME_VFIO_DEBUG=y W=1 C=2 CF=-D__CHECK_ENDIAN__ >"$out/log" 2>&1
	ok $? "$2: debug modules build with W=1" "$out/log"

	# sparse only prints; complaints about the kernel's own headers do not count
	grep -E "^($out/$1-debug/)?[a-z_]+\.[ch]:[0-9]+:[0-9]+: (warning|error)" \
		"$out/$1-debug/log" >"$out/sparse"
	if grep -q 'checker-valid.sh: No such file' "$out/$1-debug/log"; then
		skip "$2: sparse" "these headers come without the script that calls it"
	else
		test ! -s "$out/sparse" && grep -q CHECK "$out/$1-debug/log"
		ok $? "$2: sparse finds nothing" "$out/sparse"
	fi
}

while IFS=$'\t' read -r series release _; do
	tests/rig/build-modules "$series" "$out/$series" >"$out/log" 2>&1
	ok $? "$release: modules build without warnings" "$out/log"

	if [ "${series%%.*}" = 7 ] && [ -z "${CHECK_FULL-}" ]; then
		skip "$release: debug modules, sparse" "CHECK_FULL=1"
	else
		debug_modules "$series" "$release"
	fi

	modinfo -F alias "$out/$series/nvme-vfio-pci.ko" >"$out/alias"
	grep -qx 'vfio_pci:v\*d\*sv\*sd\*bc01sc08i\*' "$out/alias"
	ok $? "$release: the alias is one that libvirt matches" "$out/alias"

	# No private layout by name: nvme may be asked for these only.
	grep -hE '(nvme|kallsyms|kprobe)' < <(nm -u "$out/$series"/*.ko) |
		grep -vE ' (nvme_pf_(get|put|submit|max_transfer|pending|buf_put)|nvme_init_request|nvme_get_features|__tracepoint_nvme_sq)$' |
		grep -v ':$' >"$out/imports"
	test ! -s "$out/imports"
	ok $? "$release: nothing private is imported" "$out/imports"

	# An oops should say whose function it was; events are named by their macros,
	# and what KASAN needs done at the start is named by the compiler.
	nm "$out/$series"/*.ko | awk '$2 ~ /^[tT]$/ { sub(/^__pfx_/, "", $3); print $3 }' >"$out/names"
	! grep -vE '^(nvme_(vfio|pf)_|(init|cleanup)_module$|_sub_[DI]_[0-9_]+$)|_(admin_cmd|cmd_given_up|vf_reset|state_arc)(\.cold)?$' "$out/names" >"$out/log" &&
		grep -q '^nvme_vfio_' "$out/names" && grep -q '^nvme_pf_' "$out/names"
	ok $? "$release: functions have the modules' prefixes" "$out/log"
done < <(tests/rig/kernels)

bench/reference/build 6.12 "$out/reference" >"$out/log" 2>&1
ok $? "the reference driver of bench/ builds" "$out/log"

passed=$NVME_VFIO_CACHE/compiled/passed

# no_complaint NAME KEY COMMAND... <NAMES - COMMAND has nothing to say about the files
# whose names are read. One that has passed before is not given to it again as long as
# its contents, COMMAND and KEY, which stands for what else COMMAND reads, are the same.
no_complaint() {
	local name=$1 how sum file status=0 files new=() marks=()

	mapfile -t files
	how=$( { echo "$2" "${*:3}"; } | sed "s|$out||g" | key -)
	shift 2
	while read -r sum file; do
		marks+=("$passed/$how-$sum")
		[ -e "${marks[-1]}" ] || new+=("$file")
	done < <(sha256sum "${files[@]}")
	[ ${#marks[@]} -gt 0 ] || status=1
	[ ${#new[@]} -eq 0 ] || "$@" "${new[@]}" >"$out/log" 2>&1 || status=1
	[ $status != 0 ] || touch "${marks[@]}"
	ok $status "$name (${#files[@]} files)" "$out/log"
}
mkdir -p "$passed"
find "$passed" -type f -mtime +30 -delete

# Types left out: in-tree rules that an out-of-tree module cannot follow.
source=$(tests/rig/kernel-source 6.12 2>"$out/log")
ok $? "the kernel's checkpatch is there" "$out/log"
checkpatch=$(cat "$source"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch} | key -)
no_complaint "checkpatch" "$checkpatch" \
	perl "$source/scripts/checkpatch.pl" --no-tree --quiet --no-summary \
	--ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON,MACRO_ARG_UNUSED,LONG_LINE,EMBEDDED_FUNCTION_NAME -f \
	< <(printf '%s\n' src/*.[ch])

# And those about functions that only the kernel has.
echo json_object >"$out/typedefs"
no_complaint "checkpatch of the tool" "$checkpatch $(cat "$out/typedefs")" \
	perl "$source/scripts/checkpatch.pl" --no-tree --quiet --no-summary --typedefsfile "$out/typedefs" \
	--ignore LONG_LINE,EMBEDDED_FUNCTION_NAME,PREFER_DEFINED_ATTRIBUTE_MACRO,SPLIT_STRING,STRCPY \
	--ignore ARRAY_SIZE,USE_NEGATIVE_ERRNO,VOLATILE,STATIC_CONST_CHAR_ARRAY,REPEATED_WORD -f \
	< <(printf '%s\n' tools/nvme-vfio/*/*.[ch] tests/unit/tool/*.[ch] tests/tool/*.c)

scripts() {
	git ls-files -z | xargs -0 grep -lE '^#!/bin/(ba)?sh' --
	printf '%s\n' tests/rig/{common,tap}.sh
}
no_complaint "shellcheck" "$(shellcheck --version; cat tests/rig/{common,tap,host-lib}.sh tests/rig/machine)" \
	shellcheck -x < <(scripts)

tap_done
