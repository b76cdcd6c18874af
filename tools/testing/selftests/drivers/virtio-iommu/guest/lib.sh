# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2013,SC2012,SC3043
#
# What the guests' scripts share. To be sourced.

# One line of results for the host.
report()
{
	echo "$*" >&3
}

fail()
{
	report "fail $*"
	echo "FAIL: $*"
	exit 1
}

# The value of an option that the host gave, the last one: arg NAME [DEFAULT]
arg()
{
	local word value=${2-}

	for word in $(cat /proc/cmdline); do
		case $word in
		viommu."$1"=*) value=${word#*=} ;;
		esac
	done
	echo "$value"
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for()
{
	local tries=$(($1 * 10))

	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# The IOMMU's driver, which the host chose: this tree's, as a module or
# built in, the kernel's or none.
load_iommu()
{
	local ko

	ko=/lib/modules/$(uname -r)
	case $(arg driver ours) in
	ours)
		# by name: this shows that it takes the stock driver's place
		modprobe virtio_iommu || fail "cannot load virtio-iommu.ko"
		report "version $(cat /sys/module/virtio_iommu/version)"
		;;
	builtin)
		[ -e /sys/module/virtio_iommu/version ] || fail "the driver is not built in"
		report "version $(cat /sys/module/virtio_iommu/version)"
		;;
	stock)
		insmod "$ko/kernel/drivers/iommu/virtio-iommu.ko" || fail "cannot load the stock driver"
		report "version stock"
		;;
	none)
		report "version none"
		;;
	esac
}

disks()
{
	ls -d /sys/block/vd? /sys/block/nvme?n1 2>/dev/null
}

enough_disks()
{
	[ "$(disks | wc -l)" -ge "$(arg disks 0)" ]
}

# Drivers of the disks and the NIC, and wait until the host's disks are there.
load_devices()
{
	modprobe virtio_blk || fail "cannot load virtio_blk"
	modprobe nvme || fail "cannot load nvme"
	modprobe virtio_net || fail "cannot load virtio_net"
	wait_for 40 enough_disks || fail "$(disks | wc -l) disks of $(arg disks) after 40 s"
}

# The name that the host gave a disk.
serial()
{
	cat "$1/serial" 2>/dev/null || tr -d ' ' <"$1/device/serial"
}

# disk SERIAL BDF
report_disks()
{
	local dev file

	for dev in /sys/bus/pci/devices/*; do
		for file in "$dev"/virtio*/block/*/serial "$dev"/nvme/*/serial; do
			[ ! -e "$file" ] || report "disk $(tr -d ' ' <"$file") ${dev##*/}"
		done
	done
}

# disk_of SERIAL
disk_of()
{
	local disk

	for disk in $(disks); do
		[ "$(serial "$disk")" != "$1" ] || echo "$disk"
	done
}

# counts WHEN NAME=NUMBER...: what the driver counts that is there, and groups
report_counts()
{
	local name file counts=

	for name in devices domains endpoints outside; do
		for file in /sys/class/iommu/virtio*/virtio-iommu/"$name"; do
			[ ! -e "$file" ] || counts="$counts $name=$(cat "$file")"
		done
	done
	report "counts $1$counts groups=$(ls /sys/kernel/iommu_groups | wc -l)"
}

# The modes of DMA of all that have a driver: report_modes WHEN
#   mode WHEN BDF WISHED IN-USE
report_modes()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		# bridges do no DMA
		[ "$(cut -c3-6 "$dev/class")" != 0604 ] || continue
		[ ! -e "$dev/viommu/dma_mode" ] || [ ! -e "$dev/driver" ] ||
			report "mode $1 ${dev##*/} $(cat "$dev/viommu/dma_mode")" \
				"$(cat "$dev/viommu/dma_mode_in_use")"
	done
}

# bind_again BDF: its driver
bind_again()
{
	local driver

	driver=$(readlink -f "/sys/bus/pci/devices/$1/driver")
	echo "$1" >"$driver/unbind"
	echo "$1" >"$driver/bind"
}

# What has its driver from before the IOMMU came, as virtio-pci has on 6.1.
bind_for_modes()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ "$(cut -c3-6 "$dev/class")" != 0604 ] || continue
		[ -e "$dev/viommu/dma_mode" ] || continue
		[ -e "$dev/driver" ] || continue
		[ "$(cat "$dev/viommu/dma_mode")" = "$(cat "$dev/viommu/dma_mode_in_use")" ] ||
			bind_again "${dev##*/}"
	done
}

link()
{
	if [ -e "$1" ]; then
		basename "$(readlink "$1")"
	else
		echo -
	fi
}

# pci BDF CLASS VENDOR:DEVICE DRIVER VIRTIO-DRIVER GROUP TYPE
# region BDF START END KIND
report_devices()
{
	local dev group type virtio name

	for dev in /sys/bus/pci/devices/*; do
		name=${dev##*/}
		group=$(link "$dev/iommu_group")
		type=-
		[ ! -e "$dev/iommu_group/type" ] || type=$(cat "$dev/iommu_group/type")
		# a virtio function has one child
		virtio=$(link "$(echo "$dev"/virtio?*)/driver")
		report "pci $name $(cut -c3-6 "$dev/class")" \
			"$(cut -c3- "$dev/vendor"):$(cut -c3- "$dev/device")" \
			"$(link "$dev/driver") $virtio $group $type"
		[ -e "$dev/iommu_group/reserved_regions" ] || continue
		while read -r start end kind; do
			report "region $name $start $end $kind"
		done <"$dev/iommu_group/reserved_regions"
	done
}

