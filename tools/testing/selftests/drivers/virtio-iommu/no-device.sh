#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# On a machine without a virtio-iommu the module loads, does nothing, unloads.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 5))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" -i none no-device
	check "$kernel: nobody uses the module" said "$dir" "refcount 0"
	check "$kernel: no groups" said "$dir" "groups 0"
	check "$kernel: unloads" said "$dir" "unloaded"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
done
ktap_end
