# SPDX-License-Identifier: GPL-2.0-only
#
# zsh -f offered.zsh ROOT FOLDER LINE... - what zsh offers at the end of each line;
# ROOT has zsh, FOLDER the completion, as _nvme-vfio
root=$1 here=$2
shift 2
module_path=($root/usr/lib/*/zsh/*(/))
zmodload zsh/zpty
# an interactive shell; without its editor until it knows where that is
zpty shell "$root/bin/zsh -f -i +Z"
zpty -w shell "PS1= PS2= module_path=($module_path) fpath=($here $root/usr/share/zsh/functions/**/*(/))"
zpty -w shell "setopt zle no_beep; zmodload zsh/zle; autoload -Uz compinit; compinit -u -D"
# what is looked up is not offered
zpty -w shell "compadd() {
	local -a hits
	if (( ! \${@[(I)-[OAD]*]} )); then
		builtin compadd -O hits \"\$@\"
		(( ! \$#hits )) || print -rl -- \$hits >>$here/offered
	fi
	builtin compadd \"\$@\"
}"
zpty -w shell "_nvme_vfio_functions() { compadd 0000:01:00.1 0000:01:00.2 }"
zpty -w shell "_end() { zle kill-buffer; print -r -- do''ne }; zle -N _end; bindkey '^X^X' _end; print rea''dy"
zpty -r shell out '*ready*'
for line; do
	: >$here/offered
	zpty -w -n shell "$line"$'\t\x18\x18'
	zpty -r shell out '*done*'
	print -r -- "== $line"
	sort -u $here/offered
	# what went wrong in a function
	grep -aE '^_nvme.*:[0-9]+:' <<<$out
done
zpty -d shell
