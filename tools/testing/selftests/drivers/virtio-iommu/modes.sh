#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job in every mode of the DMA API: data intact through all devices,
# groups, domain types and reserved regions as they should be, and the DMA
# really translated, or really not where passthrough was asked for.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

msi="0x00000000fee00000 0x00000000feefffff msi"

one()
{
	local kernel=$1 bypass=$2 mode=$3 words=$4 type=$5
	local dir=$RUNS/$kernel-$bypass-$mode name="$kernel, boot-bypass=$bypass, $mode"

	check "$name: guest" guest "$dir" -k "$kernel" -i "boot-bypass=$bypass" -a "$words" data
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: NVMe's data" data_intact "$dir" nvme0
	check "$name: NVMe's data behind a bridge" data_intact "$dir" nvme1
	check "$name: TCP" net_intact "$dir"
	check "$name: groups" have_groups "$dir"
	check "$name: domain type $type" have_type "$dir" "$type"
	check "$name: reserved regions" have_regions "$dir" "$msi"
	if [ "$type" = identity ]; then
		check "$name: not translated" none_translated "$dir"
	else
		check "$name: translated" all_translated "$dir"
	fi
	check "$name: no faults" no_faults "$dir"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 2 * 3 * 10))
for kernel in $KERNELS; do
	for bypass in on off; do
		one "$kernel" $bypass strict iommu.strict=1 DMA
		one "$kernel" $bypass lazy iommu.strict=0 DMA-FQ
		one "$kernel" $bypass passthrough iommu.passthrough=1 identity
	done
done
ktap_end
