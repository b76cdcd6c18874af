#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job on arm64's machines, which differ in who says what is behind the
# IOMMU (device tree, ACPI), in what the IOMMU is (a PCI device, a virtio-mmio
# one), and in where the devices' interrupts go: past the IOMMU by a window that
# it reports, through it by a mapping, or over lines of their own.

set -euo pipefail
KERNELS=${KERNELS:-6.1-arm64 6.12-arm64}
. "$(dirname "$0")/lib.sh"

efi=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd
v2m="0x0000000008020000 0x0000000008020fff msi"
its="0x0000000008090000 0x000000000809ffff msi"
software="0x0000000008000000 0x00000000080fffff msi"

# interrupts DIR past|mapped|lines: of the disks and the NIC
interrupts()
{
	local dir=$1 how=$2 id seen msi got endpoints

	endpoints=$(data_endpoints "$dir")
	[ -n "$endpoints" ] || { echo "no endpoints"; return 1; }
	for id in $endpoints; do
		read -r _ seen msi _ < <(trace_endpoints "$dir" | grep "^$id ") ||
			{ echo "endpoint $id: the IOMMU saw no DMA"; return 1; }
		got=lines
		[ "$msi" -eq 0 ] || got=past
		! grep -q "^virtio_iommu_translate_out .* -> 0x8020040 for sid=$id\$" "$dir/trace" ||
			got=mapped
		[ $got = "$how" ] || { echo "endpoint $id: interrupts: $got, not $how"; return 1; }
	done
}

# described_by DIR acpi|tree: the machine, to the kernel
described_by()
{
	local by=tree

	! grep -q '\] ACPI: VIOT ' "$1/console" || by=acpi
	[ $by = "$2" ] || { echo "described by $by"; return 1; }
}

# one NAME KERNEL IOMMU TYPE REGION INTERRUPTS RUN-GUEST-OPTION...
one()
{
	local name="$2, $1" dir=$RUNS/$2-${1//[^a-zA-Z0-9]/-} kernel=$2 iommu=$3 type=$4 region=$5 how=$6
	local words=iommu.strict=1 by=tree disk

	[ "$1" != ACPI ] || by=acpi
	[ "$type" = DMA ] || words=iommu.strict=0
	shift 6
	check "$name: guest" guest "$dir" -k "$kernel" -i "$iommu" -a "$words" data "$@"
	check "$name: described by it" described_by "$dir" $by
	for disk in vblk0 nvme0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: TCP" net_intact "$dir"
	check "$name: groups" have_groups "$dir"
	check "$name: domain type $type" have_type "$dir" "$type"
	check "$name: reserved regions" have_regions "$dir" "$region"
	check "$name: translated" all_translated "$dir"
	check "$name: interrupts" interrupts "$dir" "$how"
	check "$name: no faults" no_faults "$dir"
}

# doorbell_flags DIR FLAGS: of each MAP of the page that GICv2m takes interrupts in, of
# which each disk and the NIC has one
doorbell_flags()
{
	local flags

	flags=$(sed -n 's/^virtio_iommu_map .*phys_start=0x8020000 flags=//p' "$1/trace")
	if [ "$(wc -w <<<"$flags")" -lt 4 ] || [ "$(sort -u <<<"$flags")" != "$2" ]; then
		echo "flags: ${flags:-none}"
		return 1
	fi
}

# no_groups DIR: all devices stayed outside
no_groups()
{
	local bad

	bad=$(devices "$1" | awk '$7 != "-" { print $2 }')
	[ -z "$bad" ] || { echo "with a group: $bad"; return 1; }
}

too_many_logged()
{
	[ "$(count "$1/console" 'failed: -EINVAL: the host has more to report than room')" -ge 5 ] ||
		{ echo "the log does not say why"; return 1; }
}

# QEMU has room for 21 regions of an endpoint.
many=len-reserved-regions=22
for i in {0..21}; do
	many+=$(printf ',reserved-regions[%d]=0x%x:0x%x:0' "$i" $((0x40000000 + i * 0x100000)) \
		$((0x40000fff + i * 0x100000)))
done

preload probe-reply
echo "* region 0 8000000 80fffff" >"$RUNS/reply"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * (5 * 12 + 9 + 10)))
for kernel in $KERNELS; do
	one "device tree, GICv2m" "$kernel" boot-bypass=off DMA "$v2m" past
	one "device tree, ITS" "$kernel" boot-bypass=on DMA-FQ "$its" past \
		-- -machine gic-version=3
	one "device tree, no MSI" "$kernel" boot-bypass=off DMA "$software" lines \
		--no-msi -- -machine gic-version=3,its=off
	one "ACPI" "$kernel" boot-bypass=on DMA-FQ "$its" past \
		-- -machine gic-version=3 -bios $efi
	one "device tree, virtio-mmio" "$kernel" mmio,boot-bypass=off DMA "$software" mapped
	# 2: for writes; 4: of a device, which not every host takes
	dir=$RUNS/$kernel-device-tree--virtio-mmio
	check "$kernel: interrupts are mapped as a device's" doorbell_flags "$dir" 6

	name="$kernel, no MMIO flag"
	dir=$RUNS/$kernel-mmio
	variant "$kernel-mmio" "$kernel" strike MMIO
	check "$name: guest" guest "$dir" -k "$kernel" -m "$module" -i mmio,boot-bypass=off data
	for disk in vblk0 nvme0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: TCP" net_intact "$dir"
	check "$name: interrupts" interrupts "$dir" mapped
	check "$name: they are mapped as memory" doorbell_flags "$dir" 2
	check "$name: no faults" no_faults "$dir"

	name="$kernel, a reserved region in the place of the software MSI window"
	dir=$RUNS/$kernel-moved
	check "$name: guest" env VIOMMU_PROBE_REPLY="$RUNS/reply" "$HERE/run-guest" -q -d "$DRIVER" \
		-o "$dir" -k "$kernel" -p "$shim" -i mmio,boot-bypass=off data
	check "$name: it has moved" have_regions "$dir" \
		"0x0000000008000000 0x00000000080fffff reserved" \
		"0x0000000008100000 0x00000000081fffff msi"
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: NVMe's data" data_intact "$dir" nvme0
	check "$name: interrupts" interrupts "$dir" mapped
	check "$name: no faults" no_faults "$dir"

	name="$kernel, more reserved regions than the host can report"
	dir=$RUNS/$kernel-many
	check "$name: guest" guest "$dir" -k "$kernel" -n -i "$many" data -- \
		-machine gic-version=3,its=off
	check "$name: devices stay outside" no_groups "$dir"
	check "$name: the log says why" too_many_logged "$dir"
	check "$name: their data" data_intact "$dir" vblk0
done
ktap_end
