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
	struct viommu_domain *domain = viommu_domain_alloc(IOMMU_DOMAIN_UNMANAGED);
	struct viommu_master *master;
	int ret;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	if (!dev)
		return &domain->domain;
	master = dev_iommu_priv_get(dev);
	ret = viommu_domain_finalise(domain, master->viommu, &master->regions);
	if (ret) {
		viommu_domain_free(&domain->domain);
		return ERR_PTR(ret);
	}
	return &domain->domain;
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

static struct iommu_group *viommu_ops_group(struct device *dev)
{
	return dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
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
	.device_group		= viommu_ops_group,
	.get_resv_regions	= viommu_master_resv_regions,
	.def_domain_type	= viommu_master_default_domain,
	.of_xlate		= viommu_ops_of_xlate,
	.default_domain_ops	= &viommu_domain_ops,
	.pgsize_bitmap		= PAGE_SIZE,
	.owner			= THIS_MODULE,
};

/*
 * Have the core look at a device that it has passed by. A bound driver is counted
 * as a user of the group by the bus, as it would have been when it was bound.
 */
static int viommu_ops_probe_passed_by(struct device *dev, void *unused)
{
	struct pci_host_bridge *bridge = pci_find_host_bridge(to_pci_dev(dev)->bus);
	struct acpi_device *adev = ACPI_COMPANION(&bridge->dev);

	/* One whose lock is taken is being bound, which does all of this. */
	if (!device_trylock(dev))
		return 0;
	if (device_iommu_mapped(dev) || !adev)
		goto unlock;
	if (device_is_bound(dev))
		dev->bus->dma_configure(dev);
	else if (!dev->driver)
		acpi_dma_configure(dev, adev->flags.coherent_dma ? DEV_DMA_COHERENT :
								   DEV_DMA_NON_COHERENT);
unlock:
	device_unlock(dev);
	return 0;
}

int viommu_ops_register(struct viommu_device *viommu, struct device *hwdev)
{
	int ret = iommu_device_register(&viommu->iommu, &viommu_ops, hwdev);

	if (!ret)
		bus_for_each_dev(&pci_bus_type, NULL, NULL, viommu_ops_probe_passed_by);
	return ret;
}

void viommu_ops_unregister(struct viommu_device *viommu)
{
	iommu_device_unregister(&viommu->iommu);
}

int viommu_ops_fwspec_init(struct device *dev, struct viommu_device *viommu)
{
	return iommu_fwspec_init(dev, viommu->fwnode);
}
