#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A device's access to what is not mapped for it is stopped, and the log names
# device and address. A storm of such accesses disturbs nobody.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# edu is the device that run-guest's extra option puts at 00:10.0 (ID 128)
stopped()
{
	grep -q '^virtio_iommu_report_fault .* endpoint=128 address =0x5000$' "$1/trace" || {
		echo "QEMU stopped nothing"
		return 1
	}
}

logged()
{
	grep -E '^log .*0000:00:10\.0' "$1/report" | grep -q '5000' || {
		echo "nothing in the log names 0000:00:10.0 and the address:"
		grep '^log ' "$1/report" || :
		return 1
	}
}

storm()
{
	sed -n "s/^storm $2 //p" "$1/report"
}

# The devices made so many, and those that QEMU had room to report were counted.
stormy()
{
	local made counted

	made=$(storm "$1" made) counted=$(storm "$1" counted)
	if [ "${made:-0}" -lt 200000 ] || [ "${counted:-0}" -lt 10000 ]; then
		echo "${made:-no} faults were made, ${counted:-none} counted"
		return 1
	fi
}

few_lines()
{
	local lines

	lines=$(storm "$1" lines)
	if [ "${lines:-0}" -lt 5 ] || [ "$lines" -gt 200 ]; then
		echo "${lines:-no} lines"
		return 1
	fi
}

edus=()
for slot in {6..25}; do
	edus+=(-device "edu,addr=$(printf '0x%x' "$slot")")
done

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 11))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" fault -- -device edu,addr=0x10
	check "$kernel: stray DMA stopped" stopped "$dir"
	check "$kernel: stray DMA logged" logged "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: TCP" net_intact "$dir"

	dir=$RUNS/$kernel-storm
	# the host's own log of each access would be most of the work
	check "$kernel, storm: guest" guest "$dir" -k "$kernel" -T none storm -- "${edus[@]}"
	check "$kernel, storm: faults" stormy "$dir"
	check "$kernel, storm: few lines in the log" few_lines "$dir"
	check "$kernel, storm: NVMe's data meanwhile" data_intact "$dir" nvme0
	check "$kernel, storm: TCP meanwhile" net_intact "$dir"
	check "$kernel, storm: virtio-blk's data afterwards" data_intact "$dir" vblk0
done
ktap_end
