/* SPDX-License-Identifier: GPL-2.0 */
/* Messages go to the fake log, where a test counts and reads them: fake_virtqueue.c. */
#ifndef _VIOMMU_USER_DEVICE_H
#define _VIOMMU_USER_DEVICE_H

#include <linux/types.h>

/**
 * struct device - a device, and what its driver says of its DMA
 * @name: for messages
 * @iommu_priv: what the IOMMU's driver has of it
 * @is_pci: it lies in a struct pci_dev
 * @dma_mask: the last address that it can use
 * @coherent_dma_mask: the last one for coherent memory
 * @bus_dma_limit: the last one that its bus can; 0: any
 * @min_align_mask: bits of an address that must be a buffer's
 * @max_seg_size: of an entry of a scatterlist
 * @seg_boundary: what such an entry must not cross, less one
 */
struct device {
	const char *name;
	void *iommu_priv;
	bool is_pci;
	u64 dma_mask;
	u64 coherent_dma_mask;
	u64 bus_dma_limit;
	unsigned int min_align_mask;
	unsigned int max_seg_size;
	unsigned long seg_boundary;
};

void fake_log(const struct device *dev, bool ratelimited, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define dev_err(dev, ...)		fake_log(dev, false, __VA_ARGS__)
#define dev_warn(dev, ...)		fake_log(dev, false, __VA_ARGS__)
#define dev_err_ratelimited(dev, ...)	fake_log(dev, true, __VA_ARGS__)

static inline int dev_to_node(const struct device *dev)
{
	return -1;
}

static inline const char *dev_name(const struct device *dev)
{
	return dev->name;
}

#endif /* _VIOMMU_USER_DEVICE_H */
