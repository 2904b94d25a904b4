#compdef nvme-vfio
# SPDX-License-Identifier: GPL-2.0-only
#
# zsh completion of nvme-vfio. Commands, options and columns come from --help.

# _nvme_vfio_help [COMMAND] - its help, laid out as argp does by itself
(( $+functions[_nvme_vfio_help] )) || _nvme_vfio_help() {
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin ARGP_HELP_FMT= \
		command nvme-vfio "$@" --help 2>/dev/null
}

# _nvme_vfio_functions pf|vf|any - addresses of NVMe functions
(( $+functions[_nvme_vfio_functions] )) || _nvme_vfio_functions() {
	local dev class
	local -a found

	for dev in /sys/bus/pci/devices/*(N); do
		read -r class <$dev/class || continue
		[[ $class == 0x0108* ]] || continue
		case $1 in
		pf)	[[ -e $dev/sriov_totalvfs ]] || continue ;;
		vf)	[[ -e $dev/physfn ]] || continue ;;
		esac
		found+=(${dev:t})
	done
	_wanted functions expl 'NVMe function' compadd -a found
}

(( $+functions[_nvme_vfio_commands] )) || _nvme_vfio_commands() {
	local line inside
	local -a found

	for line in "${(@f)$(_nvme_vfio_help)}"; do
		case $line in
		Commands:)
			inside=1 ;;
		'')	inside= ;;
		*)	[[ -z $inside || ! $line =~ '^  ([a-z-]+) +(.*)$' ]] ||
				found+=("$match[1]:$match[2]") ;;
		esac
	done
	_describe -t commands command found
}

(( $+functions[_nvme_vfio_columns] )) || _nvme_vfio_columns() {
	local line inside
	local -a found

	for line in "${(@f)$(_nvme_vfio_help list)}"; do
		case $line in
		Columns:)
			inside=1 ;;
		'')	inside= ;;
		*)	[[ -z $inside || ! $line =~ '^  ([A-Z]+) +(.*)$' ]] ||
				found+=("$match[1]:${match[2]//:/\\:}") ;;
		esac
	done
	compset -P '+'
	compset -P '*,'
	_describe -t columns column found -qS ,
}

# what completes a value, by its name in the help
(( $+functions[_nvme_vfio_value] )) || _nvme_vfio_value() {
	case $1 in
	COL*)	REPLY=_nvme_vfio_columns ;;
	DIR)	REPLY='_files -/' ;;
	FILE | PATH)
		REPLY=_files ;;
	NAME)	REPLY='(nvme-vfio-pci vfio-pci nvme)' ;;
	VF)	REPLY='_nvme_vfio_functions vf' ;;
	WHEN)	REPLY='(auto always never)' ;;
	*\|*)	REPLY="(${1//\|/ })" ;;
	*)	REPLY=' ' ;;
	esac
}

# _nvme_vfio_options [COMMAND] - options in the form that _arguments needs, in reply
(( $+functions[_nvme_vfio_options] )) || _nvme_vfio_options() {
	local line option short long how name text REPLY
	local -a options

	# an option's description may go on in the next line
	for line in "${(@f)$(_nvme_vfio_help "$@")}"; do
		if [[ $line =~ '^ {2,6}((-[^ ,]), )?--[a-z]' ]]; then
			options+=("$line")
		elif [[ $line =~ '^ {20,}([^ ].*)$' ]]; then
			options[-1]+="  $match[1]"
		fi
	done
	reply=()
	for option in $options; do
		[[ $option =~ '^ {2,6}((-[^ ,]), )?(--[a-z-]+)(\[?=)?([^ ]*)( +(.*))?$' ]] || continue
		short=$match[2] long=$match[3] how=$match[4] name=${match[5]%\]}
		text=${${match[7]//  / }//(#m)[\[\]:]/\\$MATCH}
		_nvme_vfio_value "$name"
		case $how in
		'')	how= line= ;;
		=)	how='=' line=":$name:$REPLY" ;;
		*)	how='=-' line="::$name:$REPLY" ;;
		esac
		reply+=("(${short:+$short }$long)$long${how}[$text]$line")
		[[ -z $short ]] || reply+=("($short $long)$short${how:++}[$text]$line")
	done
}

_nvme_vfio() {
	setopt localoptions extendedglob
	local curcontext=$curcontext state line expl
	local -A opt_args
	local -a reply match

	_nvme_vfio_options
	_arguments -C -s -S $reply '(-): :_nvme_vfio_commands' '(-)*:: :->words' && return 0
	[[ $state == words ]] || return 1
	case $words[1] in
	help)	_arguments ':command:_nvme_vfio_commands'
		return ;;
	esac
	curcontext=${curcontext%:*:*}:nvme-vfio-$words[1]:
	_nvme_vfio_options $words[1]
	case $words[1] in
	apply | certify | diff | teardown)
		reply+=('*:PF:_nvme_vfio_functions pf') ;;
	bind | unbind | selftest)
		reply+=('*:VF:_nvme_vfio_functions vf') ;;
	check-config)
		reply+=('*:file:_files') ;;
	metrics | watch)	;;
	*)	reply+=('*:function:_nvme_vfio_functions any') ;;
	esac
	_arguments -s $reply
}

_nvme_vfio "$@"
