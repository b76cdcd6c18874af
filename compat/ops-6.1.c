// SPDX-License-Identifier: GPL-2.0
/*
 * The core's API of 6.1, in the place of ops.c.
 *
 * What differs from the newest one:
 * - Domains of all types come from domain_alloc(), which names no device: they
 *   become a device's when they are first attached.
 * - The hook that waits for mappings cannot return an error, so each map_pages
 *   waits for its own: the error of a MAP is worth an exit.
 * - There is no static blocking domain: the core makes an empty one.
 * - The driver sets a device's DMA operations, and takes them back.
 * - Drivers that were bound first are not counted: see bound.c.
 * - A bus keeps a pointer to the ops for ever, also of a module that is gone.
 * - A fwspec gives back a reference to its IOMMU's node that it never took.
 *
 * Can go with kernels before 6.6.
 */
#include <linux/amba/bus.h>
#include <linux/dma-map-ops.h>
#include <linux/fsl/mc.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "viommu.h"

static struct iommu_domain *viommu_ops_alloc(unsigned int type)
{
	struct viommu_domain *domain;

	switch (type) {
	case IOMMU_DOMAIN_UNMANAGED:
	case IOMMU_DOMAIN_DMA:
	case IOMMU_DOMAIN_DMA_FQ:
	case IOMMU_DOMAIN_IDENTITY:
		domain = viommu_domain_alloc(type);
		return domain ? &domain->domain : NULL;
	default:
		return NULL;
	}
}

static int viommu_ops_attach(struct iommu_domain *domain, struct device *dev)
{
	return viommu_domain_attach(to_viommu_domain(domain), dev_iommu_priv_get(dev));
}

static int viommu_ops_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
			  size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	size_t size = 0;
	int ret;

	ret = viommu_domain_map_pages(domain, iova, phys, pgsize, pgcount, prot, gfp, &size);
	if (!ret)
		ret = viommu_domain_sync_map(domain, iova, size);
	if (!ret)
		*mapped += size;
	return ret;
}

const struct iommu_domain_ops viommu_domain_ops = {
	.attach_dev		= viommu_ops_attach,
	.map_pages		= viommu_ops_map,
	.unmap_pages		= viommu_domain_unmap_pages,
	.iotlb_sync		= viommu_domain_sync,
	.flush_iotlb_all	= viommu_domain_flush,
	.iova_to_phys		= viommu_domain_iova_to_phys,
	.free			= viommu_domain_free,
};

/*
 * A core that gave up waiting for us leaves a fwspec that names the IOMMU and says
 * nothing else. Start anew.
 */
static struct iommu_device *viommu_ops_probe(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

	if (fwspec && !fwspec->ops)
		iommu_fwspec_free(dev);
	return viommu_master_probe(dev);
}

static void viommu_ops_probe_finalize(struct device *dev)
{
#ifndef CONFIG_ARCH_HAS_SETUP_DMA_OPS
	/* A device that comes back may still have those of its last domain. */
	set_dma_ops(dev, NULL);
	iommu_setup_dma_ops(dev, 0, U64_MAX);
#endif
	viommu_compat_count_driver(dev);
}

static void viommu_ops_release(struct device *dev)
{
#ifndef CONFIG_ARCH_HAS_SETUP_DMA_OPS
	set_dma_ops(dev, NULL);
#endif
	viommu_master_release(dev);
}

static bool viommu_ops_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY && viommu_master_is_coherent(dev);
}

static int viommu_ops_of_xlate(struct device *dev, struct of_phandle_args *args)
{
	return iommu_fwspec_add_ids(dev, args->args, 1);
}

const struct iommu_ops viommu_ops = {
	.capable		= viommu_ops_capable,
	.domain_alloc		= viommu_ops_alloc,
	.probe_device		= viommu_ops_probe,
	.probe_finalize		= viommu_ops_probe_finalize,
	.release_device		= viommu_ops_release,
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
	bool is_new = !dev_iommu_fwspec_get(dev);
	int ret = iommu_fwspec_init(dev, fwnode, &viommu_ops);

	/* The core takes a reference to a device tree's node only, and puts one to any. */
	if (!ret && is_new && !is_of_node(fwnode))
		fwnode_handle_get(fwnode);
	return ret;
}

/* The buses that the core hands to an IOMMU, and that a module can name. */
void viommu_ops_exit(void)
{
	struct bus_type * const buses[] = {
		&platform_bus_type,
		&pci_bus_type,
#ifdef CONFIG_ARM_AMBA
		&amba_bustype,
#endif
#ifdef CONFIG_FSL_MC_BUS
		&fsl_mc_bus_type,
#endif
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(buses); i++)
		if (buses[i]->iommu_ops == &viommu_ops)
			buses[i]->iommu_ops = NULL;
}
