#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A virtio-iommu that does not answer is given up: its users fail at once, the
# guest lives, and a reset of the device brings it back.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Who waited had an error within the bound of 500 ms and 100 ms more, and not before.
in_time()
{
	local _ ns status

	read -r _ _ ns status < <(grep '^waited first ' "$1/report") || { echo "nobody waited"; return 1; }
	[ "$status" -ne 0 ] || { echo "no error"; return 1; }
	if [ "$ns" -lt 490000000 ] || [ "$ns" -gt 600000000 ]; then
		echo "after $ns ns"
		return 1
	fi
}

# Who came later had one without waiting, and so had the drivers of the two disks.
failed_at_once()
{
	local n=0 when ns status disks

	while read -r _ when ns status; do
		n=$((n + 1))
		[ "$status" -ne 0 ] || { echo "$when: no error"; return 1; }
		[ "$ns" -le 50000000 ] || { echo "$when: after $ns ns"; return 1; }
	done < <(grep -E '^waited (later|still) ' "$1/report")
	[ "$n" -eq 2 ] || { echo "$n of 2 tried later"; return 1; }
	disks=$(sed -n 's/^disks //p' "$1/report")
	[ "${disks:-none}" = 1 ] || { echo "${disks:-no} disks while the device was dead"; return 1; }
}

# A busy machine may take a guest's processors away for a while, which only ever adds
# to its times: the first of three guests that is not late counts.
guest_in_time()
{
	local dir=$1 try late

	for try in 1 2 3; do
		guest "$dir" -k "$2" -i boot-bypass=on dead -- -device edu,addr=0x10 || return 1
		late=$(in_time "$dir" && failed_at_once "$dir") && break
		# too early is no matter of the machine
		awk '/^waited first / && $3 < 490000000 { exit 1 }' "$dir/report" || break
		echo "RETRY guest $try of 3 was late: $late"
	done
}

logged_once()
{
	local n

	n=$(count "$1/report" '^log ')
	[ "$n" -eq 1 ] || { echo "the log says so $n times"; return 1; }
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 9))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest_in_time "$dir" "$kernel"
	check "$kernel: an error in time" in_time "$dir"
	check "$kernel: failed at once" failed_at_once "$dir"
	check "$kernel: said once" logged_once "$dir"
	for disk in vblk0 nvme0 nvme1; do
		check "$kernel: $disk's data" data_intact "$dir" $disk
	done
	check "$kernel: TCP" net_intact "$dir"
	# 7.3 leaves a bridge outside that has its driver when the IOMMU comes back
	[ "$kernel" = 7.3 ] && but=0000:00:02.0 || but=
	check "$kernel: groups" have_groups "$dir" "$but"
done
ktap_end
