/* SPDX-License-Identifier: GPL-2.0 */
/* What two decoders of one table are compared by. */
#ifndef _VIOMMU_TESTS_DECODERS_H
#define _VIOMMU_TESTS_DECODERS_H

#include <stddef.h>

#define RANGES_MAX	256

/* All that a range says, the rest zero; it has no gaps on machines of 64 bits. */
struct plain_range {
	unsigned int pci, segment_first, segment_last, bdf_first, bdf_last, endpoint;
	unsigned int iommu_pci, iommu_bdf;
	unsigned long long base, iommu_base;
};

/* By the driver's reader. Return: how many, at most RANGES_MAX. */
int driver_ranges(const void *table, size_t size, int iort, struct plain_range *ranges);

#endif /* _VIOMMU_TESTS_DECODERS_H */
