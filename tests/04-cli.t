#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:tool lists
#
# The tool's command line on a machine without a drive: help, bad input, errors in
# JSON; bash, fish and zsh complete everything that --help lists.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
tool=$(tests/rig/program nvme-vfio-checked 2>"$out/log")
ok $? "the tool builds" "$out/log"

for words in -h --help help "help help" "help list" "list -h" "list --help"; do
	# shellcheck disable=SC2086
	"$tool" $words >"$out/log" 2>"$out/err" && grep -q '^Usage: nvme-vfio' "$out/log" && [ ! -s "$out/err" ]
	ok $? "nvme-vfio $words" "$out/log"
done
"$tool" >"$out/log" 2>"$out/err"
[ $? = 2 ] && [ ! -s "$out/log" ] && grep -qx Commands: "$out/err"
ok $? "nvme-vfio alone: its help, as an error, 2" "$out/err"
for words in --help -h help --version "list --help" "list -h" "help list" "check-config --usage"; do
	# shellcheck disable=SC2086
	"$tool" $words >/dev/full 2>"$out/log"
	[ $? = 1 ] && [ "$(wc -l <"$out/log")" = 1 ]
	ok $? "nvme-vfio $words, a full output: one line, 1" "$out/log"
done
"$tool" selftest --write 0000:ff:1f.7 </dev/null >"$out/log" 2>&1
[ $? = 2 ] && [ "$(wc -l <"$out/log")" = 1 ] && grep -q -- --yes "$out/log"
ok $? "selftest --write is refused where nobody can be asked" "$out/log"
script -qec "$tool selftest --write 0000:ff:1f.7" /dev/null </dev/null >"$out/log" 2>&1
[ $? = 3 ] && grep -q "no such NVMe function" "$out/log" && ! grep -q yes "$out/log"
ok $? "selftest --write asks for nothing if there is no such VF" "$out/log"
"$tool" $'a\e[31mb\nc' >"$out/log" 2>&1
[ $? = 2 ] && grep -qxF "nvme-vfio: no command \`a?[31mb?c'" "$out/log" && [ "$(wc -l <"$out/log")" = 2 ]
ok $? "a command line with controls of a terminal: they have no effect" "$out/log"
"$tool" list -o ADDRESS,SIZE >"$out/log" 2>&1
[ $? = 2 ] && [ "$(wc -l <"$out/log")" = 1 ] && grep -q 'no column "SIZE"; the columns are ADDRESS, .*, MAXVFS$' "$out/log"
ok $? "list: an unknown column: one line that names the columns, 2" "$out/log"
"$tool" list --help | sed -nE '/^Columns:/,/^$/s/^  ([A-Z]+) +(.*)/\1 \2/p' >"$out/want"
sed -nE '/^\.It Li [A-Z]+$/{s/^.It Li //;N;s/\n/ /p}' docs/man/nvme-vfio.8 | diff "$out/want" - >"$out/log" && [ -s "$out/want" ]
ok $? "list: the manual has the columns that --help has" "$out/log"
"$tool" list -rP >"$out/log" 2>&1
[ $? = 2 ] && grep -q -- "--raw and --pairs" "$out/log"
ok $? "list: raw and pairs exclude each other" "$out/log"

