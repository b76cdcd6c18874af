#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A device that refuses, lies, falls silent or breaks, and hosts' quirks: what can succeed
# does, what cannot fails with an errno, in bounded time, and neither the kernel nor the
# driver has more to say of it than a line in the log.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Every device went, and had no domain, endpoint or device left.
all_went()
{
	! grep '^finish ' "$1/report" | grep -Ev '^finish [^ ]+ ok( 0/0/0)?$' || return 1
	[ "$(grep -c '^finish ' "$1/report")" -eq 33 ] || {
		echo "devices: $(grep -c '^finish ' "$1/report")"
		return 1
	}
}

# A wait for a device that is silent is as long as timeout_ms says, 0.4 s.
bounded()
{
	! grep -E '^dead [^ ]+ seconds' "$1/report" | grep -Ev ' [0-3]$' || return 1
	grep -q '^dead [^ ]* seconds' "$1/report"
}

# shellcheck disable=SC2016 # a word for the kernel
words='memmap=64K$0x10000000'
io=Input/output-error
no=Cannot-allocate-memory

# is NAME LINE...: the guest reported this
is()
{
	check "$kernel: $1" said "$dir" "${@:2}"
}

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 35))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" -i none -a "$words" hostile
	check "$kernel: each device goes, and leaves nothing" all_went "$dir"
	check "$kernel: waits are bounded" bounded "$dir"

	is "MAP: each status is an errno, and the next one works" "map status-1 $io ok ok" \
		"map status-2 Operation-not-supported ok ok" "map status-3 $io ok ok" \
		"map status-4 Invalid-argument ok ok" \
		"map status-5 Numerical-result-out-of-range ok ok" \
		"map status-6 No-such-file-or-directory ok ok" "map status-7 Bad-address ok ok" \
		"map status-8 $no ok ok" "map status-9 $io ok ok" "map status-255 $io ok ok"
	is "UNMAP refused: tried again before its addresses are used again" \
		"unmap status ok 0x1000" "unmap again ok ok"
	is "MAP done, with a used length of 0: undone" "map used-0 $io ok ok" "map used-4 ok ok ok"
	is "used length above what is writable" "map used-5 $io ok ok" "map used-all $io ok ok"
	is "late answer" "map late ok ok ok"
	is "answered twice" "map twice ok ok ok"
	is "PROBE without a proper answer: outside" "probe used-0 -" "probe used-all -"
	is "ATTACH refused: no DMA" "attach refused [0-9]+ $no"

	is "no answer" "dead silent Connection-timed-out $io" \
		"dead silent log the device does not answer" "dead silent unmap ok"
	is "answer after the bound" "dead too-late Connection-timed-out $io" \
		"dead too-late unmap ok"
	is "answer for no descriptor" "dead bogus $io $io" \
		"dead bogus log the device broke the request queue"
	is "answer for another descriptor" "dead other $io $io" \
		"dead other log the device broke the request queue"
	is "DEVICE_NEEDS_RESET" "dead reset Connection-timed-out $io" "dead reset unmap ok"
	is "spurious interrupts, random events, changes of the config space" "events ok ok"
	is "random replies to PROBE" "probes 60 taken [0-9]+"

	is "page size mask empty" "config mask-0 - - config space refused: page size mask is empty"
	is "page sizes of any kind" "config mask-1 virtio_iommu ok " \
		"config mask-top virtio_iommu ok " "config mask-2m virtio_iommu ok "
	is "input range empty" "config input-empty - - config space refused: input range is empty" \
		"config input-none - - config space refused: input range holds no whole page"
	is "input range of one page, or small" "config input-top virtio_iommu .*" \
		"config input-small virtio_iommu ok "
	is "domain range empty" "config domain-empty - - config space refused: domain range is empty"
	is "domain range of the last ID" "config domain-top virtio_iommu ok "
	is "probe size 0 and 8" "config probe-0 virtio_iommu ok " "config probe-8 virtio_iommu ok "
	is "probe size 4 GiB" \
		"config probe-4g - - config space refused: probe size is above the bound of 64 KiB"
	is "queue of 1" "config queue-1 - - request queue of 1 descriptors is too small"
	is "queues of 2 and 1024" "config queue-2 virtio_iommu ok " \
		"config queue-1024 virtio_iommu ok "
	is "requests carried out after the kick" "config async virtio_iommu ok "
	is "not version 1" "config legacy - - legacy device: version 1 is needed"
	is "no memory for mappings" "config few virtio_iommu $no "

	is "like QEMU" "profile qemu dma ok" "profile qemu move ok" "profile qemu map ok ok" \
		"profile qemu back ok ok" "profile qemu two ok" "profile qemu unknown -"
	is "like Cloud Hypervisor" "profile cloud-hypervisor dma ok" \
		"profile cloud-hypervisor move ok" "profile cloud-hypervisor map ok ok" \
		"profile cloud-hypervisor back ok ok" "profile cloud-hypervisor two ok" \
		"profile cloud-hypervisor unknown [0-9]+"
	is "like crosvm" "profile crosvm dma ok" "profile crosvm move Device-or-resource-busy" \
		"profile crosvm back ok ok" "profile crosvm two ok" "profile crosvm unknown -"
	is "nobody may move, and nothing says so" "profile spec dma ok" \
		"profile spec move No-such-device" "profile spec back ok $no" "profile spec two ok"
done
ktap_end
