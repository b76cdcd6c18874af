# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests share: KTAP output, and the questions that a test asks about
# the folder that run-guest left. Such a question is a function that prints why
# not and fails. To be sourced.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=${VIOMMU:-$HERE/../../../../..}/scripts
if [ ! -e "$scripts/fetch-kernel" ]; then
	# a kernel's tree, where scripts/install-in-tree has put these
	echo "TAP version 13"
	echo "1..0 # SKIP VIOMMU=DIR names no clone of viommu, whose scripts make the guests"
	exit 4
fi
# shellcheck source=../../../../../scripts/lib.sh
. "$scripts/lib.sh"

# Both kernels, unless the caller wants one.
# shellcheck disable=SC2034 # for the tests
KERNELS=${KERNELS:-6.1 6.12}
# For trying the tests themselves: with "none" or "stock" they should fail.
DRIVER=${DRIVER:-ours}
# Processors of a guest. To emulate two costs nearly twice the time of one, for the same
# work: a test in which they do nothing side by side sets it to one.
SMP=2
# shellcheck disable=SC2034
RUNS=$BUILD/guest/$(basename "$0" .sh)

n_ok=0 n_bad=0 n_skip=0

ktap_begin()
{
	echo "TAP version 13"
	echo "1..$1"
	planned=$1
}

ktap_count()
{
	echo $((n_ok + n_bad + n_skip))
}

# check DESCRIPTION FUNCTION ARGUMENT...
check()
{
	local what=$1 why

	shift
	if why=$("$@" 2>&1); then
		n_ok=$((n_ok + 1))
		echo "ok $(ktap_count) $what"
		sed -n 's/^ *RETRY */# a second try: /p' <<<"$why"
	else
		n_bad=$((n_bad + 1))
		echo "not ok $(ktap_count) $what"
		[ -z "$why" ] || printf '%s\n' "$why" | sed 's/^/# /'
		[ -z "${dir:-}" ] || echo "# see $dir"
	fi
}

# skip COUNT REASON
skip()
{
	local i

	for ((i = 0; i < $1; i++)); do
		n_skip=$((n_skip + 1))
		echo "ok $(ktap_count) # SKIP $2"
	done
}

# A test that dies on its way has failed, whatever it has printed so far.
ktap_end()
{
	echo "# Totals: pass:$n_ok fail:$n_bad skip:$n_skip"
	[ "$(ktap_count)" -eq "$planned" ] || {
		echo "# planned $planned tests, ran $(ktap_count)"
		exit 1
	}
	[ "$n_bad" -eq 0 ] || exit 1
	[ "$n_ok" -gt 0 ] || exit 4
}

# guest DIR OPTION...: boot one
guest()
{
	local dir=$1

	shift
	"$HERE/run-guest" -q -d "$DRIVER" -s "$SMP" -o "$dir" "$@"
}

# Build a library for run-guest --preload; $shim is its file. preload NAME, of NAME.c
preload()
{
	# two tests may want the same one
	shim=$RUNS/$1.so
	mkdir -p "$RUNS"
	gcc -shared -fPIC -O2 -Wall -Werror -o "$shim" "$HERE/$1.c" -ldl
}

# variant NAME KERNEL COMMAND...: the driver from a copy of the tree, which COMMAND
# changes; $module is its file
variant()
{
	local tree=$BUILD/variants/$1 kdir

	kdir=$("$TOP/scripts/fetch-kernel" --print kdir "$2")
	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$TOP"/{Kbuild,compat,drivers,scripts} "$tree/"
	(cd "$tree" && "${@:3}") || exit 1
	# shellcheck disable=SC2034 # for the tests
	module=$("$tree/scripts/build-module" "$kdir" "$tree/build" 2>"$tree/log") || {
		cat "$tree/log" >&2
		die "the driver $1 does not build"
	}
}

