#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where a device is on the bus decides what requester IDs its DMA carries and who
# shares its group. Each case is a topology, with data through all of its disks at
# once, and says what is to be found there: who has which endpoint ID, and with whom
# it shares a group and a domain.
#
# CASES="bridge nested ..." to run but some.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for guest()
SMP=1

CASES=${CASES:-bridge nested dmi functions roots quirks}

device()
{
	qemu+=(-device "$1")
}

# blk NAME OPTIONS, nvme NAME OPTIONS: an empty disk and its device
blk()
{
	empty+=(-e "$1")
	device "virtio-blk-pci,drive=$1,serial=$1,iommu_platform=on,disable-legacy=on,$2"
}

nvme()
{
	empty+=(-e "$1")
	device "nvme,drive=$1,serial=$1,$2"
}

# A case fills: name; what the others do not have of the guest's words in words;
# qemu and empty; the groups, DISK=ENDPOINT... each, with the endpoint as the address
# that it is the number of; and whom the host knows by no ID in outside. run-guest's
# own disks are groups of their own.

# The bridge puts the first address on its secondary bus on all that passes.
case_bridge()
{
	local i

	name="PCIe-to-PCI bridges" words="iommu.strict=1 viommu.remove=vblk3"
	device pcie-pci-bridge,id=pci0,addr=8
	device pcie-pci-bridge,id=pci1,addr=9
	for i in 1 2; do
		blk vblk$i bus=pci0,addr=$i
	done
	for i in 3 4 5 6; do
		blk vblk$i bus=pci1,addr=$i
	done
	nvme nvme2 bus=pci1,addr=7
	groups=("vblk1=02:00.0 vblk2=02:00.0"
		"vblk3=03:00.0 vblk4=03:00.0 vblk5=03:00.0 vblk6=03:00.0 nvme2=03:00.0")
}

case_nested()
{
	name="a PCI bridge below a PCIe-to-PCI bridge" words=iommu.strict=0
	device pcie-pci-bridge,id=pci0,addr=8
	device pci-bridge,id=pci1,bus=pci0,addr=1,chassis_nr=2
	blk vblk1 bus=pci0,addr=2
	blk vblk2 bus=pci1,addr=1
	blk vblk3 bus=pci1,addr=2
	groups=("vblk1=02:00.0 vblk2=02:00.0 vblk3=02:00.0")
}

# A conventional bridge puts its own address on what passes, which it then shares
# with the devices below. Behind a PCIe port the kernel expects of this bridge what
# QEMU does not do, so that nobody knows the ID of the device there.
case_dmi()
{
	name="a PCI bridge on the root bus" words=iommu.strict=0
	device i82801b11-bridge,id=pci0,addr=8
	device pcie-root-port,id=port1,chassis=2,addr=9
	device i82801b11-bridge,id=pci1,bus=port1
	device edu,bus=pci1,addr=1
	blk vblk1 bus=pci0,addr=2
	blk vblk2 bus=pci0,addr=3
	groups=("vblk1=00:08.0 vblk2=00:08.0")
	outside=(0000:04:01.0)
}

# Functions of one slot that are not isolated, and virtual ones that are.
case_functions()
{
	name="multifunction devices and virtual functions" words="iommu.strict=0 viommu.vfs=2"
	device pcie-root-port,id=port1,chassis=2,addr=8
	device pcie-root-port,id=port2,chassis=3,addr=9
	device nvme-subsys,id=subsys0
	device nvme,id=pf,serial=nvme2,bus=port2,subsys=subsys0,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2
	empty+=(-e nvme2)
	device nvme-ns,bus=pf,drive=nvme2
	blk vblk1 multifunction=on,addr=0xa.0
	blk vblk2 addr=0xa.1
	blk vblk3 bus=port1,multifunction=on,addr=0.0
	blk vblk4 bus=port1,addr=0.1
	groups=("vblk1=00:0a.0 vblk2=00:0a.1" "vblk3=02:00.0 vblk4=02:00.1" "nvme2=03:00.0"
		"virtfn0=03:00.1" "virtfn1=03:00.2")
}

