#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
#
# 08-setup.t - setup makes what is needed and nothing else; a part that is not
# available stops only what needs it; what is unusual about a machine is reported
# before anything is built. With made-up parts: nothing is downloaded, installed or
# built.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# its own cache, and no answer that depends on the caller
export NVME_VFIO_CACHE=$out/cache
unset CHECK_FULL
mkdir "$out/cache"

same() { # NAME WANTED HAD
	[ "$2" = "$3" ]
	ok $? "$1" <(printf 'wanted: %s\nhad:    %s\n' "$2" "$3")
}

needs() { tests/rig/needs "$@" 2>&1 | xargs; }

# --- what needs what ----------------------------------------------------------

for t in tests/*.t; do
	tests/rig/needs tests "$t" >/dev/null 2>>"$out/heads"
done
[ ! -s "$out/heads" ]
ok $? "every test says which parts it needs, and knows them" "$out/heads"

awk -F'\t' '!/^#/ { n = split($7, a, " ")
	for (i = 1; i <= n; i++) if (a[i] != "-" && !(a[i] in seen)) print $1 " comes before " a[i]
	seen[$1] = 1 }' tests/rig/parts >"$out/log"
[ ! -s "$out/log" ]
ok $? "each part comes after those that it needs" "$out/log"
diff <(sed -n 's/^packages:\([a-z]*\).*/\1/p' tests/rig/parts | sort) \
	<(sed -n 's/^\([a-z]*\): .*/\1/p' tests/rig/packages | sort -u) >"$out/log"
ok $? "packages are listed for each set of them, and for no other" "$out/log"

DEMO="packages:base packages:modules packages:emulator lists kernel:6.1 vmm model"
same "a demo: one kernel, no debug kernel, no packages of others" "$DEMO" "$(needs demo)"
default=$(sed -n 's/.*"--kernel", default="\([^"]*\)".*/\1/p' tests/rig/demo)
same "its kernel is the demo's own default" "$(needs demo --kernel "$default")" "$(needs demo)"
same "a demo with another kernel" "${DEMO/6.1/7.2}" "$(needs demo --set vendor --kernel 7.2)"
same "likewise by --kernel=, and by a release" "${DEMO/6.1/6.12} ${DEMO/6.1/6.12}" \
	"$(needs demo --kernel=6.12) $(needs demo --kernel 6.12.95+deb12-amd64)"
same "a demo on the debug kernel: the guest has another" \
	"packages:base packages:modules packages:kernel packages:emulator lists kernel:6.12 vmm model debug-guest" \
	"$(needs demo --kernel debug-guest)"
same "an unknown kernel is refused" \
	"needs: no kernel 9.9: there are 6.1 6.12 7.2 7.3, debug and debug-guest, and those of Debian with +iommufd" "$(needs demo --kernel 9.9)"

head_of() { # FILE LINE...
	local file=$out/$1
	shift
	{ echo '#!/bin/bash'; printf '%s\n' "$@"; printf 'echo ok 1 - ran\necho 1..1\n'; } >"$file"
	chmod +x "$file"
}
head_of none.t "# Needs: none"
head_of vmm.t "# Needs: vmm"
head_of fuzz.t "# Needs: packages:fuzz" "# Needs, CHECK_FULL=1: debug"
head_of debug.t "# Needs: debug"
head_of all.t "# Needs: kernels packages"
head_of without.t
head_of wrong.t "# Needs: vmm moon"
same "tests: nothing" "" "$(needs tests "$out/none.t")"
same "tests: what they need together, each once" "packages:base packages:fuzz lists vmm" \
	"$(needs tests "$out"/{none,vmm,fuzz,vmm}.t)"
same "tests: more with CHECK_FULL=1" "packages:base packages:modules packages:kernel packages:fuzz lists debug" \
	"$(CHECK_FULL=1 needs tests "$out/fuzz.t")"
same "tests: kernels and packages are all of them" "$(grep -oE '^(packages|lists|kernel)[^'$'\t'']*' tests/rig/parts | xargs)" \
	"$(needs tests "$out/all.t")"
