#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space drives a device by VFIO: its DMA reaches what was mapped for it and
# nothing else, and the group comes back to the DMA API.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# After an unmap, and where only reads are allowed: two faults a round.
faulted()
{
	local n

	n=$(count "$1/trace" '^virtio_iommu_report_fault .* endpoint=128 ')
	[ "$n" -ge 4 ] || { echo "$n faults instead of 4 or more"; return 1; }
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 11))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	# edu has 28 bits of address by default
	check "$kernel: guest" guest "$dir" -k "$kernel" -i boot-bypass=off vfio -- \
		-device edu,addr=0x10,dma_mask=0xffffffffffffffff
	check "$kernel: ranges leave the MSI window out" said "$dir" "vfio ranges 2"
	check "$kernel: DMA both ways" said "$dir" "vfio dma 2"
	check "$kernel: DMA at both ends" said "$dir" "vfio edges 2"
	check "$kernel: wrong maps and unmaps refused" said "$dir" "vfio refusals 2"
	check "$kernel: no DMA after unmap" said "$dir" "vfio unmapped 2"
	check "$kernel: no write where reads are mapped" said "$dir" "vfio read-only 2"
	check "$kernel: the IOMMU stopped them" faulted "$dir"
	check "$kernel: groups" have_groups "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: TCP" net_intact "$dir"
done
ktap_end