# what 0.1.0 called -n and -w, and later versions -o, until each letter had one meaning
for words in "apply -n" "teardown -n" "selftest -w 0000:ff:1f.7" "metrics -o x" "certify -o x PF" "doctor -n"; do
	letter=${words#*-}
	# shellcheck disable=SC2086
	"$tool" $words >"$out/log" 2>&1 </dev/null
	[ $? = 2 ] && grep -q "invalid option -- '${letter%% *}'" "$out/log"
	ok $? "nvme-vfio $words: no such option, 2" "$out/log"
done

# Everything that can be wrong before a drive is looked at, in every command, both after
# and before the word --json.
while read -r code words; do
	command=${words%% *}
	for line in "$words --json" "--json $words"; do
		# shellcheck disable=SC2086
		"$tool" $line >"$out/log" 2>"$out/err" </dev/null
		[ $? = "$code" ] && /usr/bin/python3 -c '
import json, re, sys
report, said = json.load(open(sys.argv[1])), open(sys.argv[2]).read().split("\nTry `")[0].splitlines()
want = [re.sub("^nvme-vfio[^:]*: ", "", line) for line in said]
sys.exit(report["version"] != 1 or not want or report["errors"] != want or report["command"] != sys.argv[3])' \
			"$out/log" "$out/err" "$command" 2>"$out/why"
		ok $? "nvme-vfio $line: $code, and the error is in it" "$out/err"
	done
done <<END
3 list nvme77
2 list --nonsense
2 list -o nope
3 bind 0000:ff:1f.7
2 bind
2 bind -d a/b 0000:ff:1f.7
3 unbind 0000:ff:1f.7
2 unbind
3 doctor nvme77
3 doctor --no-open nvme77
2 doctor --color=x
5 doctor --peer $out/nothing
5 doctor --fleet $out/nothing
5 doctor --fleet $out
2 doctor --fleet $out nvme0
2 doctor --fleet $out --probe
2 doctor --fleet $out --peer $out/nothing
2 doctor nvme0 nvme1
5 apply --config /nowhere
2 apply --wait=x
3 teardown 0000:ff:1f.7
2 teardown --wait=1
2 selftest
3 selftest 0000:ff:1f.7
2 selftest --write 0000:ff:1f.7
5 check-config /nowhere
2 check-config --nonsense
5 diff -c /nowhere
2 diff --nonsense
2 certify
3 certify 0000:ff:1f.7
2 watch --nonsense
2 metrics --nonsense
2 quarantine --nonsense
2 quarantine --end
3 quarantine 0000:ff:1f.7
2 metrics --output=
2 metrics --output=x
END
for words in --json "nonsense --json" "--json --nonsense"; do
	# shellcheck disable=SC2086
	"$tool" $words 2>/dev/null | /usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
sys.exit(len(report["errors"]) != 1 or report["command"] is not None)' 2>"$out/log"
	ok $? "nvme-vfio $words: no command, and the error is in it" "$out/log"
done

# what the manual says of exit codes, and which commands return them
for code in "11 TOOL_UNFIT" "12 TOOL_DIFFERS"; do
	section=$(sed -n "/^\.It ${code% *}\$/,/^\.\(It 12\|El\)/p" docs/man/nvme-vfio.8)
	for file in $(grep -lw "${code#* }" tools/nvme-vfio/cmd/*.c | xargs -n1 basename -s .c); do
		grep -qE "^\.Cm ${file%_*}\b" <<<"$section"
		ok $? "the manual: exit code ${code% *} of ${file%_*}"
	done
done

# what there is to complete
tool=$(tests/rig/program nvme-vfio 2>"$out/log")
mkdir "$out/bin" && ln -s "$tool" "$out/bin/nvme-vfio"
commands=$("$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
for command in $commands; do
	"$tool" "$command" --help || echo "$command: (null)"
done 2>&1 | grep -F "(null)" >"$out/log"
[ -n "$commands" ] && [ ! -s "$out/log" ]
ok $? "each command has a help, and nothing is missing in it" "$out/log"
for command in $commands; do
	"$tool" "$command" --help | sed -nE 's/^ {2,6}(-[^ ,]), (--[a-z-]+).*/\1 \2/p'
done | sort -u >"$out/letters"
cut -d' ' -f1 "$out/letters" | uniq -d >"$out/log"
[ ! -s "$out/log" ] && grep -qx -- "-n --noheadings" "$out/letters" && grep -qx -- "-V --version" "$out/letters"
ok $? "a letter is the same option in each command" "$out/log" "$out/letters"
options() { # [COMMAND]
	"$tool" "$@" --help | grep -oP '^ {2,6}(-\S, )?--[a-z-]+' | tr -d ' ' | tr , '\n' | LC_ALL=C sort
}
lines=("nvme-vfio " "nvme-vfio help " "nvme-vfio -" "nvme-vfio --")
{
	for line in "${lines[@]:0:2}"; do
		echo "== $line" && LC_ALL=C sort <<<"$commands"
	done
	echo "== nvme-vfio -" && options
	echo "== nvme-vfio --" && options | grep '^--'
	for command in $commands; do
		lines+=("nvme-vfio $command -" "nvme-vfio --quiet $command --")
		echo "== nvme-vfio $command -" && options "$command"
		echo "== nvme-vfio --quiet $command --" && options "$command" | grep '^--'
	done
} >"$out/all"
[ "$(grep -c '^==' "$out/all")" -gt 15 ] && grep -qxF -- -o "$out/all" && grep -qxF -- --color "$out/all"
ok $? "there are commands and options: $(xargs <<<"$commands")" "$out/all"

mkdir -p "$out/here/b-folder" && touch "$out/here/a-file" "$out/here/b-file"
cp scripts/nvme-vfio.zsh "$out/here/_nvme-vfio"
apt_lists >"$out/log" 2>&1 &&
	for package in bash-completion zsh zsh-common fish fish-common libpcre2-32-0; do
		pkg_unpack bookworm "$package" "$out/shells" || exit 1
	done >>"$out/log" 2>&1
ok $? "bash-completion, fish, zsh of Debian 12" "$out/log"
shells=$out/shells
mkdir -p "$shells/usr/etc/fish"		# or it uses the files in /usr/share

offered() { # SHELL LINE... - see tests/tool/offered.*
	local scripts=$PWD/scripts tests=$PWD/tests/tool shell=$1
	shift
	(
		cd "$out/here" || exit 1
		export HOME=$out/here TERM=vt100 LC_ALL=C PATH=$out/bin:$PATH
		case $shell in
		bash)	bash --norc "$tests/offered.bash" "$shells" "$scripts/nvme-vfio.bash-completion" "$@" ;;
		fish)	"$shells/usr/bin/fish" --no-config "$tests/offered.fish" "$scripts/nvme-vfio.fish" "$@" ;;
		zsh)	timeout 300 "$shells/bin/zsh" -f "$tests/offered.zsh" "$shells" "$out/here" "$@" ;;
		esac
	)
}