case_roots()
{
	name="a second root bus" words=iommu.strict=1
	device pxb-pcie,id=root1,bus_nr=32,addr=8
	device pcie-root-port,id=port1,bus=root1,chassis=2,addr=0,hotplug=off
	device pcie-pci-bridge,id=pci0,bus=root1,addr=1
	blk vblk1 bus=port1
	blk vblk2 bus=pci0,addr=1
	blk vblk3 bus=pci0,addr=2
	groups=("vblk1=21:00.0" "vblk2=22:00.0 vblk3=22:00.0")
}

# Functions that use other IDs beside their own: that of another disk, which thus
# belongs to both; and one that is nobody's, which the host need not know.
case_quirks()
{
	name="DMA aliases"
	words="iommu.strict=0 viommu.remove=vblk2 viommu.alias=58@0000:00:0a.0,68@0000:00:0c.0"
	blk vblk1 addr=0xa
	blk vblk2 addr=0xb
	blk vblk3 addr=0xc
	groups=("vblk1=00:0a.0 vblk2=00:0b.0" "vblk3=00:0c.0")
}

# The disks that move data: virtual functions have no namespace.
disks()
{
	grep -o '[a-z]*[0-9]*=' <<<"${groups[*]}" | grep -v virtfn | tr -d =
}

endpoints()
{
	local addr

	grep -o '[0-9a-f:]*\.[0-7]' <<<"${groups[*]}" | sort -u | while read -r addr; do
		endpoint_id "$addr"
	done
}

# Those with DMA, as disks have.
busy_endpoints()
{
	local groups=("${groups[@]//virtfn*/}")

	endpoints
}

all_intact()
{
	local disk

	for disk in $(disks); do
		data_intact "$1" "$disk" || return 1
	done
}

group_of()
{
	awk -v disk="$2" '$1 == "disk" && $2 == disk { bdf = $3 }
		$1 == "pci" { group[$2] = $7 }
		END { print bdf == "" ? "absent" : group[bdf] }' "$1/report"
}

# What is written as a group is one, and no other disk is in it.
have_shared_groups()
{
	local dir=$1 group disk number first
	local -A owner=()

	for group in "${groups[@]}"; do
		first=
		for disk in $group; do
			number=$(group_of "$dir" "${disk%=*}")
			case $number in
			-|absent)
				echo "${disk%=*}: ${number/-/no group}"
				return 1
				;;
			esac
			if [ "${first:=$number}" != "$number" ] ||
			   [ "${owner[$number]:=$group}" != "$group" ]; then
				echo "${disk%=*} is in group $number, of ${owner[$number]:-nobody}; expected: $group"
				return 1
			fi
		done
	done
}

# Only a conventional bridge is in the group of the devices below it.
ports_are_alone()
{
	devices "$1" | grep -q ' 1b36:000c ' || { echo "no root port"; return 1; }
	devices "$1" | awk '
		$4 == "1b36:000c" { port[$7] = $2 }
		{ all[$7] = all[$7] " " $2; n[$7]++ }
		END {
			for (group in port) {
				if (n[group] == 1)
					continue
				print "group " group " of port " port[group] " has" all[group]
				bad = 1
			}
			exit bad
		}'
}

# Each of them in a domain, of which a group has one and shares it with nobody.
have_shared_domains()
{
	local dir=$1 group disk id domain first
	local -A owner=()

	for group in "${groups[@]}"; do
		first=
		for disk in $group; do
			id=$(endpoint_id "${disk#*=}")
			domain=$(sed -n "s/^virtio_iommu_attach domain=\([0-9]*\) endpoint=$id\$/\1/p" \
				"$dir/trace" | tail -n 1)
			[ -n "$domain" ] || { echo "${disk%=*}: endpoint $id was never attached"; return 1; }
			if [ "${first:=$domain}" != "$domain" ] ||
			   [ "${owner[$domain]:=$group}" != "$group" ]; then
				echo "${disk%=*} is in domain $domain, of ${owner[$domain]:-nobody}; expected: $group"
				return 1
			fi
		done
	done
}

