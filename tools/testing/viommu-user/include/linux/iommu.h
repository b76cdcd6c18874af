/* SPDX-License-Identifier: GPL-2.0 */
/* As much as it takes to declare the driver's structs and functions. */
#ifndef _VIOMMU_USER_IOMMU_H
#define _VIOMMU_USER_IOMMU_H

#include <linux/device.h>
#include <linux/types.h>

typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

struct fwnode_handle;
struct iommu_group;
struct iommu_iotlb_gather;

struct iommu_domain {
	unsigned int type;
};

struct iommu_device {
	int dummy;
};

#endif /* _VIOMMU_USER_IOMMU_H */
