#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A region that the host reserves shows in the groups, and no DMA address is
# ever taken from it. It lies where addresses are otherwise taken from first,
# at the top of what 32 bits reach.
#
# QEMU has room for one region here, and it is not the MSI window: so the
# devices use plain interrupts (pci=nomsi).

set -euo pipefail
. "$(dirname "$0")/lib.sh"

first=c0000000 last=fffeffff
region="0x00000000$first 0x00000000$last reserved"

shows()
{
	local bdf

	for bdf in $(devices "$1" | awk '$5 == "nvme" || $6 ~ /^virtio_(blk|net)$/ { print $2 }'); do
		grep -qx "region $bdf $region" "$1/report" || {
			echo "$bdf has:"
			grep "^region $bdf" "$1/report" || echo none
			return 1
		}
	done
	[ -n "$bdf" ]
}

# MAPs, and none of them touches the region.
untouched()
{
	local map n=0 start end

	while IFS= read -r map; do
		n=$((n + 1))
		start=${map#*virt_start=} end=${map#*virt_end=}
		start=${start%% *} end=${end%% *}
		if ((start <= 0x$last && end >= 0x$first)); then
			echo "$map"
			return 1
		fi
	done < <(grep '^virtio_iommu_map ' "$1/trace")
	[ $n -gt 0 ] || { echo "no MAP requests"; return 1; }
}

shim=$BUILD/guest/reserved-region.so
mkdir -p "$BUILD/guest"
gcc -shared -fPIC -O2 -o "$shim" "$HERE/reserved-region.c"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 7))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" env VIOMMU_RESERVED_REGION="0x$first:0x$last:0" \
		"$HERE/run-guest" -q -d "$DRIVER" -o "$dir" -k "$kernel" -a pci=nomsi -p "$shim" data
	check "$kernel: the region shows" shows "$dir"
	check "$kernel: no DMA address from it" untouched "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: NVMe's data" data_intact "$dir" nvme0
	check "$kernel: TCP" net_intact "$dir"
	check "$kernel: translated" all_translated "$dir"
done
ktap_end
