// SPDX-License-Identifier: GPL-2.0
/*
 * The table of our DMA operations, and the device's place for it. As with ops.c, an older
 * kernel's is a file in compat/.
 */
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>

#include "dma.h"

static dma_addr_t viommu_dma_ops_map(struct device *dev, phys_addr_t phys, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	if (attrs & DMA_ATTR_MMIO)
		return viommu_dma_map_mmio(dev, phys, size, dir, attrs);
	return viommu_dma_map(dev, phys, size, dir, attrs);
}

const struct dma_map_ops viommu_dma_ops = {
	.alloc			= viommu_dma_alloc,
	.free			= viommu_dma_free,
	.alloc_pages_op		= viommu_dma_alloc_pages,
	.free_pages		= viommu_dma_free_pages,
	.mmap			= viommu_dma_mmap,
	.get_sgtable		= viommu_dma_get_sgtable,
	.map_phys		= viommu_dma_ops_map,
	.unmap_phys		= viommu_dma_unmap,
	.map_sg			= viommu_dma_map_sg,
	.unmap_sg		= viommu_dma_unmap_sg,
	.sync_single_for_cpu	= viommu_dma_sync_for_cpu,
	.sync_single_for_device	= viommu_dma_sync_for_device,
	.sync_sg_for_cpu	= viommu_dma_sync_sg_for_cpu,
	.sync_sg_for_device	= viommu_dma_sync_sg_for_device,
	.max_mapping_size	= viommu_dma_max_mapping_size,
	.opt_mapping_size	= viommu_dma_opt_mapping_size,
};

/* Whether the kernel lets a device have operations of its own. */
const bool viommu_dma_possible = IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS);

/**
 * viommu_dma_ops_set() - give a device our operations
 * @dev: the device
 * @before: where what viommu_dma_ops_restore() needs goes
 *
 * Context: The device does no DMA; its lock is held.
 * Return: 0, or -EBUSY where it has neither the kernel's nor ours.
 */
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

/**
 * viommu_dma_ops_restore() - give a device the kernel's operations back
 * @dev: the device
 * @before: what viommu_dma_ops_set() left
 *
 * Context: The device does no DMA; its lock is held.
 */
void viommu_dma_ops_restore(struct device *dev, const struct dma_map_ops *before)
{
	set_dma_ops(dev, before);
	dev_set_dma_iommu(dev);
}
