#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian's DPDK drives NICs in the guest, two of virtio-net and two of e1000e: its
# testpmd forwards between the two of each pair, and no frame is lost or changed. Its
# DMA is to its own virtual addresses, and ends with it, in the middle of traffic too;
# then the kernel's drivers have the NICs again.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

count=2000	# frames each way, twice: see frames.c
nics="0000:00:10.0 0000:00:11.0 0000:02:00.0 0000:03:00.0"
endpoints=$(for nic in $nics; do endpoint_id "$nic"; done | paste -sd ' ')

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
gcc -O2 -Wall -Werror -o "$tmp/frames" "$HERE/frames.c"

# initramfs KERNEL: the usual one, with DPDK and modules for this test alone
initramfs()
{
	local root release stage=$tmp/stage ko name base dpdk n=10

	base=$("$HERE/build-initramfs" "$1") || return 1
	dpdk=$("$TOP/scripts/fetch-dpdk") || return 1
	root=$("$TOP/scripts/fetch-kernel" --print root "$1")
	release=$("$TOP/scripts/fetch-kernel" --print release "$1")
	rm -rf "$stage"
	mkdir -p "$stage/dpdk"
	for ko in $(for name in e1000e bridge; do
			modprobe -d "$root" -S "$release" --show-depends "$name"
		done | awk '$1 == "insmod" { print $2 }'); do
		# numbered: those that others need come first
		name=$((n++))-$(basename "$ko")
		case $ko in
		*.xz)	xz -dc "$ko" >"$stage/dpdk/${name%.xz}" ;;
		*)	cp "$ko" "$stage/dpdk/$name" ;;
		esac
	done
	{
		cat "$base" "$dpdk"
		(cd "$stage" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) | gzip -1
	} >"$tmp/initramfs"
}

# A Unix socket keeps the borders of frames, waits where there is no room, and
# needs no port number.
backend()
{
	echo "dgram,id=$1,local.type=unix,local.path=$tmp/$1.nic,remote.type=unix,remote.path=$tmp/$1.host"
}

# until_said DIR LINE: the guest, or until it has ended
until_said()
{
	until grep -qx "$2" "$1/report" 2>/dev/null; do
		[ ! -e "$1/result" ] || return 1
		sleep 0.2
	done
}

# frames COUNT DIR NAME: through both pairs at once, with a log each
frames()
{
	local pair

	for pair in virtio-net e1000e; do
		exec "$tmp/frames" "$1" "$tmp/$pair-a" "$tmp/$pair-b" >"$2/frames.$3.$pair" 2>&1 &
		flows[$pair]=$!
	done
}

# The host's part while the guest runs, see guest/dpdk
traffic()
{
	local -A flows

	until_said "$1" "forwarding testpmd" || return 0
	frames $count "$1" testpmd
	wait
	until_said "$1" "forwarding again" || return 0
	frames 0 "$1" killed
	until_said "$1" stopped || :
	kill "${flows[@]}" 2>/dev/null || :
	wait
	until_said "$1" "forwarding bridge" || return 0
	frames $count "$1" bridge
	wait
}

run_guest()
{
	local dir=$1 pid rc=0

	rm -rf "$dir"
	initramfs "$2" || return 1
	traffic "$dir" &
	pid=$!
	# DPDK wants SSE 4.2. The e1000e are behind ports, so that the bus can reset them.
	guest "$dir" -k "$2" -i boot-bypass=off -t 300 \
		-a "hugepages=64 viommu.frames=$count viommu.nics=${nics// /,}" dpdk -- \
		-cpu Nehalem -initrd "$tmp/initramfs" \
		-netdev "$(backend virtio-net-a)" -netdev "$(backend virtio-net-b)" \
		-netdev "$(backend e1000e-a)" -netdev "$(backend e1000e-b)" \
		-device pcie-root-port,id=port1,chassis=2,addr=0x12 \
		-device pcie-root-port,id=port2,chassis=3,addr=0x13 \
		-device virtio-net-pci,netdev=virtio-net-a,iommu_platform=on,disable-legacy=on,romfile=,addr=0x10 \
		-device virtio-net-pci,netdev=virtio-net-b,iommu_platform=on,disable-legacy=on,romfile=,addr=0x11 \
		-device e1000e,netdev=e1000e-a,romfile=,bus=port1 \
		-device e1000e,netdev=e1000e-b,romfile=,bus=port2 || rc=1
	wait $pid
	return $rc
}

