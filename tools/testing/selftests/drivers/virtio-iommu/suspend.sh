#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The system is suspended, to RAM and to disk, with disks and a NIC behind the IOMMU and
# I/O under way: all goes on afterwards, translated as before, and meanwhile nothing passes
# by. Where the IOMMU does not come back nothing passes by either, and nobody hangs.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

slept()
{
	local level

	for level in "${@:2}"; do
		said "$1" "slept $level" || return 1
	done
}

tcp_intact()
{
	local n bad

	n=$(count "$1/report" '^net ')
	[ "$n" -eq "$2" ] || { echo "$n times instead of $2"; return 1; }
	bad=$(awk '$1 == "net" && $4 != $5' "$1/report")
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

# Between the marks before and after each sleep: what a reset of the device makes it forget
# is there again. attached_again DIR RESETS: at least that many
attached_again()
{
	awk -v want="$2" '
	function all(   line, id) {
		for (id in domain)
			line = line " " id " " domain[id]
		return line
	}
	$1 == "virtio_iommu_attach" { domain[$3] = $2 }
	$1 == "virtio_iommu_device_reset" { delete domain; resets += asleep }
	$1 == "pci_cfg_write" && $4 == "@0x0" {
		asleep = $6 == "0x1"
		if (asleep)
			before = all()
		else if (before == "" || all() != before)
			bad = bad "before:" before "; after:" all() "\n"
	}
	END {
		if (resets < want)
			bad = bad resets + 0 " resets"
		printf "%s", bad
		exit bad != ""
	}' "$1/trace"
}

# The device without a driver was stopped each time, the guest was told each time, and
# nobody else was stopped. stopped DIR TIMES
stopped()
{
	local n

	n=$(count "$1/report" '^reaches [a-z_]+ nothing$')
	[ "$n" -eq "$2" ] || { grep '^reaches ' "$1/report"; return 1; }
	! grep '^virtio_iommu_report_fault ' "$1/trace" | grep -v ' endpoint=128 ' || return 1
	! grep -v 'sid=128$\|sid=128 is not known' "$1/qemu" || return 1
	said "$1" "faults $2" "bypass closed"
}

# The host's switch, which it opens where it resets the whole machine.
closed()
{
	local last

	last=$(grep -E '^virtio_iommu_(set_config|device_reset)' "$1/trace" | tail -n 1)
	[ "$last" = "virtio_iommu_set_config bypass=0x0" ] || { echo "last: $last"; return 1; }
}

logged()
{
	grep -Eq "^log .*$2" "$1/report" || { echo "not in the log: $2"; return 1; }
}

# no translation, but all that asked for one were stopped
reached_nothing()
{
	awk '
	$1 == "pci_cfg_write" && $4 == "@0x0" && $6 == "0x1" { asleep = 1 }
	asleep && $1 == "virtio_iommu_device_reset" { reset = 1 }
	reset && $1 == "virtio_iommu_translate_out" { print; bad = 1; exit }
	END { exit bad || !reset }' "$1/trace" || return 1
	said "$1" "slept devices" "reaches devices nothing"
}

# A host that offers less than before.
change_limits()
{
	sed -i '/viommu_limits_are(&limits/ i\	limits.input_last >>= 1;' drivers/iommu/virtio/pm.c
	grep -q 'input_last >>= 1;' drivers/iommu/virtio/pm.c
}

# One that never answers, as it may not read memory.
silence()
{
	sed -i -e '/^#include "viommu.h"/ i #include <linux/pci.h>' -e \
		'/virtio_device_ready(/ a\	pci_clear_master(to_pci_dev(viommu->hwdev));' \
		drivers/iommu/virtio/pm.c
	grep -q pci_clear_master drivers/iommu/virtio/pm.c
}

# The machine, with a device whose DMA nobody asked for, and a disk for an image of the
# memory. Only 6.12 can be kept from knowing of the first.
# shellcheck disable=SC2016 # a word for the kernel
words='memmap=64K$0xc000000 viommu.disks=4'
machine()
{
	local dir=$1 kernel=$2 append="$words $3"

	[ "$kernel" != 6.12 ] || append+=" virtio_iommu.topology=none"
	guest "$dir" -k "$kernel" -z -t 150 -a "$append" "${@:4}" suspend -- -device edu,addr=0x10 \
		-blockdev "driver=file,node-name=swap,filename=$swap" \
		-device virtio-blk-pci,drive=swap,serial=swap,iommu_platform=on,disable-legacy=on
}

# one NAME KERNEL ROUNDS: what all of them have in common
one()
{
	local disk rounds=$3

	for disk in vblk0 nvme0 nvme1; do
		check "$2, $1: $disk's data" data_intact "$dir" $disk $((rounds * 2))
	done
	check "$2, $1: TCP" tcp_intact "$dir" "$rounds"
	check "$2, $1: translated" all_translated "$dir"
	check "$2, $1: bypass closed" closed "$dir"
}

# in_mode_asleep KERNEL MODE LEVEL...: what stays mapped is mapped again
in_mode_asleep()
{
	local kernel=$1 mode=$2 name="suspend, $2" levels

	shift 2
	levels=$*
	dir=$RUNS/$kernel-$mode
	check "$kernel, $name: guest" machine "$dir" "$kernel" \
		"viommu.levels=${levels// /,} viommu.mode=$mode virtio_iommu.dma_mode=$mode"
	check "$kernel, $name: slept" slept "$dir" "$@"
	one "$name" "$kernel" $(($# + 1))
	check "$kernel, $name: attached again" attached_again "$dir" $((2 * $#))
	check "$kernel, $name: faults reported, of one device only" stopped "$dir" $#
	check "$kernel, $name: in use still" in_mode "$dir" "$mode" awake
	check "$kernel, $name: exits" kicks_below "$dir" 5 awake
}

# fails NAME KERNEL LOG COMMAND: the driver's own restore is in the way of itself
fails()
{
	dir=$RUNS/$2-${1// /-}
	variant "$2-${1// /-}" "$2" "$4"
	check "$2, $1: guest" machine "$dir" "$2" \
		"viommu.levels=devices viommu.fails=yes virtio_iommu.timeout_ms=500" \
		-m "$module"
	check "$2, $1: the log says so" logged "$dir" "$3"
	check "$2, $1: nothing passes by" reached_nothing "$dir"
	check "$2, $1: bypass closed" said "$dir" "bypass closed"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * (10 + 9 + 2 * 12 + 2 * 4)))
for kernel in $KERNELS; do
	mkdir -p "$RUNS"
	swap=$RUNS/$kernel-swap
	rm -f "$swap"
	truncate -s 1G "$swap"

	# 6.1 does not read an image from a disk that is still in use
	image=test_resume
	[ "$kernel" != 6.1 ] || image=
	levels="freezer devices platform processors core mem${image:+ $image}"
	n=$(wc -w <<<"$levels")
	dir=$RUNS/$kernel
	check "$kernel, suspend: guest" machine "$dir" "$kernel" "viommu.levels=${levels// /,}"
	# shellcheck disable=SC2086 # a list
	check "$kernel, suspend: $levels" slept "$dir" $levels
	one suspend "$kernel" $((n + 1))
	# all but the first do, when the device is left and when it comes back
	check "$kernel, suspend: attached again" attached_again "$dir" $((2 * (n - 1)))
	check "$kernel, suspend: faults reported, of one device only" stopped "$dir" "$n"

	dir=$RUNS/$kernel-disk
	check "$kernel, power-off: guest" machine "$dir" "$kernel" viommu.levels=disk
	dir=$RUNS/$kernel-resumed
	check "$kernel, power-on: guest" machine "$dir" "$kernel" viommu.resume=yes
	one power-on "$kernel" 1
	check "$kernel, power-on: faults reported, of one device only" stopped "$dir" 1

	in_mode_asleep "$kernel" bounce devices mem
	in_mode_asleep "$kernel" reuse devices ${image:-mem}

	fails "another host" "$kernel" "not resumed: -EINVAL" change_limits
	fails "silent host" "$kernel" "not resumed: -EIO" silence
	rm -f "$swap"
done
ktap_end
