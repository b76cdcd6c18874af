// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of fault.c: the input is an event.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct viommu_fault fault;
	int ret = viommu_fault_decode(&fault, data, size);

	if (ret) {
		MUST(ret == -EINVAL);
		return 0;
	}
	MUST(size >= sizeof(struct virtio_iommu_fault));
	MUST(fault.reason <= VIRTIO_IOMMU_FAULT_R_MAPPING);
	MUST(fault.has_address || !fault.address);
	MUST(strlen(viommu_fault_reason(&fault)));
	return 0;
}
