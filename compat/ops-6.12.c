// SPDX-License-Identifier: GPL-2.0
/*
 * The core's API of 6.12, in the place of ops.c.
 *
 * What differs from the newest one:
 * - attach_dev is not told the old domain.
 * - Identity domains come from domain_alloc(), which names no device, so they
 *   become the device's when they are first attached; so do paging domains of
 *   callers that name none.
 * - The core reads the firmware's table only for a device whose driver is about
 *   to be bound: devices without one, and those whose driver was faster than the
 *   IOMMU's, would stay outside.
 *
 * Can go with kernels before 6.19.
 */
#include <linux/acpi.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "viommu.h"

static const struct iommu_ops viommu_ops;

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
	return cap == IOMMU_CAP_CACHE_COHERENCY || cap == IOMMU_CAP_DEFERRED_FLUSH;
}

static int viommu_ops_of_xlate(struct device *dev, const struct of_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, (u32 *)args->args, 1);
}

static const struct iommu_ops viommu_ops = {
	.capable		= viommu_ops_capable,
	.domain_alloc		= viommu_ops_alloc,
	.domain_alloc_paging	= viommu_ops_alloc_paging,
	.blocked_domain		= &viommu_ops_blocked,
	.probe_device		= viommu_master_probe,
	.release_device		= viommu_master_release,
	.device_group		= viommu_master_group,
	.get_resv_regions	= viommu_master_resv_regions,
	.def_domain_type	= viommu_master_default_domain,
	.of_xlate		= viommu_ops_of_xlate,
	.default_domain_ops	= &viommu_domain_ops,
	.pgsize_bitmap		= PAGE_SIZE,
	.owner			= THIS_MODULE,
};

/**
 * struct viommu_passed_by - which of the devices that the core passed by to take in
 * @viommu: the virtio-iommu
 * @live: those that may have DMA under way, which decide what domain a group gets;
 *	the others come second
 */
struct viommu_passed_by {
	const struct viommu_device *viommu;
	bool live;
};

/* A bound driver is counted as a user of the group by the bus, as at its bind. */
static int viommu_ops_take_in(struct device *dev, const struct viommu_passed_by *which)
{
	struct pci_host_bridge *bridge = pci_find_host_bridge(to_pci_dev(dev)->bus);
	struct acpi_device *adev = ACPI_COMPANION(&bridge->dev);

	if (device_iommu_mapped(dev) || !adev ||
	    which->live != (dev->driver && viommu_driver_is_live(which->viommu, dev)))
		return 0;
	if (device_is_bound(dev))
		return dev->bus->dma_configure(dev);
	return acpi_dma_configure(dev, adev->flags.coherent_dma ? DEV_DMA_COHERENT :
								  DEV_DMA_NON_COHERENT);
}

static int viommu_ops_probe_passed_by(struct device *dev, void *data)
{
	const struct viommu_passed_by *which = data;
	int ret;

	/* The lock of the virtio-iommu's own device may be held by us. */
	if (dev == which->viommu->hwdev)
		return 0;
	device_lock(dev);
	ret = viommu_ops_take_in(dev, which);
	device_unlock(dev);
	if (ret)
		dev_warn(dev, "the core does not take it in: %pe: not protected\n", ERR_PTR(ret));
	return 0;
}

int viommu_ops_register(struct viommu_device *viommu)
{
	struct viommu_passed_by which = { .viommu = viommu, .live = true };
	int ret = iommu_device_register(&viommu->iommu, &viommu_ops, viommu->hwdev);

	if (ret)
		return ret;
	bus_for_each_dev(&pci_bus_type, NULL, &which, viommu_ops_probe_passed_by);
	which.live = false;
	bus_for_each_dev(&pci_bus_type, NULL, &which, viommu_ops_probe_passed_by);
	return 0;
}

void viommu_ops_unregister(struct viommu_device *viommu)
{
	iommu_device_unregister(&viommu->iommu);
}

int viommu_ops_fwspec_init(struct device *dev, struct viommu_device *viommu)
{
	return iommu_fwspec_init(dev, viommu->fwnode);
}
