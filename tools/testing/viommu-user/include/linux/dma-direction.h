/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_DMA_DIRECTION_H
#define _VIOMMU_USER_DMA_DIRECTION_H

enum dma_data_direction {
	DMA_BIDIRECTIONAL,
	DMA_TO_DEVICE,
	DMA_FROM_DEVICE,
};

#endif /* _VIOMMU_USER_DMA_DIRECTION_H */
