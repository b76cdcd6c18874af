#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space drives devices by VFIO: their DMA reaches what was mapped for it and nothing
# else, users are kept apart, whatever becomes of them, and the devices come back to their
# drivers.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Of a trace: ENDPOINT ADDRESS of each access that the host stopped, in order. It sees many
# for one: all that go on within a page are the same access.
stopped()
{
	local id iova last_id="" last_iova=""

	while read -r id iova; do
		printf -v iova %016x "$iova"
		if [ "$id" != "$last_id" ] || [ "${iova%???}" != "${last_iova%???}" ] ||
		   [[ $iova < $last_iova ]]; then
			echo "$id $iova"
		fi
		last_id=$id last_iova=$iova
	done < <(sed -n 's/^virtio_iommu_report_fault .* endpoint=\([0-9]*\) address *=/\1 /p')
}

# Of a report: those that the guest's programs counted on.
wanted()
{
	local _ bdf iova

	while read -r _ bdf iova; do
		printf '%d %016x\n' "$(endpoint_id "$bdf")" "$iova"
	done < <(grep '^fault ')
}

# same_faults WANTED SEEN
same_faults()
{
	diff <(echo "$1") <(echo "$2") >"$dir/faults" || {
		echo "faults wanted (<) and seen (>):"
		grep '^[<>]' "$dir/faults" | head -n 20
		return 1
	}
}

# A check of the guest's held, and the IOMMU stopped what it was to stop. held DIR CHECK
held()
{
	local number mark

	grep -qx "held $2" "$1/report" || {
		grep "^fail vfio: $2: " "$1/report" || echo "the guest did not report: held $2"
		return 1
	}
	number=$(sed -n "s/^begin \([0-9]*\) $2\$/\1/p" "$1/report")
	mark=$(printf '0x%x' "$number")
	same_faults "$(awk -v name="$2" '$1 == "begin" { on = $3 == name } on' "$1/report" | wanted)" \
		"$(awk -v mark="$mark" '$1 == "pci_cfg_write" && $4 == "@0x0" { on = $6 == mark } on' \
			"$1/trace" | stopped)"
}

# Not a fault but those, not of any other device either.
no_other_faults()
{
	local want

	want=$(wanted <"$1/report")
	[ -n "$want" ] || { echo "no faults were to be seen"; return 1; }
	same_faults "$want" "$(stopped <"$1/trace")"
}

# A map of memory is one MAP request for each of its contiguous runs.
one_map_per_run()
{
	local _ iova size run start i n=0
	local -a first last runs count

	while read -r _ iova size run; do
		first[n]=$((iova)) last[n]=$((iova + size - 1)) runs[n]=$run count[n]=0
		n=$((n + 1))
	done < <(grep '^map ' "$1/report")
	[ $n -ge 6 ] || { echo "$n maps to look at"; return 1; }
	while read -r start; do
		for ((i = 0; i < n; i++)); do
			if ((start >= first[i] && start <= last[i])); then
				count[i]=$((count[i] + 1))
			fi
		done
	done < <(sed -n 's/^virtio_iommu_map .*virt_start=\(0x[0-9a-f]*\) .*/\1/p' "$1/trace")
	for ((i = 0; i < n; i++)); do
		[ "${count[i]}" -eq "${runs[i]}" ] || {
			printf 'map at %#x: %d MAP requests for %d runs\n' "${first[i]}" "${count[i]}" \
				"${runs[i]}"
			return 1
		}
	done
}

# What the guest reported last of WHAT WHEN: value_of DIR WHAT WHEN
value_of()
{
	sed -n "s/^$2 $3 //p" "$1/report" | tail -n 1
}

# A user had memory pinned and a domain while it lived, and after its end nothing: no domain,
# no page, and as much memory is available as before, but for what the kernel keeps at hand.
left_nothing()
{
	local dir=$1 name=$2 before during after

	before=$(value_of "$dir" counts "before-$name")
	during=$(value_of "$dir" counts "during-$name")
	after=$(value_of "$dir" counts "after-$name")
	if [ -z "$before" ] || [ "$before" != "$after" ] ||
	   { [[ $before = *domains=* ]] && [ "$before" = "$during" ]; }; then
		printf 'before: %s\nduring: %s\nafter:  %s\n' "$before" "$during" "$after"
		return 1
	fi
	before=$(value_of "$dir" pinned "before-$name")
	during=$(value_of "$dir" pinned "during-$name")
	after=$(value_of "$dir" pinned "after-$name")
	if [ "$before" -ne "$after" ] || [ "$during" -le "$before" ]; then
		echo "pages pinned before, during and after: $before $during $after"
		return 1
	fi
	before=$(value_of "$dir" available "before-$name")
	after=$(value_of "$dir" available "after-$name")
	[ "$after" -ge $((before - 64 * 1024)) ] || {
		echo "$before kB were available before, $after kB after"
		return 1
	}
}

