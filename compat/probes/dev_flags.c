// SPDX-License-Identifier: GPL-2.0
/* HAVE_DEV_FLAGS: since 7.2, bits of struct device are flags with functions */
#include <linux/device.h>

void probe(struct device *dev);

void probe(struct device *dev)
{
	dev_set_dma_iommu(dev);
	dev_clear_dma_skip_sync(dev);
}
