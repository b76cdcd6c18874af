#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Reserved regions: those that the host reports show in the groups, rounded, sorted and
# merged, and no DMA address is ever taken from one. What several devices make of one
# domain. Memory that a device needs mapped to itself, where the operator takes the
# host's word for it.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

preload probe-reply

# Interrupts' window; overlapping, adjacent and unaligned ones; both ends of the space;
# subtypes that nobody knows, and the draft's; interrupts in a TiB, for whose every page the
# kernel would need memory. Properties of other types count for nothing.
replies=$RUNS/replies
cat >"$replies" <<'END'
* region 1 fee00000 feefffff
* bytes 05 00 04 00 de ad be ef
* region 0 c0000000 dfffffff
* region 0 d0000000 fedfffff
* bytes 01 10 14 00 00 00 00 00 00 00 00 30 00 00 00 00 ff 0f 00 30 00 00 00 00
* region 0 fef01000 fffeffff
* region 0 feef0800 fef00fff
* region 0 7fff8123 7fff9000
* region 0 0 123
* region 0 fffffffffffff800 ffffffffffffffff
* region 77 60000000 60000fff
* region 2 61000000 61000fff 3
* region 1 10000000000 1ffffffffff
END
regions=(
	"0x0000000000000000 0x0000000000000fff reserved"
	"0x0000000060000000 0x0000000060000fff reserved"
	"0x0000000061000000 0x0000000061000fff reserved"
	"0x000000007fff8000 0x000000007fff9fff reserved"
	"0x00000000c0000000 0x00000000fedfffff reserved"
	"0x00000000fee00000 0x00000000feeeffff msi"
	"0x00000000feef0000 0x00000000fffeffff reserved"
	"0x0000010000000000 0x000001ffffffffff reserved"
	"0xfffffffffffff000 0xffffffffffffffff reserved"
)

# Eight devices with nothing, RESERVED, MSI or identity regions at one address; one that needs
# memory of its own; one whose report contradicts itself, and wants a TiB.
shared=$RUNS/shared
cat >"$shared" <<'END'
144 region 1 fee00000 feefffff
144 region 0 20000000 20000fff
152 region 1 fee00000 feefffff
152 region 0 20000000 20000fff
160 region 1 20000000 20000fff
168 region 1 20000000 20000fff
176 region 1 fee00000 feefffff
176 region 2 20000000 20000fff 3
184 region 1 fee00000 feefffff
184 region 2 20000000 20000fff 3
192 region 1 fee00000 feefffff
192 region 2 c000000 c003fff 3
192 region 2 c008000 c008fff 1
200 region 1 fee00000 feefffff
200 region 2 30000000 30000fff 3
200 region 0 30000800 30000fff
200 region 2 10000000000 1ffffffffff 3
END
edus=()
for slot in 10 11 12 13 14 15 16 17 18 19; do
	edus+=(-device "edu,addr=0x$slot")
done

