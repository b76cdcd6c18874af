#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Power-off does not hang on a device whose DMA the IOMMU cut too early.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 2))
for kernel in $KERNELS; do
	for bypass in on off; do
		# a guest takes 8 s without another beside it; a hang is 60 s
		dir=$RUNS/$kernel-$bypass
		check "$kernel, boot-bypass=$bypass: power-off" guest "$dir" \
			-k "$kernel" -i boot-bypass=$bypass -t 50 poweroff
	done
done
ktap_end
