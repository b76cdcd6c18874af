#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a host's config space allows: addresses from the first to the last one, pages from
# the granule up, domain IDs. QEMU 10 has options for the last address and for the
# granule. It has none for the first address and for domain IDs: these the driver
# under test is told in the place of what it read, by parameters that a copy of it has.

set -euo pipefail
KERNELS=${KERNELS:-6.1 6.12 6.1-arm64 6.12-arm64 6.12-arm64-16k}
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # for guest()
SMP=1

# edu reaches every address
edu="edu,addr=0x10,dma_mask=0xffffffffffffffff"

logged()
{
	grep -q "virtio_iommu virtio[0-9]*: .*: $2" "$1/console" || {
		grep 'virtio_iommu virtio' "$1/console" || echo "no word of the driver"
		return 1
	}
}

# What VFIO may map: all addresses but for the MSI window.
# vfio_ranges DIR FIRST LAST WINDOW-FIRST WINDOW-LAST
vfio_ranges()
{
	local want="$2-$3" got

	# bash takes the highest numbers for negative ones
	(($3 >= 0 && $3 < $4)) ||
		want=$(printf '%#x-%#x %#x-%#x' "$2" $(($4 - 1)) $(($5 + 1)) "$3")
	got=$(sed -n 's/^vfio range \(.*\) 1$/\1/p' "$1/report" | xargs)
	[ "$got" = "$want" ] || { echo "VFIO's ranges: ${got:-none}, not $want"; return 1; }
}

# MAPs and UNMAPs, and all of it from the first address to the last one.
# addresses_within DIR FIRST LAST
addresses_within()
{
	awk -v first="$2" -v last="$3" '
	# as wide as 64 bits: then the order of the text is the order of the numbers
	function wide(field)
	{
		sub(/.*0x/, "", field)
		return "x" substr("0000000000000000", length(field) + 1) field
	}
	/^virtio_iommu_(map|unmap) / {
		n++
		if (wide($3) < wide(first) || wide($4) > wide(last) || wide($3) > wide($4)) {
			print
			exit bad = 1
		}
	}
	END {
		if (!n)
			print "no MAP and UNMAP"
		exit bad || !n
	}' "$1/trace"
}