# strike FEATURE...: off the host's offer, as the first thing that a variant of the driver does
strike()
{
	local file=drivers/iommu/virtio/main.c feature

	for feature; do
		sed -i "/^static int viommu_validate/,/^{/ s/^{/{\n\
			__virtio_clear_bit(vdev, VIRTIO_IOMMU_F_$feature);/" $file
		grep -q "__virtio_clear_bit(vdev, VIRTIO_IOMMU_F_$feature);" $file ||
			die "no place to strike $feature"
	done
}

# The number of lines in a run's file that match.
count()
{
	grep -Ec "$2" "$1" || :
}

# range_sum FILE OFFSET LENGTH (MiB)
range_sum()
{
	dd if="$1" bs=1M skip="$2" count="$3" status=none | sha256sum | cut -d' ' -f1
}

# said DIR LINE...: what the guest reported, as regular expressions
said()
{
	local dir=$1 line

	shift
	for line; do
		grep -Eqx "$line" "$dir/report" || {
			echo "the guest did not report: $line"
			grep "^${line%% *} " "$dir/report" || :
			return 1
		}
	done
}

# What the guest wrote to a disk, what it read back, and what the host finds in
# the image are the same. data_intact DIR SERIAL [LINES]
data_intact()
{
	local dir=$1 disk=$2 want=${3:-2} n=0 serial mode at mib written got

	while read -r _ serial mode at mib written got; do
		[ "$serial" = "$disk" ] || continue
		n=$((n + 1))
		[ "$written" = "$got" ] || {
			echo "$disk, $mode: the guest wrote $written and read $got"
			return 1
		}
		got=$(range_sum "$dir/$disk.img" "$at" "$mib")
		[ "$written" = "$got" ] || {
			echo "$disk, $mode: the guest wrote $written, the host finds $got"
			return 1
		}
	done < <(grep '^data ' "$dir/report")
	[ "$n" -eq "$want" ] || { echo "$disk: $n checksums instead of $want"; return 1; }
}

# What the guest sent over TCP came back unchanged.
net_intact()
{
	local _ nic mib sent got

	read -r _ nic mib sent got < <(grep '^net ' "$1/report") || {
		echo "no data were sent"
		return 1
	}
	[ "$sent" = "$got" ] || { echo "$nic: sent $mib MiB $sent, received $got"; return 1; }
}

# Devices that the guest saw, without the IOMMU itself.
devices()
{
	awk '$1 == "pci" && $4 != "1af4:1057"' "$1/report"
}