values=("nvme-vfio app" "nvme-vfio bind 0" "nvme-vfio apply -c a-" "nvme-vfio doctor --peer a-" "nvme-vfio doctor --fleet b-"
	"nvme-vfio check-config a-" "nvme-vfio bind -d nvme-" "nvme-vfio list -o MODE" "nvme-vfio list -o ADDRESS,MODE"
	"nvme-vfio list -o +MODE" "nvme-vfio doctor --color=a" "nvme-vfio bind --driver=nvme-"
	"nvme-vfio list --output=MODE" "nvme-vfio certify --set s" "nvme-vfio certify --vf 0" "nvme-vfio metrics --output a-")
for shell in bash fish zsh; do
	offered "$shell" "${lines[@]}" >"$out/have" 2>&1
	diff "$out/all" "$out/have" >"$out/log"
	ok $? "$shell: all commands and all options, short and long, and no others" "$out/log"
	# what remains to be added to a word is each shell's own business
	offered "$shell" "${values[@]}" 2>&1 | sed -E '/^==/!{s/^(-[^=]*=|ADDRESS,|\+)//;s,/$,,}' >"$out/have"
	diff - "$out/have" >"$out/log" <<-'END'
		== nvme-vfio app
		apply
		== nvme-vfio bind 0
		0000:01:00.1
		0000:01:00.2
		== nvme-vfio apply -c a-
		a-file
		== nvme-vfio doctor --peer a-
		a-file
		== nvme-vfio doctor --fleet b-
		b-folder
		== nvme-vfio check-config a-
		a-file
		== nvme-vfio bind -d nvme-
		nvme-vfio-pci
		== nvme-vfio list -o MODE
		MODEL
		== nvme-vfio list -o ADDRESS,MODE
		MODEL
		== nvme-vfio list -o +MODE
		MODEL
		== nvme-vfio doctor --color=a
		always
		auto
		== nvme-vfio bind --driver=nvme-
		nvme-vfio-pci
		== nvme-vfio list --output=MODE
		MODEL
		== nvme-vfio certify --set s
		standard
		== nvme-vfio certify --vf 0
		0000:01:00.1
		0000:01:00.2
		== nvme-vfio metrics --output a-
		a-file
	END
	ok $? "$shell: addresses, files, folders, drivers, columns, colours" "$out/log"
done

offered bash "nvme-vfio bind 0000:01:" >"$out/have" 2>&1
printf '%s\n' "== nvme-vfio bind 0000:01:" 00.1 00.2 | diff - "$out/have" >"$out/log"
ok $? "bash: an address, although colons split words" "$out/log"

tap_done
