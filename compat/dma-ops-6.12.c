// SPDX-License-Identifier: GPL-2.0
/*
 * DMA operations of 6.12, in the place of dma_ops.c.
 *
 * What differs from the newest ones: they map pages, and registers of devices apart.
 *
 * Can go with kernels before 6.19.
 */
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>

#include "dma.h"

static dma_addr_t viommu_dma_ops_map(struct device *dev, struct page *page, unsigned long offset,
				     size_t size, enum dma_data_direction dir,
				     unsigned long attrs)
{
	return viommu_dma_map(dev, page_to_phys(page) + offset, size, dir, attrs);
}

const struct dma_map_ops viommu_dma_ops = {
	.alloc			= viommu_dma_alloc,
	.free			= viommu_dma_free,
	.alloc_pages_op		= viommu_dma_alloc_pages,
	.free_pages		= viommu_dma_free_pages,
	.mmap			= viommu_dma_mmap,
	.get_sgtable		= viommu_dma_get_sgtable,
	.map_page		= viommu_dma_ops_map,
	.unmap_page		= viommu_dma_unmap,
	.map_sg			= viommu_dma_map_sg,
	.unmap_sg		= viommu_dma_unmap_sg,
	.map_resource		= viommu_dma_map_mmio,
	.unmap_resource		= viommu_dma_unmap,
	.sync_single_for_cpu	= viommu_dma_sync_for_cpu,
	.sync_single_for_device	= viommu_dma_sync_for_device,
	.sync_sg_for_cpu	= viommu_dma_sync_sg_for_cpu,
	.sync_sg_for_device	= viommu_dma_sync_sg_for_device,
	.max_mapping_size	= viommu_dma_max_mapping_size,
	.opt_mapping_size	= viommu_dma_opt_mapping_size,
};

const bool viommu_dma_possible = IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS);

int viommu_dma_ops_set(struct device *dev, const struct dma_map_ops **before)
{
	*before = get_dma_ops(dev);
	if (!use_dma_iommu(dev) || *before)
		return -EBUSY;
	dev_clear_dma_iommu(dev);
	dev_clear_dma_skip_sync(dev);
	set_dma_ops(dev, &viommu_dma_ops);
	return 0;
}

void viommu_dma_ops_restore(struct device *dev, const struct dma_map_ops *before)
{
	set_dma_ops(dev, before);
	dev_set_dma_iommu(dev);
}
