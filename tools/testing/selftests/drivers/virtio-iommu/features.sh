#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts that offer less than QEMU does. The driver is built from a copy of the
# tree in which the first thing that it does is to strike features off the host's
# offer; all that follows is as it is.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for guest()
SMP=1

# Identity domains are made of mappings: MAPs of memory to itself, and devices
# that use the very addresses.
mapped_to_itself()
{
	local id out same

	grep -Eq '^virtio_iommu_map .*phys_start=' "$1/trace" || { echo "no MAP"; return 1; }
	for id in $(data_endpoints "$1"); do
		read -r _ _ _ out same < <(trace_endpoints "$1" | grep "^$id ") ||
			{ echo "endpoint $id: the IOMMU saw no DMA"; return 1; }
		if [ "$out" -eq 0 ] || [ "$out" -ne "$same" ]; then
			echo "endpoint $id: $out accesses translated, $same to the same address"
			return 1
		fi
	done
}

# No MAP of an identity domain touches the MSI window.
msi_left_out()
{
	local map start end n=0

	while IFS= read -r map; do
		n=$((n + 1))
		start=${map#*virt_start=} end=${map#*virt_end=}
		start=${start%% *} end=${end%% *}
		if ((start <= 0xfeefffff && end >= 0xfee00000)); then
			echo "$map"
			return 1
		fi
	done < <(grep '^virtio_iommu_map ' "$1/trace")
	[ $n -gt 0 ] || { echo "no MAP"; return 1; }
}

refused_politely()
{
	grep -q '^log .*offers no MAP and UNMAP' "$1/report" || { echo "the log has no reason"; return 1; }
}

msi="0x00000000fee00000 0x00000000feefffff msi"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 18))
for kernel in $KERNELS; do
	name="$kernel, no bypass domains, passthrough"
	dir=$RUNS/$kernel-bypass
	variant "$kernel-bypass" "$kernel" strike BYPASS_CONFIG
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" -i boot-bypass=off \
		-a iommu.passthrough=1 data
	check "$name: domain type identity" have_type "$dir" identity
	check "$name: memory mapped to itself" mapped_to_itself "$dir"
	check "$name: MSI window left out" msi_left_out "$dir"
	for disk in vblk0 nvme0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: TCP" net_intact "$dir"
	check "$name: no faults" no_faults "$dir"

	name="$kernel, no PROBE, no ranges, no MMIO flag"
	dir=$RUNS/$kernel-probe
	variant "$kernel-probe" "$kernel" strike PROBE INPUT_RANGE DOMAIN_RANGE MMIO
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" -i boot-bypass=off data
	check "$name: x86's MSI window all the same" have_regions "$dir" "$msi"
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: TCP" net_intact "$dir"
	check "$name: translated" all_translated "$dir"

	name="$kernel, no MAP and UNMAP"
	dir=$RUNS/$kernel-map
	variant "$kernel-map" "$kernel" strike MAP_UNMAP
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" refused
	check "$name: the log says why" refused_politely "$dir"
	check "$name: not bound" said "$dir" "bound 0"
	check "$name: unloads" said "$dir" "unloaded"
done
ktap_end
