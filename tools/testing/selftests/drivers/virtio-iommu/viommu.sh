#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The command viommu in guests: with this tree's driver, the stock driver, none, and
# no virtio-iommu; for root, for others, without debugfs, and on a terminal. What it
# says is compared with sysfs and with what QEMU traced. Its own tests, on systems that
# are made up, are in tools/viommu/tests.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
SMP=1

# said_by DIR NAME: what the command printed
said_by()
{
	sed -n "s/^$2| //p" "$1/report" | tr -d '\r'
}

# exits_with DIR NAME STATUS
exits_with()
{
	said "$1" "status $2 $3" || { said_by "$1" "$2" | head -n 5; return 1; }
}

# same WANT GOT
same()
{
	[ -n "$1" ] || { echo "nothing to compare with"; return 1; }
	diff <(echo "$1") <(echo "$2") || { echo "< wanted, > said"; return 1; }
}

# Every PCI device with its driver, group and type, as sysfs has them; and the domain to
# which QEMU last saw its endpoint attached.
list_is_sysfs()
{
	local dir=$1 domains

	same "$(awk '$1 == "pci" { print $2, $5, $6, $7, $8 }' "$dir/report" | sort)" \
		"$(said_by "$dir" list | jq -r '.devices[] | [.name, .driver // "-",
			.virtio_driver // "-", .group // "-", .type // "-"] | join(" ")')" || return 1
	[ "$2" = ours ] || return 0
	domains=$(awk '$1 == "virtio_iommu_attach" { sub("domain=", "", $2)
			sub("endpoint=", "", $3); domain[$3] = $2 }
		END { for (i in domain) print i, domain[i] }' "$dir/trace" | sort -n)
	same "$domains" "$(said_by "$dir" list | jq -r '.devices[] | .domain as $domain |
			.endpoints[] | [., $domain] | join(" ")' |
		while read -r endpoint domain; do echo $((endpoint)) "$domain"; done | sort -nu)"
}

# reaches DIR BDF WORD
reaches()
{
	same "$3" "$(said_by "$1" list | jq -r --arg bdf "$2" '.devices[] | select(.name == $bdf).reach')"
}

# finds DIR NAME VERDICT ID...: the doctor
finds()
{
	local id found

	same "$3" "$(said_by "$1" "$2" | jq -r .verdict)" || return 1
	found=$(said_by "$1" "$2" | jq -r '.findings[].id')
	for id in "${@:4}"; do
		grep -qx "$id" <<<"$found" || { echo "no $id among:"; echo "$found"; return 1; }
	done
}

# Graphviz reads it, and each device is in it.
graph_is_whole()
{
	local dir=$1 bdf svg

	[ "$(devices "$dir" | wc -l)" -ge 5 ] || { echo "hardly a device"; return 1; }
	svg=$(said_by "$dir" graph | dot -Tsvg) || return 1
	while read -r bdf; do
		grep -q "$bdf" <<<"$svg" || { echo "no $bdf"; return 1; }
	done < <(awk '$1 == "pci" { print $2 }' "$dir/report")
	same true "$(said_by "$dir" graph-json | jq '[.nodes[].id] as $ids | (.nodes | length > 10) and
		all(.edges[] | .from, .to; IN($ids[]))')"
}

# What the domain of an endpoint maps, by the trace up to the mark of a phase, a line a
# mapping: START LAST PHYS. mapped_on_host DIR PHASE ENDPOINT
mapped_on_host()
{
	local number

	number=$(awk -v name="$2" '$1 == "phase" && $3 == name { printf "0x%x", $2 }' "$1/report")
	sed 's/0x//g' "$1/trace" | awk -v mark="${number#0x}" -v endpoint="$3" '
		# of one length, to be compared as text
		function padded(digits) { return substr("0000000000000000" digits, length(digits) + 1) }
		{ for (i = 2; i <= NF; i++) { split($i, pair, "="); value[pair[1]] = pair[2] } }
		$1 == "virtio_iommu_attach" { domain[value["endpoint"]] = value["domain"] }
		$1 == "virtio_iommu_map" {
			what = padded(value["virt_start"]) " " padded(value["virt_end"])
			maps[value["domain"] " " what] = value["phys_start"]
		}
		# it takes away whole mappings, of which it may hold several
		$1 == "virtio_iommu_unmap" {
			for (i in maps) {
				split(i, key, " ")
				if (key[1] == value["domain"] && key[2] >= padded(value["virt_start"]) &&
				    key[3] <= padded(value["virt_end"]))
					delete maps[i]
			}
		}
		$1 == "pci_cfg_write" && $4 == "@0" && $6 == mark {
			for (i in maps) {
				split(i, key, " ")
				if (key[1] == domain[endpoint])
					print key[2], key[3], maps[i]
			}
			exit
		}' | sed -E 's/^0*(.*) 0*(.*) /0x\1 0x\2 0x/' | sort
}

