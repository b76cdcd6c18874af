#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices whose drivers were bound before the module was loaded keep working:
# they get an identity domain, and the log says so. With a device tree (arm64) the
# kernel holds their drivers back for a while first, which is made short here.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

busy()
{
	grep -q '^loaded [1-9]' "$1/report" || { echo "no I/O ran when the module came"; return 1; }
}

# Those that moved data before: their DMA addresses stay what they were.
identity()
{
	local bad

	[ "$(data_endpoints "$1" | wc -l)" -ge 4 ] || { echo "too few devices"; return 1; }
	bad=$(devices "$1" | awk '($5 == "nvme" || $6 ~ /^virtio_(blk|net)$/) && $8 != "identity" { print $2, $8 }')
	[ -z "$bad" ] || { echo "not identity: $bad"; return 1; }
}

logged()
{
	local bdf

	for bdf in $(devices "$1" | awk '$5 == "nvme" || $6 ~ /^virtio_(blk|net)$/ { print $2 }'); do
		grep -q "^log .*$bdf" "$1/report" || { echo "the log does not name $bdf"; return 1; }
	done
}

# An operator can protect such a device without a reboot.
changed()
{
	grep -q '^changed .* DMA$' "$1/report" || { echo "no DMA domain"; return 1; }
	grep -q '^virtio_iommu_translate_out .* sid=32' "$1/trace" ||
		{ echo "QEMU translated nothing of endpoint 32"; return 1; }
}

n=0
for kernel in $KERNELS; do
	[ "${kernel%-debug}" = 6.12 ] && n=$((n + 1)) || n=$((n + 10))
done
ktap_begin $n
for kernel in $KERNELS; do
	if [ "${kernel%-debug}" = 6.12 ]; then
		skip 1 "$kernel: this kernel binds no driver before the IOMMU's is there"
		continue
	fi
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" -i boot-bypass=on \
		-a deferred_probe_timeout=1 late
	check "$kernel: loaded while I/O ran" busy "$dir"
	for disk in vblk0 nvme0 nvme1; do
		check "$kernel: $disk's data" data_intact "$dir" $disk
	done
	check "$kernel: TCP" net_intact "$dir"
	check "$kernel: groups" have_groups "$dir"
	check "$kernel: identity domains" identity "$dir"
	check "$kernel: the log names the devices" logged "$dir"
	check "$kernel: changed to DMA" changed "$dir"
done
ktap_end
