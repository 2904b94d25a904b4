# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# bash --norc offered.bash ROOT COMPLETION LINE... - what bash offers at the end of
# each line; ROOT has bash-completion
root=$1 completion=$2
lines=("${@:3}")
set --
. "$root/usr/share/bash-completion/bash_completion"
. "$completion"
_nvme_vfio_functions() { printf '%s\n' 0000:01:00.1 0000:01:00.2; }

for line in "${lines[@]}"; do
	echo "== $line"
	# at blanks, and where the shell itself splits words
	read -ra COMP_WORDS < <(sed 's/[=:]/ & /g' <<<"$line")
	[[ $line != *[\ ] ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	COMP_LINE=$line COMP_POINT=${#line}
	_nvme_vfio
	[ ${#COMPREPLY[@]} = 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort -u
done
