#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Data through all devices at the same time on two processors.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 2 * 7))
for kernel in $KERNELS; do
	for strict in 0 1; do
		dir=$RUNS/$kernel-$strict name="$kernel, iommu.strict=$strict"
		check "$name: guest" guest "$dir" -k "$kernel" -i boot-bypass=off \
			-a iommu.strict=$strict stress
		for disk in vblk0 nvme0 nvme1; do
			check "$name: $disk's data" data_intact "$dir" $disk
		done
		check "$name: TCP" net_intact "$dir"
		check "$name: translated" all_translated "$dir"
		check "$name: no faults" no_faults "$dir"
	done
done
ktap_end
