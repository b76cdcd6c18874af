# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A system to look at, in the folder $tree, as sysfs and firmware show one. Not a test.

tree=tree

# The command leaves some of its memory to the end of the program.
export ASAN_OPTIONS=detect_leaks=0

# put PATH TEXT...: a file, a line for each text
put()
{
	mkdir -p "$tree$(dirname "$1")"
	printf '%s\n' "${@:2}" >"$tree$1"
}

# point PATH TARGET: a link, relative as sysfs has them
point()
{
	mkdir -p "$tree$(dirname "$1")"
	ln -sfnr "$tree$2" "$tree$1"
}

new_tree()
{
	rm -rf "$tree"
	mkdir -p "$tree"/sys/bus/{pci,platform,virtio}/devices "$tree"/sys/class/iommu \
		"$tree"/sys/kernel/{iommu_groups,debug} "$tree"/proc "$tree"/boot
	put /proc/sys/kernel/osrelease 6.12-test
	put /proc/cmdline 'root=/dev/vda ro quiet'
	put /usr/share/misc/pci.ids '1af4  Red Hat, Inc.' $'\t1041  Virtio 1.0 network device' \
		$'\t1057  Virtio 1.0 IOMMU' '8086  Intel Corporation' $'\t10d3  82574L NIC' \
		$'\t29c0  DRAM Controller'
}

# bind DEVICE-FOLDER BUS DRIVER
bind()
{
	mkdir -p "$tree/sys/bus/$2/drivers/$3"
	point "$1/driver" "/sys/bus/$2/drivers/$3"
}

# pci NAME VENDOR:DEVICE [DRIVER]
pci()
{
	local folder=/sys/devices/pci0000:00/$1

	put "$folder/vendor" "0x${2%:*}"
	put "$folder/device" "0x${2#*:}"
	point "/sys/bus/pci/devices/$1" "$folder"
	point "$folder/subsystem" /sys/bus/pci
	[ -z "${3:-}" ] || bind "$folder" pci "$3"
}

# platform NAME [DRIVER]
platform()
{
	local folder=/sys/devices/platform/$1

	mkdir -p "$tree$folder"
	point "/sys/bus/platform/devices/$1" "$folder"
	point "$folder/subsystem" /sys/bus/platform
	[ -z "${2:-}" ] || bind "$folder" platform "$2"
}

# features BIT...: as sysfs shows them
features()
{
	local bit line

	line=$(printf %064d 0)
	for bit; do
		line=${line:0:bit}1${line:bit + 1}
	done
	echo "$line"
}

# virtio NAME PARENT-FOLDER ID [DRIVER [FEATURE...]]
virtio()
{
	local folder=$2/$1

	put "$folder/device" "$(printf 0x%04x "$3")"
	put "$folder/features" "$(features "${@:5}")"
	point "/sys/bus/virtio/devices/$1" "$folder"
	[ -z "${4:-}" ] || bind "$folder" virtio "$4"
}

# group NUMBER TYPE IOMMU DEVICE-FOLDER...
group()
{
	local folder=/sys/kernel/iommu_groups/$1 device

	put "$folder/type" "$2"
	put "$folder/reserved_regions" '0x00000000fee00000 0x00000000feefffff msi'
	for device in "${@:4}"; do
		point "$folder/devices/${device##*/}" "$device"
		point "$device/iommu_group" "$folder"
		point "$device/iommu" "/sys/class/iommu/$3"
	done
}

# ours NAME: its counters, all well
ours()
{
	local name

	for name in devices endpoints domains outside faults kicks mappings dead \
		{attach,detach,map,unmap,probe}_{requests,failures}; do
		put "/sys/class/iommu/$1/virtio-iommu/$name" 0
	done
	put "/sys/class/iommu/$1/virtio-iommu/bypass" closed
	: >"$tree/sys/class/iommu/$1/virtio-iommu/outside_devices"
	put /sys/module/virtio_iommu/version 0.1.0
	put /sys/module/virtio_iommu/srcversion 0123456789ABCDEF
}

# dma_mode NAME IN-USE [WISHED]: a PCI device's, as this driver shows them
dma_mode()
{
	put "/sys/devices/pci0000:00/$1/viommu/dma_mode_in_use" "$2"
	put "/sys/devices/pci0000:00/$1/viommu/dma_mode" "${3:-$2}"
}

# The module's file, below /lib/modules/6.12-test
module()
{
	put "/lib/modules/6.12-test/$1" ''
	put /lib/modules/6.12-test/modules.dep "$1:"
}

# le BYTES NUMBER...: little-endian hexadecimal digits
le()
{
	local size=$1 value i

	shift
	for value; do
		value=$((value))
		for ((i = 0; i < size; i++)); do
			printf %02x $((value >> 8 * i & 255))
		done
	done
}

