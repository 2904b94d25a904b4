#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: none
#
# The table of files in docs/design.md matches src/; docs/ABI.md has everything that the
# modules have in sysfs, and nvme-vfio-pci(4) their trace events; and nothing else.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# the first column, from the table's head to its end
awk -F'|' '/^\| file in `src\/` /{ on = 1 } on && !/^\|/{ exit } on { print $2 }' docs/design.md |
	grep -o '`[^`]*`' | tr -d '`' | grep -v '/$' | sort >"$out/table"
(cd src && git ls-files) | sort >"$out/tree"

test -s "$out/table" && ! comm -23 "$out/table" "$out/tree" | grep . >"$out/log"
ok $? "each file in the table is there" "$out/log"

uniq -d "$out/table" >"$out/log"
test ! -s "$out/log"
ok $? "each is there once" "$out/log"

# headers belong to the .c file of their name, unless they are on their own
comm -13 "$out/table" "$out/tree" | while read -r file; do
	case $file in
	Kbuild | admin_q.h) ;;		# not of one file
	*.h) [ -e "src/${file%.h}.c" ] || echo "$file" ;;
	*) echo "$file" ;;
	esac
done >"$out/log"
test ! -s "$out/log"
ok $? "each file that is there is in the table" "$out/log"

# what user space may rely on: one name for each file, be it of a device, the driver or a module
attributes() { # FILE...
	sed -nE 's/^NVME_VFIO_ATTR\((\w+)\);.*/devices nvme_vfio \1/p
		s/^\t__ATTR\((\w+), .*/drivers nvme-vfio-pci \1/p' "$@"
}
parameters() { # FILE...
	local file module
	for file; do
		case $file in */pf_*) module=nvme_pf_shim ;; *) module=nvme_vfio_pci ;; esac
		sed -nE "s/^module_param_(named|cb)\\((\\w+),.*/module $module \\2/p" "$file"
	done
}
promised() { # FILE
	sed -nE 's,^    What: +/sys/bus/pci/devices/\.\.\./nvme_vfio/(\w+)$,devices nvme_vfio \1,p
		s,^    What: +/sys/bus/pci/drivers/([a-z-]+)/(\w+)$,drivers \1 \2,p
		s,^    What: +/sys/module/(\w+)/parameters/(\w+)$,module \1 \2,p' "$1"
}
(attributes src/*.c; parameters src/*.c) | sort >"$out/have"
promised docs/ABI.md | sort >"$out/promised"
[ "$(wc -l <"$out/have")" -gt 15 ] && [ "$(grep -c '^devices' "$out/have")" -ge 8 ] &&
	diff "$out/promised" "$out/have" >"$out/log"
ok $? "docs/ABI.md lists what the modules have in sysfs" "$out/log"

# each figure by its name
sed -nE 's/^\t\[FIGURE_.*= "(\w+)",$/\1/p' src/figures.c >"$out/figures"
while read -r figure; do
	grep -qE "^ {20}(\w+, )*$figure(,|$| )" docs/ABI.md || echo "$figure"
done <"$out/figures" >"$out/log"
[ "$(wc -l <"$out/figures")" -gt 20 ] && [ ! -s "$out/log" ]
ok $? "and all figures" "$out/log"

# each that is created is in the group, and nothing else
sed -nE 's/^\t&nvme_vfio_attr_(\w+)\.attr,/devices nvme_vfio \1/p' src/vf_sysfs.c | sort >"$out/group"
grep '^devices' "$out/have" | diff - "$out/group" >"$out/log"
ok $? "each attribute is in its group" "$out/log"

test "$(grep -c '^    What:' docs/ABI.md)" -eq "$(wc -l <"$out/promised")" &&
	[ "$(grep -c '^    Since:' docs/ABI.md)" -eq "$(wc -l <"$out/promised")" ] &&
	[ "$(grep -c '^    Description:' docs/ABI.md)" -eq "$(wc -l <"$out/promised")" ]
ok $? "each entry has its place, a version and a description"

! grep -nE '\b(DEVICE|DRIVER|BUS)_ATTR' src/*.c >"$out/log"
ok $? "nothing is created in a way that this does not see" "$out/log"

# "event field", for each
tr '\n' ' ' <src/trace.h | grep -oP 'TRACE_EVENT\(\w+,.*?TP_printk\(".*?"' |
	while read -r event; do
		name=${event#TRACE_EVENT(} name=${name%%,*}
		grep -oP '\w+(?==)' <<<"${event##*TP_printk}" | grep -vx -e vf -e usecs | sed "s/^/$name /"
	done | sort >"$out/have"
sed -n '/^\.Ss Trace events/,/^\.El/p' docs/man/nvme-vfio-pci.4 |
	awk '/^\.It Cm/ { name = $3 } name && /^\.Li/ { print name, $2 }' | sort -u >"$out/told"
[ "$(cut -d' ' -f1 "$out/have" | uniq | wc -l)" -eq "$(grep -c '^TRACE_EVENT(' src/trace.h)" ] &&
	diff "$out/told" "$out/have" >"$out/log"
ok $? "nvme-vfio-pci(4) describes each trace event and its fields" "$out/log"

tap_done
