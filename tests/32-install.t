#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 packages:tool
#
# What "make install" puts where, that it is whole, and that "make uninstall"
# takes all of it away again. Manual and completion know every command.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
root=$out/root
tool=$root/usr/sbin/nvme-vfio
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# a checkout that stays as it is: the build goes elsewhere
mkdir "$out/tree" && git ls-files -z | xargs -0 cp --parents -t "$out/tree"
make -C "$out/tree" install DESTDIR="$root" prefix=/usr >"$out/log" 2>&1
ok $? "make install" "$out/log"

(cd "$root" && find . ! -type d | sort) >"$out/have"
{
	cat <<-END
		./usr/lib/systemd/system/multi-user.target.wants/nvme-vfio.service
		./usr/lib/systemd/system/nvme-vfio.service
		./usr/lib/systemd/system/nvme-vfio@.service
		./usr/lib/udev/rules.d/60-nvme-vfio.rules
		./usr/sbin/nvme-vfio
		./usr/share/bash-completion/completions/nvme-vfio
		./usr/share/doc/nvme-vfio/README.md
		./usr/share/doc/nvme-vfio/example.conf
		./usr/src/nvme-vfio-$version/dkms.conf
	END
	git ls-files src | sed "s|^|./usr/src/nvme-vfio-$version/|"
	git ls-files 'docs/*.md' | sed 's|^docs/|./usr/share/doc/nvme-vfio/|'
	git ls-files docs/man | sed -E 's|^docs/man/(.*)\.(.)$|./usr/share/man/man\2/\1.\2|'
} | sort >"$out/want"
diff "$out/want" "$out/have" >"$out/log"
ok $? "it installs these files and no others" "$out/log"
[ -d "$root/etc/nvme-vfio" ] && [ -z "$(ls -A "$root/etc/nvme-vfio")" ]
ok $? "the folder of the configuration is there and empty"

tests/rig/build-modules 6.12 "$out/modules" "$root/usr/src/nvme-vfio-$version/src" >"$out/log" 2>&1
ok $? "the modules build from the installed source" "$out/log"

"$tool" --version >"$out/log" && grep -qx "nvme-vfio $version" "$out/log"
ok $? "the tool runs and tells its version" "$out/log"

# udev takes what it does not understand for nothing
# shellcheck disable=SC1003
grep -vE '^(#|$)' "$root/usr/lib/udev/rules.d/60-nvme-vfio.rules" | tr ',' '\n' | sed 's/^ *//' |
	grep -vE '^(ACTION|SUBSYSTEMS?|ATTRS?\{[a-z_]+\}|TAG|ENV\{SYSTEMD_WANTS\})(==|!=|\+=)"[^"]+"$' >"$out/log"
[ ! -s "$out/log" ]
ok $? "the udev rule is made of known keys" "$out/log"
units=$root/usr/lib/systemd/system
[ "$units/multi-user.target.wants/nvme-vfio.service" -ef "$units/nvme-vfio.service" ]
ok $? "the unit is part of every start"
for unit in nvme-vfio.service nvme-vfio@.service; do
	exec=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$units/$unit")
	[ -x "$root$exec" ]
	ok $? "$unit starts what is installed: $exec"
done

commands=$("$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 5 ]
ok $? "there are commands: $(xargs <<<"$commands")"

for page in "$root"/usr/share/man/man*/*; do
	man -l --warnings "$page" >"$out/${page##*/}" 2>"$out/log" && [ ! -s "$out/log" ]
	ok $? "${page##*/} is in order" "$out/log"
done
page=$out/nvme-vfio.8
for command in $commands; do
	grep -qE "^ +nvme-vfio $command\b" "$page" && grep -qE "^ +$command( |$)" "$page"
	ok $? "the manual has $command"
	for option in $("$tool" "$command" --help | grep -oE -- '^ .* --[a-z][a-z-]*' | grep -oE -- '--[a-z-]+' | sort -u); do
		[ "$option" = --usage ] || grep -qF -- "$option" "$page" || echo "$option"
	done >"$out/log"
	[ ! -s "$out/log" ]
	ok $? "the manual has each option of $command" "$out/log"
done
"$tool" --help | tr '\n' ' ' | sed 's/.*Exit status: //' | grep -oE '\b[0-9]+ ' | sort -un >"$out/want"
sed -n '/^EXIT STATUS/,/^EXAMPLES/s/^ *\([0-9][0-9]*\) .*/\1 /p' "$page" | sort -un >"$out/have"
diff "$out/want" "$out/have" >"$out/log"
ok $? "help and manual tell the same exit codes" "$out/log"

apt_lists && pkg_unpack bookworm bash-completion "$out/bc" >/dev/null
cat >"$out/complete" <<'END'
bc=$1 root=$2
set --
. "$bc/usr/share/bash-completion/bash_completion"
PATH=$root/usr/sbin:$PATH
. "$root/usr/share/bash-completion/completions/nvme-vfio"
_nvme_vfio_functions() { printf '%s\n' "0000:01:00.1 $1" "0000:01:00.2 $1" | cut -d' ' -f1; }
at() { # WORD... - what is offered for the last one
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	COMP_LINE=$(printf '%s ' "$@" | sed 's/ : */:/g; s/ $//') COMP_POINT=${#COMP_LINE}
	_nvme_vfio
	echo "${COMPREPLY[*]}"
}
at nvme-vfio a
at nvme-vfio apply --dr
at nvme-vfio bind ''
at nvme-vfio bind 0000 : 01 :
END
bash "$out/complete" "$out/bc" "$root" >"$out/have" 2>&1
cat >"$out/want" <<'END'
apply
--dry-run
0000:01:00.1 0000:01:00.2
00.1 00.2
END
diff "$out/want" "$out/have" >"$out/log"
ok $? "bash completes commands, options and addresses" "$out/log"

make -C "$out/tree" uninstall DESTDIR="$root" prefix=/usr >"$out/log" 2>&1
ok $? "make uninstall" "$out/log"
(cd "$root" && find . ! -type d -o -path '*nvme-vfio*') >"$out/log"
[ ! -s "$out/log" ]
ok $? "nothing is left" "$out/log"

tap_done
