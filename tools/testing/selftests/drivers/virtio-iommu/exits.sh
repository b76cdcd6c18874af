#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What each operation costs in kicks of the device, which are exits, and in requests:
# no more than it must, and than it costs with the stock driver. Counts out of QEMU's
# trace, and no times.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The driver counts what QEMU traces, phase by phase.
counters_agree()
{
	local host own

	host=$(phases "$1" | awk '{ print $1, $3, $4, $5, $6, $7 }')
	own=$(sed -n 's/^own \(.*[0-9]\) *$/\1/p' "$1/report")
	[ "$(wc -l <<<"$own")" -ge 20 ] || { echo "few counters: $own"; return 1; }
	diff <(echo "$host") <(echo "$own") || { echo "< QEMU, > the driver"; return 1; }
}

# cost DIR PHASE KICKS MAP UNMAP: not more than those; "=N": exactly
cost()
{
	local dir=$1 phase=$2 have want what failed=0
	local -a had wanted=("${@:3}")

	read -r -a had < <(phase_counts "$dir" | awk -v phase="$phase" '
		$1 == phase { print $2, $5, $6 }') || { echo "no phase $phase"; return 1; }
	for what in 0 1 2; do
		have=${had[what]} want=${wanted[what]}
		if [ "$have" -gt "${want#=}" ] || { [[ $want = =* ]] && [ "$have" -ne "${want#=}" ]; }; then
			echo "$phase: $have, not $want (kicks, MAP, UNMAP: ${had[*]})"
			failed=1
		fi
	done
	return $failed
}

# One MAP for any contiguous run, one kick for what is mapped at once, if it fits the
# queue of 128 requests, else one for each queueful. Lazily a handful of flushes does
# for all that was unmapped.
operations_cost()
{
	local dir=$1 mode=$2 kernel=$3 phase kicks map unmap failed=0

	while read -r phase kicks map unmap; do
		if [ "$mode" = lazy ] && [[ $phase = *-unmap && $phase != iommu-* ]]; then
			kicks=4 unmap=4
		fi
		# there each MAP is waited for, for its error to be known
		[ "$kernel" != 6.1 ] || [[ $phase != *-map ]] || kicks=$map
		cost "$dir" "$phase" "$kicks" "$map" "$unmap" || failed=1
	done <<-END
		single-31-map =31 =31 =0
		single-31-unmap =31 =0 =31
		scattered-7-32-map =7 =224 =0
		scattered-7-32-unmap =7 =0 =7
		contiguous-7-32-map =7 =7 =0
		contiguous-7-32-unmap =7 =0 =7
		large-7-map =7 =7 =0
		large-7-unmap =7 =0 =7
		scattered-1-300-map =3 =300 =0
		scattered-1-300-unmap =1 =0 =1
		iommu-1g-map =1 =1 =0
		iommu-1g-unmap =1 =0 =1
	END
	return $failed
}

attach_cost()
{
	local line

	for line in attach detach; do
		phase_counts "$1" | grep -q "^$line 1 1 0 0 0\$" ||
			{ phase_counts "$1" | grep "^$line "; return 1; }
	done
}

# 512 MiB of 4 KiB pages are 131072 MAPs and, since VFIO syncs every 512 of them, 256
# UNMAPs; of huge pages 256 MAPs, and one UNMAP.
vfio_cost()
{
	local phase kicks map unmap failed=0

	while read -r phase kicks map unmap; do
		cost "$1" "$phase" "$kicks" "$map" "$unmap" || failed=1
	done <<-END
		vfio-huge-map 256 256 =0
		vfio-huge-unmap =1 =0 =1
		vfio-small-map 131072 131072 =0
		vfio-small-unmap 256 =0 256
	END
	return $failed
}

# not_more DIR STOCK: each phase, kicks and requests. Some may find a page that is by
# chance next to the one before: 1%. Where unmaps are lazy the flush queue's timer may run
# a few times more. More than 128 at once is the stock driver's gain, which pays for that
# with each request (see benchmarks.rst).
not_more()
{
	local bad

	bad=$(join <(phase_counts "$1" | sort) <(phase_counts "$2" | sort) | awk '
		{ n++; kicks = $2; requests = $3 + $4 + $5 + $6
		  stock_kicks = $7; stock_requests = $8 + $9 + $10 + $11 }
		/^scattered-1-300-map/ { next }
		/-depth-|^vfio-huge-map/ { stock_kicks = stock_kicks * 1.01 + 4; stock_requests *= 1.01 }
		kicks > stock_kicks { print $1 ": " kicks " kicks, " $7 " with the stock driver" }
		requests > stock_requests { print $1 ": " requests " requests, " $8 + $9 + $10 + $11 }
		END { if (n < 20) print "only " n + 0 " phases" }')
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

# has_stock KERNEL
has_stock()
{
	[ "$1" != 6.1 ]
}

planned=0
for kernel in $KERNELS; do
	planned=$((planned + 2 * 5))
	! has_stock "$kernel" || planned=$((planned + 2 * 2))
done
ktap_begin $planned
for kernel in $KERNELS; do
	for mode in lazy strict; do
		name="$kernel, $mode" dir=$RUNS/$kernel-$mode stock=$RUNS/$kernel-$mode-stock
		strict=$([ $mode = strict ] && echo 1 || echo 0)
		# shellcheck disable=SC2054 # QEMU's commas
		options=(-k "$kernel" -T counts -t 300 -a "iommu.strict=$strict viommu.rounds=$((3 - 2 * strict))"
			exits -- -m 2G -device edu,addr=0x10)
		check "$name: guest" guest "$dir" "${options[@]}"
		check "$name: the driver's counters are QEMU's" counters_agree "$dir"
		check "$name: attach" attach_cost "$dir"
		check "$name: DMA and IOMMU API" operations_cost "$dir" $mode "$kernel"
		check "$name: VFIO" vfio_cost "$dir"
		has_stock "$kernel" || continue
		check "$name: guest with the stock driver" \
			"$HERE/run-guest" -q -d stock -o "$stock" "${options[@]}"
		check "$name: never more than with the stock driver" not_more "$dir" "$stock"
	done
done
ktap_end
