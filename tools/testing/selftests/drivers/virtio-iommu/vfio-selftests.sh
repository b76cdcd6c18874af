#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own tests of VFIO (tools/testing/selftests/vfio) pass on devices behind
# the IOMMU. What a test skips for want of hardware is counted, not failed.

KERNELS=${KERNELS:-7.3}

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# results DIR PROGRAM DEVICE PATTERN: how many lines of its TAP match
results()
{
	count "$1/report" "^kselftest $2 $3 $4"
}

# Some passed, none failed, and it ended as it should.
passed()
{
	! grep "^kselftest $2 $3 not ok" "$1/report" || return 1
	grep -qx "kselftest $2 $3 exit 0" "$1/report" ||
		{ grep "^kselftest $2 $3 exit" "$1/report" || echo "it was not run"; return 1; }
	[ "$(results "$1" "$2" "$3" 'ok [0-9]+ [^#]')" -gt 0 ] || { echo "nothing passed"; return 1; }
}

# Two of the tests have igb, at 03:00.0, copy from and to what is not mapped.
igb_faults()
{
	[ "$(count "$1/trace" '^virtio_iommu_report_fault .* endpoint=768 ')" -gt 0 ] ||
		{ echo "none"; return 1; }
	! grep '^virtio_iommu_report_fault ' "$1/trace" | grep -m 3 -v ' endpoint=768 '
}

# The host heard of what edu's tests unmapped, which they themselves ask no device about. edu
# is at 00:10.0.
unmaps_sent()
{
	local wanted sent

	wanted=$(results "$1" vfio_dma_mapping_test edu 'ok [0-9]+ .*\.dma_map_unmap$')
	sent=$(sed 's/=/ /g' "$1/trace" | awk '
		$1 == "virtio_iommu_attach" && $5 == 128 { domain = $3 }
		$1 == "virtio_iommu_unmap" && $3 == domain { n++ }
		END { print n + 0 }')
	if [ "$wanted" -eq 0 ] || [ "$sent" -lt "$wanted" ]; then
		echo "$sent UNMAPs for $wanted tests"
		return 1
	fi
}

one()
{
	local kernel=$1 program device pass fail skip

	dir=$RUNS/$kernel
	# nvme2 has a virtual function to give, and the guest pages of 1 GiB. QEMU 10 has igb.
	# One thread for all processors: with one each, a processor's end of interrupt was
	# seen to get lost while a reset moved another device's registers.
	check "$kernel: guest" guest "$dir" -k "$kernel" -Q 10 -i boot-bypass=off -T counts -t 300 \
		-a "viommu.disks=4 hugepagesz=1G hugepages=1" -e nvme2 vfio-selftests -- \
		-accel tcg,thread=single -m 4G -cpu qemu64,+pdpe1gb -device edu,addr=0x10 \
		-device pcie-root-port,id=port2,chassis=2,addr=0x11 -device nvme-subsys,id=subsys0 \
		-device nvme,bus=port2,subsys=subsys0,serial=nvme2,max_ioqpairs=8,msix_qsize=16,sriov_max_vfs=1,sriov_vq_flexible=2,sriov_vi_flexible=1 \
		-device nvme-ns,drive=nvme2 -device pcie-root-port,id=port3,chassis=3,addr=0x12 \
		-netdev user,id=net1,restrict=on -device igb,bus=port3,netdev=net1,romfile=
	while read -r program device; do
		pass=$(results "$dir" "$program" "$device" 'ok [0-9]+ [^#]')
		fail=$(results "$dir" "$program" "$device" 'not ok')
		skip=$(results "$dir" "$program" "$device" 'ok .*# SKIP')
		check "$kernel: $program, $device: pass:$((pass - skip)) fail:$fail skip:$skip" \
			passed "$dir" "$program" "$device"
	done <<-END
		vfio_dma_mapping_test edu
		vfio_dma_mapping_mmio_test edu
		vfio_iommufd_setup_test edu
		vfio_pci_device_test edu
		vfio_pci_device_test nvme
		vfio_pci_sriov_uapi_test nvme
		vfio_pci_device_test igb
		vfio_pci_driver_test igb
		vfio_pci_device_init_perf_test all
	END
	check "$kernel: the host was told of unmaps" unmaps_sent "$dir"
	check "$kernel: nothing is left" users_left_nothing "$dir"
	check "$kernel: no faults but those that igb was to cause" igb_faults "$dir"
	check "$kernel: groups" have_groups "$dir"
	check "$kernel: TCP" net_intact "$dir"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 15))
for kernel in $KERNELS; do
	one "$kernel"
done
ktap_end
