# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# host-lib.sh - what commands inside a host can use: /rig/lib.sh there. After
# setup_vfs the names of functions are in the environment of later commands:
# PF0, PF0_DEV (/dev/nvme0), PF0_VF1, PF0_VF1_CNTLID ... PF1, PF1_VF1 ...

# shellcheck source=/dev/null
[ -e /run/names ] && . /run/names

die() { echo "$*" >&2; exit 1; }

wait_for() { # SECONDS COMMAND... - until COMMAND succeeds; time in which
	# the machine is not let run does not count
	local naps
	naps=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$naps" -gt 0 ] || die "never came true: $*"
		naps=$((naps - 1))
		sleep 0.05
	done
}

# one NAME VALUE - remember for this and later commands
name() {
	export "$1=$2"
	echo "export $1='$2'" >>/run/names
}

# pf_dev BDF - prints the controller's character device once it answers
pf_dev() {
	local c
	for c in "/sys/bus/pci/devices/$1/nvme/"nvme*; do
		[ "$(cat "$c/state" 2>/dev/null)" = live ] || return 1
		[ -c "/dev/${c##*/}" ] && echo "/dev/${c##*/}" && return
	done
	return 1
}

bound_to() { [ "$(basename "$(readlink "/sys/bus/pci/devices/$1/driver")")" = "$2" ]; }

bind() { # BDF DRIVER
	[ ! -e "/sys/bus/pci/devices/$1/driver" ] || echo "$1" >"/sys/bus/pci/devices/$1/driver/unbind"
	echo "$2" >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	# the kernel reports success even if no driver took the device
	bound_to "$1" "$2" || die "$1 was not bound to $2"
}

# setup_vfs DRIVER COUNT QUEUES INTERRUPTS - on every PF: create VFs, give each
# queues and interrupts, bring it online, bind it
setup_vfs() {
	local pf vf dev dir n p=0
	for pf in /sys/bus/pci/devices/*/sriov_totalvfs; do
		dir=${pf%/*} pf=$(basename "${pf%/*}")
		case $(cat "$dir/class") in 0x0108*) ;; *) continue ;; esac
		wait_for 30 pf_dev "$pf"
		dev=$(pf_dev "$pf")
		name "PF$p" "$pf"
		name "PF${p}_DEV" "$dev"
		echo 0 >"$dir/sriov_drivers_autoprobe"
		echo "$2" >"$dir/sriov_numvfs" || die "$pf: no VFs"
		n=1
		while [ "$n" -le "$2" ]; do
			vf=$(basename "$(readlink "$dir/virtfn$((n - 1))")")
			nvadm "$dev" assign "$n" "$3" "$4" || die "$vf: no resources"
			echo 1 >"/sys/bus/pci/devices/$vf/reset" || die "$vf: no reset"
			nvadm "$dev" online "$n" || die "$vf: not online"
			bind "$vf" "$1"
			name "PF${p}_VF$n" "$vf"
			name "PF${p}_VF${n}_CNTLID" "$(nvadm "$dev" cntlid "$n")"
			n=$((n + 1))
		done
		nvadm "$dev" vfs
		p=$((p + 1))
	done
	[ "$p" -gt 0 ] || die "no PF found"
}

# load_driver [ARGUMENT...] - our modules from the share; arguments are
# parameters of nvme-vfio-pci. The model's SUSPEND of the vendor set ends all DMA; a
# driver that has the parameter for it is told so.
load_driver() {
	! grep -qs vendor_p2p /share/mod/nvme-vfio-pci.ko || set -- vendor_p2p=1 "$@"
	[ ! -e /share/mod/nvme-pf-shim.ko ] || insmod /share/mod/nvme-pf-shim.ko ||
		die "nvme-pf-shim was not loaded"
	insmod /share/mod/nvme-vfio-pci.ko "$@" || die "nvme-vfio-pci was not loaded"
}

# leaks - what the kernel's leak detector reports, if it has one. It only reports
# objects that are some seconds old and the same in two scans.
leaks() {
	local report=/sys/kernel/debug/kmemleak
	[ -e "$report" ] || return 0
	echo scan >"$report" && sleep 6 && echo scan >"$report" && cat "$report"
}

# stuck [SECONDS [PATTERN]] - tasks that wait in the kernel, ignoring signals,
# for our modules, and are still there after this many seconds
stuck() {
	local pattern=${2:-'\[nvme_vfio_pci\]\|\[nvme_pf_shim\]\|nvme_pf_'}
	local naps=$((${1:-40} * 20)) task tasks stacks
	[ -n "${2-}" ] || [ -e /sys/module/nvme_vfio_pci ] || return 0
	while :; do
		tasks=
		stacks=$(grep -ls "$pattern" /proc/[0-9]*/task/[0-9]*/stack)
		for task in $stacks; do
			task=${task%/stack}
			! grep -qs '^State:.D' "$task/status" || tasks="$tasks $task"
		done
		[ -n "$tasks" ] && [ "$naps" -gt 0 ] || break
		naps=$((naps - 1))
		sleep 0.05
	done
	for task in $tasks; do
		echo "$task $(cat "$task/comm")"
		cat "$task/stack"
	done
}
