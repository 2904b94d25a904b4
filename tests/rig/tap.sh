# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# tap.sh - results of a test written in shell, as TAP; the last line of a test is
# tap_done.

n=0 failed=0

# the end of LOGFILE is shown where STATUS is not 0
ok() { # STATUS NAME [LOGFILE]
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		[ -z "${3-}" ] || sed 's/^/# /' "$3" | tail -n 40
	fi
}

skip() { # NAME REASON
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# FILE has lines "ok - NAME" and "not ok - NAME" of a script that ran elsewhere
points() { # FILE [PREFIX]
	local line

	while read -r line; do
		case $line in
		"ok - "*)	ok 0 "${2-}${line#ok - }" ;;
		"not ok - "*)	ok 1 "${2-}${line#not ok - }" ;;
		*)	echo "# $line" ;;
		esac
	done <"$1"
}

tap_done() {
	echo "1..$n"
	exit $failed
}
