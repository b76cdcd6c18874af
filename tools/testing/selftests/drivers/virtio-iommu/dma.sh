#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The modes of DMA: each keeps the DMA API's word and its own, costs the exits that it
# should, and can be changed for a device.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Each time that it was tried. keeps DIR STATUS NAME...
keeps()
{
	local dir=$1 status=$2 name got

	shift 2
	for name; do
		got=$(sed -n "s/^check $name //p" "$dir/report" | sort -u | paste -sd ' ')
		[ "$got" = "$status" ] || { echo "$name: ${got:-not tried}, not $status"; return 1; }
	done
}

# Beside a buffer both can be done.
reaches_beside()
{
	keeps "$1" 1 beside && said "$1" "log .* what lies beside the buffer was read" \
		"log .* what lies beside the buffer was written"
}

small=({vblk0,nvme0}-{4k,64k}-depth-{1,32} vblk0-128k-depth-{1,32})
large=(nvme0-128k-depth-{1,32})
echoes=(eth0-{4,64}k-depth-1)

# What the disks' data become when a mode is changed to another and back: see guest/dma.
other()
{
	case $1 in
	ordinary) echo reuse ;;
	*)	echo ordinary ;;
	esac
}

# The hundredths of an exit that an I/O may cost are more where areas come and go: with
# areas that stay no longer than by default, and for packets, whose memory is anywhere.
costs()
{
	local kernel=$1 name=$2 dir=$3 mode=$4 strict=$5 most=5

	case $mode/$kernel in
	ordinary/*)
		check "$name: exits, at least 0.5 an I/O" kicks_above "$dir" 50 \
			"${small[@]}" "${large[@]}" "${echoes[@]}"
		;;
	bounce/*)
		check "$name: exits" kicks_below "$dir" 5 "${small[@]}" "${echoes[@]}"
		;;
	# KASAN keeps memory from being used again, and all of it takes its time
	reuse/*-debug)
		skip 1 "$name: exits: each buffer is elsewhere"
		;;
	*)
		[ "$strict" = 0 ] || most=50
		check "$name: exits" costs_reuse "$dir" $most
		;;
	esac
}

costs_reuse()
{
	kicks_below "$1" "$2" "${small[@]}" "${large[@]}" && kicks_below "$1" 50 "${echoes[@]}"
}

protects()
{
	local name=$1 dir=$2

	case $3/$4 in
	bounce/*)
		check "$name: strict, and finer than a page" keeps "$dir" 0 beside after
		;;
	ordinary/1)
		check "$name: strict, of whole pages" strict_pages "$dir"
		;;
	*)
		check "$name: what lies beside is reached" reaches_beside "$dir"
		;;
	esac
}

strict_pages()
{
	reaches_beside "$1" && keeps "$1" 0 after
}

one()
{
	local kernel=$1 mode=$2 strict=$3 name="$1, $2, iommu.strict=$3" dir=$RUNS/$1-$2-$3 to
	local words="virtio_iommu.dma_mode=$mode iommu.strict=$strict viommu.mode=$mode"

	to=$(other "$mode")
	words+=" viommu.other=$to"
	# longer than default, since a busy machine's guest is slow; with 1 it is as by default
	[ "$strict" = 1 ] || words+=" virtio_iommu.reuse_ms=100"
	check "$name: guest" guest "$dir" -k "$kernel" -T counts -t 300 -a "$words" dma -- \
		-device edu,addr=0x10
	check "$name: in use" in_mode "$dir" "$mode" first
	check "$name: the DMA API's word" keeps "$dir" 0 \
		roundtrip partial sync sg coherent readonly later skipsync masks large many \
		pages sgtable mmap resource random
	for disk in vblk0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: the disk's data that changed its mode" data_intact "$dir" nvme0 6
	check "$name: TCP" net_intact "$dir"
	protects "$name" "$dir" "$mode" "$strict"
	costs "$kernel" "$name" "$dir" "$mode" "$strict"
	case $mode/$kernel in
	ordinary/*) ;;
	*-debug) skip 1 "$name: the kernel's own checks do not let a driver forget" ;;
	*)	check "$name: what a driver forgets is unmapped" forgotten "$dir" ;;
	esac
	check "$name: changed" said "$dir" "mode asked-for-$to 0000:00:04.0 $to $mode" \
		"mode bound-for-$to 0000:00:04.0 $to $to" \
		"mode bound-for-$mode 0000:00:04.0 $mode $mode" "refused 1"
	check "$name: no faults but edu's" only_edu_faults "$dir"
}

# Who has no mode, and who gets one with others of its group.
refusals()
{
	local kernel=$1 name="$1, who has a mode" dir=$RUNS/$1-who

	# shellcheck disable=SC2054 # QEMU's commas
	check "$name: guest" guest "$dir" -k "$kernel" -T none -t 150 dma-who -- \
		-device pcie-pci-bridge,id=bridge,addr=0x11 -device edu,bus=bridge,addr=1 \
		-device edu,bus=bridge,addr=2 -device edu,addr=0x10
	check "$name: a mode that there is not" said "$dir" "loaded no" \
		"log .*dma_mode=nonsense is none of ordinary, bounce, reuse"
	check "$name: not beside one with the kernel's operations" said "$dir" \
		"late first bounce ordinary" \
		"log .* DMA mode bounce: not used, since another device of its group is in the mode ordinary"
	check "$name: with the others of its group" said "$dir" "early first bounce bounce" \
		"early second ordinary ordinary" "log .* DMA mode ordinary" "early works" \
		"alone second ordinary ordinary" "alone works"
	check "$name: not where nothing is translated" said "$dir" "identity bounce ordinary" \
		"log .* DMA mode bounce: not used, since its DMA is not translated"
	check "$name: where it is again" said "$dir" "translated bounce bounce"
}

# A small buffer and a large one, said once.
forgotten()
{
	[ "$(grep -c "its driver left 2 buffers mapped: unmapped" "$1/report")" -eq 1 ] ||
		{ grep "left" "$1/report"; return 1; }
}

# What edu is not given it is refused.
only_edu_faults()
{
	grep -q '^virtio_iommu_report_fault .*endpoint=128 ' "$1/trace" ||
		{ echo "edu was never refused"; return 1; }
	! grep '^virtio_iommu_report_fault ' "$1/trace" | grep -v 'endpoint=128 ' || return 1
	# which is in QEMU's own words as well
	! grep -v 'virtio_iommu_translate .* for sid=128\|virtio_iommu_translate .* error on ' "$1/qemu"
}

# Each mode as it is most used, and on 7.3 the others of strict and lazy, but for bounce; on
# arm64's kernels, and on 6.1, the modes that differ from the kernel's own.
runs()
{
	case $1 in
	6.1 | *-arm64*) printf '%s\n' "bounce 1" "reuse 0" ;;
	7.3*)	printf '%s\n' "ordinary 0" "bounce 1" "reuse 1" ;;
	*)	printf '%s\n' "ordinary 1" "bounce 1" "reuse 0" ;;
	esac
}

plan=0
for kernel in $KERNELS; do
	while read -r mode _; do
		plan=$((plan + 11))
		[ "$mode" = ordinary ] || plan=$((plan + 1))
	done < <(runs "$kernel")
	plan=$((plan + 6))
done
ktap_begin $plan
for kernel in $KERNELS; do
	while read -r mode strict; do
		one "$kernel" "$mode" "$strict" </dev/null
	done < <(runs "$kernel")
	refusals "$kernel"
done
ktap_end
