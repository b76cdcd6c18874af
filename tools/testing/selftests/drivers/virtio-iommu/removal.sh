#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Removal: refused while devices use the module, clean when they do not, and
# back again; in every order with a device that uses it; and many times.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

orders=()
for how in unbind function; do
	for nic in unbind function; do
		orders+=("nic-$nic iommu-$how iommu-back nic-back"
			"nic-$nic iommu-$how nic-back iommu-back"
			"iommu-$how nic-$nic iommu-back nic-back")
	done
done

# What leaks with each round is more than a slab, of which the kernel counts whole ones.
# nothing_leaked DIR ROUNDS
nothing_leaked()
{
	[ "$(count "$1/report" '^slab ')" -ge 50 ] || { echo "no slabs were counted"; return 1; }
	awk -v most=$(($2 * 3 / 4)) '
		$1 == "slab" && $5 >= most + $3 { print $2, "has", $5, "objects more"; bad = 1 }
		END { exit bad }' "$1/report"
}

n=0
for kernel in $KERNELS; do
	n=$((n + 15 + ${#orders[@]}))
	[ "$kernel" != 6.12 ] || n=$((n + 2 * 3))
done
ktap_begin $n
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	# 6.1's core knows nothing of a VIOT, so its devices work without the IOMMU
	without=no
	[ "$kernel" != 6.1 ] || without=yes
	# nor does 7.3 take in a device that has its driver, as the root port does all the time
	bound=()
	[ "$kernel" != 7.3 ] || bound=(0000:00:02.0)
	check "$kernel: guest" guest "$dir" -k "$kernel" -i boot-bypass=on \
		-a viommu.without=$without removal
	check "$kernel: rmmod refused while devices use it" said "$dir" "refused"
	check "$kernel: unbound" said "$dir" "unbound 0"
	if [ $without = yes ]; then
		check "$kernel: disks work without it" said "$dir" "worked-without"
	else
		skip 1 "$kernel: disks work without it: this kernel defers drivers until the IOMMU's is there"
	fi
	check "$kernel: bound again" said "$dir" "bound-again"
	check "$kernel: groups" have_groups "$dir" "${bound[@]}"
	check "$kernel: nobody uses the module" said "$dir" "refcount 0"
	check "$kernel: module loaded again" said "$dir" "loaded-again"
	check "$kernel: TCP" net_intact "$dir"

	dir=$RUNS/$kernel-in-use
	check "$kernel: unbound in use: guest" guest "$dir" -k "$kernel" -i boot-bypass=on unbind
	check "$kernel: unbound in use" said "$dir" "unbound"

	if [ "$kernel" = 6.12 ]; then
		for mode in bounce reuse; do
			name="$kernel, $mode: unbound in use" dir=$RUNS/$kernel-in-use-$mode
			check "$name: guest" guest "$dir" -k "$kernel" -i boot-bypass=on \
				-a "virtio_iommu.dma_mode=$mode" unbind
			check "$name" said "$dir" "unbound"
			check "$name: the mode was in use" in_mode "$dir" "$mode" first
		done
	fi

	dir=$RUNS/$kernel-orders
	check "$kernel: with a NIC, in every order: guest" guest "$dir" -k "$kernel" \
		-i boot-bypass=off -T none orders
	for order in "${orders[@]}"; do
		check "$kernel: $order" said "$dir" "order $order"
	done

	# one kernel to tell a leak by, and on 6.12-debug kmemleak needs only a few
	dir=$RUNS/$kernel-reload rounds=20
	[ "$kernel" != 6.12 ] || rounds=300
	check "$kernel: $rounds times: guest" guest "$dir" -k "$kernel" -i boot-bypass=on \
		-T none -t 400 -a "viommu.rounds=$rounds" reload
	check "$kernel: $rounds times" said "$dir" "rounds $rounds"
	if [ $rounds -lt 300 ]; then
		skip 1 "$kernel: nothing has leaked: too few rounds to tell"
	else
		check "$kernel: nothing has leaked" nothing_leaked "$dir" $((rounds * 4 / 5))
	fi
done
ktap_end
