#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model packages:tool
#
# Finding the PF's admin queue: each of the two ways alone, both at once in a
# debug build (where they must agree), and none, which must leave a plain
# passthrough that works. Likewise a PF whose command set is not to be trusted.

set -u
# By hand as by tests/run: a signal leaves no host behind.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cat >"$out/in-host" <<'IN'
#!/bin/sh
# runs in the host: SET, then how to load
. /rig/lib.sh
n=0
ok() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

load() { # SHIM-ARGUMENT DRIVER-ARGUMENT
	dmesg -c >/tmp/earlier
	cat /tmp/earlier >>/share/out/dmesg.earlier
	# shellcheck disable=SC2086
	insmod /share/mod/nvme-pf-shim.ko $1 && insmod /share/mod/nvme-vfio-pci.ko $2 || return
	if [ -e /run/names ]; then
		# shellcheck disable=SC2086
		nvme-vfio bind $VFS
	else
		setup_vfs nvme-vfio-pci 2 4 4 >/dev/null
	fi
}

# what users bind with, on the way
refusals() {
	VFS="$PF0_VF1 $PF0_VF2 $PF1_VF1 $PF1_VF2"
	nvme-vfio unbind $VFS && ! ls -d /sys/bus/pci/drivers/nvme-vfio-pci/0* 2>/dev/null
	ok $? "unbind gives all back"
	nvme-vfio bind $VFS && [ "$(echo /sys/bus/pci/drivers/nvme-vfio-pci/0* | wc -w)" -eq 4 ]
	ok $? "bind binds all"
	nvme-vfio bind $VFS
	ok $? "bind: what is bound stays"
	nvme-vfio bind "$PF0" 2>/tmp/log
	[ $? -eq 3 ] && [ "$(grep -c "$PF0" /tmp/log)" -eq 1 ] && [ -e "/sys/bus/pci/drivers/nvme/$PF0" ]
	ok $? "bind: a drive is not taken"
	nvme-vfio bind 0000:7f:00.0 2>/tmp/log
	[ $? -eq 3 ] && grep -q "0000:7f:00.0" /tmp/log
	ok $? "bind: an unknown address is refused"
}

unload() { rmmod nvme-vfio-pci && rmmod nvme-pf-shim; }

plain() { # NAME REASON
	dmesg | grep -c "nvme-vfio-pci .*: cannot migrate, plain passthrough: .*$2" >/tmp/count
	[ "$(cat /tmp/count)" -eq 4 ]
	ok $? "$1: one line says why, for each VF"
	vf-test --set "$SET" --only "one migration" >/tmp/log 2>&1
	! grep -q "^ok" /tmp/log && grep -q "Inappropriate ioctl" /tmp/log
	ok $? "$1: no migration is offered"
	vf-test --plain nvme-vfio-pci >/tmp/log 2>&1
	status=$?
	ok $status "$1: I/O works"
	[ $status -eq 0 ] || sed 's/^/# /' /tmp/log
}

capable() { # NAME
	# loading the module binds VFs that are its own already, once more
	[ "$(dmesg | grep -c 'nvme-vfio-pci .*: can migrate: ')" -ge 4 ] &&
		! dmesg | grep -q 'cannot migrate'
	ok $? "$1: every VF can migrate"
	vf-test --set "$SET" --only "one migration" >/tmp/log 2>&1
	status=$?
	ok $status "$1: a migration works"
	[ $status -eq 0 ] || sed 's/^/# /' /tmp/log
}

SET=$1
if [ "$SET" = standard ]; then
	insmod /share/mod/nvme-pf-shim.ko proof=guess 2>/dev/null
	[ $? -ne 0 ] && dmesg | grep -q 'proof=guess is unknown'
	ok $? "an unknown way is refused with a line that names the ways"

	load proof=none ""; plain proof=none "does not pass the proof"
	refusals
	unload; ok $? "modules can go again"
	for way in anchor tracepoint auto; do
		load proof=$way ""; capable proof=$way
		unload
	done
else
	load "" ""; plain "id not listed" "not in vendor_ids"
	VFS="$PF0_VF1 $PF0_VF2 $PF1_VF1 $PF1_VF2"
	unload
	insmod /share/mod/nvme-pf-shim.ko
	for bad in 1b36:10 1b36 0x1b:0010 1b36:0010, 1b36:0010,8086 1b36:0010:1 -1b3:0010 \
		"$(yes 8086:0001 | head -n 33 | paste -sd,)"; do
		dmesg -c >>/tmp/earlier
		insmod /share/mod/nvme-vfio-pci.ko "vendor_ids=$bad" 2>/dev/null
		[ $? -ne 0 ] && dmesg | grep -q 'vendor_ids: '
		ok $? "vendor_ids=$(echo "$bad" | cut -c 1-30) is refused with a line"
	done
	rmmod nvme-pf-shim
	load "" "vendor_ids=8086:0001,1b36:0010"; capable "id listed second"
	unload
fi
cat /tmp/earlier >>/share/out/dmesg.earlier
echo "1..$n"
IN

vf_test=$(tests/rig/program vf-test) && tool=$(tests/rig/program nvme-vfio) || exit

# The three hosts wait more than they work: all at once.
boot() { # KERNEL SET
	tests/rig/build-modules "$1" "$out/modules-$1-$2" src NVME_VFIO_DEBUG=y \
		>"$out/$1-$2.err" 2>&1 &&
	tests/rig/host --kernel "$1" --set "$2" --pfs 2 --prop lm-test=on \
		--driver "$out/modules-$1-$2" --no-vfs --seconds 300 --log "$out/log-$1-$2" \
		--file "$vf_test" --file data/in-host="$out/in-host" \
		--file "$tool" \
		-- "sh /share/data/in-host $2" >"$out/$1-$2.tap" 2>"$out/$1-$2.err"
	echo $? >"$out/$1-$2.status"
}

n=0
merge() { # KERNEL SET
	local line tap=$out/$1-$2.tap

	touch "$tap"
	while IFS= read -r line; do
		case $line in
		ok*|"not ok"*)
			n=$((n + 1))
			echo "$line" | sed -E "s/^((not )?ok) [0-9]+ - /\1 $n - $1 $2: /" ;;
		1..*) ;;
		*) echo "$line" ;;
		esac
	done <"$tap"
	n=$((n + 1))
	if [ "$(cat "$out/$1-$2.status")" = 0 ] && grep -q '^1\.\.' "$tap"; then
		echo "ok $n - $1 $2: host and its kernel log are fine"
	else
		echo "not ok $n - $1 $2: host and its kernel log are fine"
		sed 's/^/# /' "$out/$1-$2.err"
	fi
}

boot 6.1 standard &
boot 6.12 standard &
boot 6.12 vendor &
wait
merge 6.1 standard
merge 6.12 standard
merge 6.12 vendor
echo "1..$n"