# intact DIR PHASE PAIR: nothing lost, twice or changed
intact()
{
	local log=$1/frames.$2.$3 want

	want=$(for way in "alone a-to-b" "alone b-to-a" "together a-to-b" "together b-to-a"; do
		echo "frames $way $count $count 0 0 0"
	done)
	[ "$(cat "$log" 2>/dev/null)" = "$want" ] || {
		echo "sent, received, lost, twice, corrupt:"
		cat "$log" 2>/dev/null || echo "no frames were sent"
		return 1
	}
}

# testpmd counted as many as the host
counted()
{
	local nic

	for nic in $nics; do
		grep -qx "stats $nic $((2 * count)) $((2 * count)) 0" "$1/report" || {
			echo "received, sent, lost, instead of $((2 * count)) each:"
			grep '^stats ' "$1/report"
			return 1
		}
	done
}

# A mark that the guest left in QEMU's trace. mark DIR NAME
mark()
{
	sed -n "s/^mark \([0-9]*\) $2\$/0x\1/p" "$1/report" | grep . || { echo "no mark $2"; return 1; }
}

# The NICs' domains and what is mapped there when a mark comes, out of QEMU's trace:
#   endpoint ID DOMAIN
#   map DOMAIN FIRST LAST PHYSICAL       (hexadecimal)
# QEMU forgets a domain with its last endpoint. state_at DIR MARK
state_at()
{
	local number

	number=$(mark "$1" "$2") || { echo "$number"; return 1; }
	awk -v mark="$number" -v nics="$endpoints" '
	function value(word) { sub(/^[^=]*=(0x)?/, "", word); return word }
	/^virtio_iommu_(translate|translate_out) / { next }
	$1 == "virtio_iommu_attach" {
		id = value($3)
		if (id in domain && --users[domain[id]] == 0)
			for (key in map)
				if (index(key, domain[id] " ") == 1)
					delete map[key]
		domain[id] = value($2)
		users[domain[id]]++
	}
	$1 == "virtio_iommu_map" { map[value($2) " " value($3)] = value($4) " " value($5) }
	$1 == "virtio_iommu_unmap" { delete map[value($2) " " value($3)] }
	$1 == "pci_cfg_write" && $4 == "@0x0" && $6 == mark { exit }
	END {
		n = split(nics, nic, " ")
		for (i = 1; i <= n; i++) {
			print "endpoint", nic[i], domain[nic[i]]
			wanted[domain[nic[i]]] = 1
		}
		for (key in map) {
			split(key, part, " ")
			if (part[1] in wanted)
				print "map", key, map[key]
		}
	}' "$1/trace"
}

# testpmd's memory for DMA, "FIRST LAST" a line
memory()
{
	local start end

	while read -r _ start end; do
		printf '%s %x\n' "$start" $((0x$end - 1))
	done < <(grep '^maps ' "$1/report")
}

# All NICs share one domain; in it is testpmd's memory and nothing else, a huge page a
# mapping, each at its virtual address and none at its physical one.
mapped_as_used()
{
	local state got want

	state=$(state_at "$1" quiet) || { echo "$state"; return 1; }
	[ "$(awk '$1 == "endpoint" { print $3 }' <<<"$state" | sort -u | wc -l)" -eq 1 ] ||
		{ echo "several domains:"; grep ^endpoint <<<"$state"; return 1; }
	got=$(awk '$1 == "map" { print $3, $4 }' <<<"$state" | sort)
	want=$(memory "$1" | sort)
	if [ -z "$want" ] || [ "$got" != "$want" ]; then
		printf 'mapped:\n%s\nits memory:\n%s\n' "$got" "$want"
		return 1
	fi
	! awk '$1 == "map" && $3 == $5' <<<"$state" | grep . || return 1
}

# dma DIR MARK MARK: the addresses that each NIC used between the two, "ID ADDRESS" in
# the file $tmp/dma
dma()
{
	local from to

	from=$(mark "$1" "$2") || { echo "$from"; return 1; }
	to=$(mark "$1" "$3") || { echo "$to"; return 1; }
	awk -v from="$from" -v to="$to" -v nics="$endpoints" '
	BEGIN {
		n = split(nics, nic, " ")
		for (i = 1; i <= n; i++)
			wanted["sid=" nic[i]] = 1
	}
	$1 == "pci_cfg_write" && $4 == "@0x0" { on = on ? $6 != to : $6 == from }
	on && $1 == "virtio_iommu_translate_out" && $6 in wanted { print substr($6, 5), substr($2, 3) }
	' "$1/trace" >"$tmp/dma"
}