same "a test that does not say it" "needs: $out/without.t has no line \"# Needs:\"" "$(tests/rig/needs tests "$out/without.t" 2>&1)"
same "a test that names no part" "needs: no part moon, see tests/rig/parts" "$(needs tests "$out/wrong.t")"

# --- a setup with made-up parts -------------------------------------------------

bed=$out/bed rig=$out/bed/tests/rig
mkdir -p "$rig"
cp tests/rig/{setup,needs,machine,common.sh} "$rig/"
sed -i 's/^EVERY=20\t/EVERY=1\t/' "$rig/setup"
# no more processors or memory than any machine has
cat >"$rig/parts" <<-END
	packages:base	apt	1	1	9	-	-	packages of the base
	packages:more	apt	1	1	9	-	packages:base	more packages
	lists	get	1	1	1	-	packages:base	package lists
	kernel:1	get	10	10	1	-	lists	kernel 1
	kernel:2	get	10	10	1	-	lists	kernel 2
	model	build	$((600 * $(nproc)))	0	1	-	lists packages:more	the model
	debug	build	60	0	1	-	lists	debug kernel
END
# HAVE: what is there; FAIL: what is not available; how long each takes
cat >"$rig/make-part" <<-'END'
	#!/bin/bash
	case $1 in
	look)
		sleep "${LOOK-0}"
		shift
		for p; do
			[ -e "$HAVE/$p" ] && echo "$p there" || echo "$p missing"
		done ;;
	make)
		shift
		echo "$* begins" >>"$HAVE.log"
		sleep "${TAKES-0}"
		for p; do
			case " ${FAIL-} " in *" $p "*)
				printf '%s\n' "make: *** [x] Error 2" "x.c:1: error: $p is not to be had" "all of it failed"
				exit 2 ;;
			esac
		done
		echo "$* ends" >>"$HAVE.log"
		for p; do touch "$HAVE/$p"; done ;;
	progress)	[ "$2" != debug ] || echo "123 900" ;;
	esac
END
chmod +x "$rig/make-part"
export HAVE=$out/have
fresh() { rm -rf "$HAVE" "$HAVE.log"; mkdir "$HAVE"; }
have() { find "$HAVE" -type f -printf '%f\n' | sort | paste -sd' '; }

# a test's time limit is far away, so what hangs is ended here
setup() { timeout 60 "$rig/setup" "$@" 2>"$out/said"; }

fresh
start=$(date +%s%N)
LOOK=3 timeout 60 "$rig/setup" --look 2>&1 | { IFS= read -r line; echo "$((($(date +%s%N) - start) / 1000000)) $line"; cat >"$out/rest"; } >"$out/first"
read -r ms line <"$out/first"
[ "$ms" -lt 2000 ] && [ -n "$line" ]
ok $? "the first line comes after $ms ms, long before it is known what is there" "$out/first"
same "what will be done, and how long it takes" \
	"-- to do: packages, package lists, the model, debug kernel, kernels 1, 2 (about 11 min on $(nproc) processors)" \
	"$(cat "$out/rest")"
sed -i 's/^model\tbuild\t[0-9]*/model\tbuild\t1/; s/^kernel:1\tget\t10/kernel:1\tget\t130/' "$rig/parts"
setup --look
same "the estimate is that of the table" "(about 3 min on $(nproc) processors)" "$(grep -o '(about.*' "$out/said")"
[ ! -e "$HAVE.log" ]
ok $? "--look does nothing" "$out/said"

setup kernel:1
status=$?
[ $status -eq 0 ] && [ "$(have)" = "kernel:1 lists packages:base" ]
ok $? "one part: it and what it needs, and no other" <(cat "$out/said"; have)
setup kernel:1 && [ "$(wc -l <"$HAVE.log")" -eq 6 ] && grep -qx -- "-- all is there" "$out/said"
ok $? "the second time nothing is done" "$out/said"

fresh
TAKES=1 setup
ok $? "all parts" "$out/said"
[ "$(grep -n 'packages:base packages:more ends' "$HAVE.log" | cut -d: -f1)" = 2 ]
ok $? "packages come first, all sets at once" "$HAVE.log"
awk '$2 == "begins" && $1 != "packages:base" { if (running) side = 1; running++ }
	$2 == "ends" && $1 != "packages:base" { running-- } END { exit !side }' "$HAVE.log"
