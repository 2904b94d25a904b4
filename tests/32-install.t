#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:6.12 packages:tool lists
#
# What "make install" installs where, that it is complete, and that "make uninstall"
# removes all of it. The manual knows every command and option.

set -u
cd "$(dirname "$0")/.." || exit 1
. tests/rig/common.sh
. tests/rig/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
root=$out/root
tool=$root/usr/sbin/nvme-vfio
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

# the checkout stays as it is: the build goes elsewhere
mkdir "$out/tree" && git ls-files -z | xargs -0 cp --parents -t "$out/tree"
make -C "$out/tree" install DESTDIR="$root" prefix=/usr >"$out/log" 2>&1
ok $? "make install" "$out/log"

(cd "$root" && find . ! -type d | sort) >"$out/have"
{
	cat <<-END
		./usr/lib/systemd/system-preset/80-nvme-vfio.preset
		./usr/lib/systemd/system/nvme-vfio-metrics.service
		./usr/lib/systemd/system/nvme-vfio-metrics.timer
		./usr/lib/systemd/system/nvme-vfio.service
		./usr/lib/systemd/system/nvme-vfio@.service
		./usr/lib/udev/rules.d/60-nvme-vfio.rules
		./usr/sbin/nvme-vfio
		./usr/share/bash-completion/completions/nvme-vfio
		./usr/share/doc/nvme-vfio/NEWS.md
		./usr/share/doc/nvme-vfio/README.md
		./usr/share/doc/nvme-vfio/SECURITY.md
		./usr/share/doc/nvme-vfio/example.conf
		./usr/share/fish/vendor_completions.d/nvme-vfio.fish
		./usr/share/zsh/site-functions/_nvme-vfio
		./usr/src/nvme-vfio-$version/dkms.conf
	END
	git ls-files src | sed "s|^|./usr/src/nvme-vfio-$version/|"
	git ls-files 'docs/*.md' 'docs/*.svg' | sed 's|^docs/|./usr/share/doc/nvme-vfio/|'
	git ls-files docs/man | sed -E 's|^docs/man/(.*)\.(.)$|./usr/share/man/man\2/\1.\2|'
} | sort >"$out/want"
diff "$out/want" "$out/have" >"$out/log"
ok $? "it installs these files and no others" "$out/log"
[ -d "$root/etc/nvme-vfio" ] && [ -z "$(ls -A "$root/etc/nvme-vfio")" ]
ok $? "the folder of the configuration is there and empty"

tests/rig/build-modules 6.12 "$out/modules" "$root/usr/src/nvme-vfio-$version/src" >"$out/log" 2>&1
ok $? "the modules build from the installed source" "$out/log"

# a dead link in what is installed, a path that does not exist
links() { # FOLDER
	local page name link anchor target

	for page in "$1"/*.md; do
		while IFS='#' read -r link anchor; do
			case $link in *://*) continue ;; esac
			target=$1/${link:-${page##*/}}
			[ -e "$target" ] || { echo "${page##*/}: $link is not there"; continue; }
			[ -z "$anchor" ] && continue
			# as forges make them from headings
			sed -n 's/^##* //p' "$target" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9 \n_-' | tr ' ' - |
				grep -qx -- "$anchor" || echo "${page##*/}: $link has no #$anchor"
		done < <(grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//')
	done
	grep -ohE '/usr/share/doc/[A-Za-z0-9./_-]*[A-Za-z0-9]' "$1"/*.md "$root"/usr/share/man/man*/* | sort -u |
		while read -r name; do
			[ -e "$root$name" ] || echo "$name is named and not there"
		done
}
links "$root/usr/share/doc/nvme-vfio" >"$out/log"
[ ! -s "$out/log" ]
ok $? "installed pages have no dead link, and name no file that is not there" "$out/log"
grep -q '^# cp /usr/share/doc/nvme-vfio/example.conf ' "$root/usr/share/man/man8/nvme-vfio.8"
ok $? "what the manual copies is there"
"$tool" check-config "$root/usr/share/doc/nvme-vfio/example.conf" >"$out/log" 2>&1 && [ ! -s "$out/log" ]
ok $? "and nothing is wrong with it" "$out/log"

news=$(sed -n "s,^## ,,p" NEWS.md | head -n 1)
[ "${news#After }" = "$version" ] && grep -qE "^Version: +$version$" rpm/nvme-vfio.spec
ok $? "NEWS.md and the spec have the version as well: $version"
"$tool" --version >"$out/log" && grep -qx "nvme-vfio $version" "$out/log"
ok $? "the tool runs and reports its version" "$out/log"

# udev ignores what it does not understand
# shellcheck disable=SC1003
grep -vE '^(#|$)' "$root/usr/lib/udev/rules.d/60-nvme-vfio.rules" | tr ',' '\n' | sed 's/^ *//' |
	grep -vE '^(ACTION|SUBSYSTEMS?|ATTRS?\{[a-z_]+\}|TAG|ENV\{SYSTEMD_WANTS\})(==|!=|\+=)"[^"]+"$' >"$out/log"