# NVMe, which takes the highest addresses where it is let (forcedac), got them.
# near_last DIR LAST
near_last()
{
	local domain highest

	domain=$(awk '/^virtio_iommu_attach .* endpoint=32$/ { print $2; exit }' "$1/trace")
	highest=$(sed -n "s/^virtio_iommu_map $domain .* virt_end=0x\([^ ]*\) .*/\1/p" "$1/trace" |
		awk '{ printf "%16s\n", $0 }' | sort | tail -n 1)
	highest=0x${highest// /}
	(($2 - highest >= 0 && $2 - highest < 1 << 24)) || {
		echo "NVMe's highest address is $highest"
		return 1
	}
}

# ids_within DIR FIRST LAST
ids_within()
{
	sed -n 's/^virtio_iommu_[a-z]* domain=\([^ ]*\) .*/\1/p' "$1/trace" | sort -un |
	awk -v first="$2" -v last="$3" '
	$1 < first || $1 > last { print "domain " $1; bad = 1 }
	END { exit bad || !NR }'
}

# refused DIR WHAT...
refused()
{
	local what

	for what in "${@:2}"; do
		grep -q "^refused $what" "$1/report" || {
			echo "not refused: $what"
			grep '^refused ' "$1/report" || :
			return 1
		}
	done
}

# Every device that has no domain of its own is named.
named()
{
	local bdf bad=

	[ -n "$(devices "$1")" ] || { echo "no devices"; return 1; }
	for bdf in $(devices "$1" | awk '$8 !~ /^DMA/ { print $2 }'); do
		grep -Eq "^log .*$bdf.*(domain|protected)" "$1/report" || bad+=" $bdf"
	done
	[ -z "$bad" ] || { echo "without a domain, and the log does not say so:$bad"; return 1; }
}

# As many groups as there are IDs for. groups_translate DIR NUMBER
groups_translate()
{
	local n

	n=$(devices "$1" | awk '$8 ~ /^DMA/ { print $7 }' | sort -u | wc -l)
	[ "$n" -ge "$2" ] || { echo "$n groups with a domain, not $2"; return 1; }
}

# Have the driver take its limits from parameters
told()
{
	local file=drivers/iommu/virtio/main.c

	sed -i -e '/^int viommu_device_read_limits/i \
		static unsigned long long host_first, host_last = U64_MAX;\
		static unsigned int host_id_first, host_id_last = U32_MAX;\
		module_param(host_first, ullong, 0444);\
		module_param(host_last, ullong, 0444);\
		module_param(host_id_first, uint, 0444);\
		module_param(host_id_last, uint, 0444);' \
		-e '/= viommu_limits_init(/i \
		config.input_range.start = cpu_to_le64(host_first);\
		config.input_range.end = cpu_to_le64(host_last);\
		config.domain_range.start = cpu_to_le32(host_id_first);\
		config.domain_range.end = cpu_to_le32(host_id_last);' $file
	[ "$(grep -c 'host_first\|host_id_last' $file)" -eq 6 ] ||
		die "no place for parameters in $file"
}

# words FIRST LAST FIRST-ID LAST-ID: for that driver
words()
{
	echo "virtio_iommu.host_first=$1 virtio_iommu.host_last=$2" \
		"virtio_iommu.host_id_first=$3 virtio_iommu.host_id_last=$4"
}

# begin NAME KERNEL
begin()
{
	name="$2, $1" kernel=$2 dir=$RUNS/$2-${1//[^a-zA-Z0-9]/-}
}

data_moved()
{
	local disk

	for disk in vblk0 nvme0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: TCP" net_intact "$dir"
}

# The host has addresses from FIRST to LAST, and pages no larger than the kernel's.
# addresses NAME KERNEL FIRST LAST GRANULE RUN-GUEST-OPTION...
addresses()
{
	local first=$3 last=$4 granule=$5 window=(0xfee00000 0xfeefffff) name kernel dir

	begin "$1" "$2"
	# that of GICv2m is one page of 4 KiB, of which the host may know no half
	[[ $kernel != *-arm64* ]] || window=(0x8020000 $((0x8020fff | granule - 1)))
	check "$name: guest" guest "$dir" -k "$kernel" "${@:6}" limits -- -device "$edu"
	check "$name: the log says so" logged "$dir" "IOVAs $first-$last, granule $granule,"
	data_moved
	check "$name: translated" all_translated "$dir"
	check "$name: nothing mapped outside" addresses_within "$dir" "$first" "$last"
	check "$name: NVMe up to the last" near_last "$dir" "$last"
	check "$name: VFIO's ranges" vfio_ranges "$dir" "$first" "$last" "${window[@]}"
	check "$name: VFIO up to both ends" said "$dir" "vfio edges 2"
}

# The host's pages are larger than the kernel's: identity, and no VFIO.
# large_pages KERNEL KIB BOOT-BYPASS
large_pages()
{
	local name kernel dir

	begin "granule $2k, boot-bypass=$3" "$1"
	check "$name: guest" guest "$dir" -Q 10 -k "$kernel" -i "boot-bypass=$3,granule=$2k" no-domain
	check "$name: the log warns" grep -q "^log .*granule of $(($2 * 1024)) bytes is larger than a page" \
		"$dir/report"
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: NVMe's data, before VFIO and after" data_intact "$dir" nvme0 4
	check "$name: TCP" net_intact "$dir"
	check "$name: identity" have_type "$dir" identity
	check "$name: not translated" none_translated "$dir"
	check "$name: DMA and VFIO refused" refused "$dir" type ".*: Invalid argument"
	check "$name: identity afterwards" said "$dir" "type identity identity"
	check "$name: no faults" no_faults "$dir"
}

# The host has IDs from 3 to 12, which is one each for the groups and two to set aside:
# none for VFIO, and none for a device that is plugged in.
enough_ids()
{
	local name kernel dir

	begin "domain IDs 3 to 12" "$1"
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" -i boot-bypass=off \
		-a "viommu.disks=3 viommu.plug=0000:02:00.0 $(words 0 $top 3 12)" -e extra \
		no-domain -- -device pcie-root-port,id=port1,chassis=2,addr=8
	check "$name: virtio-blk's data" data_intact "$dir" vblk0
	check "$name: NVMe's data, before VFIO and after" data_intact "$dir" nvme0 4
	check "$name: TCP" net_intact "$dir"
	check "$name: groups" have_groups "$dir"
	check "$name: translated" all_translated "$dir"
	check "$name: no other ID" ids_within "$dir" 3 12
	check "$name: VFIO refused" refused "$dir" type "no type 1 IOMMU"
	check "$name: the same domain type afterwards" said "$dir" "type DMA-FQ DMA-FQ"
	check "$name: the log names a device that is plugged in" \
		grep -Eq "^plugged .*(domain|protected)" "$dir/report"
}

# few_ids KERNEL LAST GROUPS: the host has IDs from 3 to LAST, and so many groups at
# least can have domains; with three virtio-blk's disk is among them
few_ids()
{
	local name kernel dir data=no

	begin "domain IDs 3 to $2" "$1"
	[ "$3" -lt 3 ] || data=yes
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" -i boot-bypass=off \
		-a "viommu.data=$data $(words 0 $top 3 "$2")" few-domains
	check "$name: the driver takes the IOMMU" said "$dir" "bound 1"
	check "$name: groups with a domain" groups_translate "$dir" "$3"
	check "$name: the log names those without" named "$dir"
	check "$name: no other ID" ids_within "$dir" 3 "$2"
	if [ $data = yes ]; then
		check "$name: virtio-blk's data" data_intact "$dir" vblk0
	fi
}

# Three IDs are enough where no device needs one of its own.
shared_id()
{
	local name kernel dir

	begin "domain IDs 3 to 5, passthrough" "$1"
	check "$name: guest" guest "$dir" -m "$module" -k "$kernel" -i boot-bypass=off \
		-a "iommu.passthrough=1 $(words 0 $top 3 5)" data
	data_moved
	check "$name: not translated" none_translated "$dir"
	check "$name: no other ID" ids_within "$dir" 3 5
}

# What the driver is told it narrows to whole pages. They end below the addresses of PCI's
# windows, which the kernel keeps free.
told_addresses()
{
	local first=0x100800 last=0x300007ff

	addresses "addresses within pages" "$1" 0x101000 0x2fffffff 4096 -m "$module" \
		-i boot-bypass=off -a "$(words $first $last 7 30)"
	check "$1, addresses within pages: no other ID" \
		ids_within "$RUNS/$1-addresses-within-pages" 7 30
}

# bits KERNEL NUMBER [OPTION]: of address
bits()
{
	addresses "$2 bits of address" "$1" 0x0 "$(printf '%#x' $((2 * (1 << ($2 - 1)) - 1)))" 4096 \
		-Q 10 -i "boot-bypass=off,aw-bits=$2${3:+,$3}" -a iommu.forcedac=1
}

# 16 KiB are the kernel's pages: smaller ones of the host do, and as large ones.
small_pages()
{
	addresses "granule $2k" "$1" 0x0 0xffffffffffff $(($2 * 1024)) \
		-Q 10 -i "boot-bypass=off,granule=$2k" -a iommu.forcedac=1
}

top=0xffffffffffffffff
declare -A plan=([6.1]=$((12 + 5 + 2 * 11 + 2 * 10)) [6.12]=$((12 + 5 + 5 + 6 + 10 + 7 + 4 * 11 + 3 * 10))
	[6.1-arm64]=10 [6.12-arm64]=10 [6.12-arm64-16k]=$((2 * 11 + 10)))
n=0
for kernel in $KERNELS; do
	[ -n "${plan[${kernel%-debug}]:-}" ] || die "nothing is planned for $kernel"
	n=$((n + plan[${kernel%-debug}]))
done
ktap_begin $n
for kernel in $KERNELS; do
	case ${kernel%-debug} in
	6.1|6.12)
		variant "$kernel-limits" "$kernel" told
		told_addresses "$kernel"
		few_ids "$kernel" 3 1
		;;&
	6.12)
		few_ids "$kernel" 4 1
		few_ids "$kernel" 7 3
		enough_ids "$kernel"
		shared_id "$kernel"
		bits "$kernel" 32 granule=4k
		bits "$kernel" 39
		bits "$kernel" 48
		bits "$kernel" 64
		large_pages "$kernel" 16 off
		large_pages "$kernel" 16 on
		large_pages "$kernel" 64 on
		;;
	6.1)
		bits "$kernel" 32
		bits "$kernel" 39 granule=4k
		large_pages "$kernel" 16 on
		large_pages "$kernel" 64 off
		;;
	6.1-arm64)
		large_pages "$kernel" 64 off
		;;
	6.12-arm64)
		large_pages "$kernel" 16 off
		;;
	6.12-arm64-16k)
		small_pages "$kernel" 4
		small_pages "$kernel" 16
		large_pages "$kernel" 64 off
		;;
	esac
done
ktap_end
