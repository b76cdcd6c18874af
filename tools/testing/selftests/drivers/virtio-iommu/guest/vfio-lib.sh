# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash source=lib.sh disable=SC3043
#
# What the guests' scripts share that hand devices to user space. To be sourced.

. /guest/lib.sh

pci=/sys/bus/pci/devices

# To vfio-pci, whoever has them now.
give()
{
	local bdf

	for bdf; do
		echo vfio-pci >"$pci/$bdf/driver_override"
		[ ! -e "$pci/$bdf/driver" ] || echo "$bdf" >"$pci/$bdf/driver/unbind"
		echo "$bdf" >/sys/bus/pci/drivers_probe
		[ "$(link "$pci/$bdf/driver")" = vfio-pci ] || fail "vfio-pci does not bind $bdf"
	done
}

take_back()
{
	local bdf

	for bdf; do
		echo >"$pci/$bdf/driver_override"
		echo "$bdf" >/sys/bus/pci/drivers/vfio-pci/unbind
	done
}

# pinned WHEN PAGES: of all processes' memory
report_pinned()
{
	# counters of all CPUs
	echo 1 >/proc/sys/vm/stat_refresh
	report "pinned $1" "$(awk '/^nr_foll_pin_acquired/ { n += $2 }
		/^nr_foll_pin_released/ { n -= $2 } END { print n }' /proc/vmstat)"
}