sum()
{
	sha256sum | cut -d' ' -f1
}

# Write random data to a disk and read it back, past the page cache and through
# it, at different places. test_disk DISK [MIB [OFFSET]]
# data SERIAL MODE OFFSET BYTES WRITTEN READ (offset and bytes in MiB)
test_disk()
{
	local disk=$1 dev=/dev/${1##*/} mib=${2:-4} at=${3:-0} mode w r written got

	for mode in direct buffered; do
		dd if=/dev/urandom of="/tmp/${1##*/}" bs=1M count="$mib" status=none
		written=$(sum <"/tmp/${1##*/}")
		w='' r=''
		if [ $mode = direct ]; then
			w=oflag=direct r=iflag=direct
		fi
		# shellcheck disable=SC2086 # no word where there is no flag
		dd if="/tmp/${1##*/}" of="$dev" bs=256k seek=$((at * 4)) conv=fsync status=none $w ||
			fail "cannot write $dev ($mode)"
		echo 3 >/proc/sys/vm/drop_caches
		# shellcheck disable=SC2086
		got=$(dd if="$dev" bs=256k skip=$((at * 4)) count=$((mib * 4)) status=none $r | sum)
		report "data $(serial "$disk") $mode $at $mib $written $got"
		rm "/tmp/${1##*/}"
		at=$((at + mib))
	done
}

test_disks()
{
	local disk

	for disk in $(disks); do
		test_disk "$disk" "$@"
	done
}

# Write to a disk and read back until stop_churn, at an offset of 32 MiB.
# churned SERIAL ROUNDS
churn()
{
	local dev=/dev/${1##*/} file=/tmp/churn.${1##*/} n=0

	until [ -e /tmp/enough ]; do
		# a freeze interrupts a read
		dd if=/dev/urandom of="$file" bs=256k count=1 iflag=fullblock status=none
		dd if="$file" of="$dev" bs=64k seek=512 oflag=direct status=none ||
			fail "cannot write $dev after $n rounds"
		dd if="$dev" bs=64k skip=512 count=4 iflag=direct status=none | cmp -s - "$file" ||
			fail "$dev returned other data after $n rounds"
		n=$((n + 1))
		sleep 0.1
	done
	report "churned $(serial "$1") $n"
}

# Read a disk, again and again, until the end.
read_on()
{
	while dd if="/dev/${1##*/}" of=/dev/null bs=64k iflag=direct status=none; do
		:
	done
}

# start_churn DISK...: on each of them, in the background
start_churn()
{
	local disk

	churners=
	for disk; do
		churn "$disk" &
		churners="$churners $!"
	done
}

stop_churn()
{
	local job

	touch /tmp/enough
	for job in $churners; do
		wait "$job" || exit 1
	done
	rm /tmp/enough
}

has_address()
{
	ip -4 addr show dev "$1" | grep -q inet
}

# Send random data to the host's echo server and get it back.
# net NAME MIB SENT RECEIVED
test_net()
{
	local nic=eth0 mib=${1:-4} sent got

	[ -e /sys/class/net/$nic ] || fail "no NIC"
	if ! has_address $nic; then
		ip addr add 10.0.2.15/24 dev $nic
		ip link set $nic up
	fi
	dd if=/dev/urandom of=/tmp/net bs=1M count="$mib" status=none
	sent=$(sum </tmp/net)
	got=$(timeout 100 nc 10.0.2.100 7 </tmp/net | sum)
	report "net $nic $mib $sent $got"
	rm /tmp/net
}

# The edu devices' addresses.
edus()
{
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ "$(cat "$dev/vendor")$(cat "$dev/device")" != 0x12340x11e8 ] || echo "${dev##*/}"
	done
}

# Have edu answer, and do DMA, whatever driver it has or has not: memory and bus mastering.
edu_enable()
{
	printf '\006\000' | dd of="/sys/bus/pci/devices/$1/config" bs=1 seek=4 conv=notrunc 2>/dev/null
}

edu_bar()
{
	head -n 1 "/sys/bus/pci/devices/$1/resource" | cut -d' ' -f1
}

edu_idle()
{
	[ $(($(devmem $(($1 + 0x98)) 64) & 1)) -eq 0 ]
}

# edu_dma BAR read|write ADDRESS: four bytes from that address to its buffer, or back
edu_dma()
{
	local bar=$1 from=$3 to=0x40000 command=1

	if [ "$2" = write ]; then
		from=0x40000 to=$3 command=3
	fi
	devmem $((bar + 0x80)) 64 "$from"
	devmem $((bar + 0x88)) 64 "$to"
	devmem $((bar + 0x90)) 64 4
	devmem $((bar + 0x98)) 64 $command
	wait_for 5 edu_idle "$bar" || fail "edu's DMA does not end"
}

# Whether edu writes to memory: reaches BAR WHEN
# The host's command line keeps the kernel's hands off the memory there.
#   reaches WHEN nothing|memory
reaches()
{
	local what=nothing target=0xc000000

	[ "$(devmem "$1" 32)" = 0x010000ED ] || fail "edu does not answer, $2"
	devmem $target 32 0x55aa55aa
	edu_dma "$1" write $target
	[ "$(devmem $target 32)" = 0x55AA55AA ] || what=memory
	report "reaches $2 $what"
}

# A number of the driver's: stat NAME
stat_of()
{
	cat /sys/class/iommu/virtio*/virtio-iommu/"$1"
}