ok $? "downloads run beside builds" "$HAVE.log"
grep -qE '^-- 0:[0-9]+  (.*, )?debug kernel 123/900; (about [0-9]+ min|less than a minute) left$' "$out/said"
ok $? "it says what it is doing, how far it is, and what is left" "$out/said"
grep -qE '^-- all is there, after 0:[0-9]+ min$' "$out/said"
ok $? "and when it is done" "$out/said"

if command -v script >/dev/null; then
	fresh
	TAKES=3 timeout 60 script -qec "$rig/setup packages:base" /dev/null </dev/null >"$out/said" 2>&1
	[ "$(tr -d '\n' <"$out/said" | grep -c $'\r\033\[K-- 0:0[0-9]  packages; less than a minute left')" -ge 1 ]
	ok $? "on a terminal one line is rewritten" "$out/said"
else
	skip "on a terminal one line is rewritten" "there is no script(1) here"
fi

# --- a part that cannot be had ------------------------------------------------------

fresh
FAIL=debug setup
status=$?
[ $status -eq 3 ] && [ "$(have)" = "kernel:1 kernel:2 lists model packages:base packages:more" ]
ok $? "the others are made, and the exit status says that one is missing" <(echo "$status"; cat "$out/said"; have)
same "one line tells which, why, and where more is" \
	"setup: no debug kernel: x.c:1: error: debug is not to be had (all of it: $out/cache/setup/debug.log)" \
	"$(grep -v '^--' "$out/said")"

run() { # FILE... - as make check runs them
	prove --exec "$rig/needs run" "$@" >"$out/prove" 2>&1
}
run "$out"/{none,vmm,debug}.t
status=$?
[ $status -ne 0 ] && grep -qE 'none\.t +\.+ ok$' "$out/prove" && grep -qE 'debug\.t .*(Failed|Dubious)' "$out/prove"
ok $? "a test that needs it fails, the others run" "$out/prove"
same "and says why" "not ok 1 - no debug kernel: x.c:1: error: debug is not to be had (all of it: $out/cache/setup/debug.log)" \
	"$("$rig/needs" run "$out/debug.t" | head -n 1)"
setup debug
run "$out"/{none,debug}.t
ok $? "with the part it runs" "$out/prove"

fresh
FAIL=lists setup
[ $? -eq 3 ] && [ "$(have)" = "packages:base packages:more" ] && [ "$(grep -vc '^--' "$out/said")" -eq 1 ] &&
	grep -q '^setup: no package lists: .*; hence neither the model, debug kernel, kernels 1, 2$' "$out/said"
ok $? "what cannot be made without it is not started, and named in the same line" "$out/said"
! "$rig/needs" run "$out/debug.t" >"$out/log" && grep -q '^not ok 1 - no package lists' "$out/log"
ok $? "a test that needs that fails likewise" "$out/log"

fresh
FAIL=packages:more setup
[ $? -eq 3 ] && [ "$(have)" = "debug kernel:1 kernel:2 lists packages:base" ] &&
	grep -q '^setup: no more packages: .*; hence neither the model$' "$out/said"
ok $? "a set of packages that is not available stops no other" <(cat "$out/said"; have)

