# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash source=lib.sh disable=SC2013,SC2012,SC2034
#
# The mock device by hand: see Documentation/mock.rst. To be sourced after lib.sh.

mocks=/sys/kernel/debug/virtio-iommu-mock

# The kernel's IOMMU core must be there, and the driver under test.
load_mock()
{
	modprobe virtio_pci
	mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	insmod /guest/virtio-iommu-mock.ko
	insmod /guest/iommu-domain.ko
	load_iommu
}

# mock_new NAME [KEY=VALUE...]: a device, which becomes the one at hand
mock_new()
{
	echo "new $*" >$mocks/control
	mock=$1
}

mock_delete()
{
	echo "delete $mock" >$mocks/control
}

# try COMMAND...: what came of it, in a word
try()
{
	local said

	if said=$( (eval "$*") 2>&1); then
		echo ok
	else
		echo "$said" | sed -n '$ { s/.*: //; s/ /-/g; p }'
	fi
}

# plug ID[,ID...]: a device behind the IOMMU; $device is its name
plug()
{
	echo "plug $1" >$mocks/"$mock"/endpoints
	device=$(tail -n 1 $mocks/"$mock"/endpoints | cut -d' ' -f1)
}

unplug()
{
	echo "unplug $1" >$mocks/"$mock"/endpoints
}

# tell FILE WORD...: one line to a file of the device at hand
tell()
{
	local file=$1

	shift
	echo "$*" >$mocks/"$mock"/"$file"
}

# dma DEVICE [SIZE [ROUNDS]]: both ways, with the data compared; prints what came of it
dma()
{
	try "tell test $1 ${2:-6000} ${3:-4}"
}

# domain COMMAND...: the IOMMU API by hand; prints what came of it
domain()
{
	try "echo '$*' >/sys/kernel/debug/iommu-domain"
}

found()
{
	cat /sys/kernel/debug/iommu-domain
}

# access ID read|write IOVA SIZE [BYTE]: prints "ok", or "fault"
access()
{
	tell access "$@" 2>/dev/null || :
	cut -d' ' -f1 $mocks/"$mock"/access
}

# le VALUE BYTES: hexadecimal digits, little-endian
le()
{
	local value=$1 n=$2

	while [ "$n" -gt 0 ]; do
		printf %02x $((value & 255))
		value=$((value >> 8)) n=$((n - 1))
	done
}

# property TYPE SUBTYPE START LAST [RESERVED]: in hexadecimal digits; type 1 is RESV_MEM
property()
{
	le "$1" 2
	le 20 2
	le "$2" 1
	le "${5:-0}" 3
	le "$3" 8
	le "$4" 8
}

# The device's own view: what the driver broke, and what it asked for.
# broken NAME Dn=COUNT... ; counts NAME KIND=COUNT...
report_mock()
{
	report "broken $1 $(sed -n 's/^\(D[0-9]*\) /\1=/p' $mocks/"$mock"/broken | xargs)"
	report "complaint $1 $(sed -n '/^D[0-9]* /!p' $mocks/"$mock"/broken)"
	report "counts $1 $(sed 's/ refused .*//; s/ /=/' $mocks/"$mock"/counts | xargs)"
}

# The reserved regions of a device, as the core has them.
report_regions()
{
	while read -r start last kind; do
		report "region $1 $start $last $kind"
	done <"/sys/bus/platform/devices/$2/iommu_group/reserved_regions"
}

# The virtio device of the one at hand, the driver that it has, and a number of that.
mock_virtio()
{
	sed -n "s/^$mock \([^ ]*\) .*/\1/p" $mocks/control
}

mock_driver()
{
	sed -n "s/^$mock .*driver=//p" $mocks/control
}

mock_stat()
{
	cat "/sys/class/iommu/$(mock_virtio)/virtio-iommu/$1"
}

# config_of KEY: what the device has, or was told
config_of()
{
	sed -n "s/^$1=//p" $mocks/"$mock"/config
}

# domains_of ID: the domains that endpoints are in; a pattern for several
domains_of()
{
	sed -n "s/^$1 .*domain=//p" $mocks/"$mock"/ids | grep -v - | sort -u | xargs
}

group_of()
{
	link "/sys/bus/platform/devices/$1/iommu_group"
}