# Every PCI device has a group, bridges and devices without a driver too; the
# IOMMU itself has none. have_groups DIR [BDF...]: but for these
have_groups()
{
	local bad

	[ "$(devices "$1" | wc -l)" -ge 5 ] || { echo "only these devices:"; devices "$1"; return 1; }
	bad=$(devices "$1" | awk -v but=" ${*:2} " '
		$7 == "-" && !index(but, " " $2 " ") { print $2, $4, $5 }')
	[ -z "$bad" ] || { echo "without a group:"; echo "$bad"; return 1; }
	! grep -E '^pci [^ ]+ [^ ]+ 1af4:1057 .* [0-9]+ [^ ]+$' "$1/report" ||
		{ echo "the IOMMU has a group"; return 1; }
}

# have_type DIR TYPE: of every group
have_type()
{
	local bad

	[ -n "$(devices "$1")" ] || { echo "no devices"; return 1; }
	bad=$(devices "$1" | awk -v want="$2" '$7 != "-" && $8 != want { print $2, $8, "instead of " want }')
	[ -z "$bad" ] || { echo "$bad"; return 1; }
	devices "$1" | grep -q " $2\$" || { echo "no group of type $2"; return 1; }
}

# have_regions DIR "START END KIND"...: each device with a group has these
# reserved regions and no others
have_regions()
{
	local dir=$1 bdf want got

	shift
	want=$(printf '%s\n' "$@" | sort)
	devices "$dir" | grep -q . || { echo "no devices"; return 1; }
	while read -r _ bdf _; do
		# the core lists one that ends at 2^64-1 for each device of a group
		got=$(sed -n "s/^region $bdf //p" "$dir/report" | sort -u)
		[ "$got" = "$want" ] || {
			printf '%s has: %s\nexpected: %s\n' "$bdf" "${got:-none}" "$want"
			return 1
		}
	done < <(devices "$dir")
}

# endpoint_id [DOMAIN:]BUS:SLOT.FUNCTION: a PCI device's ID is its address as a number
endpoint_id()
{
	local bus=${1%:*} slot=${1##*:}

	echo $((16#${bus##*:} << 8 | 16#${slot%.*} << 3 | ${1##*.}))
}

# Endpoint IDs of the disks and the NIC, the devices that move data here.
data_endpoints()
{
	local addr

	devices "$1" | awk '$5 == "nvme" || $6 == "virtio_blk" || $6 == "virtio_net" { print $2 }' |
	while read -r addr; do
		endpoint_id "$addr"
	done
}

# One line an endpoint out of QEMU's trace:
#   ID ACCESSES INTERRUPTS TRANSLATED UNCHANGED
# DMA accesses that the IOMMU saw; those among them that were MSIs (which it
# passes by: x86's window, GICv2m, ITS); those that it translated; translations
# into the same address.
trace_endpoints()
{
	awk '
	$1 == "virtio_iommu_translate" {
		id = substr($3, 5)
		seen[id]++
		if ($4 ~ /^addr=0x(fee.....|8020040|8090040)$/)
			msi[id]++
	}
	$1 == "virtio_iommu_translate_out" {
		id = substr($6, 5)
		out[id]++
		if ($2 == $4)
			same[id]++
	}
	END {
		for (id in seen)
			print id, seen[id], msi[id] + 0, out[id] + 0, same[id] + 0
	}' "$1/trace" | sort -n
}

# All DMA of the disks and the NIC, or of these endpoints, went through mappings,
# and no address that a device used was the guest-physical one.
# all_translated DIR [ENDPOINT...]
all_translated()
{
	local dir=$1 map unmap id seen msi out same endpoints

	map=$(count "$dir/trace" '^virtio_iommu_map ')
	unmap=$(count "$dir/trace" '^virtio_iommu_unmap ')
	if [ "$map" -eq 0 ] || [ "$unmap" -eq 0 ]; then
		echo "$map MAP requests, $unmap UNMAP requests"
		return 1
	fi
	endpoints=${*:2}
	if [ $# -eq 1 ]; then
		endpoints=$(data_endpoints "$dir")
		[ "$(wc -w <<<"$endpoints")" -ge 4 ] || { echo "endpoints: $endpoints"; return 1; }
	fi
	for id in $endpoints; do
		read -r _ seen msi out same < <(trace_endpoints "$dir" | grep "^$((id)) ") ||
			{ echo "endpoint $id: the IOMMU saw no DMA"; return 1; }
		if [ "$out" -eq 0 ] || [ "$same" -gt 0 ] || [ $((seen - msi)) -ne "$out" ]; then
			echo "endpoint $id: $seen accesses, $msi of them interrupts," \
				"$out translated, $same to the same address"
			return 1
		fi
	done
}

# The disks and the NIC were attached, and their DMA passed with its address
# unchanged. Where a whole domain is bypass QEMU takes the IOMMU out of the way
# and traces no access at all.
none_translated()
{
	local dir=$1 id out same endpoints

	endpoints=$(data_endpoints "$dir")
	[ "$(wc -w <<<"$endpoints")" -ge 4 ] || { echo "endpoints: $endpoints"; return 1; }
	for id in $endpoints; do
		grep -Eq "^virtio_iommu_attach domain=[0-9]+ endpoint=$id\$" "$dir/trace" ||
			{ echo "endpoint $id: never attached"; return 1; }
		read -r _ _ _ out same < <(trace_endpoints "$dir" | grep "^$id " || echo 0 0 0 0 0)
		[ "$out" -eq "$same" ] || {
			echo "endpoint $id: $out accesses translated, $same to the same address"
			return 1
		}
	done
}

# Neither a fault that the guest was told of nor one that QEMU kept to itself.
no_faults()
{
	[ -s "$1/trace" ] || { echo "no trace"; return 1; }
	! grep -m 3 '^virtio_iommu_report_fault ' "$1/trace" || return 1
	[ ! -s "$1/qemu" ] || { cat "$1/qemu"; return 1; }
}

# What each phase of a guest (see guest/phase) cost, out of QEMU's trace:
#   NUMBER NAME KICKS ATTACH DETACH MAP UNMAP
# The IOMMU is the device that was notified right before the first ATTACH; its
# requests' queue has number 0. phases DIR
phases()
{
	awk '
	function hex(digits,   value) {
		for (; digits != ""; digits = substr(digits, 2))
			value = value * 16 + index("123456789abcdef", substr(digits, 1, 1))
		return value
	}
	FNR == NR {
		if ($1 == "phase")
			name[$2] = $3
		next
	}
	$1 == "virtio_queue_notify" {
		last = $3
		if ($3 == iommu && $5 == 0)
			n["kick"]++
	}
	$1 == "virtio_iommu_attach" && !iommu { iommu = last }
	/^virtio_iommu_(attach|detach|map|unmap) / { n[substr($1, 14)]++ }
	$1 == "pci_cfg_write" && $4 == "@0x0" {
		mark = hex(substr($6, 3))
		if (mark == 255)
			print phase, name[phase], n["kick"] + 0, n["attach"] + 0, n["detach"] + 0,
			      n["map"] + 0, n["unmap"] + 0
		phase = mark
		delete n
	}' "$1/report" "$1/trace"
}

# The least that a phase cost in any of its rounds, because the flush queue's timer may
# run once more or less: NAME KICKS ATTACH DETACH MAP UNMAP. phase_counts DIR
phase_counts()
{
	phases "$1" | awk '
	{
		if (!($2 in seen))
			order[++names] = $2
		for (i = 3; i <= NF; i++)
			if (!($2 in seen) || $i < least[$2, i])
				least[$2, i] = $i
		seen[$2] = 1
	}
	END {
		for (j = 1; j <= names; j++) {
			printf "%s", order[j]
			for (i = 3; i <= 7; i++)
				printf " %d", least[order[j], i]
			print ""
		}
	}'
}

# kicks_are -le|-ge DIR HUNDREDTHS PHASE...: for one I/O, of the 256 in each phase
kicks_are()
{
	local test=$1 dir=$2 bound=$3 phase kicks

	shift 3
	for phase; do
		kicks=$(phase_counts "$dir" | awk -v phase="$phase" '$1 == phase { print $2 }')
		if [ -z "$kicks" ] || ! test $((kicks * 100)) "$test" $((256 * bound)); then
			echo "$phase: ${kicks:-no} kicks of 256 I/Os"
			return 1
		fi
	done
}

kicks_below()
{
	kicks_are -le "$@"
}

kicks_above()
{
	kicks_are -ge "$@"
}

# Every device with a driver, but bridges, had its DMA in a mode. in_mode DIR MODE WHEN
in_mode()
{
	local bad

	bad=$(awk -v mode="$2" -v when="$3" '
		$1 == "mode" && $2 == when { n++; if ($5 != mode) print $3, $5 }
		END { if (n < 4) print "only " n + 0 " devices" }' "$1/report") || return 1
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

# No domain, no endpoint and no page is left of devices' users in user space.
# users_left_nothing DIR
users_left_nothing()
{
	local what before after

	for what in counts pinned; do
		before=$(sed -n "s/^$what before //p" "$1/report")
		after=$(sed -n "s/^$what after //p" "$1/report")
		if [ -z "$before" ] || [ "$before" != "$after" ]; then
			printf '%s before: %s\n%s after:  %s\n' $what "$before" $what "$after"
			return 1
		fi
	done
}
