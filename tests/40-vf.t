#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernels debug model
#
# 40-vf.t - VFs driven from user space inside hosts: every kernel, both command
# sets. 6.1 and 6.12 run all cases but the longest, which do not depend on the
# kernel; the newest the few that notice the usual faults. With CHECK_FULL=1 the
# debug kernel runs all cases. VF_FULL=1 runs all cases
# everywhere, VF_KERNELS="6.12 debug" only there. VF_JOBS hosts run at a time (default: two per processor). VF_ARGS goes to
# vf-test, e.g. VF_ARGS='--only cancel'.
set -u
# By hand as by tests/run: a signal leaves no host behind.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
here=$(cd "$(dirname "$0")" && pwd)
rig=$here/rig
jobs=${VF_JOBS:-$(($(nproc) * 2))}
limit=600
slow_limit=2400		# a kernel full of checkers

out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0

comment() { sed 's/^/# /'; }

point() { # RESULT NAME
	n=$((n + 1))
	echo "$1 $n - $2"
}

give_up() { # NAME LOG
	comment <"$2"
	point "not ok" "$1"
	echo "1..$n"
	exit 1
}

# one host with one kernel and one set; TAP and exit status are left in files
run() { # NAME KERNEL SET LEVEL
	# commands that the tests let fail; vf-test itself allows them only in
	# the cases that do so
	local limit=$limit
	[ "$2" != debug ] || limit=$slow_limit
	timeout -k 10 $((limit + 60)) "$rig/host" --kernel "$2" --set "$3" --pfs 2 \
		--prop lm-test=on --module-args vendor_ids=1b36:0010 \
		--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h .*failed with status' \
		--allow 'nvme-vfio-pci .*PF command [0-9a-f]+h was aborted' \
		--seconds "$limit" --file "$program" -- \
		"vf-test --set $3 $4 ${VF_ARGS:-}" \
		>"$out/$1.tap" 2>"$out/$1.err" </dev/null
	echo $? >"$out/$1.status"
}

# the points of one run, numbered on, with the run's name in front
merge() { # NAME TITLE
	local status plan points

	status=$(cat "$out/$1.status")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out/$1.tap" | tail -n 1)
	points=$(grep -cE '^(not )?ok ' "$out/$1.tap")
	awk -v n="$n" -v title="$2" '
		/^(not )?ok / {
			bad = $1 == "not" ? "not " : ""
			sub(/^(not )?ok [0-9]+ - /, "")
			print bad "ok " ++n " - " title ": " $0
			next
		}
		/^1\.\.[0-9]+/ { next }
		{ sub(/^Bail out!/, "# gave up:"); print }' "$out/$1.tap"
	n=$((n + points))
	# 1: cases failed, which the points above say
	if [ "$points" -gt 0 ] && [ "$plan" = "$points" ] &&
	   { [ "$status" = 0 ] || [ "$status" = 1 ]; }; then
		point ok "$2: the host ran to its end, its kernel log is clean"
	else
		comment <"$out/$1.err"
		point "not ok" "$2: the host ran to its end, its kernel log is clean (status $status, $points of ${plan:-no} points)"
		failed=1
	fi
	[ "$status" = 0 ] || failed=1
	# hosts of this test bed have every VF the cases want
	if grep -q '# SKIP .* VFs bound to' "$out/$1.tap"; then
		point "not ok" "$2: all VFs are there"
		failed=1
	fi
}

if ! program=$("$rig/program" vf-test 2>"$out/log"); then
	give_up "build of the programs" "$out/log"
fi
if ! "$here/model/build" >"$out/log" 2>&1; then
	give_up "the device model" "$out/log"
fi
if ! "$rig/kernels" >"$out/kernels" 2>"$out/log"; then
	give_up "kernels" "$out/log"
fi

# every kernel with every set; each set meets the long cases on one kernel
failed=0
names=()
titles=()
levels=()

# level KERNEL-NUMBER SERIES - which cases run there
level() {
	if [ -n "${VF_FULL:-}" ] || [ "$2" = debug ]; then
		echo ""
	elif [ "$1" -lt 2 ]; then
		echo --brief
	else
		echo --quick
	fi
}

k=0
while IFS=$'\t' read -r series _; do
	if [ "$series" = debug ] && [ -z "${VF_FULL:-}${CHECK_FULL:-}${VF_KERNELS:-}" ]; then
		n=$((n + 1))
		echo "ok $n - $series # SKIP CHECK_FULL=1"
		continue
	fi
	case " ${VF_KERNELS:-$series} " in
	*" $series "*)
		level=$(level $k "$series")
		for set in standard vendor; do
			names+=("$series-$set")
			titles+=("$series $set${level:+, ${level#--}}")
			levels+=("$level")
		done ;;
	*)	echo "# $series is left out: VF_KERNELS=$VF_KERNELS" ;;
	esac
	k=$((k + 1))
done <"$out/kernels"

start() { # NUMBER AT-MOST
	while [ "$(jobs -rp | wc -l)" -ge "$2" ]; do
		wait -n
	done
	run "${names[$1]}" "${names[$1]%-*}" "${names[$1]##*-}" "${levels[$1]}" &
}

# The kernel full of checkers by itself: its hosts keep a processor busy each,
# and it reports what stands still for 30 s. Then the long runs first, so that
# they are not what is waited for at the end.
for i in "${!names[@]}"; do
	[ "${names[$i]%-*}" != debug ] || start "$i" $(((jobs + 1) / 2))
done
wait
for level in "" --brief --quick; do
	for i in "${!names[@]}"; do
		[ "${names[$i]%-*}" = debug ] || [ "${levels[$i]}" != "$level" ] || start "$i" "$jobs"
	done
done
wait

for i in "${!names[@]}"; do
	merge "${names[$i]}" "${titles[$i]}"
done
[ $n -gt 0 ] || give_up "kernels" "$out/kernels"
echo "1..$n"
exit "$failed"
