#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the host refuses reaches the caller: a MAP in the middle of a scatterlist fails
# the call and leaves nothing mapped; an UNMAP is counted and logged, and nothing is
# mapped over what the host still holds. An unmap that would split a mapping changes
# nothing.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# said DIR LINE: an extended regular expression
# first_map DIR PHASE: the first IOVA that it mapped
first_map()
{
	local number

	number=$(awk -v name="$2" '$1 == "phase" && $3 == name { printf "0x%x", $2 }' "$1/report")
	awk -v mark="$number" '
		$1 == "pci_cfg_write" && $4 == "@0x0" { on = $6 == mark }
		on && $1 == "virtio_iommu_map" { print $3; exit }' "$1/trace"
}

# (One processor: IOVAs are cached by processor.) Where the refused call had mapped, another one maps.
nothing_left()
{
	local refused after

	refused=$(first_map "$1" map-refused)
	after=$(first_map "$1" map-after)
	if [ -z "$refused" ] || [ "$refused" != "$after" ]; then
		echo "first ${refused:-nothing}, then ${after:-nothing}: says nothing"
		return 1
	fi
	said "$1" "status map-after 0" && said "$1" "failed map 1"
}

# Before the same IOVAs are mapped again, they are unmapped.
unmapped_first()
{
	local got

	[ "$(first_map "$1" map-23)" = "$(first_map "$1" map-23-again)" ] ||
		{ echo "not the same IOVAs: says nothing"; return 1; }
	got=$(phase_counts "$1" | awk '$1 == "map-23-again" { print $5, $6 }')
	[ "$got" = "23 1" ] || { echo "MAP and UNMAP: $got, not 23 1"; return 1; }
}

# Neither the driver nor the host has changed anything, and all of it can be unmapped.
not_split()
{
	local got

	said "$1" "status split 0" && said "$1" "status unmap-iommu 0" || return 1
	got=$(phase_counts "$1" | awk '$1 == "split" || $1 == "unmap-iommu" { print $6 }' | tr '\n' ' ')
	[ "$got" = "0 1 " ] || { echo "UNMAPs: $got, not 0 1"; return 1; }
}

preload refuse-requests

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 12))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" env VIOMMU_REFUSE_MAP=37 VIOMMU_REFUSE_UNMAP=23 \
		"$HERE/run-guest" -q -d "$DRIVER" -o "$dir" -k "$kernel" -T counts -s 1 \
		-a iommu.strict=1 -p "$shim" statuses -- -device edu,addr=0x10
	check "$kernel: a refused MAP fails the call" said "$dir" "status map-refused 1"
	check "$kernel: and leaves nothing mapped" nothing_left "$dir"
	check "$kernel: and is logged" \
		said "$dir" "log .* MAP of 0x[0-9a-f]*-0x[0-9a-f]* .* refused: INVAL .*"
	check "$kernel: a refused UNMAP is counted" said "$dir" "failed unmap 1"
	check "$kernel: and is logged" \
		said "$dir" "log .* UNMAP of 0x[0-9a-f]*-0x[0-9a-f]* .* refused: RANGE .*"
	check "$kernel: and is seen in debugfs" said "$dir" "stale unmap-23-again 0" \
		"stale unmap-refused 1" "stale map-23 0"
	check "$kernel: what the host still holds is unmapped before it is mapped" \
		unmapped_first "$dir"
	check "$kernel: that mapping works" said "$dir" "status map-23-again 0"
	check "$kernel: an unmap of a part is refused" not_split "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: no faults" no_faults "$dir"
done
ktap_end