# An endpoint that two devices have is attached for the first of them alone.
attached_once()
{
	grep -q '^virtio_iommu_attach ' "$1/trace" || { echo "nothing was attached"; return 1; }
	awk '$1 == "virtio_iommu_attach" {
		if (in_domain[$3] == $2) {
			print $3, "was attached twice to", $2
			bad = 1
		}
		in_domain[$3] = $2
	}
	$1 == "virtio_iommu_detach" { delete in_domain[$3] }
	END { exit bad }' "$1/trace"
}

# Who the case says is outside, and nobody else: counted, and named in the log.
none_else_outside()
{
	local bdf

	grep -q "^counts now .* outside=${#outside[@]} " "$1/report" ||
		{ grep '^counts ' "$1/report" || echo "no counts"; return 1; }
	for bdf in "${outside[@]}"; do
		grep -q " $bdf: its IOMMU cannot take it in: -ENOENT: stays outside" "$1/console" ||
			{ echo "the log does not name $bdf"; return 1; }
	done
}

# With one of them gone for a while, the others were not disturbed.
others_went_on()
{
	local disk left n

	left=$(sed -n 's/^returned //p' "$1/report")
	[ -n "$left" ] || { echo "none left and returned"; return 1; }
	for disk in $(disks); do
		[ "$disk" != "$left" ] || continue
		n=$(sed -n "s/^churned $disk //p" "$1/report")
		[ "${n:-0}" -ge 3 ] || { echo "$disk: ${n:-0} rounds of I/O"; return 1; }
	done
}

# Attached once, and never moved since, whoever left.
stays()
{
	local n

	n=$(count "$1/trace" "^virtio_iommu_attach .*endpoint=$(endpoint_id "$2")\$")
	[ "$n" -eq 1 ] || { echo "$2 was attached $n times"; return 1; }
}

one()
{
	local kernel=$1 bypass=$2 name words dir=$RUNS/$1-$2-$3 empty=() qemu=() outside=()
	local groups=("vblk0=00:03.0" "nvme0=00:04.0" "nvme1=01:00.0") own

	own=("${groups[@]}")
	"case_$3"
	groups+=("${own[@]}")
	name="$kernel, boot-bypass=$bypass, $name"
	check "$name: guest" guest "$dir" -k "$kernel" -i "boot-bypass=$bypass" -a "$words" \
		"${empty[@]}" bridges -- "${qemu[@]}"
	check "$name: data" all_intact "$dir"
	check "$name: every device has a group" have_groups "$dir" "${outside[@]}"
	check "$name: who is outside" none_else_outside "$dir"
	check "$name: who shares a group" have_shared_groups "$dir"
	check "$name: root ports have groups of their own" ports_are_alone "$dir"
	check "$name: who shares a domain" have_shared_domains "$dir"
	check "$name: no endpoint is attached twice" attached_once "$dir"
	# shellcheck disable=SC2046 # a list
	check "$name: translated" all_translated "$dir" $(busy_endpoints)
	check "$name: no faults" no_faults "$dir"
	[ "$3" != bridge ] || check "$name: one leaves, the others go on" others_went_on "$dir"
	[ "$3" != quirks ] || check "$name: one leaves, its ID stays with the other" stays "$dir" 00:0b.0
}

# shellcheck disable=SC2086 # lists
ktap_begin $(($(wc -w <<<$KERNELS) * 2 * ($(wc -w <<<$CASES) * 10 + $(grep -Eow 'bridge|quirks' <<<$CASES | wc -l))))
for kernel in $KERNELS; do
	for bypass in on off; do
		for topology in $CASES; do
			one "$kernel" $bypass "$topology"
		done
	done
done
ktap_end
