#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A device's access to what is not mapped for it is stopped, and the log names
# device and address.

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

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 5))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" fault -- -device edu,addr=0x10
	check "$kernel: stray DMA stopped" stopped "$dir"
	check "$kernel: stray DMA logged" logged "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: TCP" net_intact "$dir"
done
ktap_end
