# SPDX-License-Identifier: GPL-2.0-only
#
# fish --no-config offered.fish COMPLETION LINE... - what fish offers at the end of
# each line
source $argv[1]
function __nvme_vfio_functions
    printf '%s\n' 0000:01:00.1 0000:01:00.2
end

for line in $argv[2..-1]
    echo "== $line"
    complete -C $line | string replace -r '=?(\t.*)?$' '' | sort -u
end
