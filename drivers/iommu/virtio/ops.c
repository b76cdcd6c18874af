// SPDX-License-Identifier: GPL-2.0
/*
 * The iommu_ops tables and thin adapters, nothing else.
 *
 * This is the seam to the core: what the core's API of the day calls things is
 * known here, what they do is in domain.c and endpoint.c. A module for an older
 * kernel is built with another file in the place of this one.
 */
#include <linux/module.h>

#include "viommu.h"

static struct iommu_domain *viommu_ops_alloc_identity(struct device *dev)
{
	return viommu_domain_alloc_for(dev_iommu_priv_get(dev), IOMMU_DOMAIN_IDENTITY);
}

static struct iommu_domain *viommu_ops_alloc_paging(struct device *dev)
{
	return viommu_domain_alloc_for(dev_iommu_priv_get(dev), IOMMU_DOMAIN_UNMANAGED);
}

static int viommu_ops_attach(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	return viommu_domain_attach(to_viommu_domain(domain), dev_iommu_priv_get(dev));
}

static int viommu_ops_attach_blocked(struct iommu_domain *domain, struct device *dev,
				     struct iommu_domain *old)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	return viommu_domain_attach(&master->viommu->blocking, master);
}

/* Domains of all types but blocking. */
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
	.domain_alloc_identity	= viommu_ops_alloc_identity,
	.domain_alloc_paging	= viommu_ops_alloc_paging,
	.blocked_domain		= &viommu_ops_blocked,
	.probe_device		= viommu_master_probe,
	.release_device		= viommu_master_release,
	.device_group		= viommu_master_group,
	.get_resv_regions	= viommu_master_resv_regions,
	.def_domain_type	= viommu_master_default_domain,
	.of_xlate		= viommu_ops_of_xlate,
	.default_domain_ops	= &viommu_domain_ops,
	.owner			= THIS_MODULE,
};

/* No: the core warns of a device that comes in with its driver bound. */
const bool viommu_ops_takes_bound;

/**
 * viommu_ops_fwspec_init() - give a device a fwspec
 * @dev: the device
 * @fwnode: names the virtio-iommu that it stands behind
 *
 * Context: May sleep.
 * Return: 0, also where it has one already; the core's errno.
 */
int viommu_ops_fwspec_init(struct device *dev, struct fwnode_handle *fwnode)
{
	return iommu_fwspec_init(dev, fwnode);
}

/**
 * viommu_ops_exit() - have the core forget the ops
 *
 * Context: Module exit; may sleep.
 */
void viommu_ops_exit(void)
{
}
