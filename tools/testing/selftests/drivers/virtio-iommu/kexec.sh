#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Another kernel is started (kexec) with I/O under way and unmaps pending: at once, without
# a device that waits for DMA which the IOMMU has cut; and what the first kernel left behind
# reaches nothing in the second one's memory.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The second kernel came up, too.
kernels()
{
	local n

	n=$(count "$1/report" '^kernel ')
	[ "$n" -eq 2 ] || { echo "$n kernels"; return 1; }
}

# The same in both kernels, which write to different places.
tcp_intact()
{
	[ "$(awk '$1 == "net" && $4 == $5' "$1/report" | wc -l)" -eq 2 ] ||
		{ grep '^net ' "$1/report"; return 1; }
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 2 * 9))
for kernel in $KERNELS; do
	image=$("$TOP/scripts/fetch-kernel" --print image "$kernel")
	initramfs=$("$HERE/build-initramfs" "$kernel")
	disk=virtio-blk-pci,iommu_platform=on,disable-legacy=on
	for strict in 0 1; do
		dir=$RUNS/$kernel-$strict name="$kernel, iommu.strict=$strict"
		# both kernels take some 30 s; a disk that is cut off takes 60 s more
		# shellcheck disable=SC2016 # a word for the kernel
		check "$name: guest" guest "$dir" -k "$kernel" -i boot-bypass=on -t 85 \
			-a 'memmap=64K$0xc000000 viommu.disks=5 iommu.strict='$strict kexec -- \
			-device edu,addr=0x10 \
			-blockdev "driver=file,node-name=kernel,filename=$image,read-only=on" \
			-device "$disk,drive=kernel,serial=kernel" \
			-blockdev "driver=file,node-name=initramfs,filename=$initramfs,read-only=on" \
			-device "$disk,drive=initramfs,serial=initramfs"
		check "$name: two kernels" kernels "$dir"
		check "$name: what is left over reaches nothing" said "$dir" \
			"reaches second nothing" "reaches loaded nothing"
		check "$name: bypass stays closed" said "$dir" "bypass closed"
		for serial in vblk0 nvme0 nvme1; do
			check "$name: $serial's data" data_intact "$dir" $serial 4
		done
		check "$name: TCP" tcp_intact "$dir"
		check "$name: translated" all_translated "$dir"
	done
done
ktap_end