map_is_hosts()
{
	same "$(mapped_on_host "$1" map-disk 32)" "$(said_by "$1" map-disk |
		jq -r '.mappings[] | [.start, .last, .phys] | join(" ")' | sort)"
}

# Totals are what is in the list, and the picture has something in it.
map_adds_up()
{
	same true "$(said_by "$1" map-disk | jq '(.mappings | length) == .totals.mappings and
		([.mappings[].bytes] | add) == .totals.bytes')" || return 1
	said_by "$1" map-picture | grep -q '0xfee00000' || { echo "no MSI window in the picture"; return 1; }
}

# KICKS ATTACH DETACH MAP UNMAP of a phase
host_counts()
{
	phase_counts "$1" | awk -v name="$2" '$1 == name { print $2, $3, $4, $5, $6 }'
}

counters_are_hosts()
{
	local counts='.iommus[0] | [.kicks, (.requests | .attach, .detach, .map, .unmap | .sent)]'

	same "$(host_counts "$1" stats)" "$(jq -rs --argjson one 1 "(.[0] | $counts) as \$before |
			(.[1] | $counts) as \$after | [range(5) | \$after[.] - \$before[.]] | join(\" \")" \
		<(said_by "$1" stats-before) <(said_by "$1" stats-after))" || return 1
	# each kick is in the histogram
	same true "$(said_by "$1" stats-after |
		jq '.iommus[0] | ([.histograms.kick[].count] | add) == .kicks')"
}

# Each request's answer, and each kick, is one event.
trace_is_hosts()
{
	# shellcheck disable=SC2016 # jq's
	local sum='(map(select(.event == "kick")) | length) as $kicks |
		(map(select(.event == "request" and .status == "OK") | .type)) as $types |
		[$kicks, (("ATTACH", "DETACH", "MAP", "UNMAP") as $type |
			[$types[] | select(. == $type)] | length)] | join(" ")'

	same "$(host_counts "$1" trace)" "$(said_by "$1" trace | grep '^{' | jq -rs "$sum")"
}

trace_cmd_is_hosts()
{
	local kicks map unmap

	read -r kicks _ _ map unmap < <(host_counts "$1" trace-cmd)
	same "$kicks $((map + unmap)) $((map + unmap))" \
		"$(said_by "$1" trace-cmd | awk '{ n[$2] = $1 }
			END { print n["kick"], n["request_queued"], n["request_completed"] }')"
}

# Endpoint and address of each, as QEMU reported them.
faults_are_hosts()
{
	local host

	host=$(sed -n 's/^virtio_iommu_report_fault .* endpoint=\([0-9]*\) address =\(.*\)/\1 \2/p' \
		"$1/trace" | while read -r endpoint address; do printf '0x%x %s\n' "$endpoint" "$address"; done)
	same "$host" "$(said_by "$1" followed | jq -r '[.endpoint, .address] | join(" ")')" || return 1
	same "$(head -n 1 <<<"$host")" \
		"$(said_by "$1" faults | jq -r '.iommus[].faults[] | [.endpoint, .address] | join(" ")')"
}

on_terminal()
{
	local line

	for line in 'virtio0' '0000:00:04.0' 'kicks'; do
		said_by "$1" top | grep -q "$line" || { echo "no $line"; said_by "$1" top; return 1; }
	done
	said_by "$1" top-ended | grep -q 'top: 0' || { said_by "$1" top-ended; return 1; }
}

says()
{
	said_by "$1" "$2" | grep -q "$3" || { echo "$2 does not say: $3"; said_by "$1" "$2" | head; return 1; }
}

# Text that a person reads, without a byte that is none.
readable()
{
	local name

	for name in list-text doctor-text decoded; do
		said_by "$1" $name | LC_ALL=C.UTF-8 grep -q '[a-z]' || { echo "no $name"; return 1; }
		! said_by "$1" $name | LC_ALL=C.UTF-8 grep -n '[[:cntrl:]]' || return 1
	done
}

