#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Removal: refused while devices use the module, clean when they do not, and
# back again.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 11))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	# 6.1's core knows nothing of a VIOT, so its devices work without the IOMMU
	without=no
	[ "$kernel" != 6.1 ] || without=yes
	# nor does 7.3 take in a device that has its driver, as the root port does all the time
	bound=()
	[ "$kernel" != 7.3 ] || bound=(0000:00:02.0)
	check "$kernel: guest" guest "$dir" -k "$kernel" -i boot-bypass=on \
		-a viommu.without=$without removal
	check "$kernel: rmmod refused while devices use it" said "$dir" "refused"
	check "$kernel: unbound" said "$dir" "unbound 0"
	if [ $without = yes ]; then
		check "$kernel: disks work without it" said "$dir" "worked-without"
	else
		skip 1 "$kernel: disks work without it: this kernel defers drivers until the IOMMU's is there"
	fi
	check "$kernel: bound again" said "$dir" "bound-again"
	check "$kernel: groups" have_groups "$dir" "${bound[@]}"
	check "$kernel: nobody uses the module" said "$dir" "refcount 0"
	check "$kernel: module loaded again" said "$dir" "loaded-again"
	check "$kernel: TCP" net_intact "$dir"

	dir=$RUNS/$kernel-in-use
	check "$kernel: unbound in use: guest" guest "$dir" -k "$kernel" -i boot-bypass=on unbind
	check "$kernel: unbound in use" said "$dir" "unbound"
done
ktap_end
