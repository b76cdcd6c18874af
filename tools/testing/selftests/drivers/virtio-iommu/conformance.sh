#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each clause of the specification for the driver, D1 to D41, before the mock device, which
# counts what breaks one. Documentation/conformance.rst has the clauses, and what a driver
# that breaks one on purpose is caught by.
#
# Environment: MODULE=FILE is the driver to test, in the place of the one in build/.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# kept DIR CLAUSE KIND: no device saw it broken, and requests of that kind were seen. After a
# refused ATTACH the driver empties the domain, of which it cannot know what is in it: D25 is
# a SHOULD.
kept()
{
	local except=no

	[ "$2" != D25 ] || except=recover
	grep -Eq "^counts .* $3=[1-9]" "$1/report" || { echo "no device saw a request: $3"; return 1; }
	! grep -v "^broken $except " "$1/report" | grep -E "^broken [^ ]+.* $2=" || {
		grep "^complaint " "$1/report"
		return 1
	}
	[ "$(grep -c '^broken ' "$1/report")" -eq 8 ] || { echo "not all devices were seen"; return 1; }
}

# accepted DIR NAME BIT...: of the features
accepted()
{
	local bits bit

	bits=$(sed -n "s/^$2 //p" "$1/report")
	for bit in "${@:3}"; do
		((bits >> bit & 1)) || { echo "$2: feature $bit was not accepted: $bits"; return 1; }
	done
}

not_accepted()
{
	! accepted "$@" >/dev/null || { echo "$2: $(sed -n "s/^$2 //p" "$1/report")"; return 1; }
}

# Registers have their flag in a request of their own, and only where there is one.
registers_mapped()
{
	kept "$1" "$2" map && said "$1" "api ranges registers ok" "api ranges both ok ok" \
		"api plain registers ok"
}

# region DIR START LAST KIND
reserved()
{
	said "$1" "region properties 0x0*$2 0x0*$3 $4"
}

not_reserved()
{
	! grep "^region properties 0x0*$2 " "$1/report" || return 1
	grep -q "^region properties " "$1/report"
}

# clause N NAME FUNCTION ARGUMENT...
clause()
{
	local what="$kernel: D$1 $2" function=$3

	shift 3
	check "$what" "$function" "$dir" "$@"
}

# shellcheck disable=SC2016 # a word for the kernel
words='memmap=64K$0x10000000'
refused=Cannot-assign-requested-address
cut="endpoint 0x1, address 0x1234, write:"

# shellcheck disable=SC2086 # a list
ktap_begin $(($(wc -w <<<$KERNELS) * 50))
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" guest "$dir" -k "$kernel" ${MODULE:+-m "$MODULE"} -i none \
		-a "$words panic_on_warn=0" conformance
	clause 1 feat-accept accepted features 0 1 4
	clause 2 cfg-bypass-writable kept D2 probe
	clause 2 "cfg-bypass-writable: no switch" said "bypass plain none"
	clause 3 cfg-rest-readonly kept D3 probe
	clause 4 cfg-bypass-0-1 kept D4 probe
	clause 4 "cfg-bypass-0-1: it was written" said "bypass ranges closed 0"
	clause 5 cfg-bypass-mask said "bypass dirty closed 0"
	clause 6 init-mapunmap-honest kept D6 unmap
	clause 6 "init-mapunmap-honest: not without" said "attach-table -"
	clause 7 init-probe-before-attach kept D7 probe
	clause 8 head-reserved-zero kept D8 map
	clause 9 tail-reserved-ignored said "dma dirty ok"
	clause 10 used-len-zero-is-failure said "used Input/output-error" "used again ok"
	clause 11 input-range-respected kept D11 unmap
	clause 11 "input-range-respected: IOMMU API" said \
		"api ranges outside Numerical-result-out-of-range Numerical-result-out-of-range"
	check "$kernel: a refused ATTACH: back, or cut off" said "$dir" "recover attach No-such-device" \
		"recover dma ok" "recover again ok ok" "recover detach ok fault ok"
	clause 12 domain-range-respected kept D12 map
	clause 12 "domain-range-respected: one ID" said "dma single ok"
	clause 13 attach-reserved-zero kept D13 attach
	clause 14 attach-nonisolated-together said "together ([0-9]+) \\1" "dma last-alias ok"
	clause 15 attach-bypass-flag-consistent kept D15 attach
	clause 15 "attach-bypass-flag-consistent: identity" said "identity domain [0-9]+ bypass" \
		"dma identity ok"
	clause 16 detach-reserved-zero kept D16 detach
	clause 17 map-undefined-flags-zero kept D17 map
	clause 18 map-not-on-bypass kept D18 map
	clause 19 map-end-gt-start kept D19 map
	clause 20 map-mmio-flag registers_mapped D20
	clause 21 map-one-memory-type registers_mapped D21
	clause 22 map-read-explicit said "api ranges read-only ok fault" \
		"api ranges both-ways ok ok" "api ranges write-only ok"
	clause 23 map-no-mmio-unless-negotiated registers_mapped D23
	clause 24 unmap-reserved-zero kept D24 unmap
	clause 25 unmap-covers-mappings kept D25 unmap
	clause 26 unmap-first-boundary kept D26 unmap
	clause 27 unmap-last-boundary kept D27 unmap
	clause 26 "unmap-first-boundary: IOMMU API" said "api ranges head ok 0x0" \
		"api ranges tail ok 0x4000" "api ranges gone fault"
	clause 28 unmap-not-on-bypass kept D28 unmap
	clause 29 probe-buffer-size kept D29 probe
	clause 30 probe-reserved-zero kept D30 probe
	clause 31 probe-unknown-type-ignored not_reserved 20070000
	clause 32 probe-length-from-field reserved 20060000 20060fff reserved
	clause 33 probe-prop-reserved-skip not_reserved 20020000
	clause 34 probe-continue-after-skip reserved 20050000 20050fff reserved
	clause 35 resvmem-no-map said "reserved ok ok $refused $refused $refused ok"
	clause 36 resvmem-reserved-ignored reserved 20040000 20040fff reserved
	clause 37 resvmem-unknown-subtype reserved 20010000 20010fff reserved
	clause 38 fault-reserved-nonzero-drop said "event reserved 0 "
	clause 39 fault-reserved1-ignored said "event reserved1 1 $cut no mapping allows the access"
	clause 40 fault-undefined-flags-ignored said "event flags 1 $cut no mapping allows the access"
	clause 41 fault-unknown-reason said "event reason 1 $cut unknown reason"
done
ktap_end
