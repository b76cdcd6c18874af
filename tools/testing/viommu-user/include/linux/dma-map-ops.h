/* SPDX-License-Identifier: GPL-2.0 */
/* What a device's driver has said of its DMA. */
#ifndef _VIOMMU_USER_DMA_MAP_OPS_H
#define _VIOMMU_USER_DMA_MAP_OPS_H

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/types.h>

#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)
#define DMA_BIT_MASK(bits)	((bits) == 64 ? ~0ULL : (1ULL << ((bits) & 63)) - 1)

#define DMA_ATTR_SKIP_CPU_SYNC	(1UL << 5)
#define DMA_ATTR_REQUIRE_COHERENT	(1ul << 12)
#define DMA_ATTR_FORCE_CONTIGUOUS	(1UL << 6)
#define DMA_ATTR_PRIVILEGED	(1UL << 9)

struct dma_map_ops;
struct sg_table;
struct vm_area_struct;

static inline u64 dma_get_mask(const struct device *dev)
{
	return dev->dma_mask;
}

static inline unsigned int dma_get_min_align_mask(const struct device *dev)
{
	return dev->min_align_mask;
}

static inline unsigned int dma_get_max_seg_size(const struct device *dev)
{
	return dev->max_seg_size;
}

static inline unsigned long dma_get_seg_boundary(const struct device *dev)
{
	return dev->seg_boundary;
}

#endif /* _VIOMMU_USER_DMA_MAP_OPS_H */