[ ! -s "$out/log" ]
ok $? "the udev rule consists of known keys" "$out/log"
units=$root/usr/lib/systemd/system
for unit in nvme-vfio.service nvme-vfio@.service nvme-vfio-metrics.service; do
	exec=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$units/$unit")
	[ -x "$root$exec" ]
	ok $? "$unit starts what is installed: $exec"
done
box() { sed -n '/^# From here on alike/,/^SystemCallErrorNumber/p' "$units/$1"; }
[ "$(box nvme-vfio.service | wc -l)" -gt 30 ] && diff <(box nvme-vfio.service) <(box nvme-vfio@.service) >"$out/log"
ok $? "both units may do the same" "$out/log"

# A unit's exposure, of 10; each setting that systemd names is set, or the unit says why
# not.
EXPOSURE=30
if ! command -v systemd-analyze >/dev/null; then
	skip "units by systemd-analyze" "there is no systemd-analyze on this machine"
else
	cp -a "$root" "$out/root-units"
	mkdir -p "$out/root-units/etc/systemd/system"
	install -D /dev/null "$out/root-units/usr/bin/systemctl"
	for unit in nvme-vfio.service nvme-vfio@.service nvme-vfio-metrics.service; do
		systemd-analyze verify --man=no --recursive-errors=no --root="$out/root-units" "$unit" >"$out/log" 2>&1 &&
			[ ! -s "$out/log" ]
		ok $? "$unit: systemd-analyze verify has no complaint" "$out/log"
		systemd-analyze security --offline=yes --threshold=$EXPOSURE --json=short --root="$out/root-units" "$unit" >"$out/json" 2>"$out/log"
		ok $? "$unit: is exposed no more than $EXPOSURE tenths" "$out/log"
		/usr/bin/python3 -c '
import json, re, sys
unit = open(sys.argv[2]).read()
rows = [row for row in json.load(open(sys.argv[1])) if row["set"] is False and row["exposure"]]
lost = [row["name"] for row in rows
        if not any(re.search(rf"^(# (\S+, )*)?{word}=", unit, re.M) for word in re.findall(r"([A-Z]\w+)=", row["name"]))]
print("\n".join(lost))
sys.exit(bool(lost) or not rows)' "$out/json" "$units/$unit" >"$out/log" 2>&1
		ok $? "$unit: what is not set has its reason in it" "$out/log"
	done
fi
if ! command -v systemctl >/dev/null; then
	skip "systemctl preset, disable" "there is no systemctl on this machine"
else
	want=$root/etc/systemd/system/multi-user.target.wants/nvme-vfio.service
	systemctl --root="$root" preset nvme-vfio.service >"$out/log" 2>&1 && [ -L "$want" ]
	ok $? "the preset enables the boot unit" "$out/log"
	systemctl --root="$root" disable nvme-vfio.service >"$out/log" 2>&1 && [ ! -L "$want" ] &&
		[ "$(systemctl --root="$root" is-enabled nvme-vfio.service)" = disabled ]
	ok $? "systemctl disable: it is no longer part of a boot" "$out/log"
	rm -rf "$root/etc/systemd"
	want=$root/etc/systemd/system/timers.target.wants/nvme-vfio-metrics.timer
	systemctl --root="$root" preset nvme-vfio-metrics.timer >"$out/log" 2>&1 && [ ! -L "$want" ]
	ok $? "the preset leaves the timer off" "$out/log"
	systemctl --root="$root" enable nvme-vfio-metrics.timer >"$out/log" 2>&1 && [ -L "$want" ]
	ok $? "systemctl enable: it is on" "$out/log"
	rm -rf "$root/etc/systemd"
fi

commands=$("$tool" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 5 ]
ok $? "there are commands: $(xargs <<<"$commands")"

for page in "$root"/usr/share/man/man*/*; do
	man -l --warnings "$page" >"$out/${page##*/}" 2>"$out/log" && [ ! -s "$out/log" ]
	ok $? "${page##*/} is in order" "$out/log"
done
# Left out: pages that are only on other machines, and the width of the source, which is
# the same as in all other files.
apt_lists && pkg_unpack bookworm mandoc "$out/mandoc" >/dev/null
# Its messages come by both ways, in pieces.
"$out/mandoc/usr/bin/mandoc" -T lint docs/man/*.[1-9] >"$out/lint" 2>"$out/lint.err"
cat "$out/lint" "$out/lint.err" |
	grep -vE 'STYLE: (referenced manual not found|input text line longer than 80 bytes)|outdated mandoc.db' >"$out/log"
[ -x "$out/mandoc/usr/bin/mandoc" ] && [ ! -s "$out/log" ]
ok $? "mandoc -T lint has no complaint" "$out/log"
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
ok $? "help and manual have the same exit codes" "$out/log"

make -C "$out/tree" uninstall DESTDIR="$root" prefix=/usr >"$out/log" 2>&1
ok $? "make uninstall" "$out/log"
(cd "$root" && find . ! -type d -o -path '*nvme-vfio*') >"$out/log"
[ ! -s "$out/log" ]
ok $? "nothing is left" "$out/log"

tap_done