# The programs with what they need of Debian's.
stage_programs()
{
	local program

	rm -rf "$1"
	mkdir -p "$1/usr/bin" "$1/usr/share/misc" "$1/lib/terminfo"
	cp "$BUILD/viommu/viommu" "$1/usr/bin/"
	cp "$(command -v tmux)" "$(command -v trace-cmd)" "$1/usr/bin/"
	for program in "$1"/usr/bin/*; do
		ldd "$program" | grep -o '/[^ ]*'
	done | sort -u | xargs cp -L --parents -t "$1"
	cp -L --parents /usr/share/misc/pci.ids -t "$1"
	cp -r --parents /lib/terminfo/[stx] -t "$1"
	[ ! -d /usr/lib/locale/C.utf8 ] || cp -r --parents /usr/lib/locale/C.utf8 -t "$1"
}

# stock KERNEL: has it that driver?
has_stock()
{
	[ "$1" != 6.1 ]
}

quietly make -s -C "$TOP/tools/viommu" "O=$BUILD/viommu"
stage_programs "$RUNS/root"

common=9 ours=21
planned=0
for kernel in $KERNELS; do
	planned=$((planned + common + ours + 7 + 5))
	! has_stock "$kernel" || planned=$((planned + common + 3))
done
ktap_begin $planned

# guest_with NAME DIR DRIVER OPTION...
guest_with()
{
	check "$1: guest" "$HERE/run-guest" -q -d "$3" -s "$SMP" -o "$2" -A "$RUNS/root" -k "$kernel" \
		-t 300 -a iommu.strict=1 "${@:4}"
}

# An edu behind a bridge, and one that is not.
# shellcheck disable=SC2054 # QEMU's commas
devices=(-device edu,addr=0x10 -device "pcie-pci-bridge,id=bridge,addr=0x11"
	-device "edu,bus=bridge,addr=0x1")
conventional=0000:02:01.0

# everyone NAME DIR DRIVER: eight tests, and the guest before
everyone()
{
	local word

	check "$1: list is what sysfs says" list_is_sysfs "$2" "$3"
	for word in list graph graph-json; do
		check "$1: $word" exits_with "$2" $word 0
	done
	check "$1: graph is whole" graph_is_whole "$2"
	check "$1: what people read is text" readable "$2"
	check "$1: a command that does not exist" exits_with "$2" wrong 2
	check "$1: list for everyone" exits_with "$2" nobody-list 0
}

for kernel in $KERNELS; do
	name="$kernel" dir=$RUNS/$kernel
	guest_with "$name" "$dir" "$DRIVER" viommu -- "${devices[@]}"
	everyone "$name" "$dir" ours
	check "$name: all is well" exits_with "$dir" doctor 0
	check "$name: and says what is" finds "$dir" doctor ok iommu driver table bypass protected
	check "$name: behind a bridge, protected" reaches "$dir" $conventional mapped
	check "$name: map shows what the host has" map_is_hosts "$dir"
	check "$name: map's totals and picture" map_adds_up "$dir"
	check "$name: map of no device" exits_with "$dir" map-nowhere 1
	check "$name: stats are the host's counts" counters_are_hosts "$dir"
	check "$name: stats --interval" exits_with "$dir" rates 0
	check "$name: trace shows each request and kick" trace_is_hosts "$dir"
	check "$name: trace ends as its command does" exits_with "$dir" trace-status 7
	check "$name: trace of one device" says "$dir" trace-text "MAP domain"
	check "$name: trace-cmd shows them too" trace_cmd_is_hosts "$dir"
	check "$name: faults are the host's" faults_are_hosts "$dir"
	check "$name: the doctor sees faults" finds "$dir" doctor-faults warn faults
	check "$name: top on a terminal" on_terminal "$dir"
	check "$name: map is for root" exits_with "$dir" nobody-map 4
	check "$name: trace is for root" exits_with "$dir" nobody-trace 4
	check "$name: stats for everyone" exits_with "$dir" nobody-stats 0
	check "$name: no debugfs: list" exits_with "$dir" no-debugfs-list 0
	check "$name: no debugfs: map" exits_with "$dir" no-debugfs-map 5
	check "$name: no debugfs: how to mount it" says "$dir" no-debugfs-map "mount"

	if has_stock "$kernel"; then
		name="$kernel, stock driver" dir=$RUNS/$kernel-stock
		guest_with "$name" "$dir" stock viommu -- "${devices[@]}"
		everyone "$name" "$dir" stock
		check "$name: the doctor sees what is outside" finds "$dir" doctor bad stock-driver outside
		check "$name: behind a bridge, outside" reaches "$dir" $conventional outside
		check "$name: map is not to be had" exits_with "$dir" map 5
	fi

	name="$kernel, no driver" dir=$RUNS/$kernel-none
	guest_with "$name" "$dir" none viommu
	check "$name: list" exits_with "$dir" list 0
	check "$name: the doctor" finds "$dir" doctor bad no-driver
	check "$name: is not well" exits_with "$dir" doctor 1
	for word in map stats faults; do
		check "$name: $word" exits_with "$dir" $word 5
	done

	name="$kernel, no virtio-iommu" dir=$RUNS/$kernel-no-iommu
	guest_with "$name" "$dir" none -i none viommu
	for word in list doctor stats trace; do
		check "$name: $word" exits_with "$dir" $word 3
	done
done
ktap_end
