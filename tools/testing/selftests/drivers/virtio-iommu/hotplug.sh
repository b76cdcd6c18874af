#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices come and go, change their driver and their domain's type, or are torn
# out: each works while it is there, its neighbours do not notice, and nothing is
# left of it afterwards. Once with the firmware's way of hot-plug (ACPI), which is
# q35's default, once with that of the bus (PCIe ports, SHPC), which waits five
# seconds before it lets a device go.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

plugged="vblk2 nvme2 vblk3 nvme3"

plugged_intact()
{
	local disk want

	for disk in $plugged; do
		want=$(count "$1/report" "^plugged $disk ")
		[ "$want" -gt 0 ] || { echo "$disk was never plugged in"; return 1; }
		data_intact "$1" "$disk" $((want * 2)) || return 1
	done
}

# A group of one's own at the port, that of the bridge behind it.
plugged_groups()
{
	local bridge disk addr group

	bridge=$(awk '$1 == "pci" && $4 == "1b36:000e" { print $7 }' "$1/report")
	grep -q '^plugged edu ' "$1/report" || { echo "edu was never plugged in"; return 1; }
	while read -r _ disk addr group; do
		if [ "$group" = - ]; then
			echo "$disk at $addr has no group"
			return 1
		elif [ "${addr%:*}" = 0000:04 ]; then
			[ "$group" = "$bridge" ] || { echo "$disk: group $group, the bridge: $bridge"; return 1; }
		elif awk '$1 == "pci" { print $7 }' "$1/report" | grep -qx "$group"; then
			echo "$disk at $addr shares group $group"
			return 1
		fi
	done < <(grep '^plugged ' "$1/report")
}

neighbours_went_on()
{
	local disk n

	for disk in vblk0 vblk1; do
		n=$(sed -n "s/^churned $disk //p" "$1/report")
		[ "${n:-0}" -ge 20 ] || { echo "$disk: ${n:-0} rounds of I/O"; return 1; }
	done
}

types_changed()
{
	[ "$(count "$1/report" '^type ')" -eq 6 ] || { echo "not all types were tried"; return 1; }
	! grep '^type ' "$1/report" | awk '$2 != $3 { print $2 " became " $3; bad = 1 } END { exit !bad }' ||
		return 1
	data_intact "$1" nvme0 12
}

# The driver counts what it counted before all this, and so does the core.
nothing_left()
{
	local before after

	before=$(sed -n 's/^counts before //p' "$1/report")
	after=$(sed -n 's/^counts after //p' "$1/report")
	grep -Eqx 'devices=[1-9][0-9]* domains=[1-9][0-9]* endpoints=[1-9][0-9]* outside=0 groups=[1-9][0-9]*' \
		<<<"$before" || { echo "counts: $before"; return 1; }
	[ "$before" = "$after" ] || { echo "before: $before"; echo "after:  $after"; return 1; }
}

# one KERNEL WAY BYPASS ROUNDS WORDS [QEMU-OPTION...]
one()
{
	local dir=$RUNS/$1-$2 name="$1, $2 hot-plug, boot-bypass=$3" disk empty=()

	for disk in vblk1 $plugged; do
		empty+=(-e "$disk")
	done
	# Four disks at boot; a timeout for what was torn out. One thread for all
	# processors: with one each, QEMU 7.2 was seen to abort (msix_table_mmio_read)
	# while a device that had been plugged in was being mapped.
	check "$name: guest" guest "$dir" -k "$1" -i "boot-bypass=$3" "${empty[@]}" \
		-t 240 -a "viommu.disks=4 viommu.rounds=$4 $5 nvme_core.io_timeout=3" hotplug -- \
		-accel "tcg,thread=single" \
		-device "pcie-root-port,id=port1,chassis=2,addr=8" \
		-device "pcie-root-port,id=port2,chassis=3,addr=9" \
		-device "pcie-pci-bridge,id=pci0,addr=0xa" \
		-device "virtio-blk-pci,drive=vblk1,serial=vblk1,iommu_platform=on,disable-legacy=on,bus=pci0,addr=1" \
		"${@:6}"
	check "$name: $4 rounds" said "$dir" "round $4"
	check "$name: plugged disks' data" plugged_intact "$dir"
	check "$name: plugged devices' groups" plugged_groups "$dir"
	# 02:00.0 and 03:00.0 at the ports, 04:00.0 for all behind the bridge
	check "$name: translated" all_translated "$dir" 0x200 0x300 0x400
	check "$name: driver unbound and bound" data_intact "$dir" nvme1
	check "$name: types of domains" types_changed "$dir"
	check "$name: torn out" said "$dir" "torn-out nvme2"
	[ "$2" != ACPI ] ||
		check "$name: unplugged and torn out, in other modes of DMA" said "$dir" \
			"mode vblk2 reuse" "unplugged vblk2" "mode nvme2 bounce"
	check "$name: neighbours' I/O" neighbours_went_on "$dir"
	check "$name: a neighbour's data" data_intact "$dir" vblk1
	check "$name: nothing is left" nothing_left "$dir"
	check "$name: no faults" no_faults "$dir"
}

planned=0
for kernel in $KERNELS; do
	[ "$kernel" = 6.12-debug ] || planned=$((planned + 12))
	planned=$((planned + 13))
done
ktap_begin $planned
for kernel in $KERNELS; do
	# the slow ones take half a minute for one
	case $kernel in
	6.12-debug) rounds=2 ;;
	7.3)	rounds=4 ;;
	*)	rounds=10 ;;
	esac
	one "$kernel" ACPI off "$rounds" "iommu.strict=0 viommu.modes=yes"
	# minutes, for the same in the driver
	[ "$kernel" != 6.12-debug ] || continue
	# pciehp of 7.3 takes two locks of its own in both orders
	one "$kernel" native on 2 "iommu.strict=1 lockdep.prove_locking=0" \
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
done
ktap_end
