#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The first allocation of memory in an operation fails, then the second one, and so on:
# the driver's probe and removal, a device that comes and goes, the DMA API, the IOMMU API,
# resume.
# After each failure all is as before, nothing is lost, and the kernel has no complaint.

set -euo pipefail
KERNELS=${KERNELS:-6.12-debug}
. "$(dirname "$0")/lib.sh"

# swept DIR WHAT: something was there to fail, and did
swept()
{
	local n refused

	read -r n refused < <(sed -n "s/^sweep $2 //p" "$1/report") || { echo "not swept"; return 1; }
	[ "$n" -gt 0 ] || { echo "$n allocations, $refused failures"; return 1; }
}

# never_fails DIR WHAT: whether it allocates memory or not
never_fails()
{
	said "$1" "sweep $2 [0-9]+ 0"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 18))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" -i none -t 150 -a iommu.strict=1 fail-nth
	check "$kernel: probe" swept "$dir" probe
	check "$kernel: removal does not fail" never_fails "$dir" remove
	check "$kernel: a device comes" swept "$dir" plug
	check "$kernel: a device comes: DMA" said "$dir" "dma plugged ok"
	check "$kernel: a device that goes does not fail" never_fails "$dir" unplug
	check "$kernel: DMA API" swept "$dir" dma
	check "$kernel: domain" swept "$dir" alloc
	check "$kernel: attach" swept "$dir" attach
	check "$kernel: map" swept "$dir" map
	check "$kernel: unmap does not fail" never_fails "$dir" unmap
	check "$kernel: detach does not fail" never_fails "$dir" detach
	check "$kernel: attach with mappings" swept "$dir" attach-mapped
	check "$kernel: attach with mappings: they are there" said "$dir" "access mapped ok"
	check "$kernel: resume" swept "$dir" resume
	check "$kernel: resume, and once more" swept "$dir" resume-again
	check "$kernel: a domain's end does not fail" never_fails "$dir" free
	# what was probed before it was suspended is not probed again
	check "$kernel: DMA, and no clause broken" said "$dir" "dma freed ok" "dma resumed ok" "broken swept " "broken resumed (D7=[0-9]+)?"
done
ktap_end
