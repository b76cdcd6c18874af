#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Power-off and reboot do not hang on a device whose DMA the IOMMU cut too early.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# one KERNEL HOW BYPASS WORDS...
one()
{
	# a guest takes 8 s without another beside it; a hang is 60 s
	dir=$RUNS/$1-$2-$3
	check "$1, boot-bypass=$3: $2${4:+, $4}" guest "$dir" \
		-k "$1" -i "boot-bypass=$3" -t 50 -a "viommu.how=$2 ${4:-}" poweroff
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 4))
for kernel in $KERNELS; do
	one "$kernel" poweroff on
	one "$kernel" poweroff off iommu.strict=1
	one "$kernel" reboot on iommu.strict=1
	one "$kernel" reboot off
done
ktap_end
