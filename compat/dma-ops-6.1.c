// SPDX-License-Identifier: GPL-2.0
/*
 * DMA operations of 6.1, in the place of dma_ops.c.
 *
 * What differs from the newest ones:
 * - They map pages, and registers of devices apart.
 * - The kernel's are a table like ours, which a device has in the same place.
 *
 * Can go with kernels before 6.12.
 */
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
#ifdef HAVE_ALLOC_PAGES_OP
	.alloc_pages_op		= viommu_dma_alloc_pages,
#else
	.alloc_pages		= viommu_dma_alloc_pages,
#endif
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

const bool viommu_dma_possible = IS_ENABLED(CONFIG_DMA_OPS);

int viommu_dma_ops_set(struct device *dev, const struct dma_map_ops **before)
{
	*before = get_dma_ops(dev);
	if (!*before)
		return -EBUSY;
	dev_clear_dma_skip_sync(dev);
	set_dma_ops(dev, &viommu_dma_ops);
	return 0;
}

void viommu_dma_ops_restore(struct device *dev, const struct dma_map_ops *before)
{
	set_dma_ops(dev, before);
}
