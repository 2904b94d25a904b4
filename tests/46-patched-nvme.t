#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 model
# Needs, CHECK_FULL=1: kernels
#
# 46-patched-nvme.t - the driver on a host whose nvme has been patched: the shim
# is neither built nor loaded, and VFs migrate all the same, with both sets.
# PATCHED_KERNELS="6.1 7.2" for others that have a patch; CHECK_FULL=1 takes all.

set -u
# By hand as by tests/run: a signal leaves no host behind.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/.." || exit 1

usual=6.12
[ -z "${CHECK_FULL-}" ] || usual=$(printf '%s\n' patches/nvme-*.patch | sed 's/.*nvme-\(.*\).patch/\1/' | xargs)
read -ra kernels <<<"${PATCHED_KERNELS:-$usual}"
limit=400
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

give_up() { # NAME LOG
	echo "not ok 1 - $1"
	sed 's/^/# /' "$2"
	echo "1..1"
	exit 1
}

for kernel in "${kernels[@]}"; do
	tests/rig/build-nvme "$kernel" "$out/nvme-$kernel" >"$out/log" 2>&1 ||
		give_up "$kernel: patched nvme" "$out/log"
	tests/rig/build-modules "$kernel" "$out/driver-$kernel" src \
		KBUILD_EXTRA_SYMBOLS="$out/nvme-$kernel/Module.symvers" >"$out/log" 2>&1 ||
		give_up "$kernel: modules for a patched nvme" "$out/log"
done
vf_test=$(tests/rig/program vf-test 2>"$out/log") ||
	give_up "build of the programs" "$out/log"

cat >"$out/in-host" <<'IN'
#!/bin/sh
# runs in the host: SET
[ ! -e /sys/module/nvme_pf_shim ] && [ -e /sys/module/nvme/holders/nvme_vfio_pci ] ||
	{ lsmod; exit 1; }
vf-test --set "$1" --quick || exit
# What nvme must survive with a command of a VF under way.
vf-test --set "$1" --only "PF reset in RUNNING_P2P" || exit
vf-test --set "$1" --only "PF unbound in RUNNING_P2P" || exit
vf-test --set "$1" --only "PF reset during a slow suspend" || exit
# Not ready; given up; given up, and a success that nobody expects any more.
vf-test --set "$1" --pf --only "while the PF starts" || exit
vf-test --set "$1" --pf --only "fails by a reset of the VF" || exit
vf-test --set "$1" --pf --only "takes effect long after a reset" || exit
vf-test --set "$1" --pf --only "Track start that ends too late" || exit
# Nothing holds nvme when the VFs' driver has gone.
rmmod nvme-vfio-pci && [ ! -e /sys/module/nvme/holders/nvme_vfio_pci ] && rmmod nvme &&
	[ ! -e /sys/module/nvme ] || { lsmod; exit 1; }
IN

boot() { # KERNEL SET
	timeout -k 10 $((limit + 60)) tests/rig/host --kernel "$1" --set "$2" --pfs 2 \
		--prop lm-test=on --nvme "$out/nvme-$1" --driver "$out/driver-$1" \
		--module-args vendor_ids=1b36:0010 \
		--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status' \
		--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h was aborted' \
		--allow 'nvme-vfio-pci .*Suspend does not end: resetting this VF' --seconds "$limit" \
		--file "$vf_test" --file data/in-host="$out/in-host" \
		-- "sh /share/data/in-host $2" >"$out/$1-$2.tap" 2>"$out/$1-$2.err" </dev/null
	echo $? >"$out/$1-$2.status"
}

n=0 failed=0
merge() { # KERNEL SET
	local status points tests tap=$out/$1-$2.tap

	status=$(cat "$out/$1-$2.status")
	points=$(grep -cE '^(not )?ok ' "$tap")
	awk -v n="$n" -v set="$1 $2" '
		/^(not )?ok / {
			bad = $1 == "not" ? "not " : ""
			sub(/^(not )?ok [0-9]+ - /, "")
			print bad "ok " ++n " - " set ": " $0
			next
		}
		!/^1\.\./ { sub(/^# /, ""); print "# " $0 }' "$tap"
	n=$((n + points + 1))
	if [ "$status" = 0 ] && [ "$points" -gt 0 ] && tests=$(sed -n 's/^1\.\.//p' "$tap" | paste -sd+) && [ $((tests)) = "$points" ]; then
		echo "ok $n - $1 $2: no shim, modules can go again, the kernel log is clean"
	else
		sed 's/^/# /' "$out/$1-$2.err"
		echo "not ok $n - $1 $2: no shim, modules can go again, the kernel log is clean (status $status)"
		failed=1
	fi
	! grep -q '^not ok' "$tap" || failed=1
}

for kernel in "${kernels[@]}"; do
	for set in standard vendor; do
		boot "$kernel" "$set" &
	done
	wait
	for set in standard vendor; do
		merge "$kernel" "$set"
	done
done
echo "1..$n"
exit "$failed"
