#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.1 kernel:6.12 model packages:tool
#
# Finding the PF's admin queue: each of the two ways alone, both at once in a
# debug build (where they must agree), and none, which must leave a plain
# passthrough that works. Likewise a PF whose command set is not to be trusted,
# and an nvme that is not what it is taken for, or not ready.

set -u
# By hand as by tests/run: a signal leaves no host behind.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cat >"$out/in-host" <<'IN'
#!/bin/sh
# runs in the host: CASE
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
		nvme-vfio bind "$PF0_VF1" "$PF0_VF2" "$PF1_VF1" "$PF1_VF2"
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

no_offer() { # NAME
	vf-test --set "$SET" --only "one migration" >/tmp/log 2>&1
	! grep -q "^ok" /tmp/log && grep -q "Inappropriate ioctl" /tmp/log
	ok $? "$1: no migration is offered"
}

plain() { # NAME REASON
	dmesg | grep -c "nvme-vfio-pci .*: cannot migrate, plain passthrough: .*$2" >/tmp/count
	[ "$(cat /tmp/count)" -eq 4 ]
	ok $? "$1: one line says why, for each VF"
	no_offer "$1"
	vf-test --plain nvme-vfio-pci >/tmp/log 2>&1
	status=$?
	ok $status "$1: I/O works"
	[ $status -eq 0 ] || sed 's/^/# /' /tmp/log
}

migrates() { # NAME
	vf-test --set "$SET" --only "one migration" >/tmp/log 2>&1
	status=$?
	ok $status "$1: a migration works"
	[ $status -eq 0 ] || sed 's/^/# /' /tmp/log
}

capable() { # NAME
	# loading the module binds VFs that are its own already, once more
	[ "$(dmesg | grep -c 'nvme-vfio-pci .*: can migrate: ')" -ge 4 ] &&
		! dmesg | grep -q 'cannot migrate'
	ok $? "$1: every VF can migrate"
	migrates "$1"
}

# a PF that is bound and has no admin queue yet; loading a module would wait for it
held() { # NAME
	hold=/sys/module/nvme/parameters/hold
	echo 1 >$hold
	echo "$PF0" >/sys/bus/pci/drivers/nvme/unbind
	echo "$PF0" >/sys/bus/pci/drivers/nvme/bind
	dmesg -c >>/tmp/earlier
	bind "$PF0_VF1" nvme-vfio-pci
	bind "$PF0_VF2" nvme-vfio-pci
	bound_to "$PF0" nvme &&
		[ "$(dmesg | grep -c "nvme-vfio-pci ${PF0%.*}.*: cannot migrate for now: the PF is starting")" -eq 2 ]
	ok $? "$1, the PF starts: VFs bind, and a line says why they cannot migrate"
	vfio-mig-conformance "$PF0_VF1" >/tmp/log 2>&1
	[ $? -eq 3 ] && grep -q "no migration" /tmp/log
	ok $? "$1, the PF starts: a VF opens, and offers no migration"
	dmesg -c >>/tmp/earlier
	echo 0 >$hold
	wait_for 60 pf_dev "$PF0"
	PF0_DEV=$(pf_dev "$PF0")
	for vf in 1 2; do
		nvadm "$PF0_DEV" assign $vf 4 4 &&
			echo 1 >"/sys/bus/pci/devices/$(basename "$(readlink "/sys/bus/pci/devices/$PF0/virtfn$((vf - 1))")")/reset" &&
			nvadm "$PF0_DEV" online $vf || die "VF $vf: not online"
	done
	migrates "$1, the PF has started"
	dmesg | grep -q "nvme-vfio-pci ${PF0%.*}.*: can migrate: "
	ok $? "$1, the PF has started: a line says that the VF can migrate"
}

SET=$1
case $1 in
standard)
	insmod /share/mod/nvme-pf-shim.ko proof=guess 2>/dev/null
	[ $? -ne 0 ] && dmesg | grep -q 'proof=guess is unknown'
	ok $? "an unknown way is refused with a line that names the ways"

	load proof=none ""; plain proof=none "does not pass the proof"
	refusals
	unload; ok $? "modules can go again"
	for way in anchor tracepoint auto; do
		load proof=$way ""; capable proof=$way
		unload
	done ;;
held)
	SET=standard
	for way in auto tracepoint; do
		load proof=$way ""
		held "proof=$way"
		unload
	done ;;
moved)
	SET=standard
	# The other way depends on less, and is only taken when it is asked for.
	load proof=auto ""; plain "members in another order, proof=auto" "does not pass the proof of its admin queue"
	unload
	load proof=tracepoint ""; plain "members in another order, proof=tracepoint" "does not pass the proof of its requests"
	unload; ok $? "modules can go again" ;;
vendor)
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
	unload ;;
esac
cat /tmp/earlier >>/share/out/dmesg.earlier
echo "1..$n"
IN

vf_test=$(tests/rig/program vf-test) && tool=$(tests/rig/program nvme-vfio) &&
	opens=$(tests/rig/program vfio-mig-conformance) || exit

# modules KERNEL CASE - built for the kernel's own nvme, or for one that is broken
# on purpose: what it exports has other checksums then
modules() {
	local nvme=$out/nvme-$2 args=(NVME_VFIO_DEBUG=y)
	if [ -e "tests/mutants/nvme/$2.patch" ]; then
		tests/rig/build-nvme "$1" "$nvme" "tests/mutants/nvme/$2.patch" || return
		args+=(KBUILD_EXTRA_SYMBOLS="$nvme/Module.symvers")
	fi
	tests/rig/build-modules "$1" "$out/modules-$1-$2" src "${args[@]}"
}

# The hosts wait more than they work: all at once.
boot() { # KERNEL CASE
	local args=(--set standard)
	[ "$2" != vendor ] || args=(--set vendor)
	[ ! -e "$out/nvme-$2" ] || args+=(--nvme "$out/nvme-$2")
	tests/rig/host --kernel "$1" "${args[@]}" --pfs 2 --prop lm-test=on \
		--driver "$out/modules-$1-$2" --no-vfs --seconds 300 --log "$out/log-$1-$2" \
		--file "$vf_test" --file data/in-host="$out/in-host" \
		--file "$tool" --file "$opens" \
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

# PROOF_CASES="6.1:held" for some of it
cases=${PROOF_CASES-6.1:standard 6.12:standard 6.12:vendor 6.1:held 6.12:moved}
for c in $cases; do
	if modules "${c%:*}" "${c#*:}" >"$out/${c%:*}-${c#*:}.err" 2>&1; then
		boot "${c%:*}" "${c#*:}" &
	else
		echo 1 >"$out/${c%:*}-${c#*:}.status"
	fi
done
wait
for c in $cases; do
	merge "${c%:*}" "${c#*:}"
done
echo "1..$n"
