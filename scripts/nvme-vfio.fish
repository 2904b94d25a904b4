# SPDX-License-Identifier: GPL-2.0-only
#
# fish completion of nvme-vfio. Commands, options and columns come from --help.

# __nvme_vfio_help [COMMAND] - its help, laid out as argp does by itself
function __nvme_vfio_help
    set -lx PATH $PATH /usr/local/sbin /usr/sbin /sbin
    set -lx ARGP_HELP_FMT
    command nvme-vfio $argv --help 2>/dev/null
end

# __nvme_vfio_listed HEADING [COMMAND] - a list in the help: a name, a tab, a
# description
function __nvme_vfio_listed
    set -l inside
    for line in (__nvme_vfio_help $argv[2..-1])
        switch $line
            case $argv[1]
                set inside 1
            case ''
                set inside
            case '*'
                test -n "$inside"; or continue
                string replace -rf '^  ([A-Za-z-]+) +(.*)$' '$1\t$2' -- $line
        end
    end
end

# columns, after those that have been typed
function __nvme_vfio_columns
    set -l typed (string replace -rf '^(?:--output=|-o)?(.*[,+])[^,+]*$' '$1' -- (commandline -ct))
    for column in (__nvme_vfio_listed Columns: list)
        echo "$typed$column"
    end
end

# __nvme_vfio_functions pf|vf|any - addresses of NVMe functions
function __nvme_vfio_functions
    for dev in /sys/bus/pci/devices/*
        string match -q '0x0108*' <$dev/class; or continue
        switch $argv[1]
            case pf
                test -e $dev/sriov_totalvfs; or continue
            case vf
                test -e $dev/physfn; or continue
        end
        string replace -r '.*/' '' -- $dev
    end
end

# __nvme_vfio_option COMMAND LINE... - one option, as in the help
function __nvme_vfio_option
    set -l command $argv[1]
    set -l part (string match -r '^ {2,6}(-[^ ,]|)(?:, |)--([a-z-]+)(\[?=|)([^ ]*)( +.*|)$' -- "$argv[2..-1]")
    or return
    set -l option -l $part[3] -d (string replace -ra ' +' ' ' -- (string trim -- "$part[6]"))
    test -z "$part[2]"; or set -a option -s (string sub -s 2 -- $part[2])
    if test -n "$command"
        set -a option -n "__fish_seen_subcommand_from $command"
    else
        set -a option -n __fish_use_subcommand
    end
    # an optional value is part of the option's own word
    switch $part[4]$part[5]
        case '=COL*'
            set -a option -x -a '(__nvme_vfio_columns)'
        case =DIR
            set -a option -x -a '(__fish_complete_directories)'
        case =FILE =PATH
            set -a option -r -F
        case =NAME
            set -a option -x -a 'nvme-vfio-pci vfio-pci nvme'
        case =VF
            set -a option -x -a '(__nvme_vfio_functions vf)'
        case '=*|*'
            set -a option -x -a (string trim -lc = -- $part[4]$part[5] | string replace -a '|' ' ')
        case '=*'
            set -a option -x
        case '*WHEN*'
            set -a option -f -a 'auto always never'
    end
    complete -c nvme-vfio $option
end

# __nvme_vfio_options [COMMAND] - all of its options
function __nvme_vfio_options
    set -l command $argv[1]
    set -l option
    # an option's description may go on in the next line
    for line in (__nvme_vfio_help $argv) ''
        if string match -qr '^ {20,}[^ ]' -- $line
            set -a option $line
            continue
        end
        test -z "$option"; or __nvme_vfio_option "$command" $option
        set option (string match -r '^ {2,6}(?:-[^ ,], )?--[a-z].*' -- $line)
    end
end

complete -c nvme-vfio -f
complete -c nvme-vfio -n __fish_use_subcommand -a '(__nvme_vfio_listed Commands:)'
complete -c nvme-vfio -n '__fish_seen_subcommand_from help' -a '(__nvme_vfio_listed Commands:)'
complete -c nvme-vfio -n '__fish_seen_subcommand_from check-config' -F
complete -c nvme-vfio -n '__fish_seen_subcommand_from apply certify diff teardown' -a '(__nvme_vfio_functions pf)'
complete -c nvme-vfio -n '__fish_seen_subcommand_from bind unbind selftest' -a '(__nvme_vfio_functions vf)'
complete -c nvme-vfio -n '__fish_seen_subcommand_from doctor list quarantine' -a '(__nvme_vfio_functions any)'
__nvme_vfio_options
for command in (__nvme_vfio_listed Commands: | string replace -r '\t.*' '')
    __nvme_vfio_options $command
end