zero()
{
	printf '%0*d' $(($1 * 2)) 0
}

# be32 NUMBER...: cells of a device tree, as hexadecimal digits
be32()
{
	printf %08x "$@"
}

# unhex DIGITS...: bytes
unhex()
{
	# shellcheck disable=SC2059,SC2001 # it is all escapes; no shell can capture
	printf "$(sed 's/../\\x&/g' <<<"${*// /}")"
}

# table SIGNATURE HEADER BODY: an ACPI table of both, in hexadecimal digits
table()
{
	local all sum=0 i

	all=$(printf %s "$1" | od -An -tx1 | tr -d ' \n')
	all+=$(le 4 $((36 + (${#2} + ${#3}) / 2)); le 1 1 0)
	all+=$(printf 'TREE  FAKETREE' | od -An -tx1 | tr -d ' \n')$(le 4 1 0 1)$2$3
	for ((i = 0; i < ${#all}; i += 2)); do
		sum=$((sum + 16#${all:i:2}))
	done
	unhex "${all:0:18}$(le 1 $((-sum & 255)))${all:20}"
}

# Nodes of a VIOT; the list begins at 48.
viot_pci()	{ le 1 3 0; le 2 16 "${2:-0}" "$1"; zero 8; }
viot_mmio()	{ le 1 4 0; le 2 16; zero 4; le 8 "$1"; }
# FIRST LAST ENDPOINT OUTPUT [SEGMENT]
viot_range()	{ le 1 1 0; le 2 24; le 4 "$3"; le 2 "${5:-0}" "${5:-0}" "$1" "$2" "$4"; zero 6; }
# BASE ENDPOINT OUTPUT
viot_endpoint()	{ le 1 2 0; le 2 24; le 4 "$2"; le 8 "$1"; le 2 "$3"; zero 6; }
# NODE...: the whole table
viot()		{ table VIOT "$(le 2 $# 48; zero 8)" "$(printf %s "$@")"; }

# Nodes of an IORT; the list begins at 48.
iort_pci()	{ le 1 128; le 2 56; le 1 0; le 4 0 0 56 "$1"; zero 12; le 4 1 1; zero 16; }
iort_mmio()	{ le 1 128; le 2 56; le 1 0; le 4 0 0 56; le 8 "$1" 0x200; le 4 0 1; zero 16; }
# FIRST LAST ENDPOINT OUTPUT [FLAGS]
iort_mapping()	{ le 4 "$1" $(($2 - $1)) "$3" "$4" "${5:-0}"; }
# SEGMENT MAPPING...
iort_root()	{ le 1 2; le 2 $((36 + 20 * ($# - 1))); le 1 1; le 4 0 $(($# - 1)) 36; zero 8; le 4 0 "$1"; zero 4; printf %s "${@:2}"; }
# NODE...: the whole table
iort()		{ table IORT "$(le 4 $# 48 0)" "$(printf %s "$@")"; }

# acpi NAME: a table from stdin
acpi()
{
	mkdir -p "$tree/sys/firmware/acpi/tables"
	cat >"$tree/sys/firmware/acpi/tables/$1"
}

# cells NODE PROPERTY NUMBER...: a property of the device tree
cells()
{
	mkdir -p "$tree/sys/firmware/devicetree/base$1"
	unhex "$(be32 "${@:3}")" >"$tree/sys/firmware/devicetree/base$1/$2"
}

# strings NODE PROPERTY STRING...
strings()
{
	mkdir -p "$tree/sys/firmware/devicetree/base$1"
	printf '%s\0' "${@:3}" >"$tree/sys/firmware/devicetree/base$1/$2"
}

pci_devices=/sys/devices/pci0000:00

# A virtio-iommu at 00:01.0 and a NIC of each kind, with a VIOT that has them all
small_tree()
{
	new_tree
	pci 0000:00:00.0 8086:29c0
	pci 0000:00:01.0 1af4:1057 virtio-pci
	pci 0000:00:02.0 1af4:1041 virtio-pci
	pci 0000:00:03.0 8086:10d3 e1000e
	virtio virtio0 $pci_devices/0000:00:01.0 23 "${1:-}" 6 32 33
	virtio virtio1 $pci_devices/0000:00:02.0 1 virtio_net 32 33
	viot "$(viot_range 0 0xffff 0 72)" "$(viot_pci 8)" | acpi VIOT
}

# small_groups [IOMMU]
small_groups()
{
	group 0 DMA "${1:-virtio0}" $pci_devices/0000:00:00.0
	group 1 DMA "${1:-virtio0}" $pci_devices/0000:00:02.0
	group 2 DMA-FQ "${1:-virtio0}" $pci_devices/0000:00:03.0
}
