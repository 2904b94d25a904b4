#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:fuzz
#
# 03-fuzz-stream.t - the stream's reader and writer, fuzzed for FUZZ_SECONDS
# (60) with both targets side by side. First the fuzzer has to find each of the
# deliberate faults in mutants/stream, to show that it is not blind. With
# FUZZ_KEEP=FOLDER what it learns is kept there for the next run.

set -u
# Run by hand or by tests/run, a signal leaves nothing running.
[ -n "${RIG_ONE-}" ] || exec "$(dirname "$0")/rig/run-one" "$0" "$@"
cd "$(dirname "$0")/fuzz/stream" || exit 1
seconds=${FUZZ_SECONDS:-60}
# fixed: whether a fault is found must not be a matter of luck
mutant_runs=200000

out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
n=0 failed=0

point() { # RESULT NAME [LOG]
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] && return
	failed=1
	grep -E 'does not hold|ERROR:|runtime error|Test unit written|Base64|SUMMARY|rror' "$3" |
		head -n 20 | sed 's/^/# /'
}

if ! make -s OUT="$out" >"$out/log" 2>&1; then
	sed 's/^/# /' "$out/log"
	echo "not ok 1 - the targets build"
	echo "1..1"
	exit 1
fi

# only an input that fails makes libFuzzer exit with 77
for patch in ../../mutants/stream/*.patch; do
	name=$(basename "$patch" .patch)
	target=$(sed -n 's/^By: //p' "$patch")
	dir=$out/mutant/$name
	mkdir -p "$dir/src"
	cp ../../../src/stream.[ch] ../../../src/{identity,lm_caps,namespaces,policy}.h "$dir/src"
	cp -p "$out"/*.o "$out/seeds-made" "$dir"
	rm "$dir/stream.o"
	if patch -s -p1 --fuzz=0 -d "$dir/src" -i "$PWD/$patch" >"$dir/log" 2>&1 &&
	   make -s OUT="$dir" SRC="$dir/src" "$dir/$target" >>"$dir/log" 2>&1; then
		./run "$dir" "$target" 60 -seed=1 -runs="$mutant_runs" >"$dir/log" 2>&1
		status=$?
	else
		status=build
	fi
	result="not ok"
	[ "$status" = 77 ] && result=ok
	point "$result" "$name is found: $(sed -n 3p "$patch") (status $status)" "$dir/log"
done

work=$out
if [ -n "${FUZZ_KEEP:-}" ]; then
	work=$FUZZ_KEEP/stream
	mkdir -p "$work"
	cp "$out/reader" "$out/round" "$out/seeds-made" "$work"
fi
for target in reader round; do
	./run "$work" "$target" "$seconds" >"$out/$target.log" 2>&1 &
	eval "pid_$target=$!"
done
for target in reader round; do
	pid=pid_$target
	wait "${!pid}"
	status=$?
	execs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
	seed=$(sed -n 's/^INFO: Seed: //p' "$out/$target.log")
	result=ok
	# one that ran only a few inputs has not fuzzed
	{ [ "$status" = 0 ] && [ "${execs:-0}" -gt 1000 ]; } || result="not ok"
	point "$result" "$target: ${execs:-no} inputs in $seconds s, seed ${seed:-?}" "$out/$target.log"
done
if [ "$failed" = 1 ]; then
	for crash in "$work"/crash-* "$work"/timeout-* "$work"/leak-* "$work"/oom-*; do
		[ -e "$crash" ] || continue
		echo "# ${crash##*/}, base64:"
		base64 -w 0 "$crash" | sed 's/^/# /'
		echo
	done
fi
echo "1..$n"
exit "$failed"
