#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The driver's suites under KUnit. For its pure files the same tests as those of
# tools/testing/viommu-user, with the kernel's own byte order, lists, trees and memory
# below them; for the queue and for domains some with its virtqueue, locks and threads.
# KASAN and lockdep watch.

set -euo pipefail
KERNELS=${KERNELS:-6.12-debug}
. "$(dirname "$0")/lib.sh"

# results DIR: "SUITE RESULT DESCRIPTION" of each test
results()
{
	sed -nE -e 's/^kunit     # Subtest: viommu_(.*)/\1/; T result; h; b' \
		-e ':result; s/^kunit {9}(ok|not ok) [0-9]+ (.*)/\1 \2/; T; G; s/(.*)\n(.*)/\2 \1/p' \
		"$1/report"
}

# ran LOG FAILED: of run-guest
ran()
{
	cat "$1"
	[ -z "$2" ]
}

# What KUnit planned, and what it came to.
all_suites()
{
	local planned ended

	planned=$(sed -n 's/^kunit 1\.\.//p' "$1/report")
	ended=$(count "$1/report" '^kunit (not )?ok [0-9]+ viommu_')
	if [ -z "$planned" ] || [ "$ended" -ne "$planned" ]; then
		echo "$ended suites of ${planned:-none} planned"
		return 1
	fi
}

succeeded()
{
	[ "$2" = ok ] || { grep -A 4 '^kunit  *# ' "$1/report" | head -n 40; return 1; }
}

declare -A failed
n=0
mkdir -p "$RUNS"
for kernel in $KERNELS; do
	guest "$RUNS/$kernel" -k "$kernel" -i none -t 300 kunit 2>"$RUNS/log-$kernel" || failed[$kernel]=yes
	n=$((n + 2 + $(results "$RUNS/$kernel" | wc -l)))
done
ktap_begin $n
for kernel in $KERNELS; do
	dir=$RUNS/$kernel
	check "$kernel: guest" ran "$RUNS/log-$kernel" "${failed[$kernel]:-}"
	check "$kernel: every suite came to its end" all_suites "$dir"
	while read -r suite result text; do
		if [ "$result" = not ]; then
			result="not ok" text=${text#ok }
		fi
		check "$kernel: $suite: $text" succeeded "$dir" "$result"
	done < <(results "$dir")
done
ktap_end
