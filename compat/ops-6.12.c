// SPDX-License-Identifier: GPL-2.0
/*
 * The core's API of 6.12, in the place of ops.c.
 *
 * What differs from the newest one:
 * - attach_dev is not told the old domain.
 * - Identity domains come from domain_alloc(), which names no device, so they
 *   become the device's when they are first attached; so do paging domains of
 *   callers that name none.
 * - Drivers that were bound first are not counted: see bound.c.
 *
 * Can go with kernels before 6.19.
 */
#include <linux/module.h>

#include "viommu.h"

static struct iommu_domain *viommu_ops_alloc_paging(struct device *dev)
{
	struct viommu_domain *domain;

	if (dev)
		return viommu_domain_alloc_for(dev_iommu_priv_get(dev), IOMMU_DOMAIN_UNMANAGED);
	domain = viommu_domain_alloc(IOMMU_DOMAIN_UNMANAGED);
	return domain ? &domain->domain : NULL;
}

static struct iommu_domain *viommu_ops_alloc(unsigned int type)
{
	struct viommu_domain *domain;

	if (type != IOMMU_DOMAIN_IDENTITY)
		return ERR_PTR(-EOPNOTSUPP);
	domain = viommu_domain_alloc(type);
	return domain ? &domain->domain : NULL;
}

static int viommu_ops_attach(struct iommu_domain *domain, struct device *dev)
{
	return viommu_domain_attach(to_viommu_domain(domain), dev_iommu_priv_get(dev));
}

static int viommu_ops_attach_blocked(struct iommu_domain *domain, struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	return viommu_domain_attach(&master->viommu->blocking, master);
}

const struct iommu_domain_ops viommu_domain_ops = {
	.attach_dev		= viommu_ops_attach,
	.map_pages		= viommu_domain_map_pages,
	.iotlb_sync_map		= viommu_domain_sync_map,
	.unmap_pages		= viommu_domain_unmap_pages,
	.iotlb_sync		= viommu_domain_sync,
	.flush_iotlb_all	= viommu_domain_flush,
	.iova_to_phys		= viommu_domain_iova_to_phys,
	.free			= viommu_domain_free,
};

static struct iommu_domain viommu_ops_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &(const struct iommu_domain_ops) {
		.attach_dev = viommu_ops_attach_blocked,
	},
};

static bool viommu_ops_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return viommu_master_is_coherent(dev);
	case IOMMU_CAP_DEFERRED_FLUSH:
		return true;
	default:
		return false;
	}
}

static int viommu_ops_of_xlate(struct device *dev, const struct of_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, (u32 *)args->args, 1);
}

const struct iommu_ops viommu_ops = {
	.capable		= viommu_ops_capable,
	.domain_alloc		= viommu_ops_alloc,
	.domain_alloc_paging	= viommu_ops_alloc_paging,
	.blocked_domain		= &viommu_ops_blocked,
	.probe_device		= viommu_master_probe,
	.probe_finalize		= viommu_compat_count_driver,
	.release_device		= viommu_master_release,
	.device_group		= viommu_master_group,
	.get_resv_regions	= viommu_master_resv_regions,
	.def_domain_type	= viommu_master_default_domain,
	.of_xlate		= viommu_ops_of_xlate,
	.default_domain_ops	= &viommu_domain_ops,
	.pgsize_bitmap		= PAGE_SIZE,
	.owner			= THIS_MODULE,
};

const bool viommu_ops_takes_bound = true;

int viommu_ops_fwspec_init(struct device *dev, struct fwnode_handle *fwnode)
{
	return iommu_fwspec_init(dev, fwnode);
}

void viommu_ops_exit(void)
{
}