# MAPs, and none of them touches a region.
untouched()
{
	local map n=0 start end region first last

	while IFS= read -r map; do
		n=$((n + 1))
		start=${map#*virt_start=} end=${map#*virt_end=}
		start=${start%% *} end=${end%% *}
		# IOVAs above 2^63 count as negative here, and no driver has any
		for region in "${regions[@]:0:8}"; do
			read -r first last _ <<<"$region"
			if ((start <= last && end >= first)); then
				echo "$map"
				return 1
			fi
		done
	done < <(grep '^virtio_iommu_map ' "$1/trace")
	[ $n -gt 0 ] || { echo "no MAP requests"; return 1; }
}

# What two devices with something different at an address make of a domain:
#	cell DEVICES ATTACHED MAPPED TRANSLATION MAPPED-TO-ITSELF UNMAPPED
no="Cannot-assign-requested-address"
cells=(
	"cell NN ok ok 0x21000000 File-exists 0x1000"
	"cell NR ok $no 0x0 $no 0x0"
	"cell RN ok $no 0x0 $no 0x0"
	"cell NM ok $no 0x0 $no 0x0"
	"cell RR ok $no 0x0 $no 0x0"
	"cell RM ok $no 0x0 $no 0x0"
	"cell MM ok $no 0x0 $no 0x0"
	"cell RI ok $no 0x20000000 File-exists 0x0"
	"cell MI ok $no 0x20000000 File-exists 0x0"
	"cell II ok $no 0x20000000 File-exists 0x0"
	"cell NI Invalid-argument ok 0x21000000 File-exists 0x1000"
	"cell IN Invalid-argument $no 0x20000000 File-exists 0x0"
	"cell NI-allowed ok $no 0x20000000 File-exists 0x0"
	"left RI 0x0"
	"left II 0x20000000"
	"left NI-allowed 0x0"
)
live=(
	"live before DMA"
	"live Invalid-argument 0x21000000 DMA"
	"live unmapped 0x1000"
	"live then ok unmanaged"
)
live_identity=(
	"live 21000000,3 Invalid-argument 0x21000000"
	"live 20000000,1 Invalid-argument 0x20000000"
	"live 20000000,3 ok 0x20000000"
	"live left 0x20000000"
)
identity=(
	"identity DMA inside 0xFEEDBEEF"
	"identity DMA faults 0"
	"identity DMA read-only 0x00000000"
	"identity DMA outside 0x00000000"
	"identity DMA faults 2"
	"identity unmanaged inside 0xFEEDBEEF"
	"identity unmanaged faults 2"
	"identity unmanaged read-only 0x00000000"
	"identity unmanaged outside 0x00000000"
	"identity unmanaged faults 4"
)
handlers=(
	"handler 1 0 1 faults, 0000:00:10.0 0x5000"
	"handler 0 1 2 faults, 0000:00:10.0 0x5000"
	"handler faults 2"
)

has_region()
{
	said "$1" "region $2 $3"
}

refusals_logged()
{
	if ! grep -q '^log .*endpoint 0xc8: 1 identity regions cannot be mapped' "$1/report" ||
		! grep -q '^log .*0000:00:19.0: 1 reserved regions are too large' "$1/report"; then
		grep '^log' "$1/report"
		return 1
	fi
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * (9 + ${#cells[@]} + 13)))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" env VIOMMU_PROBE_REPLY="$replies" \
		"$HERE/run-guest" -q -d "$DRIVER" -o "$dir" -k "$kernel" -p "$shim" data
	check "$kernel: regions rounded, sorted and merged" have_regions "$dir" "${regions[@]}"
	check "$kernel: no DMA address from any of them" untouched "$dir"
	check "$kernel: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel: NVMe's data" data_intact "$dir" nvme0
	check "$kernel: NVMe behind a root port: data" data_intact "$dir" nvme1
	check "$kernel: TCP" net_intact "$dir"
	check "$kernel: translated" all_translated "$dir"
	check "$kernel: no faults" no_faults "$dir"

	dir=$RUNS/$kernel-shared
	# shellcheck disable=SC2016 # a word for the kernel
	check "$kernel, shared domains: guest" env VIOMMU_PROBE_REPLY="$shared" \
		"$HERE/run-guest" -q -d "$DRIVER" -o "$dir" -k "$kernel" -p "$shim" \
		-i boot-bypass=off -a 'virtio_iommu.identity_regions=1 memmap=64K$0xc000000' \
		regions -- "${edus[@]}"
	for cell in "${cells[@]}"; do
		read -r what name _ <<<"$cell"
		check "$kernel, shared domains: $what $name" said "$dir" "$cell"
	done
	check "$kernel: a mapping in the way of a device's region" said "$dir" "${live[@]}"
	check "$kernel: a mapping in the place of a device's identity region" said "$dir" \
		"${live_identity[@]}"
	check "$kernel: identity region: direct" has_region "$dir" 0000:00:18.0 \
		"0x000000000c000000 0x000000000c003fff direct"
	check "$kernel: identity region: DMA within and without" said "$dir" "${identity[@]}"
	check "$kernel: identity region: not where the device says otherwise" has_region "$dir" \
		0000:00:19.0 "0x0000000030000000 0x0000000030000fff reserved"
	check "$kernel: identity region: not where it is too large" has_region "$dir" \
		0000:00:19.0 "0x0000010000000000 0x000001ffffffffff reserved"
	check "$kernel: identity region: that is logged" refusals_logged "$dir"
	check "$kernel: MSI window elsewhere" has_region "$dir" 0000:00:14.0 \
		"0x0000000020000000 0x0000000020000fff msi"
	check "$kernel: a domain's fault handler" said "$dir" "${handlers[@]}"
	check "$kernel, shared domains: virtio-blk's data" data_intact "$dir" vblk0
	check "$kernel, shared domains: NVMe's data" data_intact "$dir" nvme0
	check "$kernel, shared domains: TCP" net_intact "$dir"
done
ktap_end
