// SPDX-License-Identifier: GPL-2.0
/* HAVE_DMA_IOMMU: since 6.12, the kernel's DMA operations are no table; dma-ops-6.12.c fits */
#include <linux/dma-map-ops.h>
#include <linux/iommu-dma.h>

bool probe(struct device *dev);

bool probe(struct device *dev)
{
	return use_dma_iommu(dev);
}