# Every NIC's DMA was to testpmd's memory, by its virtual addresses.
dma_to_memory()
{
	local first last at chunks

	# by the MiB, of which the memory is made
	chunks=$(while read -r first last; do
		for ((at = 0x$first; at < 0x$last; at += 1 << 20)); do
			printf '%x ' $((at >> 20))
		done
	done < <(memory "$1"))
	dma "$1" testpmd quiet || return 1
	awk -v chunks="$chunks" -v nics="$endpoints" '
	BEGIN {
		n = split(chunks, list, " ")
		for (i = 1; i <= n; i++)
			memory[list[i]] = 1
	}
	{ seen[$1]++ }
	!(substr($2, 1, length($2) - 5) in memory) && bad++ < 3 {
		print "endpoint " $1 " used 0x" $2 ", not of the memory"
	}
	END {
		n = split(nics, nic, " ")
		for (i = 1; i <= n; i++)
			if (!seen[nic[i]]) {
				print "endpoint " nic[i] " did no DMA"
				bad++
			}
		exit bad > 0
	}' "$tmp/dma"
}

# Both while testpmd lived and after that, frames were sent.
killed_in_traffic()
{
	local pair way sent got n

	for pair in virtio-net e1000e; do
		n=0
		[ -s "$1/frames.killed.$pair" ] || { echo "$pair: no frames were sent"; return 1; }
		while read -r _ _ way sent got _; do
			n=$((n + 1))
			if [ "$got" -lt 200 ] || [ "$sent" -le "$got" ]; then
				echo "$pair, $way: sent $sent, received $got"
				return 1
			fi
		done <"$1/frames.killed.$pair"
		[ $n -eq 2 ] || { cat "$1/frames.killed.$pair"; return 1; }
	done
}

# From then on until a driver of the kernel's has them, the NICs reach nothing.
nothing_reached()
{
	local state

	dma "$1" killed kernel || return 1
	[ ! -s "$tmp/dma" ] || { echo "DMA:"; head -n 3 "$tmp/dma"; return 1; }
	state=$(state_at "$1" killed)
	if [ "$(grep -c '^endpoint [0-9]* [0-9]' <<<"$state")" -ne 4 ] || grep -q ^map <<<"$state"; then
		echo "$state"
		return 1
	fi
}

# counts_kept DIR DOMAINS: the driver counts what it counted before, and so many domains
# more, which a kernel keeps for each group that was once user space's
counts_kept()
{
	local before want when

	before=$(sed -n 's/^counts before //p' "$1/report")
	[[ $before =~ ^(devices=[1-9][0-9]*\ domains=)([1-9][0-9]*)(\ endpoints=[1-9][0-9]*\ outside=0\ groups=[1-9][0-9]*)$ ]] ||
		{ echo "counts: $before"; return 1; }
	want="${BASH_REMATCH[1]}$((BASH_REMATCH[2] + $2))${BASH_REMATCH[3]}"
	for when in quit killed after; do
		grep -qx "counts $when $want" "$1/report" ||
			{ echo "expected: $want"; grep '^counts ' "$1/report"; return 1; }
	done
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 13))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	# 6.1 blocks DMA with an empty domain for each group, later ones with the driver's
	kept=0
	[ "$kernel" != 6.1 ] || kept=4
	check "$kernel: guest" run_guest "$dir" "$kernel"
	check "$kernel: testpmd forwards, virtio-net" intact "$dir" testpmd virtio-net
	check "$kernel: testpmd forwards, e1000e" intact "$dir" testpmd e1000e
	check "$kernel: testpmd's counts" counted "$dir"
	check "$kernel: its memory is mapped at its virtual addresses" mapped_as_used "$dir"
	check "$kernel: all DMA is there" dma_to_memory "$dir"
	# shellcheck disable=SC2086 # a list
	check "$kernel: translated" all_translated "$dir" $endpoints
	check "$kernel: killed in the middle of traffic" killed_in_traffic "$dir"
	check "$kernel: then DMA ends" nothing_reached "$dir"
	check "$kernel: nothing is left" counts_kept "$dir" $kept
	check "$kernel: back at the kernel's drivers, virtio-net" intact "$dir" bridge virtio-net
	check "$kernel: back at the kernel's drivers, e1000e" intact "$dir" bridge e1000e
	check "$kernel: no faults" no_faults "$dir"
done
ktap_end
