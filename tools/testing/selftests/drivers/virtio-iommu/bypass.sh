#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices that are attached nowhere: the driver stops their DMA, unless told not to, and
# leaves the host's switch as it found it.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# written DIR VALUE...: to the switch, these and no others; the last one while the device
# still was what it was
written()
{
	local dir=$1 got last

	shift
	got=$(sed -n 's/^virtio_iommu_set_config bypass=//p' "$dir/trace" | xargs)
	[ "$got" = "$*" ] || { echo "written: $got"; return 1; }
	last=$(grep -E '^virtio_iommu_(set_config|device_reset)' "$dir/trace" | tail -n 2)
	[[ $last != *reset*set_config* ]] || { echo "written after the reset"; return 1; }
}

attached()
{
	sed -n 's/^virtio_iommu_attach .* endpoint=//p' | sort -u | xargs
}

# Not before all devices that were there are attached: what they had under way would stop.
closed_last()
{
	local all before

	all=$(attached <"$1/trace")
	before=$(sed '/^virtio_iommu_set_config /,$d' "$1/trace" | attached)
	if [ -z "$all" ] || [ "$before" != "$all" ]; then
		echo "attached before: $before; of: $all"
		return 1
	fi
}

logged()
{
	grep -q "^log .*$2" "$1/report" || { echo "not in the log: $2"; return 1; }
}

# The reserved bits of what the driver reads.
set_other_bits()
{
	sed -i '/virtio_cread_le(/ s/$/\n\tvalue |= 0xfe;/' drivers/iommu/virtio/bypass.c
	grep -q 'value |= 0xfe;' drivers/iommu/virtio/bypass.c
}

# To this driver the host offers BYPASS in the place of BYPASS_CONFIG: each goes by the
# other's number.
swap_features()
{
	sed -i '/^#include <uapi\/linux\/virtio_iommu.h>/ a\
#undef VIRTIO_IOMMU_F_BYPASS\
#define VIRTIO_IOMMU_F_BYPASS 6\
#undef VIRTIO_IOMMU_F_BYPASS_CONFIG\
#define VIRTIO_IOMMU_F_BYPASS_CONFIG 3' drivers/iommu/virtio/wire.h
	grep -q 'VIRTIO_IOMMU_F_BYPASS 6' drivers/iommu/virtio/wire.h
}

# shellcheck disable=SC2016 # a word for the kernel
words='memmap=64K$0xc000000'

# one NAME KERNEL WORDS REACHED-WITHOUT-DRIVER STATE WRITTEN... -- OPTION...
one()
{
	local name="$2, $1" kernel=$2 append=$3 what=$4 state=$5 values=()

	dir=$RUNS/$2-${1//[^a-zA-Z0-9]/-}
	shift 5
	while [ "$1" != -- ]; do
		values+=("$1")
		shift
	done
	shift
	check "$name: guest" guest "$dir" -k "$kernel" -a "$words $append" "$@" bypass -- \
		-device edu,addr=0x10
	check "$name: the driver says: $state" said "$dir" "bypass loaded $state"
	check "$name: a device without a driver reaches $what" said "$dir" \
		"reaches loaded $what"
	check "$name: one that was let go reaches $what" said "$dir" "reaches released $what"
	check "$name: the host's switch" written "$dir" "${values[@]}"
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: TCP" net_intact "$dir"
}

n=0
for kernel in $KERNELS; do
	n=$((n + 5 * 7 + 6))
	[ "${kernel%-debug}" != 6.12 ] || n=$((n + 2 * 7))
done
ktap_begin $n
for kernel in $KERNELS; do
	one "boot-bypass=on" "$kernel" "" nothing closed 0x0 0x1 0x0 --
	check "$kernel: before and after, a device reaches memory" said "$dir" \
		"reaches before memory" "reaches unbound memory"
	# 7.3 leaves bridges outside, whose driver was not unbound: their interrupts go on
	[ "$kernel" = 7.3 ] && again=open || again=closed
	check "$kernel: it reaches nothing when it comes back, nor when the driver does" said "$dir" \
		"reaches rescanned nothing" "bypass again $again" "reaches again nothing"
	check "$kernel: closed when all devices are attached" closed_last "$dir"
	check "$kernel: the log says that bypass is closed" logged "$dir" "bypass closed"
	check "$kernel: accepted: BYPASS_CONFIG, which is offered" said "$dir" "features 1110111.*"
	one "boot-bypass=off" "$kernel" "" nothing closed -- -i boot-bypass=off
	# every device is attached: nothing reaches memory, but nothing would be in its way
	one "kept open" "$kernel" virtio_iommu.keep_bypass=1 nothing open 0x0 --
	variant "$kernel-bits" "$kernel" set_other_bits
	one "other bits set" "$kernel" "" nothing closed 0x0 0x1 0x0 -- -m "$module"
	variant "$kernel-predecessor" "$kernel" swap_features
	one "BYPASS in its place" "$kernel" "" nothing none -- -m "$module"
	check "$kernel: not accepted: BYPASS, which is offered in its place" said "$dir" \
		"features 1110110.*"

	# 6.1 knows nothing of a VIOT itself, so that no device would be known; 7.3 knows them all
	[ "${kernel%-debug}" = 6.12 ] || continue
	one "an unknown device" "$kernel" virtio_iommu.topology=none nothing closed 0x0 0x1 0x0 --
	one "an unknown device, kept open" "$kernel" \
		"virtio_iommu.topology=none virtio_iommu.keep_bypass=1" memory open 0x0 --
done
ktap_end
