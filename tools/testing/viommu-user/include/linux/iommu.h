/* SPDX-License-Identifier: GPL-2.0 */
/* As much of the core as the driver's structs and its domains need. */
#ifndef _VIOMMU_USER_IOMMU_H
#define _VIOMMU_USER_IOMMU_H

#include <linux/align.h>
#include <linux/device.h>
#include <linux/limits.h>
#include <linux/types.h>

/* What the kernel has from headers that its iommu.h includes. */
#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define offset_in_page(x)	((unsigned long)(x) & ~PAGE_MASK)

#define IOMMU_READ		(1 << 0)
#define IOMMU_WRITE		(1 << 1)
#define IOMMU_CACHE		(1 << 2)
#define IOMMU_MMIO		(1 << 4)
#define IOMMU_PRIV		(1 << 5)

#define IOMMU_DOMAIN_IDENTITY	4
#define IOMMU_DOMAIN_UNMANAGED	1
#define IOMMU_DOMAIN_DMA	3
#define IOMMU_DOMAIN_DMA_FQ	11

struct fwnode_handle;
struct iommu_group;
struct iommu_iotlb_gather;

struct iommu_domain_ops {
	int dummy;
};

struct iommu_domain {
	unsigned int type;
	const struct iommu_domain_ops *ops;
	unsigned long pgsize_bitmap;
	struct {
		u64 aperture_start;
		u64 aperture_end;
		bool force_aperture;
	} geometry;
};

static inline bool iommu_is_dma_domain(const struct iommu_domain *domain)
{
	return domain->type == IOMMU_DOMAIN_DMA || domain->type == IOMMU_DOMAIN_DMA_FQ;
}

struct iommu_device {
	int dummy;
};

static inline void *dev_iommu_priv_get(const struct device *dev)
{
	return dev->iommu_priv;
}

#endif /* _VIOMMU_USER_IOMMU_H */
