#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space drives devices by IOMMUFD: address spaces that devices come into, leave
# and change while they run, and their DMA, which reaches what is mapped there and
# nothing else. Debian's kernels have no IOMMUFD.

KERNELS=${KERNELS:-7.3}

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The accesses that had to be stopped are those that the host stopped, in that order,
# and no others. The host sees many for one, all of the same page.
faults()
{
	local _ bdf iova want

	want=$(while read -r _ bdf iova; do
		printf '%d %x\n' "$(endpoint_id "$bdf")" $((iova >> 12))
	done < <(grep '^fault ' "$1/report"))
	[ -n "$want" ] || { echo "no faults were to be seen"; return 1; }
	diff <(uniq <<<"$want") <(
		sed -n 's/^virtio_iommu_report_fault .* endpoint=\([0-9]*\) address *=\(0x[0-9a-f]*\)/\1 \2/p' \
			"$1/trace" |
		while read -r id iova; do
			printf '%d %x\n' "$id" $((iova >> 12))
		done | uniq) >"$1/faults" || {
		echo "pages of faults wanted (<) and seen (>):"
		grep '^[<>]' "$1/faults" | head -n 20
		return 1
	}
}

one()
{
	local kernel=$1 bypass=$2 name="$1, boot-bypass=$2" all=0xffffffffffffffff check

	dir=$RUNS/$kernel-$bypass
	# 28 bits of address is what edu has by default
	check "$name: guest" guest "$dir" -k "$kernel" -i "boot-bypass=$bypass" -T counts iommufd -- \
		-device edu,addr=0x10,dma_mask=$all -device edu,addr=0x11,dma_mask=$all
	while read -r check what; do
		check "$name: $what" said "$dir" "iommufd $check"
	done <<-END
		info		information on the hardware
		ranges		ranges leave the MSI window out while a device is there
		dma		DMA to maps of 4 KiB, 2 MiB and odd sizes, none after unmap
		chosen		DMA to addresses that the kernel chose
		refusals	what is wrong is refused and changes nothing
		hwpt		page tables that were asked for
		apart		two address spaces have nothing in common
		replace		an address space replaced while its device runs
		detach		blocked before attach and after detach
		killed		blocked after its user was killed
	END
	check "$name: the IOMMU stopped that and nothing else" faults "$dir"
	check "$name: nothing is left" users_left_nothing "$dir"
	check "$name: groups" have_groups "$dir"
	check "$name: domain type" have_type "$dir" DMA-FQ
	check "$name: NVMe's data" data_intact "$dir" nvme0
	check "$name: TCP" net_intact "$dir"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 2 * 17))
for kernel in $KERNELS; do
	one "$kernel" on
	one "$kernel" off
done
ktap_end
