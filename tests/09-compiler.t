#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12
#
# 09-compiler.t - kbuild silently omits a flag that the compiler refuses: this is
# detected, and the flag named, when modules are built and when a kernel is configured.
# The compilers here refuse one flag and are otherwise real.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# refusing FLAG NAME - a compiler NAME in $out/bin that refuses FLAG
refusing() {
	rm -rf "${out:?}/bin" && mkdir "$out/bin"
	cat >"$out/bin/$2" <<-END
		#!/bin/sh
		for a; do
			[ "\$a" != "$1" ] || { echo "cc1: error: $1 is not supported here" >&2; exit 1; }
		done
		exec $(command -v "$2") "\$@"
	END
	chmod +x "$out/bin/$2"
}

# --- modules ------------------------------------------------------------------------

count=0
# what has been built once is not built again: so the source differs each time
build() {
	echo "/* $out $((++count)) */" >>"$out/small/small.c"
	PATH=$out/bin:$PATH nice tests/rig/build-modules 6.12 "$out/modules" "$out/small" >"$out/log" 2>&1
}

# an empty module is enough
mkdir "$out/small"
cat >"$out/small/small.c" <<-'END'
	#include <linux/module.h>
	MODULE_DESCRIPTION("nothing");
	MODULE_LICENSE("GPL");
END
echo 'obj-m += small.o' >"$out/small/Kbuild"
line=$(tests/rig/kernels 6.12)
cc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\?\([^ "]*\).*/\1/p' "$(cut -f3 <<<"$line")/include/config/auto.conf")
mkdir "$out/bin"
build
ok $? "modules: all flags are there" "$out/log"

for flag in -mindirect-branch=thunk-extern -fcf-protection=branch; do
	refusing $flag "$cc"
	! build && grep -qE "^promised: this kernel has CONFIG_[A-Z0-9_]+, but $cc refuses $flag: cc1: error: $flag is not supported here$" "$out/log"
	ok $? "modules: $flag is missed, and the compiler quoted" "$out/log"
done

# a flag that was refused only then: the compiler accepts it now
rm -rf "${out:?}/bin" && mkdir "$out/bin"
build
sed -i 's/ -mharden-sls=all//' "$out/modules/.small.o.cmd"
! tests/rig/promised "$(cut -f3 <<<"$line")" "$out/modules" 2>"$out/log" &&
	grep -q "small.o was compiled without -mharden-sls=all, which $cc takes now: look at /dev/null" "$out/log"
ok $? "modules: a test that failed once is odd" "$out/log"

# --- a configuration --------------------------------------------------------------------

mkdir -p "$out/tree/lib"
cat >"$out/tree/Kconfig" <<-'END'
	config HAVE_CHECKER
		def_bool y
	source "lib/Kconfig.checker"
END
cat >"$out/tree/lib/Kconfig.checker" <<-'END'
	config CC_HAS_CHECKER
		def_bool $(cc-option, -fsanitize=kernel-address)
	config CC_HAS_OTHER_CHECKER
		def_bool $(cc-option, -fsanitize=of-another-machine)
	config CHECKER
		bool "it"
		depends on (HAVE_CHECKER && CC_HAS_CHECKER) || (HAVE_OTHER_CHECKER && CC_HAS_OTHER_CHECKER)
	config SHIFTS
		bool "more"
		depends on $(cc-option,-fsanitize=shift)
END
all="CONFIG_HAVE_CHECKER=y CONFIG_CC_HAS_CHECKER=y CONFIG_CHECKER=y CONFIG_SHIFTS=y"
configured() { # OPTION=y...
	printf '%s\n' "$@" >"$out/config"
}
asked() { # OPTION...
	PATH=$out/bin:$PATH CC=gcc tests/rig/compiler-tests.py "$out/tree" "$out/config" "$@" >"$out/log" 2>&1
}

# shellcheck disable=SC2086
configured $all
asked && ! grep -q . "$out/log"
ok $? "configuration: all is there" "$out/log"

refusing -fsanitize=kernel-address gcc
configured CONFIG_HAVE_CHECKER=y CONFIG_SHIFTS=y
! asked CHECKER && grep -qx "CHECKER wants CC_HAS_CHECKER: gcc -fsanitize=kernel-address: cc1: error: -fsanitize=kernel-address is not supported here" "$out/log"
ok $? "configuration: the test behind a missing option is named, and no other machine's" "$out/log"
refusing -fsanitize=shift gcc
# shellcheck disable=SC2086
configured ${all% *}
! asked SHIFTS && grep -qx "SHIFTS wants SHIFTS: gcc -fsanitize=shift: cc1: error: -fsanitize=shift is not supported here" "$out/log"
ok $? "configuration: likewise one that the option makes itself" "$out/log"

rm -rf "${out:?}/bin" && mkdir "$out/bin"
configured CONFIG_HAVE_CHECKER=y
! asked && grep -q "^CC_HAS_CHECKER is off, but gcc -fsanitize=kernel-address now: takes it" "$out/log"
ok $? "configuration: a test that failed once is odd, even if nothing is missed" "$out/log"

tap_done
