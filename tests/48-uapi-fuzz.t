#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: debug model
#
# 48-uapi-fuzz.t - random calls on VFs from several threads (fuzz/uapi), for
# FUZZ_SECONDS (60) with each command set, on the debug kernel, where any report
# and any leak fails. FUZZ_SEED repeats a run, FUZZ_KERNEL takes another kernel,
# FUZZ_ARGS goes to mig-fuzz.
set -u
# By hand as by tests/run: a signal leaves no host behind.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
here=$(cd "$(dirname "$0")" && pwd)
rig=$here/rig
seconds=${FUZZ_SECONDS:-60}
kernel=${FUZZ_KERNEL:-debug}
# waiting for a call that hangs, the checks afterwards, a boot; by the host's clock
limit=$((seconds + 1200))

out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0 failed=0

point() { # RESULT NAME [LOG]
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] && return
	failed=1
	[ -z "${3-}" ] || sed 's/^/# /' "$3"
}

give_up() { # NAME LOG
	point "not ok" "$1" "$2"
	echo "1..$n"
	exit 1
}

program=$("$rig/program" mig-fuzz 2>"$out/log") || give_up "build of mig-fuzz" "$out/log"
"$rig/kernels" "$kernel" >"$out/log" 2>&1 || give_up "kernel $kernel" "$out/log"

# What the fuzzer provokes: commands fail, a reset of the PF aborts some, and some
# take longer than the driver waits.
allow=(
	--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status'
	--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h was aborted'
	--allow 'nvme-vfio-pci .*Suspend does not end: resetting this VF'
)
if [ -n "${FUZZ_SEED:-}" ]; then
	set -- --seed "$FUZZ_SEED"
else
	set --
fi

run() { # SET [ARGUMENT...]
	# shellcheck disable=SC2086
	"$rig/host" --kernel "$kernel" --set "$1" --pfs 2 \
		--prop lm-test=on --module-args vendor_ids=1b36:0010 "${allow[@]}" \
		--seconds "$limit" --file "$program" -- \
		mig-fuzz --set "$@" --seconds "$seconds" ${FUZZ_ARGS:-} \
		>"$out/$1.tap" 2>"$out/$1.err" </dev/null
	echo $? >"$out/$1.status"
}

run standard "$@" &
run vendor "$@" &
wait
for set in standard vendor; do
	while IFS= read -r line; do
		case $line in
		"ok "*)
			point ok "$set: ${line#ok * - }" ;;
		"not ok "*)
			point "not ok" "$set: ${line#not ok * - }" ;;
		1..*) ;;
		*)
			echo "${line/#Bail out!/\# gave up:}" ;;
		esac
	done <"$out/$set.tap"
	if [ "$(cat "$out/$set.status")" = 0 ] && [ "$(grep -c '^ok ' "$out/$set.tap")" = 2 ]; then
		point ok "$set: $(sed -n 's/^# replay: //p' "$out/$set.tap"), kernel log and memory of the host are clean"
	else
		point "not ok" "$set: $(sed -n 's/^# replay: //p' "$out/$set.tap"), kernel log and memory of the host are clean" "$out/$set.err"
	fi
done
echo "1..$n"
exit "$failed"
