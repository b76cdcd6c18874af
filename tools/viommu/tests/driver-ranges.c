// SPDX-License-Identifier: GPL-2.0
/*
 * A table as the driver reads it. Built with the driver's headers, and those that stand for
 * the kernel's in tools/testing/viommu-user/include.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "pure.h"

#include "decoders.h"

static void make_plain(const struct viommu_range *range, struct plain_range *plain)
{
	memset(plain, 0, sizeof(*plain));
	plain->endpoint = range->endpoint_start;
	plain->pci = range->transport == VIOMMU_TRANSPORT_PCI;
	if (plain->pci) {
		plain->segment_first = range->segment_start;
		plain->segment_last = range->segment_last;
		plain->bdf_first = range->bdf_start;
		plain->bdf_last = range->bdf_last;
	} else {
		plain->base = range->base;
	}
	plain->iommu_pci = range->iommu.transport == VIOMMU_TRANSPORT_PCI;
	if (plain->iommu_pci)
		plain->iommu_bdf = (u32)range->iommu.segment << 16 | range->iommu.bdf;
	else
		plain->iommu_base = range->iommu.base;
}

int driver_ranges(const void *table, size_t size, int iort, struct plain_range *ranges)
{
	struct viommu_table_cursor cursor;
	struct viommu_range range;
	int ret, nr = 0;

	ret = iort ? viommu_iort_begin(&cursor, table, size) :
		     viommu_viot_begin(&cursor, table, size);
	if (ret)
		return 0;
	while (nr < RANGES_MAX) {
		ret = iort ? viommu_iort_next(&cursor, &range) : viommu_viot_next(&cursor, &range);
		if (!ret || ret == -EINVAL)
			break;
		if (ret > 0)
			make_plain(&range, &ranges[nr++]);
	}
	return nr;
}