# part KERNEL PART BOOT-BYPASS QEMU-OPTION...: the guest with two edu devices. They have 28
# bits of address by default.
part()
{
	local kernel=$1 part=$2 bypass=$3 all=0xffffffffffffffff

	shift 3
	guest "$dir" -k "$kernel" -t 300 -T counts -a "viommu.part=$part" \
		-i "boot-bypass=$bypass" vfio -- -m 2G -device edu,addr=0x10,dma_mask=$all \
		-device edu,addr=0x11,dma_mask=$all "$@"
}

# Not without the operator's word, and the kernel says so. x86's hosts with a virtio-iommu
# have nothing that checks a device's interrupts, nor has arm64's GICv2m.
refused_first()
{
	said "$1" "refused no type 1 IOMMU: Operation not permitted" \
		"log .*No interrupt remapping support.*"
}

all()
{
	local kernel=$1 name="$1" check what

	dir=$RUNS/$kernel
	check "$name: guest" part "$kernel" all off
	while read -r check what; do
		check "$name: $what" held "$dir" "$check"
	done <<-END
		map-info	ranges and regions are all addresses, pages of 4 KiB
		map-sizes	DMA to maps of 4 KiB, 2 MiB, 1 GiB and odd sizes
		map-whole	DMA to all memory, mapped in one go
		map-high	DMA to IOVAs of up to 64 bits
		map-region	over the MSI window: EINVAL
		map-overlap	over another mapping: EEXIST
		map-unmap	partial unmap: EINVAL
		map-nonsense	what makes no sense: EINVAL
		map-hole	a map that fails leaves nothing
		map-limit	beyond the limit of locked memory: ENOMEM
		dma-both-ways	DMA both ways
		dma-across	DMA across mappings
		dma-unmapped	no DMA after unmap
		dma-protection	neither write where reads are mapped, nor read where writes are
		groups-apart	two containers have nothing in common
		groups-together	two devices in one container, the second leaves
		groups-inherited two devices in one container, the first leaves
		groups-last	a container without devices has no mappings
		groups-owner	a group has one owner
		nvme-io		NVMe: data through lists of pages
		nvme-msix	NVMe: MSI-X table mapped, interrupts
		nvme-unmapped	NVMe: no data to or from what is not mapped
		idle-unused	blocked before the first user
		idle-claimed	blocked while it has an owner without IOMMU
		idle-used	blocked after its user
		idle-killed	blocked after its user was killed
		idle-unbound	blocked without a driver
	END
	check "$name: EPERM without allow_unsafe_interrupts" refused_first "$dir"
	check "$name: one MAP request per run of memory" one_map_per_run "$dir"
	check "$name: no other faults" no_other_faults "$dir"
	check "$name: nothing is left of a user killed in DMA" left_nothing "$dir" edu
	check "$name: nothing is left of an NVMe driver killed in DMA" left_nothing "$dir" nvme
	check "$name: from the mode bounce, and back to it" said "$dir" \
		"mode before bounce bounce" "mode given bounce ordinary" "mode after bounce bounce"
	check "$name: groups" have_groups "$dir"
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: the NVMe disk's data, user space's too" data_intact "$dir" nvme0 3
	check "$name: TCP" net_intact "$dir"
}

# Where boot-bypass lets through what is in no domain.
isolation()
{
	local kernel=$1 name="$1, boot-bypass=on" check what

	dir=$RUNS/$kernel-on
	check "$name: guest" part "$kernel" isolation on
	while read -r check what; do
		check "$name: $what" held "$dir" "$check"
	done <<-END
		groups-apart	two containers have nothing in common
		groups-together	two devices in one container, the second leaves
		groups-inherited two devices in one container, the first leaves
		groups-last	a container without devices has no mappings
		idle-unused	blocked before the first user
		idle-claimed	blocked while it has an owner without IOMMU
		idle-killed	blocked after its user was killed
		idle-unbound	blocked without a driver
	END
	check "$name: no other faults" no_other_faults "$dir"
	check "$name: nothing is left of a user killed in DMA" left_nothing "$dir" edu
	check "$name: NVMe's data" data_intact "$dir" nvme0
}

# arm64's ITS knows which device an interrupt comes from: nobody is asked.
trusted()
{
	local kernel=$1 name="$1, ITS"

	dir=$RUNS/$kernel-its
	check "$name: guest" part "$kernel" trusted off -machine gic-version=3
	check "$name: DMA without allow_unsafe_interrupts" held "$dir" dma-both-ways
	check "$name: NVMe: interrupts" held "$dir" nvme-msix
	check "$name: NVMe's data" data_intact "$dir" nvme0
}

n=0
for kernel in $KERNELS; do
	n=$((n + 38 + 12))
	[[ $kernel != *-arm64 ]] || n=$((n + 4))
done
ktap_begin $n
for kernel in $KERNELS; do
	all "$kernel"
	isolation "$kernel"
	[[ $kernel != *-arm64 ]] || trusted "$kernel"
done
ktap_end
