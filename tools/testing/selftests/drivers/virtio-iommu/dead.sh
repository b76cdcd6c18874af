#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A virtio-iommu that does not answer is given up: its users fail at once, the
# guest lives, and a reset of the device brings it back.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Neither of the two disks that were to be bound meanwhile.
failed_at_once()
{
	local seconds disks

	seconds=$(sed -n 's/^seconds //p' "$1/report")
	disks=$(sed -n 's/^disks //p' "$1/report")
	[ "${disks:-none}" = 1 ] || { echo "${disks:-no} disks while the device was dead"; return 1; }
	[ "${seconds:-99}" -le 8 ] || { echo "it took $seconds s"; return 1; }
}

logged_once()
{
	local n

	n=$(count "$1/report" '^log ')
	[ "$n" -eq 1 ] || { echo "the log says so $n times"; return 1; }
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 8))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" -i boot-bypass=on dead
	check "$kernel: failed at once" failed_at_once "$dir"
	check "$kernel: said once" logged_once "$dir"
	for disk in vblk0 nvme0 nvme1; do
		check "$kernel: $disk's data" data_intact "$dir" $disk
	done
	check "$kernel: TCP" net_intact "$dir"
	check "$kernel: groups" have_groups "$dir"
done
ktap_end