fresh
TAKES=50 "$rig/setup" 2>"$out/said" &
pid=$!
for ((i = 0; i < 100; i++)); do [ ! -s "$HAVE.log" ] || break; sleep 0.1; done
kill -TERM $pid
wait $pid
status=$?
sleep 0.2
mapfile -t left < <(exec 2>/dev/null; grep -lazF "HAVE=$HAVE" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 |
	while read -r p; do [ "$(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline")" != "sleep 50 " ] || echo "$p"; done)
[ $status -eq 143 ] && [ -s "$HAVE.log" ] && [ ${#left[@]} -eq 0 ]
ok $? "a signal ends everything that it has started" <(echo "$status ${left[*]-}"; cat "$out/said")

# --- a look at the machine -------------------------------------------------------------

# odd NAME PATTERN FUNCTION... - what the function says is one line like that
odd() {
	local name=$1 pattern=$2
	shift 2
	! (set +e; . tests/rig/machine; "$@") >"$out/log" 2>&1 && [ "$(wc -l <"$out/log")" -eq 1 ] &&
		grep -qE "^machine: $pattern" "$out/log"
	ok $? "odd: $name" "$out/log"
}
sound() { # NAME FUNCTION...
	local name=$1
	shift
	(set +e; . tests/rig/machine; "$@") >"$out/log" 2>&1 && [ ! -s "$out/log" ]
	ok $? "sound: $name" "$out/log"
}

touch "$out/null"
odd "/dev/null is a file" ".*/null is not the null device \(regular empty file\): rm -f .*; mknod " null "$out/null"
odd "/dev/null is another device" "/dev/zero is not the null device" null /dev/zero
odd "/dev/null is not there" ".* is not the null device \(nothing is there\)" null "$out/nothing"
odd "no space" ".* has room for [0-9]+ MiB, 999999999 are needed: make room" space "$out" 999999999
printf 'MemTotal: 99999999 kB\nMemAvailable: 1048576 kB\n' >"$out/meminfo"
odd "too little memory" "1024 MiB of memory are available, 1025 are needed: end what" memory 1025 "$out/meminfo"
sound "enough memory" memory 1024 "$out/meminfo"
mkdir "$out/checkout" && touch -d '2020-01-03 12:00' "$out/checkout/file"
odd "a clock that is days behind" "the clock says 2020-01-01 12:00, but .*/file is of 2020-01-03 12:00: set" \
	clock "$out/checkout" "$(date -d '2020-01-01 12:00' +%s)"
sound "a clock that is hours behind" clock "$out/checkout" "$(date -d '2020-01-03 01:00' +%s)"

mkdir "$out/cc"
cc() { # NAME LINE... - a compiler
	local file=$out/cc/$1
	shift
	{ echo '#!/bin/bash'; printf '%s\n' "$@"; } >"$file"
	chmod +x "$file"
}
# shellcheck disable=SC2016
{
	cc broken 'echo "cc1: error: no such instruction" >&2' 'exit 1'
	cc lame 'while [ $# -gt 1 ]; do [ "$1" != -o ] || o=$2; shift; done' \
		'printf "#!/bin/sh\nexit 7\n" >"$o"' 'chmod +x "$o"'
	cc good 'while [ $# -gt 1 ]; do [ "$1" != -o ] || o=$2; shift; done' \
		'printf "#!/bin/sh\nexit 42\n" >"$o"' 'chmod +x "$o"'
	cc picky 'case " $* " in *" /dev/null "*) echo "cc1: error: no input" >&2; exit 1 ;; esac' \
		"exec $out/cc/good \"\$@\""
}
odd "a compiler that fails" ".*/broken does not compile an empty program: cc1: error: no such instruction" compiler "$out/cc/broken"
odd "a compiler that cannot read /dev/null" ".*/picky does not compile an empty program: cc1: error: no input" compiler "$out/cc/picky"
odd "a compiler whose programs fail" "what .*/lame compiles does not run: .*exit status 7" compiler "$out/cc/lame"
odd "no compiler" ".*/none does not compile" compiler "$out/cc/none"
sound "a compiler" compiler "$out/cc/good"

fresh
touch -d '+3 days' "$bed/future"
setup
[ $? -eq 1 ] && [ ! -e "$HAVE.log" ] && [ "$(grep -c '^machine: the clock says' "$out/said")" -eq 1 ]
ok $? "nothing is started on an odd machine" "$out/said"
rm "$bed/future"
cc gcc 'echo "cc1: error: no such instruction" >&2' 'exit 1'
PATH=$out/cc:$PATH setup
[ $? -eq 1 ] && ! grep -q kernel "$HAVE.log" && grep -q '^machine: gcc does not compile' "$out/said"
ok $? "nothing is built by a compiler that does not work" <(cat "$out/said" "$HAVE.log")
rm "$out/cc/gcc"

tap_done
