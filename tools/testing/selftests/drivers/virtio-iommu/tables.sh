#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Firmware tables: the paravirtualised IORT, which no host of today writes, and
# VIOTs other than QEMU's. They take the place of QEMU's VIOT, or of a table that
# does not matter.
#
# Requester IDs are bus << 8 | slot << 3 | function, and QEMU's endpoint IDs are
# the same, of which it looks at the lower 16 bits alone: the virtio-iommu is 0x08,
# the disks 0x18, 0x20 and 0x100, the NIC 0x28.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for guest()
SMP=1

preload replace-table

efi=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd

# boot DIR PLACES TABLE NODE... -- RUN-GUEST-OPTION...: with that table in one of
# PLACES, the one that reads SIGNATURE=@, and those that read SIGNATURE= hidden
boot()
{
	local dir=$1 places=${2//@/$1.aml} table=()

	shift 2
	while [ "$1" != -- ]; do
		table+=("$1")
		shift
	done
	shift
	"$HERE/acpi-table" "${table[@]}" >"$dir.aml"
	VIOMMU_TABLES=$places guest "$dir" -p "$shim" tables "$@"
}

outside()
{
	grep -qx "outside $2" "$1/report" || { grep '^outside' "$1/report"; return 1; }
}

logged()
{
	grep -Eq "^log .*$2" "$1/report" || { echo "the log does not say: $2"; grep ^log "$1/report"; return 1; }
}

data_moved()
{
	data_intact "$1" vblk0 && data_intact "$1" nvme0 && data_intact "$1" nvme1 && net_intact "$1"
}

# all_inside NAME: every device is in, and what it does is translated
all_inside()
{
	check "$1: every device has a group" have_groups "$dir"
	check "$1: none is outside" outside "$dir" 0
	check "$1: data" data_moved "$dir"
	check "$1: translated" all_translated "$dir"
	check "$1: no faults" no_faults "$dir"
}

# without_group DIR BDF...: those, and no others
without_group()
{
	local got

	got=$(devices "$1" | awk '$7 == "-" { print $2 }' | xargs)
	[ "$got" = "${*:2}" ] || { echo "without a group: ${got:-none}"; return 1; }
}

never_attached()
{
	grep -q '^virtio_iommu_attach ' "$1/trace" || { echo "nothing was attached"; return 1; }
	! grep "^virtio_iommu_attach .*endpoint=$(($2))\$" "$1/trace"
}

same_group()
{
	local groups

	mapfile -t groups < <(awk -v a="$2" -v b="$3" '
		$1 == "pci" && ($2 == a || $2 == b) { print $7 }' "$1/report")
	if [ ${#groups[@]} -ne 2 ] || [ "${groups[0]}" = - ] || [ "${groups[0]}" != "${groups[1]}" ]; then
		echo "groups ${groups[*]}"
		return 1
	fi
}

attached_once()
{
	[ "$(count "$1/trace" "^virtio_iommu_attach .*endpoint=$(($2))\$")" -eq 1 ] || {
		echo "endpoint $2:"
		grep "^virtio_iommu_attach .*endpoint=$(($2))\$" "$1/trace"
		return 1
	}
}

iort()
{
	local kernel=$1 name="$1, IORT"

	dir=$RUNS/$kernel-iort
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" "root 0 A,0,0xffff,0" -- -k "$kernel"
	all_inside "$name"

	name="$kernel, IORT of several root complexes"
	dir=$RUNS/$kernel-roots
	check "$name" boot "$dir" VIOT=@ IORT "root 1 104,0,0xffff,0" "A pci 0x08" \
		"root 0 A,0,0x1f,0 A,0x20,0xff,0x20" "root 0 A,0x100,0xffff,0x100" -- -k "$kernel"
	all_inside "$name"

	name="$kernel, IORT of one bus"
	dir=$RUNS/$kernel-bus
	# the IOMMU is there for the other bus too, which would reach nothing
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" "root 0 A,0,0xff,0" -- -k "$kernel" \
		-a virtio_iommu.keep_bypass=1
	check "$name: the other bus has no IOMMU" without_group "$dir" 0000:01:00.0
	check "$name: nor was it attached" never_attached "$dir" 0x100
	check "$name: none counts as outside" outside "$dir" 0
	check "$name: data" data_moved "$dir"
	check "$name: the first bus is translated" all_translated "$dir" 0x18 0x20 0x28

	# a function under its neighbour's ID, with another device under the same, and
	# one under an ID that is nobody's
	name="$kernel, IORT with an offset"
	dir=$RUNS/$kernel-offset
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" \
		"root 0 A,0,0x2f,0 A,0x30,0x30,0x31 A,0x38,0x38,0x1038 A,0x40,0x40,0x31 A,0xf8,0xffff,0xf8" -- \
		-k "$kernel" -- \
		-device edu,addr=6.0,multifunction=on -device edu,addr=6.1 \
		-device edu,addr=7.0 -device edu,addr=8.0
	check "$name: attached under the other ID" attached_once "$dir" 0x31
	check "$name: not under its own" never_attached "$dir" 0x30
	check "$name: who shares an ID shares a group" same_group "$dir" 0000:00:06.0 0000:00:08.0
	check "$name: an unknown ID is named" logged "$dir" "00:07.0.* 0x1038"
	check "$name: and counted" outside "$dir" 1
	check "$name: data" data_moved "$dir"
	check "$name: translated" all_translated "$dir"
}

both()
{
	local kernel=$1 name="$1, VIOT and IORT"
	local wrong=("A pci 0x08" "root 0 A,0,0xefff,0x1000")

	dir=$RUNS/$kernel-both
	check "$name: VIOT wins" boot "$dir" WAET=@ IORT "${wrong[@]}" -- -k "$kernel"
	all_inside "$name"
	name="$kernel, VIOT and IORT, topology=iort"
	dir=$RUNS/$kernel-param
	check "$name" boot "$dir" WAET=@ IORT "${wrong[@]}" -- -k "$kernel" -a virtio_iommu.topology=iort
	check "$name: the IORT's IDs are asked for" logged "$dir" "00:00.0.* 0x1000,"
	check "$name: data" data_moved "$dir"
	name="$kernel, topology=none"
	dir=$RUNS/$kernel-none
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" \
		"root 0 A,0,0xffff,0" -- -k "$kernel" -a virtio_iommu.topology=none
	check "$name: nothing is behind it" outside "$dir" 0
	check "$name: nothing is attached" never "$dir" virtio_iommu_attach
	check "$name: data" data_moved "$dir"
}

never()
{
	[ -s "$1/trace" ] || { echo "no trace"; return 1; }
	! grep -m 3 "^$2 " "$1/trace"
}

# What is wrong costs no more than itself.
bad()
{
	local kernel=$1 name="$1, VIOT with a bad node"

	dir=$RUNS/$kernel-bad-viot
	check "$name" boot "$dir" VIOT=@ VIOT "A pci 0x08" "raw 09 00 0800 00000000" \
		"range A 0xff 0 0" "range A 0 0x1f 0" "range 4000 0 0xffff 0" "range A 0x20 0xffff 0x20" -- -k "$kernel"
	all_inside "$name"
	check "$name: its offset is named" logged "$dir" "VIOT: bad node at offset 72 ignored"
	check "$name: and the other's" logged "$dir" "VIOT: bad node at offset 120 ignored"

	name="$kernel, IORT with a loop"
	dir=$RUNS/$kernel-loop
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" "root 0 104,0,0xffff,0" \
		"root 0 A,0,0xffff,0 A,0xffff0000,0xffffffff,0xfffffff0" -- -k "$kernel"
	all_inside "$name"

	name="$kernel, IORT cut short"
	dir=$RUNS/$kernel-short
	check "$name" boot "$dir" VIOT=@ IORT "A pci 0x08" "raw 02 3800 01 00000000 ffffffff 24000000" -- -k "$kernel"
	check "$name: its offset is named" logged "$dir" "IORT: bad node at offset 104 ignored"
	check "$name: data" data_moved "$dir"
}

# Both tables, and the virtio-iommu as a virtio-mmio device. QEMU's IORT, which is
# about interrupts, is hidden where it is not replaced.
arm64()
{
	local kernel=$1 name="$1, IORT"

	dir=$RUNS/$kernel-iort
	check "$name" boot "$dir" "VIOT=@ IORT=" IORT "A pci 0x08" "root 0 A,0,0xffff,0" -- \
		-k "$kernel" -- -bios $efi
	all_inside "$name"

	name="$kernel, IORT, virtio-mmio"
	dir=$RUNS/$kernel-iort-mmio
	check "$name" boot "$dir" IORT=@ IORT "A mmio 0x0a000000" "root 0 A,0,0xffff,0" -- \
		-k "$kernel" -i mmio -- -bios $efi
	all_inside "$name"

	name="$kernel, VIOT, virtio-mmio"
	dir=$RUNS/$kernel-viot-mmio
	check "$name" boot "$dir" "DBG2=@ IORT=" VIOT "A mmio 0x0a000000" "range A 0 0xffff 0" -- \
		-k "$kernel" -i mmio -- -bios $efi
	all_inside "$name"
}

n=0
for kernel in $KERNELS; do
	case $kernel in
	*-arm64) n=$((n + 18)) ;;
	*)	n=$((n + 56)) ;;
	esac
done
ktap_begin $n
for kernel in $KERNELS; do
	case $kernel in
	*-arm64)
		arm64 "$kernel"
		;;
	*)
		iort "$kernel"
		both "$kernel"
		bad "$kernel"
		;;
	esac
done
ktap_end
